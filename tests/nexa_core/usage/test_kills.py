"""Nothing lost and nothing counted twice, however often an event is delivered and PostgreSQL is killed meanwhile."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from nexa_core import db, schema, usage
from nexa_core.actor import Actor
from nexa_core.embedded import EmbeddedServer
from nexa_core.errors import Conflict, Unavailable
from nexa_core.usage import UsageEvent
from tests.nexa_core.usage.conftest import Customer
from tests.worlds import World

EVENTS, KILLS, BATCH = 5_000, 10, 100


@dataclass
class OwnServer:
    """A durable PostgreSQL of the test's own, as a world expects a database."""

    server: EmbeddedServer

    def superuser(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.server.url(), autocommit=True)

    def kill(self) -> None:
        """As a machine that loses its power, but for the disk."""
        postmaster = psutil.Process(int((self.server.cluster / "postmaster.pid").read_text().split()[0]))
        processes = [postmaster, *postmaster.children()]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=10)
        self.server.start(lambda _sentence: None)


@pytest.fixture
def own_server() -> Iterator[OwnServer]:
    folder = Path(tempfile.mkdtemp(prefix="nexa-kills-"))
    folder.chmod(0o711)
    server = EmbeddedServer(folder / "data")
    server.start(lambda _sentence: None)
    schema.migrate(server.url(), lambda _sentence: None, variable="DATABASE_URL")
    db.configure(server.url("nexa_app"))
    yield OwnServer(server)
    db.dispose()
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_events_delivered_up_to_five_times_shuffled_through_ten_kills_are_counted_once(own_server: OwnServer) -> None:
    customer = Customer(World(own_server))  # type: ignore[arg-type]
    chance = random.Random(7)
    events = [UsageEvent(f"type_{number % 5}", f"event-{number}", number % 9) for number in range(EVENTS)]
    deliveries = [event for event in events for _ in range(chance.randint(1, 5))]
    chance.shuffle(deliveries)
    batches = [deliveries[start : start + BATCH] for start in range(0, len(deliveries), BATCH)]
    delivered, again = threading.Semaphore(0), 0

    def deliver(batch: list[UsageEvent]) -> int:
        tries = 0
        while True:
            try:
                usage.record(customer.actor, batch)
                delivered.release()
                return tries
            except (Unavailable, Conflict):  # whether it was stored, nobody knows: so once more
                tries += 1
                time.sleep(0.05)

    with ThreadPoolExecutor(4) as pool:
        sent = [pool.submit(deliver, batch) for batch in batches]
        for _ in range(KILLS):
            for _ in range(len(batches) // (KILLS + 2)):
                assert delivered.acquire(timeout=120)
            own_server.kill()
        again = sum(one.result() for one in sent)
    assert again > 0, "the kills hit somebody"
    assert customer.stored() == (EVENTS, sum(event.credits or 0 for event in events))
    customer.assert_all_figures_agree()
    assert usage.prove(Actor.system()).differences == 0
