"""Start-up: one command, and one sentence for whatever a person can put right."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from nexa_core import startup
from nexa_core.embedded import EmbeddedServer
from nexa_core.errors import Misconfigured
from tests.databases import Cluster, TestDatabase, at
from tests.processes import KEYS, holding, is_alive, postmaster, refusal_of, run, start
from tests.serving import ROOT, end, free_port, serve, spawn

EMPTY = {"NEXA_DEMO": "0", "NEXA_SECRET_KEYS": KEYS}  # no demo world: these tests are about processes

# One command


def test_one_command_starts_and_ctrl_c_stops_it_cleanly(data_dir: Path) -> None:
    with serve(data_dir) as nexa:
        server = postmaster(data_dir)
        assert stat.S_IMODE((data_dir / "secrets.json").stat().st_mode) == 0o600
        assert nexa.interrupt() == 0
        assert not is_alive(server)
        assert f"NEXA is ready: open {nexa.url}" in nexa.terminal
        assert "PostgreSQL is stopped. Goodbye." in nexa.terminal
        assert "Traceback" not in nexa.terminal
        assert "Aborted" not in nexa.terminal


def test_terminate_ends_it_in_order_too(data_dir: Path) -> None:
    with serve(data_dir, EMPTY) as nexa:
        server = postmaster(data_dir)
        nexa.process.terminate()
        assert nexa.process.wait(60) in (0, -signal.SIGTERM)
        assert not is_alive(server)


def test_a_second_start_beside_a_running_one_attaches_to_its_server(data_dir: Path) -> None:
    with serve(data_dir, EMPTY) as first, serve(data_dir, EMPTY) as second:
        server = postmaster(data_dir)
        assert "Using the PostgreSQL that is already running." in second.terminal
        assert first.interrupt() == 0
        assert is_alive(server)
        assert "goes on running" in first.terminal
        assert second.interrupt() == 0
        assert not is_alive(server)


def test_ctrl_c_during_the_start_ends_it_at_once(data_dir: Path) -> None:
    output = data_dir.parent / "terminal.txt"
    process = spawn(data_dir, port=free_port(), output=output)
    try:
        while "Making a PostgreSQL" not in output.read_text():
            assert process.poll() is None, output.read_text()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
        assert "Traceback" not in output.read_text()
        assert "NEXA is ready" not in output.read_text()
    finally:
        end(process)


# One sentence


def test_a_url_that_is_none_is_one_sentence() -> None:
    sentence = refusal_of(start(DATABASE_URL="mysql://db/nexa", NEXA_SECRET_KEYS=KEYS))
    assert sentence.startswith("NEXA cannot start: DATABASE_URL cannot be")
    assert "postgresql://user:password@host:5432/nexa" in sentence


@pytest.mark.parametrize("url", ["postgresql://db:port/nexa", "postgresql://db/nexa?nonsense=1"])
def test_a_url_that_cannot_be_read_is_one_sentence(url: str) -> None:
    with pytest.raises(Misconfigured, match="DATABASE_URL cannot be read as a PostgreSQL URL"):
        startup.reach(url, "DATABASE_URL")


def test_a_host_that_is_not_known_is_one_sentence() -> None:
    with pytest.raises(Misconfigured, match=r"no host nosuch\.invalid to be found; correct DATABASE_URL"):
        startup.reach("postgresql://nexa@nosuch.invalid/nexa", "DATABASE_URL")


def test_a_server_that_is_down_is_one_sentence(data_dir: Path) -> None:
    port = free_port()
    url = f"postgresql://nexa:canary-4f9d@127.0.0.1:{port}/nexa"
    sentence = refusal_of(start(DATABASE_URL=url, NEXA_DATA_DIR=str(data_dir)))
    assert f"No PostgreSQL answers at 127.0.0.1:{port}; start it or correct DATABASE_URL." in sentence
    assert "canary" not in sentence


def test_a_database_that_does_not_exist_is_one_sentence(cluster: Cluster) -> None:
    sentence = refusal_of(run("nexa_core", "migrate", DATABASE_URL=cluster.url("nexa_no_such_database")))
    assert "There is no database nexa_no_such_database" in sentence
    assert "create it" in sentence


def test_missing_rights_are_one_sentence(cluster: Cluster) -> None:
    name = cluster.create()
    login = f"nexa_test_plain_{os.getpid()}"
    cluster.execute(f"CREATE ROLE {login} LOGIN NOINHERIT PASSWORD 'canary'")
    try:
        done = start(DATABASE_URL=at(cluster.url(name), f"{login}:canary"), NEXA_SECRET_KEYS=KEYS)
        sentence = refusal_of(done)
        assert f"{login} may not; set NEXA_MIGRATE_DATABASE_URL" in sentence
    finally:
        cluster.drop(name)
        cluster.execute(f"DROP ROLE {login}")


def test_a_schema_newer_than_the_code_is_one_sentence(database: TestDatabase) -> None:
    with database.superuser() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '20991231_01'")
    sentence = refusal_of(start(DATABASE_URL=database.superuser_url, NEXA_SECRET_KEYS=KEYS))
    assert "20991231_01, which this NEXA does not know" in sentence
    assert "start a newer NEXA" in sentence


def test_a_server_that_is_too_old_is_one_sentence() -> None:
    with postgresql_14() as port:
        url = f"postgresql://nexa@127.0.0.1:{port}/nexa?sslmode=disable&gssencmode=disable"
        sentence = refusal_of(start(DATABASE_URL=url, NEXA_SECRET_KEYS=KEYS))
    assert "PostgreSQL 14, and NEXA needs 15 or newer; upgrade it or name another." in sentence


@contextlib.contextmanager
def postgresql_14() -> Iterator[int]:
    """Something that greets as PostgreSQL 14.11 does."""

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("!i", len(body) + 4) + body

    greeting = (
        message(b"R", struct.pack("!i", 0))
        + message(b"S", b"server_version\x0014.11\x00")
        + message(b"S", b"client_encoding\x00UTF8\x00")
        + message(b"K", struct.pack("!ii", 1, 1))
        + message(b"Z", b"I")
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    with client:
                        client.recv(4096)
                        client.sendall(greeting)
                        client.recv(4096)

        threading.Thread(target=greet, daemon=True).start()
        yield listening.getsockname()[1]


@pytest.mark.parametrize(
    "environment", [{"NEXA_SECRET_KEYS": "k1:change-me-change-me-change-me-change-me"}, {"NEXA_DEMO": "0"}]
)
def test_default_and_missing_secrets_are_refused_outside_demo_mode(data_dir: Path, environment: dict[str, str]) -> None:
    sentence = refusal_of(start(NEXA_DATA_DIR=str(data_dir), **environment))
    assert "NEXA_SECRET_KEYS" in sentence
    assert "secrets.token_urlsafe(48)" in sentence


def test_a_mail_servers_password_that_would_go_in_clear_is_refused(data_dir: Path) -> None:
    sentence = refusal_of(start(NEXA_DATA_DIR=str(data_dir), NEXA_SMTP_URL="smtp://nexa:hushed@mail.example"))
    assert "NEXA_SMTP_URL would send its password in clear" in sentence
    assert "hushed" not in sentence


def test_a_data_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    sentence = refusal_of(start(NEXA_DATA_DIR=str(tmp_path / "file" / "data")))
    assert "set NEXA_DATA_DIR to another" in sentence


def test_a_port_that_is_taken_is_one_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("streamlit", "run", "app.py", "--server.port", str(port), NEXA_DATA_DIR=str(data_dir))
    assert f"Port {port} is not available" in refusal_of(done)


def test_data_of_another_postgresql_is_one_sentence(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("13\n")
    try:
        sentence = refusal_of(run("nexa_core", "migrate", NEXA_DATA_DIR=str(data_dir)))
        assert "was made by PostgreSQL 13" in sentence
    finally:
        (data_dir / "postgres" / "PG_VERSION").unlink()
        (data_dir / "postgres").rmdir()


# A PostgreSQL of one's own


def test_a_login_that_may_create_roles_needs_no_superuser(data_dir: Path) -> None:
    with holding(data_dir):
        with psycopg.connect(EmbeddedServer(data_dir).url(), autocommit=True) as superuser:
            superuser.execute("CREATE ROLE boss LOGIN CREATEROLE BYPASSRLS")
            superuser.execute("CREATE DATABASE theirs OWNER boss")
        url = EmbeddedServer(data_dir).url("boss", "theirs")
        done = run("nexa_core", "migrate", DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
        done = run("nexa_core", "check", DATABASE_URL=url)
        assert done.returncode == 0, done.stdout + done.stderr


def test_two_logins_of_which_one_owns_nothing(data_dir: Path) -> None:
    with holding(data_dir):
        server = EmbeddedServer(data_dir)
        with psycopg.connect(server.url(), autocommit=True) as superuser:
            superuser.execute((ROOT / "migrations" / "roles.sql").read_text())
            superuser.execute("CREATE ROLE maker LOGIN NOINHERIT")
            superuser.execute("GRANT nexa_owner TO maker")
        both = {"DATABASE_URL": server.url("nexa_app"), "NEXA_MIGRATE_DATABASE_URL": server.url("maker")}
        done = run("nexa_core", "migrate", **both)
        assert done.returncode == 0, done.stderr
        with psycopg.connect(server.url("nexa_app")) as program:
            owned = program.execute("SELECT count(*) FROM pg_class WHERE relowner = 'nexa_app'::regrole").fetchone()
        assert owned == (0,)
        assert run("nexa_core", "check", DATABASE_URL=server.url("nexa_app")).returncode == 0
