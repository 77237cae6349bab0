"""What the doors cost: a recorded write against a bare one, ``reading`` against a plain transaction."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from nexa_core import organizations
from nexa_core.db import reading
from nexa_core.organizations.models import Organization
from tests.benchmarks.harness import Bench, Row, figure, timed

NAMES = ("Lumenfold Retail", "Lumenfold Retail Group")


@figure("audited-write")
def audited_write(bench: Bench) -> Iterator[Row]:
    """``organizations.rename``, audit row and link of the chain included, against the UPDATE alone.

    Both change the same row and wait for the disk at commit; the bare one is a superuser's for whom no trigger runs.
    """
    actor = bench.stage.actor()
    ours, theirs = cycle(NAMES), cycle(NAMES)
    with bench.stage.superuser() as bare:
        bare.execute("SET session_replication_role = replica")
        yield bench.compare(
            ("organizations.rename", timed(lambda: organizations.rename(actor, name=next(ours)))),
            (
                "bare autocommit UPDATE",
                timed(
                    lambda: bare.execute(
                        "UPDATE organizations SET name = %s WHERE id = %s",
                        [f"{next(theirs)} Ltd", actor.organization_id],
                    )
                ),
            ),
            bound=5,
            pairs=100,
        )


@figure("reading-door")
def reading_door(bench: Bench) -> Iterator[Row]:
    """One organization by its slug, an indexed column, mapped to the same class.

    The plain side is an engine with default settings and a login of the same kind (the same socket, no password). It
    is the superuser's, whom no policy binds: nexa_app itself may read nothing outside of a door.
    """
    actor = bench.stage.actor()
    query = select(Organization).where(Organization.slug == actor.organization_slug)
    target = conninfo_to_dict(bench.stage.superuser_url)
    plain = create_engine("postgresql+psycopg://", connect_args=target)

    def through_the_door() -> None:
        with reading(actor) as db:
            db.scalars(query).one()

    def in_a_plain_transaction() -> None:
        with Session(plain) as db, db.begin():
            db.scalars(query).one()

    yield bench.compare(
        ("reading, one organization by slug", timed(through_the_door)),
        ("the same in a plain transaction", timed(in_a_plain_transaction)),
        bound=1.5,
        pairs=300,
    )
    plain.dispose()
