"""From nothing to a NEXA that can serve, and back: the settings, the database, its schema and the demo world."""

from __future__ import annotations

import atexit
import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType

import psycopg
from psycopg.conninfo import conninfo_to_dict

from nexa_core import db, logs, schema
from nexa_core.config import settings
from nexa_core.embedded import EmbeddedServer
from nexa_core.errors import Misconfigured, NexaError
from nexa_core.notifications.smtp import MailServer

OLDEST_POSTGRESQL = 15
_TURN = 0x6E657862  # the advisory lock of whoever makes the demo world

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database is: ``app_url`` for the program, ``owner_url`` for what makes and changes tables."""

    app_url: str
    owner_url: str
    variable: str = "DATABASE_URL"  # the setting that ``owner_url`` came from


_server: EmbeddedServer | None = None


def say(sentence: str) -> None:
    """A plain line in the terminal."""
    print(f"  {sentence}", flush=True)


def prepare(announce: Announce = say, *, port: int | None = None) -> None:
    """Do everything that must be done before the first request; later starts find most of it done.

    ``port`` is the one that is served, for links when NEXA_PUBLIC_URL is not set. Raises Misconfigured.
    """
    wanted = settings()
    if port and "public_url" not in wanted.model_fields_set:
        wanted.public_url = f"http://localhost:{port}"
    logs.configure()
    if wanted.smtp_url:
        MailServer.of(wanted.smtp_url)  # refused now rather than with the first mail
    database = open_database(announce)
    _ = wanted.signing_keys  # refused now rather than at the first sign-in
    schema.migrate(database.owner_url, announce, variable=database.variable)
    connect(database)
    if wanted.demo_mode:
        seed(database, announce)


def ready() -> None:
    """Say where to open NEXA; from here on Ctrl+C ends it in order."""
    _end_in_order()
    say("")
    say(f"NEXA is ready: open {settings().public_url}")
    if settings().demo_mode:
        say("Demo mode: the sign-in page offers accounts; the password of all is nexa-demo-walkthrough")
    say("Ctrl+C stops it.")
    say("")


def finish() -> None:
    """Leave nothing behind; say what became of the embedded server."""
    embedded = _server is not None
    if release():
        say("PostgreSQL is stopped. Goodbye.")
    elif embedded:
        say("PostgreSQL goes on running for another NEXA that uses it. Goodbye.")


@contextlib.contextmanager
def one_sentence(trouble: str = "NEXA cannot start: ") -> Iterator[None]:
    """Turn whatever a person can put right into one sentence and exit code 1, without a traceback.

    Ctrl+C works in the block at once, although the web server, which imports the program, has put it off.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler) if in_main_thread else None
    try:
        yield
    except NexaError as error:
        release()
        print(f"{trouble}{error.sentence}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        release()
        raise SystemExit(130) from None
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, handler)


def open_database(announce: Announce) -> Database:
    """Start or find the database and make sure that it can be used. Raises Misconfigured."""
    global _server
    wanted = settings()
    if wanted.database_url is None:
        if _server is None:
            _server = EmbeddedServer(wanted.data_dir)
            atexit.register(release)
        _server.start(announce)
        return Database(_server.url("nexa_app"), _server.url(), "NEXA_DATA_DIR")
    owner_url = wanted.migrate_database_url or wanted.database_url
    variable = "NEXA_MIGRATE_DATABASE_URL" if wanted.migrate_database_url else "DATABASE_URL"
    with reach(wanted.database_url, "DATABASE_URL") as connection:
        server = connection.info
        announce(
            f"Using the database {server.dbname} at {server.host}:{server.port}, "
            f"PostgreSQL {server.server_version // 10000}."
        )
    for url, name in ((owner_url, variable), (wanted.read_database_url, "NEXA_READ_DATABASE_URL")):
        if url and url != wanted.database_url:
            reach(url, name).close()
    return Database(wanted.database_url, owner_url, variable)


def connect(database: Database) -> None:
    """Open the program's doors to the database."""
    db.configure(database.app_url, read_url=settings().read_database_url, pool_size=settings().pool_size)


_SEEDED = """
    SELECT EXISTS (SELECT FROM organizations) AND NOT EXISTS (
        SELECT FROM organizations WHERE is_platform AND subscription_data->'demo'->>'complete' = 'false')
"""


def seed(database: Database, announce: Announce) -> bool:
    """Fill an empty database with the demo world, one process at a time, or complete one that was interrupted.

    False when there was nothing to do.
    """
    with reach(database.app_url, "DATABASE_URL") as raw:
        schema.take_turn(raw, _TURN, announce, "Another NEXA is making the demo world; waiting for it ...")
        raw.execute("SET LOCAL ROLE nexa_staff")
        if schema.ask(raw, _SEEDED):
            return False
        from nexa_core import demo  # large, and wanted once in the life of a database

        demo.seed(announce, owner_url=database.owner_url)
        return True


def release() -> bool:
    """Close the doors and let go of the embedded server; True when this process was its last user and stopped it."""
    global _server
    db.dispose()
    server, _server = _server, None
    return server.stop() if server else False


def reach(url: str, variable: str) -> schema.Raw:
    """A connection, or Misconfigured with what to do about the setting that names the server."""
    try:
        target = conninfo_to_dict(url)
        if not all(port.isdigit() for port in str(target.get("port") or 5432).split(",")):
            raise psycopg.ProgrammingError("the port is no number")
        connection: schema.Raw = psycopg.connect(url, connect_timeout=5, application_name="nexa start")
    except psycopg.ProgrammingError:
        raise Misconfigured(
            f"{variable} cannot be read as a PostgreSQL URL; it looks like postgresql://user:password@host:5432/nexa."
        ) from None
    except psycopg.OperationalError as error:
        raise Misconfigured(_why_unreachable(str(error), variable, target)) from None
    found = connection.info.server_version // 10000
    if found < OLDEST_POSTGRESQL:
        connection.close()
        raise Misconfigured(
            f"The server named by {variable} is PostgreSQL {found}, and NEXA needs {OLDEST_POSTGRESQL} or newer; "
            "upgrade it or name another."
        )
    return connection


def _why_unreachable(said: str, variable: str, target: Mapping[str, object]) -> str:
    server = f"{target.get('host') or 'localhost'}:{target.get('port') or 5432}"
    user, name = target.get("user") or "the default user", target.get("dbname") or "the default database"
    if "resolve host" in said or "translate host name" in said or "Errno -" in said:
        return f"There is no host {target.get('host')} to be found; correct {variable}."
    if f'role "{user}" does not exist' in said:
        return f"PostgreSQL at {server} knows no role {user}; create it or correct {variable}."
    if "password" in said or "authentication" in said or "pg_hba.conf" in said:
        return f"PostgreSQL at {server} refuses {user}; correct the user or password in {variable}."
    if "does not exist" in said:
        return f"There is no database {name} at {server}; create it (createdb {name}) or correct {variable}."
    if "permission denied for database" in said:
        return f"{user} may not connect to the database {name} at {server}; grant CONNECT or correct {variable}."
    if "too many clients" in said or "remaining connection slots" in said:
        return f"PostgreSQL at {server} has no connection left; raise its max_connections or lower NEXA_POOL_SIZE."
    if "starting up" in said or "shutting down" in said or "recovery" in said:
        return f"PostgreSQL at {server} is not ready; start NEXA again in a moment."
    return f"No PostgreSQL answers at {server}; start it or correct {variable}."


def _end_in_order() -> None:
    """Let a signal end the server, as it does, but not be raised once more after everything has been put away:

    the command line of Streamlit would call that "Aborted!".
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        server = getattr(signal.getsignal(number), "__self__", None)
        if not hasattr(server, "should_exit"):
            continue  # another server than uvicorn, which ends in its own way

        def end(_number: int, _frame: FrameType | None, server: object = server) -> None:
            if getattr(server, "should_exit", False):
                server.force_exit = True  # type: ignore[attr-defined]
            server.should_exit = True  # type: ignore[attr-defined]

        signal.signal(number, end)
