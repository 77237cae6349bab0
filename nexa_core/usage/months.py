"""Months: the partitions that usage events and the audit log are written into, made before they are needed."""

from __future__ import annotations

from sqlalchemy import text

from nexa_core.actor import Actor
from nexa_core.db import metering
from nexa_core.permissions import Permission

#: How many months ahead a month's partition is made.
MONTHS_AHEAD = 3
_MAKE = text("""
SELECT nexa.make_month(parent::regclass, (date_trunc('month', now()) + make_interval(months => ahead))::date)
FROM unnest(ARRAY['audit_logs', 'usage_events']) parent, generate_series(0, :ahead) ahead
""")


def make_months(actor: Actor) -> None:
    """Make the partitions of this month and the next ones, where missing. Raises Forbidden without SYSTEM_READ."""
    actor.require(Permission.SYSTEM_READ)
    with metering(actor) as db:
        db.execute(_MAKE, {"ahead": MONTHS_AHEAD})
