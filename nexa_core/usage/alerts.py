"""Alerts: a customer's credits crossed a threshold; once a period and threshold, by mail and in the app."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor, Scope
from nexa_core.config import settings
from nexa_core.db import metering, reading
from nexa_core.errors import NotFound
from nexa_core.notifications import send_mail
from nexa_core.permissions import Permission
from nexa_core.usage.periods import STARTS, ZONE
from nexa_core.usage.reach import SEEN, only_of

#: Percent of the monthly credits, unless ``usage_limits.alert_at`` says otherwise.
THRESHOLDS = (80, 100, 120)


@dataclass(frozen=True, slots=True)
class Alert:
    """One crossing in the running period. ``projected_on`` is when all credits will be used at the present rate."""

    threshold: int
    used: int
    most: int
    crossed_at: dt.datetime
    projected_on: dt.date | None
    cause: str

    @property
    def sentence(self) -> str:
        reached = f"{self.used:,} of {self.most:,} credits of this period were used ({self.threshold} % reached)."
        runs_out = f" At this rate they are used up on {self.projected_on:%d %B}." if self.projected_on else ""
        return f"{reached}{runs_out} {self.cause}".strip()


# Who has crossed what and was not told. The limit is the one in force now, plan and agreement together.
_CROSSED = text(f"""
SELECT o.id, o.name, o.slug, c.period_start, c.used, l.most, t.threshold,
       extract(epoch FROM now() - c.period_start) AS elapsed, {ZONE} AS time_zone,
       extract(epoch FROM nexa.billing_end(o.id, now()) - now()) AS remaining
FROM usage_counters c JOIN organizations o ON o.id = c.organization_id AND o.status = 'active',
     LATERAL nexa.usage_limit(o.id, 'credits') l,
     LATERAL (
        SELECT a.value::numeric::integer AS threshold FROM jsonb_array_elements(
            CASE jsonb_typeof(o.usage_limits->'alert_at') WHEN 'array' THEN o.usage_limits->'alert_at'
                 ELSE to_jsonb(CAST(:thresholds AS integer[])) END) a WHERE jsonb_typeof(a.value) = 'number'
     ) t
WHERE c.metric = 'credits' AND c.period_start >= now() - interval '32 days'
  AND c.period_start = {STARTS}
  AND l.most > 0 AND t.threshold > 0 AND c.used * 100 >= l.most * t.threshold
  AND NOT EXISTS (SELECT FROM usage_alerts x WHERE x.organization_id = o.id AND x.period_start = c.period_start
                  AND x.threshold = t.threshold)
ORDER BY o.id, t.threshold
""")

_INSERT = text("""
INSERT INTO usage_alerts (organization_id, period_start, threshold, used, most, projected_on, cause)
VALUES (:organization, :period, :threshold, :used, :most, :projected_on, :cause)
ON CONFLICT (organization_id, period_start, threshold) DO NOTHING RETURNING id
""")

# By whom the credits of the period were used, and in sessions of which tag.
_PEOPLE = text("""
SELECT coalesce(nullif(u.full_name, ''), u.email, 'programs') AS name, sum(e.credits_consumed)::bigint AS credits
FROM usage_events e LEFT JOIN users u ON u.id = e.user_id
WHERE e.organization_id = :organization AND e.occurred_at >= :period GROUP BY 1 HAVING sum(e.credits_consumed) > 0
ORDER BY 2 DESC, 1
""")
_TAG = text("""
SELECT t.tag, sum(e.credits_consumed)::bigint AS credits
FROM usage_events e JOIN ai_architecture_sessions s ON s.id = e.session_id AND s.organization_id = e.organization_id,
     LATERAL jsonb_array_elements_text(CASE jsonb_typeof(s.tags) WHEN 'array' THEN s.tags ELSE '[]' END) t(tag)
WHERE e.organization_id = :organization AND e.occurred_at >= :period GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1
""")
# Who did not say in their account that they want no such mail.
_WANTED = "u.status = 'active' AND u.notification_settings->'usage' IS DISTINCT FROM 'false'"
_RECIPIENTS = text(f"""
SELECT DISTINCT u.email FROM organization_memberships m JOIN users u ON u.id = m.user_id
WHERE m.organization_id = :organization AND m.role IN ('owner', 'billing') AND m.status = 'active'
  AND {_WANTED}
UNION SELECT u.email FROM organizations o JOIN users u ON u.id = o.account_manager_id
WHERE o.id = :organization AND {_WANTED} ORDER BY 1
""")
# One row without a threshold for an organization within reach that has crossed nothing.
_STANDING = text(f"""
SELECT a.threshold, a.used, a.most, a.crossed_at, a.projected_on, a.cause
FROM organizations o
LEFT JOIN usage_alerts a ON a.organization_id = o.id AND a.period_start = nexa.billing_start(o.id, now())
WHERE o.id = :organization AND (o.id = :own OR {SEEN})
ORDER BY a.threshold DESC
""")


def alerts(actor: Actor, *, organization_id: UUID | None = None) -> tuple[Alert, ...]:
    """What was crossed in the running period, the highest threshold first.

    Raises Forbidden without USAGE_READ, NotFound for an organization out of reach.
    """
    actor.require(Permission.USAGE_READ)
    organization = organization_id or actor.organization_id
    if actor.scope is Scope.TENANT and organization != actor.organization_id:
        raise NotFound("There is no such organization.")
    whose = {"organization": organization, "own": actor.organization_id, "only_of": only_of(actor)}
    with reading(actor) as db:
        rows = db.execute(_STANDING, whose).all()
    if not rows:
        raise NotFound("There is no such organization.")
    return tuple(
        Alert(row.threshold, row.used, row.most, row.crossed_at, row.projected_on, row.cause)
        for row in rows
        if row.threshold is not None
    )


def raise_alerts(actor: Actor) -> int:
    """Tell whoever crossed a threshold since the last time; how many crossings. For the job.

    The alert and its mails are written in one transaction: both, or neither and the next run does it. Of several
    thresholds crossed at once the highest is mailed. Raises Forbidden without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    with metering(actor) as db:
        crossed = db.execute(_CROSSED, {"thresholds": list(THRESHOLDS)}).all()
    highest = {row.id: row.threshold for row in crossed}  # in ascending order: the last one stays
    raised = 0
    for row in crossed:
        with metering(actor) as db:
            raised += _raise(db, row, mailed=row.threshold == highest[row.id])
    return raised


def _raise(db: Session, row: Row[Any], *, mailed: bool) -> bool:
    alert = Alert(
        row.threshold, row.used, row.most, dt.datetime.now(dt.UTC), _projected_on(row), _cause(db, row.id, row)
    )
    values = {
        "organization": row.id, "period": row.period_start, "threshold": row.threshold, "used": row.used,
        "most": row.most, "projected_on": alert.projected_on, "cause": alert.cause,
    }  # fmt: skip
    if db.scalar(_INSERT, values) is None:
        return False
    if mailed:
        for email in db.scalars(_RECIPIENTS, {"organization": row.id}):
            send_mail(
                db,
                recipient=email,
                subject=f"{row.name[:150]} has used {row.threshold} % of its credits",
                body=f"{row.name}: {alert.sentence}",
                link=f"{settings().public_url}/organization?organization={row.slug}",
                organization_id=row.id,
            )
    return True


def _projected_on(row: Row[Any]) -> dt.date | None:
    """The customer's day on which its credits run out at the period's rate; None when they do not, or have already."""
    if row.used >= row.most or row.used <= 0 or row.elapsed <= 0:
        return None
    seconds = float(row.most - row.used) / float(row.used) * float(row.elapsed)
    if seconds > float(row.remaining):
        return None
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).astimezone(ZoneInfo(row.time_zone)).date()


def _cause(db: Session, organization: UUID, row: Row[Any]) -> str:
    """The fewest people who make most of it, as a sentence: "3 people made 71 %: ...; mostly in data"."""
    of = {"organization": organization, "period": row.period_start}
    people = db.execute(_PEOPLE, of).all()
    total = sum(person.credits for person in people)
    if not total:
        return ""
    share, named = 0, []
    for person in people:
        named.append(person.name)
        share += person.credits
        if share * 10 >= total * 7 or len(named) == 3:
            break
    who = f"{len(named)} people" if len(named) > 1 else named[0]
    names = f" ({', '.join(named)})" if len(named) > 1 else ""
    tag = db.execute(_TAG, of).one_or_none()
    where = f", most of it in sessions tagged {tag.tag}" if tag and tag.credits * 2 >= total else ""
    return f"{who}{names} made {round(100 * share / total)} %{where}."
