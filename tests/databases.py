"""PostgreSQL for tests: a server, and databases on it that are cloned from a migrated one and used again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, LiteralString
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from nexa_core import db
from nexa_core.billing import PLANS


def url_of(base: str, *, database: str | None = None, user: str | None = None, password: str | None = None) -> str:
    """The same server, another database or login."""
    parts: dict[str, Any] = dict(conninfo_to_dict(base))
    parts["dbname"] = database or parts.get("dbname", "postgres")
    if user:
        parts["user"], parts["password"] = user, password
    login = quote(str(parts.pop("user", "postgres")), safe="")
    if parts.get("password"):
        login += ":" + quote(str(parts["password"]), safe="")
    parts.pop("password", None)
    name = quote(str(parts.pop("dbname")), safe="")
    options = "&".join(f"{key}={quote(str(value), safe='')}" for key, value in parts.items() if value is not None)
    return f"postgresql://{login}@/{name}?{options}"


def at(url: str, login: str) -> str:
    """The same database as another ``user:password``."""
    user, _, password = login.partition(":")
    return url_of(url, user=user, password=password)


@dataclass
class Cluster:
    """A PostgreSQL server, as its superuser."""

    superuser_url: str
    app_password: str | None
    template: str = field(default_factory=lambda: f"nexa_template_{secrets.token_hex(4)}")
    made: list[str] = field(default_factory=list)
    _origins: dict[str, Origin] = field(default_factory=dict)
    _spare: dict[str, list[str]] = field(default_factory=dict)
    _lent: dict[str, str] = field(default_factory=dict)

    def url(self, database: str) -> str:
        return url_of(self.superuser_url, database=database)

    def app_url(self, database: str) -> str:
        return url_of(self.superuser_url, database=database, user="nexa_app", password=self.app_password)

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(self, template: str | None = None) -> str:
        """A new database, empty or cloned; rights on a database are not cloned with it."""
        name = f"nexa_test_{secrets.token_hex(6)}"
        self.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else " TEMPLATE template0"))
        self.made.append(name)
        if template:
            self.execute(
                f'GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "{name}" TO nexa_owner;'
                f'GRANT CONNECT ON DATABASE "{name}" TO nexa_app;'
                f'REVOKE TEMPORARY ON DATABASE "{name}" FROM PUBLIC'
            )
        return name

    def drop(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        if name in self.made:
            self.made.remove(name)

    def lend(self, template: str | None = None) -> str:
        """A database that is as the template is, NEXA's unless another is named: one that was given back, or a clone.

        From the first time on nobody may change the template.
        """
        template = template or self.template
        if template not in self._origins:
            self._origins[template] = Origin.of(self.url(template))
        spare = self._spare.setdefault(template, [])
        name = spare.pop() if spare else self.create(template)
        self._lent[name] = template
        return name

    def take_back(self, name: str) -> None:
        """Put a lent database back as it was, or drop it when the test did more than write rows."""
        template = self._lent.pop(name)
        db.dispose()
        PLANS.forget()  # the database that is lent next may have the same address
        if self._origins[template].restore(self.url(name)):
            self._spare[template].append(name)
        else:
            self.drop(name)


# Whatever a test creates, alters, grants or drops, some row of the catalogue is a new one, and has another xmin.
_SCHEMA: LiteralString = """
    WITH lasting AS (SELECT oid, xmin FROM pg_class WHERE relpersistence <> 't' AND relnamespace NOT IN (
        SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%temp\\_%'))
    SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
        SELECT 'class ' || oid || ' ' || xmin FROM lasting
        UNION ALL SELECT 'column ' || attrelid || ' ' || attnum || ' ' || a.xmin
            FROM pg_attribute a JOIN lasting ON lasting.oid = attrelid WHERE attrelid >= 16384
        UNION ALL SELECT 'proc ' || oid || ' ' || xmin FROM pg_proc WHERE oid >= 16384
        UNION ALL SELECT 'trigger ' || oid || ' ' || xmin FROM pg_trigger
        UNION ALL SELECT 'policy ' || oid || ' ' || xmin FROM pg_policy
        UNION ALL SELECT 'constraint ' || oid || ' ' || xmin FROM pg_constraint
        UNION ALL SELECT 'enum ' || oid || ' ' || xmin FROM pg_enum
        UNION ALL SELECT 'view ' || oid || ' ' || xmin FROM pg_rewrite WHERE oid >= 16384
        UNION ALL SELECT 'schema ' || oid || ' ' || xmin FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%temp\\_%'
        UNION ALL SELECT 'setting ' || setrole || ' ' || s.xmin
            FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()
    ) AS lines (line)
"""
_TABLES: LiteralString = """
    SELECT c.oid::regclass::text, pg_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND relpersistence <> 't' AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
"""
_SEQUENCES: LiteralString = """
    SELECT format('%I.%I', schemaname, sequencename), coalesce(last_value, start_value), last_value IS NOT NULL
    FROM pg_sequences ORDER BY 1
"""
#: A table that grew beyond this is dropped with its database: its empty pages would slow down what comes after.
_LARGEST_BYTES = 4_000_000


@dataclass(frozen=True)
class Origin:
    """What a database is put back to: the template's catalogue, rows and sequences."""

    schema: str
    rows: dict[str, bytes]
    sequences: list[tuple[Any, ...]]

    @classmethod
    def of(cls, url: str) -> Origin:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET search_path = ''")
            (schema,) = connection.execute(_SCHEMA).fetchone() or ("",)
            tables = [table for table, size in connection.execute(_TABLES) if size]
            rows = {table: _rows(connection, table) for table in tables}
            return cls(schema, rows, connection.execute(_SEQUENCES).fetchall())

    def restore(self, url: str) -> bool:
        """Put the rows and sequences back; False when the catalogue is not the template's any more, or all is large."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET search_path = ''; SET session_replication_role = replica; SET lock_timeout = '10s'")
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            tables = [(table, size) for table, size in connection.execute(_TABLES) if size]
            if any(size > _LARGEST_BYTES for _, size in tables):
                return False
            if connection.execute(_SCHEMA).fetchone() != (self.schema,):
                return False
            with connection.transaction():
                for table, _ in tables:
                    if table not in self.rows:
                        connection.execute(f"DELETE FROM ONLY {table}".encode())
                    elif _rows(connection, table) != self.rows[table]:
                        connection.execute(f"DELETE FROM ONLY {table}".encode())
                        with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                            copy.write(self.rows[table])
                connection.cursor().executemany("SELECT setval(%s::regclass, %s, %s)", self.sequences)
        return True


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copy:
        return b"".join(copy)


@dataclass
class TestDatabase:
    """A database of a test's own: NEXA's doors open to it as nexa_app, and a superuser's side door."""

    __test__ = False

    cluster: Cluster
    name: str

    @property
    def superuser_url(self) -> str:
        return self.cluster.url(self.name)

    @property
    def app_url(self) -> str:
        return self.cluster.app_url(self.name)

    def superuser(self) -> psycopg.Connection:
        """A new superuser connection in autocommit; close it, or use it in a with-block."""
        return psycopg.connect(self.superuser_url, autocommit=True)

    def app(self, *, autocommit: bool = False) -> psycopg.Connection:
        """A new raw connection as nexa_app, with no context."""
        return psycopg.connect(self.app_url, autocommit=autocommit)

    def configure(self, *, pool_size: int = 10) -> None:
        db.configure(self.app_url, pool_size=pool_size)
