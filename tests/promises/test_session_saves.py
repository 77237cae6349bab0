"""An acknowledged save is there: with ten writers at once, and whatever kills PostgreSQL under twenty of them."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from nexa_core import architecture_sessions as sessions
from nexa_core import audit, db, schema
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Edit, EditConflict
from nexa_core.embedded import EmbeddedServer
from nexa_core.errors import Unavailable
from tests.databases import TestDatabase
from tests.processes import postmaster
from tests.waiting import until
from tests.worlds import World

WRITERS, SAVES = 10, 20


def test_ten_writers_save_twenty_times_each_and_every_change_is_there(database: TestDatabase, world: World) -> None:
    northwind = world.organization("Northwind")
    ada = world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)
    writers = [
        world.actor(world.person(f"w{number}@northwind.example", northwind), northwind) for number in range(WRITERS)
    ]
    database.configure(pool_size=WRITERS)
    made = sessions.create(ada, title="Everybody's", documents={"sow_objects": {"sections": []}})
    together = threading.Barrier(WRITERS)

    def write(number: int) -> int:
        version, acknowledged = made.version, 0
        together.wait()
        for turn in range(SAVES):
            part = {"id": f"sec-{number}-{turn}", "markdown": f"{number} at {turn}"}
            change = Edit(("sow_objects", "sections", part["id"]), part)
            saved = sessions.save(writers[number], uuid=made.uuid, version=version, changes=[change])
            acknowledged += bool(saved.changed)
            if turn % 3:  # some go on from what they were told, some from what they once had
                version = saved.version
        return acknowledged

    with ThreadPoolExecutor(WRITERS) as pool:
        acknowledged = sum(pool.map(write, range(WRITERS)))
    found = sessions.get(ada, uuid=made.uuid)
    assert acknowledged == WRITERS * SAVES == found.version - 1
    assert {part["id"]: part["markdown"] for part in found.documents["sow_objects"]["sections"]} == {
        f"sec-{number}-{turn}": f"{number} at {turn}" for number in range(WRITERS) for turn in range(SAVES)
    }
    with database.superuser() as connection:
        revisions = connection.execute("SELECT count(*) FROM session_revisions").fetchone()
        entries = connection.execute("SELECT count(*) FROM audit_logs WHERE action = 'session.edited'").fetchone()
    assert revisions == (WRITERS + 1,) and entries == (WRITERS,), "one a burst, not one a save"
    assert audit.verify(Actor.system()).verified


def test_the_same_value_is_never_overwritten_unseen(database: TestDatabase, world: World) -> None:
    """Everybody counts one up from what they read: a lost update would make the sum too small."""
    northwind = world.organization("Northwind")
    ada = world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)
    made = sessions.create(ada, title="Counter", documents={"loe_objects": {"n": 0}})

    def count(_: int) -> None:
        for _turn in range(5):
            while True:
                seen = sessions.get(ada, uuid=made.uuid)
                change = Edit(("loe_objects", "n"), seen.documents["loe_objects"]["n"] + 1)
                try:
                    if sessions.save(ada, uuid=made.uuid, version=seen.version, changes=[change]).changed:
                        break
                except EditConflict:
                    continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert sessions.get(ada, uuid=made.uuid).documents["loe_objects"]["n"] == 20


@pytest.mark.parametrize(
    ("change", "who"),
    [
        ("title = 'Another'", "ada"),
        ("tags = '[]'", "ada"),
        ("deleted_at = now()", "ada"),
        ("sow_objects = '{}'", "bob"),
    ],
)
def test_nothing_but_ones_own_open_burst_goes_unlogged(
    database: TestDatabase, world: World, change: str, who: str
) -> None:
    """Whoever claims to go on with a burst is refused what is none: other columns, or a session they do not write."""
    northwind = world.organization("Northwind")
    people = {
        name: world.actor(world.person(f"{name}@northwind.example", northwind, role="owner"), northwind)
        for name in ("ada", "bob")
    }
    made = sessions.create(people["ada"], title="Review", tags=["x"], documents={"sow_objects": {"n": 1}})

    def claim(actor: Actor, changed: str) -> None:
        with db.recording(actor, Action.SESSION_EDITED) as transaction:
            transaction.execute(text("SELECT set_config('nexa.burst', 'goes on', true)"))
            transaction.execute(
                text(f"UPDATE ai_architecture_sessions SET {changed} WHERE uuid = :it"), {"it": made.uuid}
            )

    with pytest.raises(ProgrammingError, match="belongs to no burst"):
        claim(people[who], change)
    claim(people["ada"], "sow_objects = '{}'")  # the control: this is what a burst may do


# Killed ---------------------------------------------------------------------------------------------------------------

KILLS = 20


@dataclass
class Writer:
    """Counts up in a place of its own, and remembers what it was told is saved."""

    actor: Actor
    uuid: UUID
    place: str
    acknowledged: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def write(self, stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            while not stop.is_set():
                try:
                    sessions.save(
                        self.actor, uuid=self.uuid, version=None, changes=[Edit(("loe_objects", self.place), number)]
                    )
                    self.acknowledged = number
                    break
                except Unavailable:
                    self.refused += 1
                    time.sleep(0.05)
                except Exception as error:  # whatever else it is, a person would have seen it
                    self.wrong.append(repr(error)[:300])
                    return


@pytest.fixture
def durable(data_dir: Path) -> Iterator[EmbeddedServer]:
    """A PostgreSQL that keeps what it has acknowledged, with NEXA's tables in it."""
    server = EmbeddedServer(data_dir)
    server.start(lambda _sentence: None)
    schema.migrate(server.url(), lambda _sentence: None)
    db.configure(server.url(), pool_size=20)
    yield server
    db.dispose()
    server.stop()


def test_no_acknowledged_save_is_lost_when_postgresql_is_killed(durable: EmbeddedServer, data_dir: Path) -> None:
    writers = [Writer(actor, made, f"w{number}") for number, (actor, made) in enumerate(_sessions(durable.url()))]
    killed: list[int] = []
    stop = threading.Event()
    threads = [threading.Thread(target=writer.write, args=[stop], daemon=True) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        for kill in range(KILLS):
            until(lambda: all(writer.acknowledged for writer in writers) or any(w.wrong for w in writers))
            told = [writer.acknowledged for writer in writers]
            killed.append(_kill(data_dir, whole=kill % 5 == 4))
            if kill % 5 == 4:  # the whole server is gone; somebody starts it again, and not NEXA
                again = EmbeddedServer(data_dir)
                again.start(lambda _sentence: None)
                again.stop()
            until(lambda told=told: all(w.acknowledged > n for w, n in zip(writers, told, strict=True))  # type: ignore[misc]
                   or any(w.wrong for w in writers))  # fmt: skip
            assert [writer.wrong for writer in writers if writer.wrong] == []
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)
    assert len(killed) == KILLS
    assert sum(writer.refused for writer in writers) > 0, "the control: nobody noticed that anything was killed"
    for writer in writers:
        found = sessions.get(writer.actor, uuid=writer.uuid).documents["loe_objects"][writer.place]
        assert writer.acknowledged <= found <= writer.acknowledged + 1, "what was said to be saved is saved"
    assert audit.verify(Actor.system()).verified


def _sessions(url: str) -> Iterator[tuple[Actor, UUID]]:
    """Twenty writers on five sessions."""

    class Side(TestDatabase):
        @property
        def superuser_url(self) -> str:
            return url

    world = World(Side(None, ""))  # type: ignore[arg-type]
    northwind = world.organization(f"Northwind {uuid4().hex[:4]}")
    people = [
        world.actor(world.person(f"w{n}@northwind.example", northwind, role="owner"), northwind) for n in range(20)
    ]
    made = [sessions.create(people[n], title=f"Session {n}").uuid for n in range(5)]
    yield from ((person, made[n % 5]) for n, person in enumerate(people))


def _kill(data_dir: Path, *, whole: bool) -> int:
    """Kill the server or one of its backends, as soon as there is one, and answer its process id."""
    killed: list[int] = []

    def kills_one() -> bool:
        server = postmaster(data_dir)
        with suppress(psutil.NoSuchProcess):  # gone meanwhile: the next one
            for process in [server] if whole else [child for child in server.children() if _is_a_backend(child)][:1]:
                process.send_signal(signal.SIGKILL)
                killed.append(process.pid)
        return bool(killed)

    until(kills_one)
    return killed[0]


def _is_a_backend(process: psutil.Process) -> bool:
    try:
        return any("nexa" in word and ("idle" in word or "INSERT" in word or "UPDATE" in word or "SELECT" in word
                   or "COMMIT" in word) for word in process.cmdline())  # fmt: skip
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
