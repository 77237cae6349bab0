"""Starts NEXA as the README says, waits until it serves, and ends the processes it started, no others."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_START = 120  # generous on purpose: a busy machine is not a defect


@dataclass
class Served:
    """A NEXA in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    data_dir: Path
    output: Path
    seconds_to_start: float

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def terminal(self) -> str:
        """What it has printed so far, errors included."""
        return self.output.read_text(errors="replace")

    def interrupt(self) -> int:
        """Ctrl+C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(**additional: str) -> dict[str, str]:
    """This environment without any setting of NEXA."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NEXA_", "STREAMLIT_", "DATABASE_URL"))
    }
    return {**kept, "PYTHONUNBUFFERED": "1", **additional}


def spawn(
    data_dir: Path, *, port: int, environment: Mapping[str, str] | None = None, output: Path
) -> subprocess.Popen[bytes]:
    """``streamlit run app.py`` on a port; its terminal goes to a file."""
    with output.open("ab") as terminal:
        return subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)],
            cwd=ROOT,
            env=clean_environment(**{"NEXA_DATA_DIR": str(data_dir), **(environment or {})}),
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
        )


@contextlib.contextmanager
def serve(
    data_dir: Path | None = None, environment: Mapping[str, str] | None = None, *, port: int | None = None
) -> Iterator[Served]:
    """NEXA on a free port, ready to answer; unless a folder is given, with the demo world as a first start made it."""
    folder = _folder("nexa-served-")
    port = port or free_port()
    data = data_dir or folder / "data"
    if data_dir is None:
        # With its owners: PostgreSQL refuses a folder that is not its user's.
        subprocess.run(["cp", "-a", f"{_first_start()}/.", str(data)], check=True)
    began = time.monotonic()
    process = spawn(data, port=port, environment=environment, output=folder / "terminal.txt")
    served = Served(process, port, data, folder / "terminal.txt", 0.0)
    try:
        wait_until_ready(served)
        served.seconds_to_start = time.monotonic() - began
        yield served
    finally:
        end(process)
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _first_start() -> Path:
    """The data folder of a first start that was ended: every later one of this run begins with a copy."""
    folder = _folder("nexa-first-start-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with serve(folder / "data"):
        pass
    return folder / "data"


def _folder(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)  # the server's own user must pass through, where tests run as root
    return folder


def wait_until_ready(served: Served) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        if served.process.poll() is not None:
            raise AssertionError(f"NEXA ended with exit code {served.process.returncode}:\n{served.terminal}")
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{served.url}/api/healthz", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise AssertionError(
        f"NEXA did not answer {served.url}/api/healthz within {SECONDS_TO_START} s:\n{served.terminal}"
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, as Ctrl+C does, then insist."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
    if process.poll() is None:
        process.kill()
        process.wait(30)
