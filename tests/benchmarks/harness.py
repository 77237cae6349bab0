"""Compares two sides fairly: turn by turn in one run, medians, the ratio of the medians, and a bound on it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median, quantiles

from tests.benchmarks.stage import Stage

Sample = Callable[[], float]
"""Does the thing once and answers how many seconds it took."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to look: so many rounds, each with this share of the pairs a figure names."""

    rounds: int
    share: float


FULL = Effort(rounds=9, share=1.0)
SHORT = Effort(rounds=3, share=0.4)


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. Seconds are medians over all samples; ``lowest`` and ``highest`` are the ratios of single rounds.

    ``quiet_ratio`` is that of the lower quartiles: other programs on the machine only ever add time, and least there.
    Without a ``bound`` a row only informs.
    """

    figure: str
    ours: str
    theirs: str
    our_seconds: float
    their_seconds: float
    lowest: float
    highest: float
    quiet_ratio: float
    bound: float | None
    is_excused: bool = False
    is_count: bool = False  # of things, not seconds

    @property
    def ratio(self) -> float:
        return self.our_seconds / self.their_seconds

    @property
    def is_over(self) -> bool:
        return self.bound is not None and self.ratio > self.bound and not self.is_excused

    @property
    def verdict(self) -> str:
        if self.bound is None:
            return ""
        return "OVER" if self.is_over else "noise" if self.is_excused else "pass"

    def excused(self) -> Row:
        """The same, not held against anybody, when it is over at the medians only and not where it was quiet."""
        return replace(self, is_excused=self.is_over and self.quiet_ratio <= (self.bound or 0))


class Bench:
    """What a figure is given: the stage it plays on, and the comparison."""

    def __init__(self, stage: Stage, effort: Effort, figure: str, *, is_short: bool = False) -> None:
        self.stage = stage
        self.is_short = is_short  # of a figure that depends on an amount, the small one: looked at again in full too
        self._effort = effort
        self._figure = figure

    def compare(
        self,
        ours: tuple[str, Sample],
        theirs: tuple[str, Sample],
        *,
        bound: float | None,
        pairs: int,
        most_rounds: int = FULL.rounds,
    ) -> Row:
        """Take ours, theirs, ours, theirs ...: ``pairs`` of them a round, after one round that does not count.

        ``most_rounds`` is for what takes minutes.
        """
        looks = 1 + min(self._effort.rounds, most_rounds)
        pairs = max(1, round(pairs * self._effort.share))
        # As app.py does when it begins to serve: what is in memory by now is none of the collector's business.
        gc.collect()
        gc.freeze()
        rounds = [[(ours[1](), theirs[1]()) for _ in range(pairs)] for _ in range(looks)][1:]
        ratios = [median(a for a, _ in taken) / median(b for _, b in taken) for taken in rounds]
        our_seconds, their_seconds = zip(*(pair for taken in rounds for pair in taken), strict=True)
        return Row(
            figure=self._figure,
            ours=ours[0],
            theirs=theirs[0],
            our_seconds=median(our_seconds),
            their_seconds=median(their_seconds),
            lowest=min(ratios),
            highest=max(ratios),
            quiet_ratio=_lower_quartile(our_seconds) / _lower_quartile(their_seconds),
            bound=bound,
        )

    def count(self, ours: tuple[str, int], allowed: tuple[str, int]) -> Row:
        """A number of things against the number allowed: not a matter of time, so it is taken once."""
        share = ours[1] / allowed[1]
        return Row(
            self._figure,
            ours[0],
            allowed[0],
            *map(float, (ours[1], allowed[1])),
            share,
            share,
            share,
            1.0,
            is_count=True,
        )


Measure = Callable[[Bench], Iterator[Row]]
FIGURES: dict[str, Measure] = {}


def figure(name: str) -> Callable[[Measure], Measure]:
    """Register what measures a figure; it yields one row for each comparison."""

    def register(measure: Measure) -> Measure:
        FIGURES[name] = measure
        return measure

    return register


def _lower_quartile(seconds: Sequence[float]) -> float:
    """What it takes when the machine is left alone; of a single look, that look."""
    return quantiles(seconds)[0] if len(seconds) > 1 else seconds[0]


def timed(work: Callable[[], object]) -> Sample:
    """A sample of a plain call."""

    def sample() -> float:
        began = time.perf_counter()
        work()
        return time.perf_counter() - began

    return sample


def measure(name: str, stage: Stage, *, short: bool) -> list[Row]:
    """The rows of one figure.

    A short look is noisy: what it finds over a bound counts only when a full look finds it too, at the medians and at
    the lower quartiles. A full look by itself takes the medians at their word.
    """
    rows = list(FIGURES[name](Bench(stage, SHORT if short else FULL, name, is_short=short)))
    if short and any(row.is_over for row in rows):
        print(f"{name}: over its bound at a short look; looking again with full rounds ...", flush=True)
        rows = [row.excused() for row in FIGURES[name](Bench(stage, FULL, name, is_short=True))]
    return rows


def table(rows: list[Row]) -> str:
    """Both sides, the ratio with its spread, the bound and the verdict."""
    head = ("figure", "NEXA", "against", "p50", "p50", "ratio", "rounds", "at most", "")
    lines = [
        (
            row.figure,
            row.ours,
            row.theirs,
            _amount(row, row.our_seconds),
            _amount(row, row.their_seconds),
            f"{row.ratio:.2f}",
            f"{row.lowest:.2f}-{row.highest:.2f}",
            "-" if row.bound is None else f"{row.bound:g}",
            row.verdict,
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (head, tuple("-" * width for width in widths), *lines)
    )


def _amount(row: Row, value: float) -> str:
    return f"{value:g}" if row.is_count else _milliseconds(value)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"
