"""What saving and finding sessions costs: autosave through HTTP and beside it, and the list at any depth."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

from nexa_core import architecture_sessions as sessions
from nexa_core import db
from nexa_core.actor import Actor
from nexa_core.architecture_sessions import Filter
from nexa_core.architecture_sessions.listing import _cursor
from tests.benchmarks import programs
from tests.benchmarks.harness import Bench, Row, Sample, figure, timed
from tests.benchmarks.screens import tab

BYTES = 20 * 1024
EVERY = 2.0  # seconds between two runs of the fragment (pages._ui.sessions.presence)
MANY, FEW = 1_000_000, 20_000
_MADE = "title LIKE 'Measured %'"


def document() -> dict[str, object]:
    """A statement of work of 20 KB."""
    sections = [{"id": f"sec-{n}", "title": f"Section {n}", "markdown": "What we do and how. " * 20} for n in range(45)]
    found: dict[str, object] = {"format": 1, "sections": sections}
    return found | {"rest": "x" * max(0, BYTES - len(json.dumps(found)))}


@figure("session-autosave")
def autosave(bench: Bench) -> Iterator[Row]:
    """A save of 20 KB through HTTP, against a bare UPDATE of the same column.

    Both sides get their text ready before the clock starts; the answer is read by a compiled parser, as a browser's is.
    """
    actor, written = bench.stage.actor(), document()
    ours = sessions.create(actor, title="Measured autosave", documents={"sow_objects": written})
    theirs = sessions.create(actor, title="Measured update", documents={"sow_objects": written})
    with (
        bench.stage.superuser() as bare,
        programs.nexa(bench.stage) as url,
        closing(programs.Client(url)) as client,
    ):
        bare.execute("SET session_replication_role = replica")
        headers = {"cookie": f"nexa={bench.stage.cookie()}", "origin": url}
        etag, number = '"1"', 0

        def saved() -> float:
            nonlocal etag, number
            number += 1
            body = json.dumps({"documents": {"sow_objects": written | {"n": number}}})
            request = client.written("PATCH", f"/api/sessions/{ours.uuid}", body, headers | {"if-match": etag})
            began = time.perf_counter()
            answer = client.answer(request)
            took = time.perf_counter() - began
            assert answer.status == 200 and answer.headers["etag"] != etag, answer.body
            etag = answer.headers["etag"]
            return took

        def updated() -> float:
            text = json.dumps(written | {"n": number})
            began = time.perf_counter()
            bare.execute("UPDATE ai_architecture_sessions SET sow_objects = %s WHERE uuid = %s", [text, theirs.uuid])
            return time.perf_counter() - began

        yield bench.compare(
            ("autosave of 20 KB through HTTP", saved),
            ("bare autocommit UPDATE of the same column", updated),
            bound=6,
            pairs=60,
        )


@figure("autosave-fragment")
def autosave_fragment(bench: Bench) -> Iterator[Row]:
    """A rerun of what runs beside the typing (who is here, what others saved), against an empty screen of NEXA's."""
    made = sessions.create(bench.stage.actor(), title="Measured fragment", documents={"sow_objects": document()})
    app = programs.copy_with_empty_screen(bench.stage.folder / "beside-the-typing")
    cookie = bench.stage.cookie()
    with (
        programs.nexa(bench.stage, app) as url,
        tab(url, "sow", cookie, f"session={made.uuid}") as writing,
        tab(url, programs.EMPTY, cookie) as empty,
    ):
        yield bench.compare(
            ("autosave fragment of a session of 20 KB", lambda: writing.fragment_sample(EVERY)),
            ("empty screen, signed in", empty.sample),
            bound=1.5,
            pairs=30,
        )


@figure("session-list")
def listed(bench: Bench) -> Iterator[Row]:
    """A page of the list and of a search at depth 100,000 of a million sessions, against the first page."""
    member, staff = bench.stage.actor(), bench.stage.actor("admin@nexa.example")
    many = FEW if bench.is_short else MANY
    depth = many // 10
    with _sessions(bench, member, many) as bare:
        for what, actor, wanted in (
            ("list of everything, by staff", staff, Filter()),
            ("list of an organization", member, Filter()),
            ("search in an organization", member, Filter(text="harbour")),
            ("search in everything, by staff", staff, Filter(text="harbour")),
        ):
            cursor = _at(bare, actor, depth)
            yield bench.compare(
                (f"{what}: page at depth {depth:,} of {many:,}", _page(actor, wanted, cursor)),
                ("the first page", _page(actor, wanted, None)),
                bound=3,
                pairs=10,
                most_rounds=3,
            )


def _page(actor: Actor, wanted: Filter, cursor: str | None) -> Sample:
    def page() -> None:
        assert len(sessions.browse(actor, wanted=wanted, after=cursor).items) == 50

    return timed(page)


def _at(bare: psycopg.Connection[tuple[object, ...]], actor: Actor, depth: int) -> str:
    where = f"WHERE {_MADE}" + ("" if actor.is_staff else f" AND organization_id = '{actor.organization_id}'")
    query = f"SELECT id FROM ai_architecture_sessions {where} ORDER BY updated_at DESC, id DESC OFFSET {depth} LIMIT 1"
    row = bare.execute(query.encode()).fetchone()
    assert row
    with db.reading(actor) as transaction:
        return _cursor(transaction, row[0], "updated")  # type: ignore[arg-type]


@contextmanager
def _sessions(bench: Bench, member: Actor, many: int) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Sessions of two hundred organizations, four in ten of them the member's; every second one names a harbour."""
    with bench.stage.superuser() as bare:
        bare.execute("SET session_replication_role = replica")
        bare.execute(
            "CREATE TEMP TABLE place AS SELECT row_number() OVER () AS n, gen_random_uuid() AS id"
            " FROM generate_series(1, 200)"
        )
        bare.execute(
            "INSERT INTO organizations (id, name, slug, status) SELECT id, 'Measured ' || n, 'measured-' || n, 'active'"
            " FROM place"
        )
        bare.execute(
            "INSERT INTO ai_architecture_sessions (user_id, organization_id, title, updated_at)"
            " SELECT %s, CASE WHEN made.m %% 10 < 4 THEN %s ELSE place.id END, 'Measured ' || made.m,"
            " now() - made.m * interval '1 second' FROM generate_series(1, %s) AS made(m)"
            " JOIN place ON place.n = 1 + made.m %% 200",
            [member.user_id, member.organization_id, many],
        )
        bare.execute(
            "INSERT INTO session_search (session_id, organization_id, version, plain) SELECT id, organization_id, 1,"
            " title || CASE id % 2 WHEN 0 THEN ' a quiet walk along the harbour' ELSE ' nothing of the kind' END"
            f" FROM ai_architecture_sessions WHERE {_MADE} ON CONFLICT DO NOTHING"  # another figure made some
        )
        bare.execute("VACUUM ANALYZE ai_architecture_sessions, session_search")
        try:
            yield bare
        finally:
            made = f"(SELECT id FROM ai_architecture_sessions WHERE {_MADE})"
            bare.execute(f"DELETE FROM session_search WHERE session_id IN {made}")
            bare.execute(f"DELETE FROM ai_architecture_sessions WHERE {_MADE}")
            bare.execute("DELETE FROM organizations WHERE id IN (SELECT id FROM place)")
