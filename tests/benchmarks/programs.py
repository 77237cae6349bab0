"""Starts what serves pages: NEXA with an empty screen more than the product has, and Streamlit as it comes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.stage import Stage
from tests.serving import ROOT, SECONDS_TO_START, clean_environment, end, free_port

EMPTY = "empty"
_PARTS = ("app.py", "pages", "nexa_core", "migrations", ".streamlit", "pyproject.toml")


def copy_with_empty_screen(into: Path, content: str = "") -> Path:
    """NEXA's files with one more screen in the menu, at /empty, that holds nothing; answers its app.py."""
    into.mkdir()
    for part in _PARTS:
        source = ROOT / part
        shutil.copytree(source, into / part) if source.is_dir() else shutil.copy2(source, into / part)
    (into / "pages" / f"{EMPTY}.py").write_text(content)
    with (into / "pages" / "_ui" / "menu.py").open("a") as menu:
        menu.write(f'SCREENS += (Screen("{EMPTY}.py", "{EMPTY}", "Empty", ":material/circle:", "Nothing."),)\n')
    return into / "app.py"


@contextlib.contextmanager
def nexa(stage: Stage, app: Path = ROOT / "app.py") -> Iterator[str]:
    """A NEXA on the stage's database; answers its address."""
    with _running(["run", str(app)], app.parent, "/api/healthz", {"NEXA_DATA_DIR": str(stage.data_dir)}) as url:
        yield url


@contextlib.contextmanager
def streamlit(*arguments: str, folder: Path) -> Iterator[str]:
    """Streamlit with its default settings: no config.toml, neither in the folder nor at home."""
    with _running([*arguments, "--server.headless", "true"], folder, "/_stcore/health", {"HOME": str(folder)}) as url:
        yield url


@contextlib.contextmanager
def _running(arguments: list[str], folder: Path, ready: str, environment: dict[str, str]) -> Iterator[str]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="nexa-benchmark-") as terminal:
        output = Path(terminal) / "terminal.txt"
        with output.open("wb") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", *arguments, "--server.port", str(port)],
                cwd=folder,
                env=clean_environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            _wait_for(f"http://localhost:{port}{ready}", process, output)
            yield f"http://localhost:{port}"
        finally:
            end(process)


def _wait_for(url: str, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.02)
    raise AssertionError(f"{url} does not answer:\n{output.read_text(errors='replace')}")
