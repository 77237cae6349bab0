"""The checks behind ``python -m nexa_core check``, the readiness probe and the System screen."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core import schema, usage
from nexa_core.actor import Actor
from nexa_core.db import reading
from nexa_core.errors import NexaError
from nexa_core.permissions import Permission
from nexa_core.usage.proof import newest


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check, as a sentence. ``is_pending``: nothing is wrong, and nothing is proven yet."""

    name: str
    ok: bool
    sentence: str
    is_pending: bool = False


def check(actor: Actor) -> tuple[Finding, ...]:
    """Run every check: migration head, roles, row-level security, invariants, usage sums.

    Changes nothing but the coarse rollups, which it brings up to now. Raises Forbidden without SYSTEM_READ. The audit
    chains have a verb of their own.
    """
    actor.require(Permission.SYSTEM_READ)
    proven = _usage_adds_up(actor)
    with reading(actor) as db:
        return (*(run(db) for run in QUICK_CHECKS), proven)


def readiness() -> dict[str, Any]:
    """Whether NEXA can serve: ``{"ready": bool, "checks": {name: "ok" or a sentence}}``. Raises nothing.

    Anybody may ask, and as often as they like: what has to look at everybody is looked at every ten seconds.
    """
    quick: tuple[Callable[[Session], Finding], ...] = (_migration_head, _invariants_lately)
    try:
        with reading(Actor.system()) as db:
            findings = [Finding("database", True, "ok"), *(run(db) for run in quick)]
    except NexaError as error:
        findings = [Finding("database", False, error.sentence)]
    return {
        "ready": all(finding.ok for finding in findings),
        "checks": {finding.name: "ok" if finding.ok else finding.sentence for finding in findings},
    }


def present_head(db: Session) -> str:
    """The migration the database is at."""
    return db.scalar(text("SELECT version_num FROM alembic_version")) or "none"


def _migration_head(db: Session) -> Finding:
    present, expected = present_head(db), schema.head()
    if present == expected:
        return Finding("migration", True, f"The schema is at {present}.")
    return Finding("migration", False, f"The schema is at {present}, this NEXA expects {expected}: run migrate.")


_WRONG_ROLES = text("""
    SELECT rolname FROM pg_roles
    WHERE rolname IN ('nexa_app', 'nexa_tenant', 'nexa_staff', 'nexa_presenter', 'nexa_entry', 'nexa_owner')
      AND (rolsuper OR rolbypassrls OR rolinherit OR rolcreaterole OR rolcreatedb)
    UNION ALL
    SELECT tablename || ' is owned by ' || tableowner FROM pg_tables
    WHERE schemaname = 'public' AND tableowner <> 'nexa_owner'
    UNION ALL
    SELECT 'nexa_app may make temporary tables (run migrations/roles.sql as a superuser)'
    WHERE has_database_privilege('nexa_app', current_database(), 'TEMPORARY')
""")


def _roles(db: Session) -> Finding:
    wrong = db.scalars(_WRONG_ROLES).all()
    if wrong:
        return Finding("roles", False, f"These have more rights than they should: {', '.join(wrong)}.")
    return Finding("roles", True, "The program's roles own nothing and bypass nothing.")


_UNPROTECTED = text("""
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND (c.relname IN ('users', 'organizations') OR EXISTS (
          SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
          AND a.attname IN ('organization_id', 'chain_id') AND NOT a.attisdropped))
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
    ORDER BY 1
""")


def _row_level_security(db: Session) -> Finding:
    unprotected = db.scalars(_UNPROTECTED).all()
    if unprotected:
        return Finding("row-level security", False, f"Without a forced policy: {', '.join(unprotected)}.")
    return Finding(
        "row-level security", True, "Forced, with policies, on every table that holds an organization's data."
    )


def _invariants(db: Session) -> Finding:
    homeless = db.scalar(
        text("""
        SELECT count(*) FROM users u WHERE u.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM organization_memberships m WHERE m.user_id = u.id)""")
    )
    ownerless = db.scalar(
        text("""
        SELECT count(*) FROM organizations o WHERE o.status = 'active' AND NOT EXISTS (
            SELECT FROM organization_memberships m JOIN users u ON u.id = m.user_id
            WHERE m.organization_id = o.id AND m.role = 'owner' AND m.status = 'active' AND u.deleted_at IS NULL)""")
    )
    if homeless or ownerless:
        sentence = f"{homeless} people belong to no organization, {ownerless} active organizations have no owner."
        return Finding("invariants", False, sentence)
    return Finding("invariants", True, "Everybody belongs to an organization; every active organization has an owner.")


_KEPT_SECONDS = 10.0
_kept: dict[str, tuple[float, Finding]] = {}
_one_looks = Lock()


def _invariants_lately(db: Session) -> Finding:
    """:func:`_invariants`, of the last seconds; whoever asks while somebody looks waits for what they find."""
    with _one_looks:
        until, found = _kept.get("invariants", (0.0, None))
        if found is None or until <= time.monotonic():
            found = _invariants(db)
            _kept["invariants"] = time.monotonic() + _KEPT_SECONDS, found
    return found


def _last_proof(db: Session) -> Finding:
    found = newest(db)
    if found is None:
        return Finding("usage last night", True, "The sums of usage have not been proven yet.", is_pending=True)
    when = f"{found.proven_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
    if found.differences:
        return Finding(
            "usage last night", False, f"{when}: {found.differences} sums are off, {found.first_difference}."
        )
    return Finding("usage last night", True, f"{when}: every sum of usage was the sum of its events.")


def _usage_adds_up(actor: Actor) -> Finding:
    proof = usage.prove(actor)
    if proof.differences:
        told = "; ".join(difference.sentence for difference in proof.told)
        return Finding("usage", False, f"{proof.differences} sums are not those of their events: {told}.")
    return Finding("usage", True, "Every counter, reservation and rollup equals its events.")


#: How far ahead a month must have its partition: the nightly job makes more, so this allows it to fail for weeks.
MONTHS_AHEAD = 2
_MISSING_MONTHS = text("""
    SELECT parent || '_' || to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => ahead),
                                    'YYYY_MM')
    FROM unnest(ARRAY['audit_logs', 'usage_events']) parent, generate_series(0, :ahead) ahead
    EXCEPT SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    ORDER BY 1
""")


def _months(db: Session) -> Finding:
    missing = db.scalars(_MISSING_MONTHS, {"ahead": MONTHS_AHEAD}).all()
    if missing:
        return Finding(
            "months", False,
            f"Months without a partition: {', '.join(missing)}; their rows wait in the default one. Does the job run?",
        )  # fmt: skip
    return Finding("months", True, f"This month and the next {MONTHS_AHEAD} have their partitions.")


#: What a screen may ask at every look; the proof of all sums, which reads every usage event, comes on top.
QUICK_CHECKS: tuple[Callable[[Session], Finding], ...] = (
    _migration_head,
    _roles,
    _row_level_security,
    _invariants,
    _last_proof,
    _months,
)
