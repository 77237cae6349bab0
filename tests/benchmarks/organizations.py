"""What running ten thousand customers costs: the list, the page of one, and one change for a thousand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from unittest.mock import patch

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.dialects import postgresql
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from nexa_core import db, organizations
from nexa_core.actor import Actor
from nexa_core.api.identity import header_value
from nexa_core.organizations.filters import Filter
from nexa_core.organizations.listing import listed
from tests.benchmarks import programs
from tests.benchmarks.harness import Bench, Row, figure
from tests.benchmarks.screens import tab
from tests.serving import ROOT

ADMIN = "admin@nexa.example"
MANY, BATCH = 10_000, 1_000
SCREEN_SECONDS = 0.060  # what the screen may take over the bare SQL of its page: issue 3
STATEMENTS = 12
_MADE = "slug LIKE 'measured-%'"


@contextmanager
def _customers(bench: Bench) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Ten thousand customers with an owner each, and a bare connection for which no trigger runs."""
    with bench.stage.superuser() as bare:
        bare.execute("SET session_replication_role = replica")
        bare.execute(
            "INSERT INTO organizations (name, slug, status, plan_type) SELECT 'Measured ' || n, 'measured-' || n,"
            f" 'active', 'starter' FROM generate_series(1, {MANY}) n"
        )
        bare.execute(
            "INSERT INTO organization_memberships (user_id, organization_id, role, status)"
            f" SELECT (SELECT min(id::text)::uuid FROM users), id, 'owner', 'active' FROM organizations WHERE {_MADE}"
        )
        bare.execute("VACUUM ANALYZE organizations, organization_memberships")
        try:
            yield bare
        finally:
            made = f"IN (SELECT id FROM organizations WHERE {_MADE})"
            for table in ("audit_logs", "organization_memberships"):
                bare.execute(f"DELETE FROM {table} WHERE organization_id {made}")
            for table in ("audit_chain", "audit_heads"):
                bare.execute(f"DELETE FROM {table} WHERE chain_id {made}")
            bare.execute(f"DELETE FROM organizations WHERE {_MADE}")


@figure("organizations-list")
def organizations_list(bench: Bench) -> Iterator[Row]:
    """A rerun of the list's screen at 10,000 customers, against the bare SQL of the same page and 60 ms."""
    actor = bench.stage.actor(ADMIN)
    page = (
        listed(actor, Filter()).limit(51).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    )
    query = str(page).replace("%%", "%").encode()
    with _customers(bench) as bare, programs.nexa(bench.stage) as url:

        def sql_and_allowance() -> float:
            began = time.perf_counter()
            assert len(bare.execute(query).fetchall()) == 51
            return time.perf_counter() - began + SCREEN_SECONDS

        with tab(url, "organizations", bench.stage.cookie(ADMIN)) as ours:
            yield bench.compare(
                (f"screen of the list, {MANY:,} organizations", ours.sample),
                ("bare SQL of the same page, and 60 ms", sql_and_allowance),
                bound=1,
                pairs=10,
            )


@figure("organization-page")
def organization_page(bench: Bench) -> Iterator[Row]:
    """How many statements one view of an organization's page sends, the asking for the sign-in included."""
    for name in ("Profile", "Business", "Subscription", "Limits", "Members"):
        sent = statements_of_the_page(bench.stage.actor(ADMIN), "lumenfold", name)
        yield bench.count((f"page of one organization, {name}", len(sent)), ("statements allowed", STATEMENTS))


@figure("organizations-bulk")
def organizations_bulk(bench: Bench) -> Iterator[Row]:
    """A change of 1,000 customers, with 1,000 audit entries and links, against one UPDATE of the same rows."""
    actor = bench.stage.actor(ADMIN)
    with _customers(bench) as bare:
        (ids,) = bare.execute(
            f"SELECT array_agg(id) FROM (SELECT id FROM organizations WHERE {_MADE} LIMIT {BATCH}) thousand"
        ).fetchone() or ([],)
        ours, theirs = cycle(("enterprise", "professional")), cycle(("free", "starter"))

        def batch() -> float:
            preview = organizations.preview_change(actor, kind="plan", organization_ids=ids, value=next(ours))  # type: ignore[arg-type]
            assert len(preview.changing) == BATCH
            began = time.perf_counter()
            organizations.apply_batch(actor, preview=preview, reason="measured")
            return time.perf_counter() - began

        def update() -> float:
            began = time.perf_counter()
            bare.execute("UPDATE organizations SET plan_type = %s WHERE id = ANY (%s)", [next(theirs), ids])
            return time.perf_counter() - began

        yield bench.compare(
            (f"organizations.apply_batch, {BATCH:,} organizations", batch),
            ("bare autocommit UPDATE of the same rows", update),
            bound=5,
            pairs=10,
        )


def statements_of_the_page(actor: Actor, slug: str, name: str) -> list[str]:
    """What is sent to the database for one view of a tab: every query, and one message that opens each transaction."""
    app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=60)
    app.user = {"sign_in": header_value(actor.user_session_id)} if actor.user_session_id else {}
    app.query_params["organization"], app.query_params["tab"] = slug, name
    app._page_hash = calc_hash("organization")
    app.run()
    sent: list[str] = []
    opening = db._send

    def seen(connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    def opened(connection: psycopg.Connection | None, statements: str) -> None:
        if statements != "COMMIT":  # which asks for nothing
            sent.append(statements)
        opening(connection, statements)

    event.listen(Engine, "before_cursor_execute", seen)
    try:
        with patch.object(db, "_send", opened):
            app.run()
    finally:
        event.remove(Engine, "before_cursor_execute", seen)
    assert not app.exception and not app.error and not app.warning, "the page shows an error"
    assert [place.label for place in app.tabs if place.children], "no tab was drawn"
    return sent
