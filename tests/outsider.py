"""The outsider of the tests: what carries exports away and verifies them offline, with the file in docs/."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.config import settings

SCRIPT = Path(__file__).resolve().parents[1] / "docs" / "verify_audit_export.py"
SEAL_KEY = "s1:Zr7wQ2mXn4vTb9yLc6kHd3fGs8jPa1eU5oViBtYhNrE"


def verifier() -> Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("verify_audit_export", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def carry_away(
    actor: Actor, into: Path, *, only: audit.ExportFilter | None = None, file_format: str = "ndjson"
) -> Path:
    """An export in a new file of that folder."""
    path = into / f"export-{len([*into.iterdir()])}.{file_format}"
    path.write_bytes(b"".join(audit.export_entries(actor, file_format=file_format, only=only, reason="asked for")))
    return path


def said(export: Path, *arguments: str | Path) -> tuple[int, str]:
    """The script as somebody runs it, with the keys NEXA has published: how it exits, and what it says."""
    keys = [f"--key={key.argument}" for key in audit.seal_keys()]
    command = [sys.executable, "-I", str(SCRIPT), str(export), *keys, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def faults(export: Path, *, kept: Iterable[Path] = (), keys: bool = True) -> list[str]:
    """What the script finds, with the keys NEXA has published or without."""
    module = verifier()
    trusted = {key.kid: key.key for key in audit.seal_keys()} if keys else None
    earlier = [module.Verifier(trusted).read(str(path)) for path in kept]
    found: list[str] = module.Verifier(trusted, earlier).read(str(export)).faults
    return found


@pytest.fixture
def seal_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """NEXA with a key of its own for seals."""
    monkeypatch.setenv("NEXA_SEAL_KEY", SEAL_KEY)
    settings.cache_clear()
    yield SEAL_KEY
    settings.cache_clear()
