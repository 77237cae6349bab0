"""Diagrams: what is wrong with a text, and its picture; drawn once and kept, since drawing costs about a second.

Mermaid texts are drawn in a process of their own (see ``drawing``). DOT is drawn by the browser on screen; without
Graphviz there is no picture of it on paper, where its text stands instead, and says so.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Mermaid itself refuses more than 50,000 characters.
MOST_CHARACTERS: Final = 50_000
#: Seconds one diagram may take to draw; after that its process is ended. Thirty nodes take three, on a busy machine 20.
LONGEST: Final = 60.0
#: Seconds until one that took too long is tried again.
_PAUSE: Final = 600.0
#: Part of what a drawing is known by: another version of it draws anew.
_STYLE: Final = "mermaidx 0.10.1, 1"
_REMEMBERED: Final = 256
_DRAWING: Final = Path(__file__).with_name("drawing.py")


@dataclass(frozen=True, slots=True)
class DiagramFault:
    """What is wrong with a diagram's text; ``line`` counts from 1, None where none can be named."""

    sentence: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn diagram, or why there is none: exactly one of ``svg`` and ``fault`` is set."""

    svg: str | None
    fault: DiagramFault | None


def check(text: str, language: str = "mermaid") -> DiagramFault | None:
    """What is wrong with a diagram's text, with its line; None for nothing."""
    if language == "dot" and text.strip() and len(text) <= MOST_CHARACTERS:
        return _check_dot(text)
    return draw(text, language).fault


def draw(text: str, language: str = "mermaid") -> Drawing:
    """The picture of a diagram as SVG, from memory when it was drawn before."""
    if not text.strip():
        return _faulty("The diagram is empty.", None)
    if len(text) > MOST_CHARACTERS:
        return _faulty(f"A diagram has at most {MOST_CHARACTERS:,} characters; this has {len(text):,}.", None)
    if language == "dot":
        return Drawing(None, _check_dot(text) or DiagramFault("DOT is drawn on screen only.", None))
    digest = digest_of(text)
    known = _memory.get(digest)
    if known is None:
        known = _pen.draw(text)
        _memory.put(digest, known, None if known.fault != _TOO_LONG else time.monotonic() + _PAUSE)
    return known


def is_drawn(text: str) -> bool:
    """Whether the picture, or what is wrong, is known without drawing."""
    return not text.strip() or len(text) > MOST_CHARACTERS or _memory.get(digest_of(text)) is not None


def remember(text: str, svg: str) -> None:
    """Take a picture that was kept elsewhere into this process's memory."""
    _memory.put(digest_of(text), Drawing(svg, None))


def digest_of(text: str) -> str:
    """What a drawing is known by: SHA-256 of the text and of how we draw."""
    return hashlib.sha256(f"{_STYLE}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


_TOO_LONG = DiagramFault(f"This diagram took longer than {LONGEST:.0f} seconds to draw and was given up.", None)
_DOT_HEAD = re.compile(r"\s*(?:strict\s+)?(?:di)?graph\b[^{]*\{", re.IGNORECASE)
_DOT_OPAQUE = re.compile(r"\"(?:\\.|[^\"\\])*\"|/\*.*?\*/|//[^\n]*|^\#[^\n]*", re.DOTALL | re.MULTILINE)


def _check_dot(text: str) -> DiagramFault | None:
    """What can be said of DOT without Graphviz: how it begins, and that its braces and brackets close."""
    bare = _DOT_OPAQUE.sub(lambda found: "".join(c if c == "\n" else " " for c in found[0]), text)
    if not _DOT_HEAD.match(bare):
        return DiagramFault("A DOT diagram begins with graph or digraph and a brace.", 1)
    open_at: list[tuple[str, int]] = []
    for line, written in enumerate(bare.splitlines(), 1):
        for character in written:
            if character in "{[":
                open_at.append((character, line))
            elif character in "}]":
                if not open_at or open_at[-1][0] != {"}": "{", "]": "["}[character]:
                    return DiagramFault(f"There is a {character} on line {line} that nothing opens.", line)
                open_at.pop()
    if open_at:
        character, line = open_at[-1]
        return DiagramFault(f"The {character} on line {line} is never closed.", line)
    return None


def _faulty(sentence: str, line: int | None) -> Drawing:
    return Drawing(None, DiagramFault(sentence, line))


class _Memory:
    """The drawings used last, by digest; for all organizations, because a digest gives away nothing."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Drawing, float | None]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: str) -> Drawing | None:
        with self._lock:
            drawing, until = self._known.get(digest, (None, None))
            if drawing is None or (until is not None and until < time.monotonic()):
                return None
            self._known.move_to_end(digest)
            return drawing

    def put(self, digest: str, drawing: Drawing, until: float | None = None) -> None:
        with self._lock:
            self._known[digest] = drawing, until
            self._known.move_to_end(digest)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


class _Pen:
    """The drawing process: begun at the first diagram, ended when one takes too long, begun anew at the next."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        atexit.register(self.put_down)

    def draw(self, text: str) -> Drawing:
        with self._lock:
            answer = self._ask(text)
            if answer is None:  # too long, or the process died of it
                self.put_down()
                return Drawing(None, _TOO_LONG)
            found = json.loads(answer)
            return Drawing(found["svg"], None) if "svg" in found else _faulty(found["error"], found["line"])

    def put_down(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _ask(self, text: str) -> bytes | None:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_DRAWING)],  # by its path: it needs nothing else of NEXA in its memory
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(text).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return None
        return _line_of(self._process.stdout.fileno(), time.monotonic() + LONGEST)


def _line_of(pipe: int, until: float) -> bytes | None:
    """One line from a pipe, or None when it ends or the time is over."""
    received = bytearray()
    while not received.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
        if not ready or not (chunk := os.read(pipe, 65_536)):
            return None
        received += chunk
    return bytes(received)


_memory = _Memory()
_pen = _Pen()
