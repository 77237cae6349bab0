"""Processes that use NEXA: commands, starts that fail, and a holder of the embedded server to be killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.serving import ROOT, clean_environment, free_port

KEYS = "k1:Zr7-wQ2mXn4vTb9yLc6kHd3fGs8jPa1e"
HOLD = """
import sys
from nexa_core import startup
database = startup.open_database(lambda said: print(said, flush=True))
print("held", flush=True)
sys.stdin.read()
print("stopped" if startup.release() else "left running", flush=True)
"""


@contextlib.contextmanager
def holding(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the embedded server until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        env=clean_environment(NEXA_DATA_DIR=str(data_dir)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.strip() == "held":
            break
    assert lines[-1:] == ["held"], lines
    process.args = lines  # what it said on the way
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def let_go(process: subprocess.Popen[str]) -> str:
    """End its input; what it said last."""
    said, _ = process.communicate(timeout=60)
    return said.strip()


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]))


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; where nobody collects the dead, as in a container, they stay on the list."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with no setting of NEXA but these."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return run("streamlit", "run", "app.py", "--server.port", str(free_port()), **environment)


def refusal_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on the terminal, after checking that it is one."""
    assert done.returncode not in (0, None), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    return line
