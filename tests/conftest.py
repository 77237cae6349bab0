"""What tests stand on: a real PostgreSQL, a fresh database each, a small world, a running NEXA and a real browser.

Nothing is skipped: a missing database or browser fails, and says why.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

# Before anything reads the settings: tests know nothing of the environment they are started from.
for name in [name for name in os.environ if name.startswith("NEXA_") and not name.startswith("NEXA_TEST_")]:
    del os.environ[name]
os.environ.pop("DATABASE_URL", None)
_FOLDER = Path(tempfile.mkdtemp(prefix="nexa-tests-"))
_FOLDER.chmod(0o711)  # the server's own user must pass through, where tests run as root
os.environ["NEXA_DATA_DIR"] = str(_FOLDER / "data")

from nexa_core import db, schema  # noqa: E402
from nexa_core.config import settings  # noqa: E402
from nexa_core.embedded import EmbeddedServer  # noqa: E402
from tests.databases import Cluster, TestDatabase  # noqa: E402
from tests.serving import Served, serve  # noqa: E402
from tests.worlds import World  # noqa: E402


def pytest_unconfigure() -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def bare_cluster() -> Iterator[Cluster]:
    """The server alone: NEXA_TEST_DATABASE_URL (a superuser's), or an embedded one in a temporary folder.

    ``{worker}`` in the URL is the name of the process, gw0 or gw1: roles belong to the server, so two cannot share one.
    """
    given = os.environ.get("NEXA_TEST_DATABASE_URL", "").format(worker=os.environ.get("PYTEST_XDIST_WORKER", "gw0"))
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


@pytest.fixture
def database(cluster: Cluster) -> Iterator[TestDatabase]:
    """A migrated database as if it were new, and the doors configured to it."""
    lent = TestDatabase(cluster, cluster.lend())
    lent.configure()
    yield lent
    cluster.take_back(lent.name)


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


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    from tests.browser import PATIENCE

    expect.set_options(timeout=PATIENCE)
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
