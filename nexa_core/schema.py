"""Brings the database's roles and tables to where this code expects them, one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from nexa_core.config import ROOT
from nexa_core.errors import Misconfigured

ROLES = ("nexa_owner", "nexa_system", "nexa_app", "nexa_tenant", "nexa_staff", "nexa_presenter", "nexa_entry")
_TURN = 0x6E657861  # "nexa": the advisory lock of whoever migrates

Announce = Callable[[str], None]
Raw = psycopg.Connection[tuple[object, ...]]


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, as [tool.alembic] in pyproject.toml has it, on a connection of ours."""
    alembic = Config(toml_file=ROOT / "pyproject.toml")
    alembic.attributes["connection"] = connection
    return alembic


@cache
def head() -> str:
    """The migration this code was written for."""
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert newest is not None
    return newest


@contextmanager
def owner_connection(url: str) -> Iterator[Connection]:
    """A connection that may change the schema."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def migrate(url: str, announce: Announce, *, variable: str = "DATABASE_URL") -> None:
    """Make what is missing; a database that is up to date needs no right to change it.

    ``variable`` is the setting that ``url`` came from. Everything happens in one transaction. Raises Misconfigured
    with what to do when the schema is newer than the code or the login lacks a right.
    """
    with owner_connection(url) as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        try:
            take_turn(raw, _TURN, announce, "Another NEXA is migrating the database; waiting for it ...")
            _migrate(connection, raw, announce)
            connection.commit()
        except (psycopg.Error, DBAPIError) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            if isinstance(cause, psycopg.errors.InsufficientPrivilege):
                raise Misconfigured(
                    f"{raw.info.user} lacks a right that migrating needs ({cause.diag.message_primary}); let a "
                    f"superuser run once: psql --dbname {raw.info.dbname} --file migrations/roles.sql, "
                    f"or name another login in {variable}."
                ) from None
            if isinstance(cause, psycopg.errors.LockNotAvailable):
                raise Misconfigured("The database is too busy to migrate; try again in a quiet moment.") from None
            raise


def _migrate(connection: Connection, raw: Raw, announce: Announce) -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    present, newest = revision(raw), head()
    if present not in {None, *(script.revision for script in scripts.walk_revisions())}:
        raise Misconfigured(
            f"The database is at migration {present}, which this NEXA does not know (it knows up to {newest}); "
            "start a newer NEXA, or restore the database from before it."
        )
    if present == newest and _roles_exist(raw):
        return
    _have_roles(raw)
    if not ask(raw, "SELECT pg_has_role(session_user, 'nexa_owner', 'MEMBER')"):
        raise Misconfigured(
            f"The database needs migrating to {newest}, and {raw.info.user} may not; set "
            "NEXA_MIGRATE_DATABASE_URL to a login that is a member of nexa_owner."
        )
    announce(f"Migrating the database from {present or 'empty'} to {newest} ...")
    command.upgrade(alembic_config(connection), "head")


def _have_roles(raw: Raw) -> None:
    """Make NEXA's roles, with just their rights on this database, if the login may; refuse if they are missing."""
    exist = _roles_exist(raw)
    if exist and ask(
        raw,
        "SELECT has_database_privilege('nexa_owner', current_database(), 'CREATE')"
        " AND has_schema_privilege('nexa_owner', 'public', 'CREATE')"
        " AND NOT has_database_privilege('nexa_app', current_database(), 'TEMPORARY')"
        " AND pg_has_role(session_user, 'nexa_owner', 'MEMBER')",
    ):
        return
    if ask(raw, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = session_user"):
        raw.execute((ROOT / "migrations" / "roles.sql").read_text().encode())
    elif not exist:
        raise Misconfigured(
            f"NEXA's roles are missing and {raw.info.user} may not create them; let a superuser run once: "
            f"psql --dbname {raw.info.dbname} --file migrations/roles.sql, then GRANT nexa_owner, nexa_app "
            f"TO {raw.info.user}."
        )


def revision(raw: Raw) -> str | None:
    """The migration the database is at; None for an empty one."""
    if not ask(raw, "SELECT to_regclass('public.alembic_version') IS NOT NULL"):
        return None
    if not ask(raw, "SELECT has_table_privilege('public.alembic_version', 'SELECT')"):
        raw.execute("SET LOCAL ROLE nexa_app")
    row = raw.execute("SELECT version_num FROM public.alembic_version").fetchone()
    raw.execute("RESET ROLE")
    return str(row[0]) if row else None


def take_turn(raw: Raw, key: int, announce: Announce, waiting: str) -> None:
    """Hold an advisory lock until the end of the transaction, so that PgBouncer in transaction mode holds it too."""
    if not ask(raw, f"SELECT pg_try_advisory_xact_lock({key})"):
        announce(waiting)
        raw.execute(f"SELECT pg_advisory_xact_lock({key})".encode())


def ask(raw: Raw, question: str) -> bool:
    """The answer to a question of one column and row."""
    row = raw.execute(question.encode()).fetchone()
    return bool(row and row[0])


def _roles_exist(raw: Raw) -> bool:
    row = raw.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)", [list(ROLES)]).fetchone()
    return row is not None and row[0] == len(ROLES)
