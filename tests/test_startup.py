"""Start-up: one command, recovery from any kill, and one sentence for whatever a person can put right."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from nexa_core.embedded import EmbeddedServer
from tests.conftest import Cluster, TestDatabase, World, at
from tests.serving import ROOT, clean_environment, end, free_port, serve, spawn

KEYS = "k1:Zr7-wQ2mXn4vTb9yLc6kHd3fGs8jPa1e"
HOLD = """
import sys
from nexa_core import startup
database = startup.open_database(lambda said: print(said, flush=True))
print("held", flush=True)
sys.stdin.read()
print("stopped" if startup.release() else "left running", flush=True)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data folder; whatever server is left in it at the end is stopped."""
    with tempfile.TemporaryDirectory(prefix="nexa-data-") as folder:
        Path(folder).chmod(0o711)
        data = Path(folder) / "data"
        yield data
        if (data / "postgres").exists():
            server = EmbeddedServer(data)
            server.start(lambda _sentence: None)
            assert server.stop(), "somebody still uses the server"


@contextlib.contextmanager
def holding(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the embedded server until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=ROOT,
        env=clean_environment(NEXA_DATA_DIR=str(data_dir)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.strip() == "held":
            break
    assert lines[-1:] == ["held"], lines
    process.args = lines  # what it said on the way
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def let_go(process: subprocess.Popen[str]) -> str:
    """End its input; what it said last."""
    said, _ = process.communicate(timeout=60)
    return said.strip()


def postmaster(data_dir: Path) -> psutil.Process:
    return psutil.Process(int((data_dir / "postgres" / "postmaster.pid").read_text().split()[0]))


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs; where nobody collects the dead, as in a container, they stay on the list."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with no setting of NEXA but these."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    return run("streamlit", "run", "app.py", "--server.port", str(free_port()), **environment)


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
    with serve(data_dir) as nexa:
        server = postmaster(data_dir)
        nexa.process.terminate()
        assert nexa.process.wait(60) in (0, -signal.SIGTERM)
        assert not is_alive(server)


def test_a_second_start_beside_a_running_one_attaches_to_its_server(data_dir: Path) -> None:
    with serve(data_dir) as first, serve(data_dir) as second:
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


def test_nothing_listens_on_the_network(data_dir: Path) -> None:
    with holding(data_dir):
        server = postmaster(data_dir)
        assert [one for one in server.net_connections("inet") if one.status == psutil.CONN_LISTEN] == []
        assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700


# Any kill, then a start


def test_a_killed_program_neither_keeps_nor_loses_the_server(data_dir: Path) -> None:
    with holding(data_dir) as first:
        first.kill()
        first.wait()
        server = postmaster(data_dir)
        assert is_alive(server)
        with holding(data_dir) as second:
            assert "Using the PostgreSQL that is already running." in second.args
            assert let_go(second) == "stopped"
        assert not is_alive(server)


def test_a_killed_postgresql_is_started_again(data_dir: Path) -> None:
    with holding(data_dir) as first:
        with psycopg.connect(EmbeddedServer(data_dir).url(), autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (n integer)")
            connection.execute("INSERT INTO kept VALUES (42)")
            postmaster(data_dir).kill()
        with holding(data_dir) as second:
            assert "PostgreSQL is running." in second.args
            with psycopg.connect(EmbeddedServer(data_dir).url()) as connection:
                assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
            assert let_go(second) == "left running"
        assert let_go(first) == "stopped"


def test_both_killed_recover(data_dir: Path) -> None:
    with holding(data_dir) as first:
        server = postmaster(data_dir)
        for process in (server, *server.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        first.kill()
        first.wait()
    with holding(data_dir) as second:
        assert let_go(second) == "stopped"


def test_a_stranger_under_the_old_process_id_is_not_taken_for_the_server(data_dir: Path) -> None:
    with holding(data_dir) as first:
        record = (data_dir / "postgres" / "postmaster.pid").read_text()
        assert let_go(first) == "stopped"
    lines = record.splitlines()
    (data_dir / "postgres" / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with holding(data_dir) as second:
        assert postmaster(data_dir).pid != os.getpid()
        assert let_go(second) == "stopped"


def test_a_start_killed_while_making_the_cluster_is_made_good(data_dir: Path) -> None:
    half = data_dir / "postgres.new-half"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with holding(data_dir) as process:
        assert not half.exists()
        assert let_go(process) == "stopped"


def test_many_starts_at_once_make_one_server(data_dir: Path) -> None:
    said: list[str] = []

    def hold() -> None:
        with holding(data_dir) as process:
            all_there.wait(60)
            said.append(let_go(process))

    all_there = threading.Barrier(4)
    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(said) == ["left running"] * 3 + ["stopped"]


def test_a_folder_with_a_long_path_has_its_socket_elsewhere_and_private() -> None:
    with tempfile.TemporaryDirectory(prefix="nexa-data-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedServer(Path(folder) / ("long" * 25))
        server.start(lambda _sentence: None)
        try:
            socket_dir = server._socket_dir()
            assert socket_dir != server.cluster
            assert stat.S_IMODE(socket_dir.stat().st_mode) == 0o700
            assert server.is_running()
        finally:
            assert server.stop()


# One sentence


def refusal_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on the terminal, after checking that it is one."""
    assert done.returncode not in (0, None), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.strip()]
    return line


def test_a_url_that_is_none_is_one_sentence(data_dir: Path) -> None:
    for url in ("mysql://db/nexa", "db.example", "postgresql://db:port/nexa", "postgresql://db/nexa?nonsense=1"):
        sentence = refusal_of(start(DATABASE_URL=url, NEXA_SECRET_KEYS=KEYS, NEXA_DATA_DIR=str(data_dir)))
        assert sentence.startswith("NEXA cannot start: DATABASE_URL cannot be"), url
        assert "postgresql://user:password@host:5432/nexa" in sentence


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


def test_short_default_and_missing_secrets_are_refused_outside_demo_mode(data_dir: Path) -> None:
    make = "secrets.token_urlsafe(48)"
    for environment in (
        {"NEXA_SECRET_KEYS": "k1:short"},
        {"NEXA_SECRET_KEYS": "k1:change-me-change-me-change-me-change-me"},
        {"NEXA_DEMO": "0"},
    ):
        sentence = refusal_of(start(NEXA_DATA_DIR=str(data_dir), **environment))
        assert "NEXA_SECRET_KEYS" in sentence
        assert make in sentence


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


# The command line


def test_every_command_explains_itself() -> None:
    said = run("nexa_core", "--help").stdout
    for command in ("migrate", "seed", "create-admin", "verify-audit", "check", "database-url"):
        assert command in said
        assert run("nexa_core", command, "--help").returncode == 0
    assert run("nexa_core", "create-admin").returncode == 2


def test_the_database_url_opens_the_database(data_dir: Path) -> None:
    with holding(data_dir):
        url = run("nexa_core", "database-url", NEXA_DATA_DIR=str(data_dir)).stdout.strip()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_user, current_database()").fetchone() == ("postgres", "nexa")
    assert run("nexa_core", "database-url", DATABASE_URL="postgresql://a@b/c").stdout == "postgresql://a@b/c\n"


def test_migrate_can_be_repeated(database: TestDatabase) -> None:
    done = run("nexa_core", "migrate", DATABASE_URL=database.superuser_url)
    assert done.returncode == 0
    assert "The database is at migration" in done.stdout


def test_check_and_verify_audit_say_what_they_find(database: TestDatabase, world: World) -> None:
    organization = world.organization("Northwind")
    world.person("ada@northwind.example", organization, role="owner")
    for command in ("check", "verify-audit"):
        done = run("nexa_core", command, DATABASE_URL=database.superuser_url)
        assert done.returncode == 0, done.stdout + done.stderr
    with database.superuser() as connection:
        connection.execute("UPDATE audit_logs SET action = 'user.signed_in'")
        connection.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
    broken = run("nexa_core", "check", DATABASE_URL=database.superuser_url)
    assert (broken.returncode, "NOT OK" in broken.stdout) == (1, True)
    tampered = run("nexa_core", "verify-audit", DATABASE_URL=database.superuser_url)
    assert tampered.returncode == 1
    assert "Northwind, link 1, entry" in tampered.stdout


def test_create_admin_prints_a_link(database: TestDatabase) -> None:
    environment = {"DATABASE_URL": database.superuser_url, "NEXA_SECRET_KEYS": KEYS}
    done = run("nexa_core", "create-admin", "ada@nexa.example", **environment)
    assert done.returncode == 0, done.stderr
    assert "http://localhost:8501/" in done.stdout
    assert "ada@nexa.example" in done.stdout
    refused = run("nexa_core", "create-admin", "no address", **environment)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
