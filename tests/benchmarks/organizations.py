"""What running ten thousand customers costs: the list, the page of one, and one change for a thousand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import sql
from sqlalchemy.dialects import postgresql
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from nexa_core import db, organizations
from nexa_core.actor import Actor
from nexa_core.api.identity import header_value
from nexa_core.organizations.filters import Filter
from nexa_core.organizations.listing import listed
from pages._ui.organization import members
from pages._ui.organization.tabs import TABS
from tests.benchmarks import programs
from tests.benchmarks.harness import Bench, Row, figure
from tests.benchmarks.screens import tab
from tests.serving import ROOT

ADMIN, OWNER = "admin@nexa.example", "owner@lumenfold.example"
LIMITED = "aldermist"
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
    views: list[tuple[str, str, dict[str, str]]] = [("lumenfold", one.title, {}) for one in TABS]
    for slug, owner in (("lumenfold", OWNER), (LIMITED, f"owner@{LIMITED}.example")):
        views += [(slug, "Members", {members.CHOSEN: owner, members.PART: part}) for part in members.PARTS]
    for slug, name, chosen in views:
        sent = statements_of_the_page(bench.stage.actor(ADMIN), slug, name, chosen)
        whose = "page of one organization" if slug != LIMITED else "of one whose use stops at the allowance"
        measured = ", ".join([whose, name, *list(chosen.values())[1:]])
        yield bench.count((measured, len(sent)), ("statements allowed", STATEMENTS))


@figure("organizations-bulk")
def organizations_bulk(bench: Bench) -> Iterator[Row]:
    """Changes of 1,000 customers, there and back, with their audit, against the same UPDATEs without it.

    The bare UPDATE keeps what is not the audit's: foreign keys, the plans' history, the rule that there is an owner.
    What it takes without any of them informs.
    """
    actor = bench.stage.actor(ADMIN)
    first, second, *_ = (str(manager.id) for manager in organizations.account_managers(actor))
    with _customers(bench) as bare:
        thousands = bare.execute(
            "SELECT array_agg(id) FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM organizations"
            f" WHERE {_MADE}) made GROUP BY n % {MANY // BATCH}"
        ).fetchall()
        # Another thousand each time: hundreds of changes of one would be measured with the rows they left dead.
        ours_of, theirs_of = (cycle([ids for (ids,) in thousands]) for _ in range(2))

        def batches(*turns: tuple[Any, str | None]) -> float:
            ids, took = next(ours_of), 0.0
            for kind, value in turns:
                preview = organizations.preview_change(actor, kind=kind, organization_ids=ids, value=value)  # type: ignore[arg-type]
                assert len(preview.changing) == BATCH
                began = time.perf_counter()
                organizations.apply_batch(actor, preview=preview, reason="measured")
                took += time.perf_counter() - began
            return took

        def updates(column: str, *values: str) -> float:
            ids = next(theirs_of)
            began = time.perf_counter()
            for value in values:
                bare.execute(f"UPDATE organizations SET {column} = %s WHERE id = ANY (%s)".encode(), [value, ids])
            return time.perf_counter() - began

        for name, ours, theirs in (
            (
                "account managers",
                lambda: batches(("account_manager", first), ("account_manager", second)),
                lambda: updates("account_manager_id", first, second),
            ),
            (
                "plans",
                lambda: batches(("plan", "enterprise"), ("plan", "professional")),
                lambda: updates("plan_type", "enterprise", "professional"),
            ),
            (
                "suspended and resumed",
                lambda: batches(("suspend", None), ("resume", None)),
                lambda: updates("status", "suspended", "active"),
            ),
        ):
            named = f"{BATCH:,} organizations twice by apply_batch: {name}"
            with _all_but_the_audit(bare):
                bare_update = ("the same UPDATEs, all of them but the audit", theirs)
                yield bench.compare((named, ours), bare_update, bound=5, pairs=5)
            yield bench.compare(
                (named, ours), ("UPDATEs without triggers and constraints", theirs), bound=None, pairs=3
            )


@contextmanager
def _all_but_the_audit(bare: psycopg.Connection[tuple[object, ...]]) -> Iterator[None]:
    """Every trigger and constraint of what changes holds for a connection without triggers, but for the audit's."""
    tables = ("organizations", "plan_assignments")
    for table in tables:
        triggers = f"SELECT tgname FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND tgname !~ '^audit_'"
        for (name,) in bare.execute(triggers.encode()).fetchall():
            always = sql.SQL("ALTER TABLE {} ENABLE ALWAYS TRIGGER {}")
            bare.execute(always.format(sql.Identifier(table), sql.Identifier(str(name))))
    try:
        yield
    finally:
        for table in tables:
            bare.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL".encode())


def statements_of_the_page(actor: Actor, slug: str, name: str, chosen: Mapping[str, str] | None = None) -> list[str]:
    """What is sent to the database for one view of a tab: every query, and one message that opens each transaction.

    ``chosen`` is what was chosen on the tab, by the keys of its widgets.
    """
    app = AppTest.from_file(str(ROOT / "pages" / "_shell.py"), default_timeout=60)
    app.user = {"sign_in": header_value(actor.user_session_id)} if actor.user_session_id else {}
    app.query_params["organization"], app.query_params["tab"] = slug, name
    app._page_hash = calc_hash("organization")
    app.run()
    for key, value in (chosen or {}).items():
        app.session_state[key] = value
    if chosen:
        app.run()
    sent: list[str] = []
    opening, execute = db._send, psycopg.Cursor.execute

    def opened(connection: psycopg.Connection, statements: str) -> None:
        if statements != "COMMIT":  # which asks for nothing
            sent.append(statements)
        opening(connection, statements)

    def executed(cursor: psycopg.Cursor[Any], query: Any, *given: Any, **options: Any) -> psycopg.Cursor[Any]:
        sent.append(str(query))
        return execute(cursor, query, *given, **options)

    with patch.object(db, "_send", opened), patch.object(psycopg.Cursor, "execute", executed):
        app.run()
    assert not app.exception and not app.error and not app.warning, "the page shows an error"
    assert [place.label for place in app.tabs if place.children], "no tab was drawn"
    return sent
