"""The harness itself: it compares turn by turn, and a figure over its bound turns the run red."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from tests.benchmarks import __main__ as program
from tests.benchmarks import harness
from tests.benchmarks.harness import FIGURES, Bench, Row

Sample = Callable[[], float]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """``run(ours, "--short")``: the program with one figure, whose other side takes a second by its own account."""
    monkeypatch.setattr(program, "staged", lambda **_: nullcontext(None))

    def start(ours: Sample, *arguments: str) -> int:
        def made_up(bench: Bench) -> Iterator[Row]:
            yield bench.compare(("ours", ours), ("theirs", lambda: 1.0), bound=1.5, pairs=10)

        monkeypatch.setitem(FIGURES, "made-up", made_up)
        monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "made-up", *arguments])
        return program.main()

    return start


def test_a_figure_within_its_bound_passes(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda: 1.4) == 0
    assert "1.40" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--short"]])
def test_a_figure_over_its_bound_fails_the_run(run: Any, arguments: list[str], capsys: Any) -> None:
    assert run(lambda: 1.6, *arguments) == program.OVER_A_BOUND
    assert "OVER" in capsys.readouterr().out


def test_a_short_look_over_the_bound_is_repeated_and_forgotten(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Slow at first only, as beside another program that ends."""
    samples = iter([2.0] * (harness.SHORT.rounds + 1) * 4)
    assert run(lambda: next(samples, 1.0), "--short") == 0
    assert "looking again" in capsys.readouterr().out


def test_noise_does_not_count_in_a_short_run_and_does_in_a_full_one(run: Any, capsys: Any) -> None:
    """Disturbed in more than half of the samples, within the bound where it was quiet."""

    def disturbed() -> Sample:
        taken = iter(range(10_000))
        return lambda: 1.0 if next(taken) % 5 < 2 else 3.0

    assert run(disturbed(), "--short") == 0
    assert "noise" in capsys.readouterr().out
    assert run(disturbed()) == program.OVER_A_BOUND


def test_the_sides_take_turns() -> None:
    turns: list[str] = []

    def side(name: str) -> Sample:
        def sample() -> float:
            turns.append(name)
            return 1.0

        return sample

    bench = Bench(None, harness.FULL, "turns")  # type: ignore[arg-type] - it needs no stage
    bench.compare(("ours", side("A")), ("theirs", side("B")), bound=None, pairs=3)
    assert turns == ["A", "B"] * 3 * (harness.FULL.rounds + 1)
