"""Starts what serves pages: NEXA with an empty screen more than the product has, and Streamlit as it comes."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httptools

from tests.benchmarks.stage import Stage
from tests.serving import ROOT, SECONDS_TO_START, clean_environment, end, free_port

EMPTY = "empty"
_PARTS = ("app.py", "pages", "nexa_core", "migrations", ".streamlit", "pyproject.toml")


class Answer:
    """One answer of HTTP, filled in by the parser's calls."""

    def __init__(self) -> None:
        self.status, self.body, self.is_whole = 0, b"", False
        self.headers: dict[str, str] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


class Client:
    """One connection to a program; what it adds to an answer's time is a parser in C (as in browsers) and no more."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        assert address.hostname and address.port
        self._host = address.netloc
        self._socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def written(self, method: str, path: str, body: str, headers: Mapping[str, str]) -> bytes:
        """A request with JSON, as it goes over the wire."""
        sent = {"host": self._host, "content-type": "application/json", "content-length": str(len(body.encode()))}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**sent, **headers}.items())]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def answer(self, request: bytes) -> Answer:
        """Send a request and wait for the whole of what it is answered with."""
        self._socket.sendall(request)
        answer = Answer()
        parser = httptools.HttpResponseParser(answer)
        while not answer.is_whole:
            received = self._socket.recv(65_536)
            assert received, "the connection was closed before the answer was whole"
            parser.feed_data(received)
        answer.status = parser.get_status_code()
        return answer

    def close(self) -> None:
        self._socket.close()


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
