"""What tests stand on: a real PostgreSQL, a fresh database each, a small world, a running NEXA and a real browser.

Nothing is skipped: a missing database or browser fails, and says why.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

# Before anything reads the settings: tests know nothing of the environment they are started from.
for name in [name for name in os.environ if name.startswith("NEXA_") and not name.startswith("NEXA_TEST_")]:
    del os.environ[name]
os.environ.pop("DATABASE_URL", None)
_FOLDER = Path(tempfile.mkdtemp(prefix="nexa-tests-"))
_FOLDER.chmod(0o711)  # the server's own user must pass through, where tests run as root
os.environ["NEXA_DATA_DIR"] = str(_FOLDER / "data")

from nexa_core import db, schema  # noqa: E402
from nexa_core.actor import Actor, Origin, Standing  # noqa: E402
from nexa_core.config import settings  # noqa: E402
from nexa_core.embedded import EmbeddedServer  # noqa: E402
from tests.serving import Served, serve  # noqa: E402

PASSWORD = "correct horse battery staple"


def pytest_unconfigure() -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)


def _url(base: str, *, database: str | None = None, user: str | None = None, password: str | None = None) -> str:
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
    return _url(url, user=user, password=password)


@dataclass
class Cluster:
    """A PostgreSQL server, as its superuser."""

    superuser_url: str
    app_password: str | None
    template: str = field(default_factory=lambda: f"nexa_template_{secrets.token_hex(4)}")
    made: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        return _url(self.superuser_url, database=database)

    def app_url(self, database: str) -> str:
        return _url(self.superuser_url, database=database, user="nexa_app", password=self.app_password)

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
                f'GRANT CONNECT, TEMPORARY ON DATABASE "{name}" TO nexa_app'
            )
        return name

    def drop(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        if name in self.made:
            self.made.remove(name)


@pytest.fixture(scope="session")
def bare_cluster() -> Iterator[Cluster]:
    """The server alone: NEXA_TEST_DATABASE_URL (a superuser's), or an embedded one in a temporary folder."""
    given = os.environ.get("NEXA_TEST_DATABASE_URL")
    server = None
    if given:
        try:
            connection = psycopg.connect(given, connect_timeout=10)
        except psycopg.Error as error:
            pytest.fail(f"The PostgreSQL named by NEXA_TEST_DATABASE_URL cannot be reached: {error}", pytrace=False)
        with connection:
            row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        connection.close()
        if not row or not row[0]:
            pytest.fail(
                "NEXA_TEST_DATABASE_URL must name a superuser: the tests tamper with data on purpose.", pytrace=False
            )
        superuser_url = given
    else:
        server = EmbeddedServer(_FOLDER / "server", durable=False)
        server.start(lambda _sentence: None)
        superuser_url = server.url(database="postgres")
    password = secrets.token_urlsafe(24) if conninfo_to_dict(superuser_url).get("password") else None
    cluster = Cluster(superuser_url, password)
    yield cluster
    db.dispose()
    for name in [*cluster.made]:
        with contextlib.suppress(psycopg.Error):
            cluster.drop(name)
    if server:
        server.stop()


@pytest.fixture(scope="session")
def cluster(bare_cluster: Cluster) -> Cluster:
    """A server with NEXA's roles and a migrated template database."""
    bare_cluster.execute(f'CREATE DATABASE "{bare_cluster.template}" TEMPLATE template0')
    bare_cluster.made.append(bare_cluster.template)
    url = bare_cluster.url(bare_cluster.template)
    schema.migrate(url, lambda _sentence: None, variable="NEXA_TEST_DATABASE_URL")
    if bare_cluster.app_password:
        bare_cluster.execute(f"ALTER ROLE nexa_app PASSWORD '{bare_cluster.app_password}'")
    return bare_cluster


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


@pytest.fixture
def database(cluster: Cluster) -> Iterator[TestDatabase]:
    """A fresh, migrated database, and the doors configured to it."""
    fresh = TestDatabase(cluster, cluster.create(cluster.template))
    fresh.configure()
    yield fresh
    db.dispose()
    cluster.drop(fresh.name)


@pytest.fixture(scope="session")
def _demo_world(cluster: Cluster) -> str:
    from nexa_core import demo

    world = TestDatabase(cluster, cluster.create(cluster.template))
    world.configure()
    demo.seed(owner_url=world.superuser_url)
    db.dispose()
    return world.name


@pytest.fixture
def demo_database(cluster: Cluster, _demo_world: str) -> Iterator[TestDatabase]:
    """The demo world, shared by all tests that only read it."""
    shared = TestDatabase(cluster, _demo_world)
    shared.configure()
    yield shared
    db.dispose()


@pytest.fixture
def demo_copy(cluster: Cluster, _demo_world: str) -> Iterator[TestDatabase]:
    """A copy of the demo world for a test that changes it."""
    copy = TestDatabase(cluster, cluster.create(_demo_world))
    copy.configure()
    yield copy
    db.dispose()
    cluster.drop(copy.name)


@lru_cache
def _hash_of(password: str) -> str:
    """Argon2id with the parameters of nexa_core.accounts, once a password: a hash costs 20 ms."""
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1).hash(password)


@dataclass
class World:
    """Makes organizations and people without asking the code under test."""

    database: TestDatabase

    def _insert(self, table: str, **values: Any) -> UUID:
        row = values if table in ("usage_events",) else {"id": uuid4(), **values}
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            connection.execute(
                sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                    sql.Identifier(table),
                    sql.SQL(", ").join(map(sql.Identifier, row)),
                    sql.SQL(", ").join(sql.Placeholder() for _ in row),
                ),
                [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()],
            )
        return row["id"]

    @staticmethod
    def name_the_change(connection: psycopg.Connection, action: str = "demo.seeded") -> None:
        """The context without which the database refuses an audited write; for the transaction that is open."""
        connection.execute(
            "SELECT set_config('nexa.action', %s, true), set_config('nexa.request', %s, true)", [action, str(uuid4())]
        )

    def organization(self, name: str = "Northwind", **values: Any) -> UUID:
        """An organization that is pending until it has an owner: see ``person``."""
        if "plan" in values:
            values["plan_type"] = values.pop("plan")
        slug = values.pop("slug", None) or "-".join(name.lower().split())
        return self._insert("organizations", name=name, slug=slug, **{"status": "pending", **values})

    def person(
        self,
        email: str,
        organization: UUID,
        role: str = "member",
        password: str | None = PASSWORD,
        **values: Any,
    ) -> UUID:
        """An active person with an active membership; an owner makes a pending organization active."""
        first, _, last = email.partition("@")[0].partition(".")
        full_name = values.pop("full_name", " ".join(filter(None, (first.title(), last.title()))))
        permissions, membership_status = values.pop("permissions", {}), values.pop("membership_status", "active")
        person = uuid4()
        row = {
            "first_name": first.title(),
            "last_name": last.title(),
            "full_name": full_name,
            "status": "active",
            **values,
        }
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            connection.execute(
                sql.SQL("INSERT INTO users (id, email, password_hash, {}) VALUES (%s, %s, %s, {})").format(
                    sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() for _ in row)
                ),
                [person, email.lower(), _hash_of(password) if password else None, *row.values()],
            )
            self._join(connection, person, organization, role, membership_status, permissions)
        return person

    def membership(self, person: UUID, organization: UUID, role: str = "member", status: str = "active") -> None:
        """Let somebody who exists belong to one more organization."""
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            self._join(connection, person, organization, role, status, {})

    @staticmethod
    def _join(
        connection: psycopg.Connection, person: UUID, organization: UUID, role: str, status: str, permissions: object
    ) -> None:
        connection.execute(
            "INSERT INTO organization_memberships (user_id, organization_id, role, status, permissions, joined_at)"
            " VALUES (%s, %s, %s, %s, %s, now())",
            [person, organization, role, status, json.dumps(permissions)],
        )
        if role == "owner" and status == "active":
            connection.execute(
                "UPDATE organizations SET status = 'active' WHERE id = %s AND status = 'pending'", [organization]
            )

    def session(self, organization: UUID, person: UUID, title: str = "Platform review", **values: Any) -> UUID:
        """An architecture session; answers its external identifier."""
        external = uuid4()
        with self.database.superuser() as connection, connection.transaction():
            self.name_the_change(connection)
            row = {"uuid": external, "organization_id": organization, "user_id": person, "title": title, **values}
            connection.execute(
                sql.SQL("INSERT INTO ai_architecture_sessions ({}) VALUES ({})").format(
                    sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(sql.Placeholder() for _ in row)
                ),
                [json.dumps(value) if isinstance(value, dict | list) else value for value in row.values()],
            )
        return external

    def sign_in(self, person: UUID, organization: UUID, token_hash: str | None = None) -> UUID:
        """A living browser sign-in."""
        return self._insert(
            "user_sessions",
            user_id=person,
            organization_id=organization,
            session_token=token_hash or secrets.token_hex(32),
            expires_at=datetime.now(UTC) + timedelta(hours=12),
        )

    def actor(self, user_id: UUID, organization_id: UUID, *, user_session_id: UUID | None = None) -> Actor:
        """The actor a person is in an organization, read as superuser; no plan keeps a feature from them."""
        with self.database.superuser() as connection:
            row = connection.execute(
                "SELECT m.role::text, m.permissions, m.status::text, u.status::text, u.email, u.full_name, u.timezone,"
                " u.locale, o.name, o.slug, o.is_platform, o.usage_limits FROM organization_memberships m"
                " JOIN users u ON u.id = m.user_id JOIN organizations o ON o.id = m.organization_id"
                " WHERE m.user_id = %s AND m.organization_id = %s",
                [user_id, organization_id],
            ).fetchone()
        assert row is not None, "there is no such membership"
        role, overrides, membership, account, email, full_name, zone, locale, name, slug, is_platform, limits = row
        return Actor.of_membership(
            user_id=user_id,
            organization_id=organization_id,
            role=role,
            overrides=overrides,
            standing=Standing(
                account_status=account,
                membership_status=membership,
                is_platform=is_platform,
                features=limits.get("features", {}),
            ),
            user_session_id=user_session_id,
            email=email,
            full_name=full_name,
            organization_name=name,
            organization_slug=slug,
            timezone=zone,
            locale=locale,
            origin=Origin(ip_address="203.0.113.7", user_agent="tests"),
        )


@pytest.fixture
def world(database: TestDatabase) -> World:
    """Makes a small world in this test's database."""
    return World(database)


@pytest.fixture(autouse=True)
def _settings_of_this_test() -> Iterator[None]:
    """A test may change the environment and the settings; the next one starts afresh."""
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data folder; whatever server is left in it at the end is stopped."""
    with tempfile.TemporaryDirectory(prefix="nexa-data-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        data = Path(folder) / "data"
        yield data
        if (data / "postgres").exists():
            server = EmbeddedServer(data)
            server.start(lambda _sentence: None)
            assert server.stop(), "somebody still uses the server"


@pytest.fixture(scope="session")
def nexa_server() -> Iterator[Served]:
    """NEXA as the README starts it, with the demo world, for tests that leave it as it is."""
    with serve() as served:
        yield served


@pytest.fixture
def own_nexa_server() -> Iterator[Served]:
    """A NEXA for one test that changes it or looks at its terminal."""
    with serve() as served:
        yield served


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # a busy machine is slow, not wrong
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(_playwright: Any) -> Iterator[Any]:
    """A real Chromium; every test takes a context of its own from it."""
    from tests.browser import FLAGS, find

    browser = _playwright.chromium.launch(executable_path=str(find()), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page in a context of its own: no cookie of any other test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield context.new_page()
    context.close()
