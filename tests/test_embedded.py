"""The embedded PostgreSQL: private, shared, and recovering from any kill."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import threading
from pathlib import Path

import psutil
import psycopg

from nexa_core.embedded import EmbeddedServer
from tests.processes import holding, is_alive, let_go, postmaster


def test_nothing_listens_on_the_network(data_dir: Path) -> None:
    with holding(data_dir):
        server = postmaster(data_dir)
        assert [one for one in server.net_connections("inet") if one.status == psutil.CONN_LISTEN] == []
        assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700


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


def test_a_start_that_was_too_early_is_known_among_what_the_dying_go_on_saying(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.log.parent.mkdir(parents=True)
    server.log.write_text("now FATAL:  lock file is old\n")
    begun = server.log.stat().st_size
    with server.log.open("a") as log:
        log.write("now FATAL:  pre-existing shared memory block (key 1) is still in use\nnow HINT:  wait\n")
        log.write("now FATAL:  terminating connection due to unexpected postmaster exit\n")
    assert server._complaints(after=begun) == [
        "pre-existing shared memory block (key 1) is still in use",
        "terminating connection due to unexpected postmaster exit",
    ]
    assert server._last_words() == "terminating connection due to unexpected postmaster exit"


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
