"""From nothing to a NEXA that can serve: the settings, the database, its roles, its schema and the demo world."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, NullPool, create_engine

from nexa_core import config, db, logs
from nexa_core.config import ROOT, settings
from nexa_core.embedded import EmbeddedServer
from nexa_core.errors import Misconfigured, NexaError

OLDEST_POSTGRESQL = 15
ROLES = ("nexa_owner", "nexa_system", "nexa_app", "nexa_tenant", "nexa_staff", "nexa_presenter", "nexa_entry")
_MIGRATING, _SEEDING = 0x6E657861, 0x6E657862  # advisory locks: "nexa" and the number after it

Announce = Callable[[str], None]
Raw = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database is: ``app_url`` for the program, ``owner_url`` for what makes and changes tables."""

    app_url: str
    owner_url: str
    variable: str  # the setting to name when the owner's login is not good enough


_server: EmbeddedServer | None = None


def say(sentence: str) -> None:
    """A plain line in the terminal."""
    print(f"  {sentence}", flush=True)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn whatever a person can put right into one sentence and exit code 1, without a traceback."""
    try:
        yield
    except NexaError as error:
        release()
        print(f"\n  NEXA cannot start: {error.sentence}\n", file=sys.stderr, flush=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        release()
        raise SystemExit(130) from None


def prepare(announce: Announce = say, *, port: int | None = None) -> None:
    """Do everything that must be done before the first request; later starts find most of it done.

    ``port`` is the one that is served, for links when NEXA_PUBLIC_URL is not set. Raises Misconfigured.
    """
    wanted = settings()
    if port and "public_url" not in wanted.model_fields_set:
        wanted.public_url = f"http://localhost:{port}"
    logs.configure()
    _ = wanted.signing_keys  # refused now rather than at the first sign-in
    database = open_database(announce)
    migrate(database, announce)
    connect(database)
    if wanted.demo_mode:
        seed(database, announce)


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
    for url, name in dict.fromkeys(((wanted.database_url, "DATABASE_URL"), (owner_url, variable))):
        with reach(url, name) as connection:
            place = f"{connection.info.dbname} at {connection.info.host}:{connection.info.port}"
            version = connection.info.server_version // 10000
        if name == "DATABASE_URL":
            announce(f"Using the database {place}, PostgreSQL {version}.")
    if wanted.read_database_url:
        reach(wanted.read_database_url, "NEXA_READ_DATABASE_URL").close()
    return Database(wanted.database_url, owner_url, variable)


def connect(database: Database) -> None:
    """Open the program's doors to the database."""
    db.configure(database.app_url, read_url=settings().read_database_url, pool_size=settings().pool_size)


def release() -> bool:
    """Close the doors and let go of the embedded server; True when this process was its last user and stopped it."""
    global _server
    db.dispose()
    server, _server = _server, None
    return server.stop() if server else False


def reach(url: str, variable: str) -> Raw:
    """A connection, or Misconfigured with what to do about the setting that names the server."""
    try:
        target = conninfo_to_dict(url)
        connection: Raw = psycopg.connect(url, connect_timeout=5, application_name="nexa start")
    except psycopg.ProgrammingError:
        raise Misconfigured(
            f"{variable} cannot be read as a PostgreSQL URL; it looks like postgresql://user:password@host:5432/nexa."
        ) from None
    except psycopg.OperationalError as error:
        raise Misconfigured(_why_unreachable(str(error), variable, target)) from None
    if connection.info.server_version < OLDEST_POSTGRESQL * 10000:
        found = connection.info.server_version
        connection.close()
        raise Misconfigured(
            f"The server named by {variable} is PostgreSQL {found // 10000}, and NEXA needs {OLDEST_POSTGRESQL} or newer; "
            "upgrade it or name another."
        )
    return connection


def _why_unreachable(said: str, variable: str, target: dict[str, object]) -> str:
    server = f"{target.get('host') or 'localhost'}:{target.get('port') or 5432}"
    user, name = target.get("user") or "the default user", target.get("dbname") or "the default database"
    if "password" in said or "authentication" in said or "pg_hba.conf" in said:
        return f"PostgreSQL at {server} refuses {user}; correct the user or password in {variable}."
    if f'database "{name}" does not exist' in said:
        return f"There is no database {name} at {server}; create it (createdb {name}) or correct {variable}."
    if f'role "{user}" does not exist' in said:
        return f"PostgreSQL at {server} knows no role {user}; create it or correct {variable}."
    if "permission denied for database" in said:
        return f"{user} may not connect to the database {name} at {server}; grant CONNECT or correct {variable}."
    if "too many clients" in said or "remaining connection slots" in said:
        return f"PostgreSQL at {server} has no connection left; raise its max_connections or lower NEXA_POOL_SIZE."
    return f"No PostgreSQL answers at {server}; start it or correct {variable}."


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, as [tool.alembic] in pyproject.toml has it, on a connection of ours."""
    alembic = Config(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["connection"] = connection
    return alembic


@contextmanager
def owner_connection(url: str | None = None) -> Iterator[Connection]:
    """A connection that may change the schema; without a URL the one the settings name."""
    url = url or open_database(lambda _sentence: None).owner_url
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def migrate(database: Database, announce: Announce) -> None:
    """Bring roles and schema to where this code expects them, one process at a time. Raises Misconfigured."""
    with owner_connection(database.owner_url) as connection:
        raw = _raw(connection)
        try:
            _take_turn(raw, _MIGRATING, announce, "Another NEXA is migrating the database; waiting for it ...")
            have_roles(raw, database.variable)
            scripts = ScriptDirectory.from_config(alembic_config())
            present, head = _revision(raw), scripts.get_current_head()
            if present == head:
                return connection.commit()
            if present is not None and present not in {script.revision for script in scripts.walk_revisions()}:
                raise Misconfigured(
                    f"The database is at migration {present}, which this NEXA does not know (it knows up to {head}); "
                    "start a newer NEXA, or restore the database from before it."
                )
            if not _may_become(raw, "nexa_owner"):
                raise Misconfigured(
                    f"The database needs migrating to {head}, and {raw.info.user} may not; set NEXA_MIGRATE_DATABASE_URL to "
                    "a login that is a member of nexa_owner, or run `python -m nexa_core migrate` with one."
                )
            announce(f"Migrating the database from {present or 'empty'} to {head} ...")
            command.upgrade(alembic_config(connection), "head")
            connection.commit()
        except psycopg.errors.InsufficientPrivilege as error:
            raise _lacks_rights(raw, error, database.variable) from None
        except Exception as error:
            if isinstance(cause := getattr(error, "orig", None), psycopg.errors.InsufficientPrivilege):
                raise _lacks_rights(raw, cause, database.variable) from None
            if isinstance(cause, psycopg.errors.LockNotAvailable):
                raise Misconfigured(
                    "The database is too busy to migrate just now; try again in a quiet moment."
                ) from None
            raise


def have_roles(raw: Raw, variable: str = "DATABASE_URL") -> None:
    """Make NEXA's roles and their rights on this database where they are missing, if the login may."""
    if _revision(raw) is not None and _roles_exist(raw):
        return
    if not _roles_exist(raw) and not _flag(
        raw, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user"
    ):
        raise Misconfigured(
            f"NEXA's roles are missing and {raw.info.user} may not create them; let a superuser run once: "
            f"psql --dbname {raw.info.dbname} --file migrations/roles.sql, then grant nexa_owner and nexa_app to {raw.info.user}."
        )
    if _may_grant(raw):
        raw.execute((ROOT / "migrations" / "roles.sql").read_text().encode())


def seed(database: Database, announce: Announce) -> None:
    """Fill an empty database with the demo world, one process at a time."""
    from nexa_core import demo

    if not hasattr(demo, "seed"):  # until the demo world has landed
        return
    with reach(database.owner_url, database.variable) as raw:
        _take_turn(raw, _SEEDING, announce, "Another NEXA is making the demo world; waiting for it ...")
        raw.execute("SET LOCAL ROLE nexa_staff")
        if not _flag(raw, "SELECT EXISTS (SELECT FROM organizations)"):
            announce("Making the demo world (a few seconds) ...")
            demo.seed()


def _take_turn(raw: Raw, key: int, announce: Announce, waiting: str) -> None:
    """Until the end of the transaction, so that PgBouncer in transaction mode keeps the promise."""
    if not _flag(raw, f"SELECT pg_try_advisory_xact_lock({key})"):
        announce(waiting)
        raw.execute(f"SELECT pg_advisory_xact_lock({key})".encode())


def _revision(raw: Raw) -> str | None:
    """The migration the database is at; None for an empty one."""
    if not _flag(raw, "SELECT to_regclass('public.alembic_version') IS NOT NULL"):
        return None
    if not _flag(raw, "SELECT has_table_privilege('public.alembic_version', 'SELECT')"):
        raw.execute("SET LOCAL ROLE nexa_app")
    row = raw.execute("SELECT version_num FROM public.alembic_version").fetchone()
    raw.execute("RESET ROLE")
    return str(row[0]) if row else None


def _roles_exist(raw: Raw) -> bool:
    row = raw.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)", [list(ROLES)]).fetchone()
    return row is not None and row[0] == len(ROLES)


def _may_become(raw: Raw, role: str) -> bool:
    return _flag(raw, f"SELECT pg_has_role(session_user, '{role}', 'MEMBER')")


def _may_grant(raw: Raw) -> bool:
    """Whether this login may run roles.sql here: it grants rights on the database and its public schema."""
    return _flag(
        raw,
        "SELECT rolsuper OR (rolcreaterole AND pg_has_role(session_user, datdba, 'MEMBER'))"
        " FROM pg_roles, pg_database WHERE rolname = session_user AND datname = current_database()",
    )


def _flag(raw: Raw, question: str) -> bool:
    row = raw.execute(question.encode()).fetchone()
    return bool(row and row[0])


def _raw(connection: Connection) -> Raw:
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def _lacks_rights(raw: Raw, error: psycopg.Error, variable: str) -> Misconfigured:
    return Misconfigured(
        f"{raw.info.user} lacks a right that migrating needs ({error.diag.message_primary}); let a superuser run once: "
        f"psql --dbname {raw.info.dbname} --file migrations/roles.sql, or name another login in {variable}."
    )


__all__ = [
    "Database",
    "alembic_config",
    "config",
    "connect",
    "have_roles",
    "migrate",
    "one_sentence",
    "open_database",
    "owner_connection",
    "prepare",
    "reach",
    "release",
    "say",
    "seed",
]
