"""What a period used in single events that were let go since (``NEXA_USAGE_MONTHS``): their sums stay, as one part."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core.billing.periods import Period
from nexa_core.errors import Conflict

# The sums are asked only where the period reaches into months that were let go: otherwise nothing is missing.
_GONE = """
SELECT CASE WHEN :starts < (SELECT max(month)::timestamp AT TIME ZONE 'UTC' + interval '1 month' FROM usage_expiries)
    THEN (SELECT coalesce(sum(c.used), 0) FROM usage_counters c
          WHERE c.organization_id = :organization AND c.period_start = :starts AND {counted})
       - (SELECT coalesce({kept}, 0) FROM usage_events e
          WHERE e.organization_id = :organization AND e.occurred_at >= :starts AND e.occurred_at < :ends)
    ELSE 0 END::bigint"""
#: The credits of a period whose events are gone. They were its first ones: whole months go, the oldest first.
CREDITS = _GONE.format(counted="c.metric = 'credits'", kept="sum(e.credits_consumed)")
_EVENTS = text(_GONE.format(counted="c.metric <> 'credits'", kept="count(*)"))


def require_events(db: Session, organization_id: object, period: Period) -> None:
    """Raise Conflict for a period some of whose single events were let go."""
    if db.scalar(_EVENTS, {"organization": organization_id, "starts": period.starts, "ends": period.ends}):
        raise Conflict(f"Single events of {period.name} are no longer kept, so it cannot be replayed.")
