"""Where everything is measured: NEXA prepared as a start prepares it, durable PostgreSQL and demo world included."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from nexa_core import accounts, db, demo, startup
from nexa_core.actor import Actor, Origin
from nexa_core.config import settings

OWNER = "owner@lumenfold.example"
PASSWORD = demo.PASSWORD
ORIGIN = Origin(ip_address="203.0.113.7", user_agent="benchmarks")


@dataclass(frozen=True, slots=True)
class Stage:
    """A temporary folder and the database in it; NEXA's doors in this process lead to it."""

    folder: Path
    superuser_url: str
    worlds: Path | None = None  # where filled worlds are kept between runs, if they are

    @property
    def data_dir(self) -> Path:
        """What another NEXA is given as NEXA_DATA_DIR to use the same database."""
        return self.folder / "data"

    def superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        """A bare connection in autocommit."""
        return psycopg.connect(self.superuser_url, autocommit=True)

    def cookie(self, email: str = OWNER) -> str:
        """The cookie of a new browser sign-in."""
        ticket = accounts.sign_in(ORIGIN, email=email, password=PASSWORD).ticket
        return accounts.open_browser_sign_in(ORIGIN, ticket=ticket).cookie

    def actor(self, email: str = OWNER) -> Actor:
        """Somebody of the demo world, signed in."""
        return accounts.actor_of_cookie(ORIGIN, cookie=self.cookie(email))


@contextmanager
def staged(*, worlds: Path | None = None, world: str = "") -> Iterator[Stage]:
    """A stage for one run; nothing of it is left afterwards. With ``world`` it is a copy of the one kept under that
    name in ``worlds``, made with ``python -m tests.benchmarks.worlds``."""
    for name in [name for name in os.environ if name.startswith(("NEXA_", "STREAMLIT_"))]:
        if not name.startswith("NEXA_TEST_"):
            del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    folder = Path(tempfile.mkdtemp(prefix="nexa-benchmarks-"))
    folder.chmod(0o711)  # the server's own user must pass through, where this runs as root
    os.environ |= {"NEXA_DATA_DIR": str(folder / "data"), "NEXA_LOG_LEVEL": "WARNING"}
    settings.cache_clear()
    try:
        if worlds and world:
            # With its owners: PostgreSQL refuses a folder that is not its user's. And on the disk before a clock runs.
            subprocess.run(["cp", "-a", "--reflink=auto", f"{worlds / world}/.", str(folder)], check=True)
            folder.chmod(0o711)
            os.sync()
        startup.prepare(lambda _sentence: None)
        yield Stage(folder, startup.open_database(lambda _sentence: None).owner_url, worlds)
    finally:
        db.dispose()
        startup.release()
        shutil.rmtree(folder, ignore_errors=True)
