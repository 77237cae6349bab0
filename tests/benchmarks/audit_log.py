"""The audit log at 10 million entries (in a short run 300,000): pages at depth and every single filter.

Both sides are the same verb, ``audit.find``: against its first page without a filter, as the same person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from nexa_core import audit, paging
from nexa_core.actor import Actor
from nexa_core.audit import EVERYTHING, Filters, Subject
from tests.benchmarks.harness import Bench, Row, figure, timed
from tests.benchmarks.many_entries import RARE_ADDRESS, fill

WHO = {"staff": "admin@nexa.example", "tenant": "owner@lumenfold.example"}


@figure("audit-depth")
def depth(bench: Bench) -> Iterator[Row]:
    """The first page against the page that begins at an entry a million deep (at half of a smaller log)."""
    total = fill(bench.stage, short=bench.is_short)
    for who, email in WHO.items():
        actor = bench.stage.actor(email)
        deep, place = _deep(bench, actor, total)
        yield bench.compare(
            (f"{who}: page at depth {deep:,}", timed(lambda actor=actor, place=place: audit.find(actor, after=place))),
            (f"{who}: first page", timed(lambda actor=actor: audit.find(actor))),
            bound=3,
            pairs=30,
            most_rounds=5,
        )


@figure("audit-filters")
def filters(bench: Bench) -> Iterator[Row]:
    """Every filter by itself, frequent and rare, against the first page without one."""
    fill(bench.stage, short=bench.is_short)
    for who, email in WHO.items():
        actor = bench.stage.actor(email)
        for name, wanted in _filters(bench, actor).items():
            yield bench.compare(
                (f"{who}: {name}", timed(lambda actor=actor, wanted=wanted: audit.find(actor, filters=wanted))),
                (f"{who}: first page", timed(lambda actor=actor: audit.find(actor))),
                bound=5,
                pairs=15,
                most_rounds=3,
            )
        yield bench.compare(
            (f"{who}: histogram of everything", timed(lambda actor=actor: audit.activity(actor))),
            (f"{who}: first page", timed(lambda actor=actor: audit.find(actor))),
            bound=None,
            pairs=5,
        )


def _deep(bench: Bench, actor: Actor, total: int) -> tuple[int, str]:
    """How deep, and the cursor that leads there: counted by a superuser, as no page of the screen does."""
    where, values = ("true", []) if actor.is_staff else ("organization_id = %s", [actor.organization_id])
    with bench.stage.superuser() as connection:
        row = connection.execute(f"SELECT count(*) FROM audit_logs WHERE {where}".encode(), values).fetchone()
        deep = min(1_000_000, int(str(row[0])) // 2 if row else 0)
        query = (
            f"SELECT created_at, id FROM audit_logs WHERE {where} ORDER BY created_at DESC, id DESC OFFSET %s LIMIT 1"
        )
        place = connection.execute(query.encode(), [*values, deep]).fetchone()
    assert place and isinstance(place[0], dt.datetime) and isinstance(place[1], UUID)
    return deep, paging.cursor(place[0], place[1])


def _filters(bench: Bench, actor: Actor) -> dict[str, Filters]:
    (entry, *_) = audit.find(actor, filters=Filters(resource_type="session"), limit=1).items
    now = dt.datetime.now(dt.UTC)
    return {
        "one person": Filters(person=entry.actor_id),
        "nobody's": Filters(person=UUID(int=7)),
        "frequent action": Filters(action="session.edited"),
        "rare action": Filters(action="organization.suspended"),
        "frequent kind": Filters(resource_type="session"),
        "rare kind": Filters(resource_type="domain"),
        "one resource": Filters(resource=entry.resource_id),
        "one organization": Filters(organization=entry.organization_id),
        "one address": Filters(address=(entry.ip_address or "").partition("/")[0]),
        "rare address": Filters(address=RARE_ADDRESS),
        "one request": Filters(request=str(entry.request_id)),
        "reference of an error": Filters(request=str(entry.request_id)[:8]),
        "a month, half a year ago": Filters(since=now - dt.timedelta(days=210), until=now - dt.timedelta(days=180)),
        "staff access only": Filters(staff=True),
        "everything about a person": Filters(about=Subject("user", entry.actor_id or UUID(int=7))),
        "frequent text": Filters(text="draft"),
        "text nowhere": replace(EVERYTHING, text="to be found nowhere"),
    }
