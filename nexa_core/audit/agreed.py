"""What the log itself says was agreed about keeping it, against the table that expiry goes by."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

# The newest entry that says so wins, by its place in the chain. What was agreed may itself have expired: then the
# entry of the expiry says it. An entry that was blanked, because an admin was erased, leaves a hold by its action and
# says no number of months: that is not compared.
_IS_AS_AGREED = text("""
    WITH entries AS MATERIALIZED (
        SELECT * FROM audit_logs WHERE organization_id = :organization AND resource_type = 'retention'
        UNION ALL
        SELECT * FROM audit_logs WHERE organization_id = :organization AND action = 'audit.expired'
    ), said AS MATERIALIZED (
        SELECT c.sequence, e.action, e.new_values, coalesce((e.new_values->>'keep_months')::integer,
            substring(e.reason FROM '^Kept for (\\d+) months')::integer) AS keep_months,
            e.action = 'audit.retention_changed' AND e.new_values IS NULL AS is_blank
        FROM entries e JOIN audit_chain c
            ON c.chain_id = :organization AND c.audit_log_id = e.id AND c.logged_at = e.created_at
    )
    SELECT (coalesce(kept.is_blank, false) OR rule.keep_months IS NOT DISTINCT FROM kept.keep_months)
        AND coalesce(rule.legal_hold, false) = coalesce(held.legal_hold, false)
    FROM (SELECT) one
    LEFT JOIN audit_retentions rule ON rule.organization_id = :organization
    LEFT JOIN LATERAL (SELECT * FROM said WHERE new_values ? 'keep_months'
        OR action IN ('audit.retention_changed', 'audit.expired') ORDER BY sequence DESC LIMIT 1) kept ON true
    LEFT JOIN LATERAL (SELECT coalesce((new_values->>'legal_hold')::boolean, action = 'audit.held') AS legal_hold
        FROM said WHERE new_values ? 'legal_hold' OR action IN ('audit.held', 'audit.released', 'audit.expired')
        ORDER BY sequence DESC LIMIT 1) held ON true
""")
_RULED = text("""
    SELECT organization_id FROM audit_retentions
    UNION SELECT organization_id FROM audit_logs WHERE resource_type = 'retention' ORDER BY 1
""")


def is_as_agreed(db: Session, organization_id: UUID) -> bool:
    """Whether an organization's retention and legal hold are what its log says; the log must verify to be believed."""
    return bool(db.scalar(_IS_AS_AGREED, {"organization": organization_id}))


def not_as_agreed(db: Session) -> Iterator[UUID]:
    """Every organization of which that is not so."""
    return (ruled for ruled in db.scalars(_RULED).all() if not is_as_agreed(db, ruled))
