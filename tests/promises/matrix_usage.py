"""Who may report usage, set credits aside for it, and correct it."""

from __future__ import annotations

from uuid import uuid4

from nexa_core import usage as U  # noqa: N812  the subject of every line
from nexa_core.usage import UsageEvent
from tests.promises.matrix_rows import ADMIN, REASON, USAGE, Expect, Route, Row, here, platform

#: Who reports what was used; whoever looks with somebody else's eyes reports nothing.
REPORT = frozenset({"member", "admin", "owner"}) | ADMIN
EVENT = {"event_type": "ai_call", "idempotency_key": "of the matrix", "credits": 1}


def _reporting(there: str) -> Expect:
    """The permission is asked for first; then a stranger's organization, and a deleted one, is not there."""

    def expect(who: str, where: str) -> str:
        if who not in REPORT and who != "ex-member":
            return "forbidden"
        if where == "own" and who != "ex-member":
            return there
        return "hidden" if where == "deleted" or who not in ADMIN else there

    return expect


VERBS: dict[str, Row] = {
    "usage.record": Row(
        lambda a, p: U.record(a, [UsageEvent("ai_call", uuid4().hex, 1)], organization_id=p.organization),
        expect=_reporting("ok"),
    ),
    "usage.submit": platform(lambda a, _: U.submit(a, events=[EVENT]), own=REPORT | {"ex-member"}),
    "usage.reserve": Row(
        here(U.reserve, event_type="ai_call", credits=1, idempotency_key="of the matrix"), expect=_reporting("ok")
    ),
    # A reservation that is not there: what is there is another test's subject.
    "usage.settle": Row(here(U.settle, reservation_id=uuid4(), credits=1), expect=_reporting("hidden")),
    "usage.release": Row(here(U.release, reservation_id=uuid4()), expect=_reporting("hidden")),
    "usage.expire_reservations": platform(lambda a, _: U.expire_reservations(a)),
    "usage.alerts": platform(lambda a, _: U.alerts(a), own=USAGE),
    "usage.raise_alerts": platform(lambda a, _: U.raise_alerts(a)),
    "usage.expire": platform(lambda a, _: U.expire(a, keep_months=120)),
    "usage.prove": platform(lambda a, _: U.prove(a)),
    "usage.roll_up": platform(lambda a, _: U.roll_up(a)),
    "usage.make_months": platform(lambda a, _: U.make_months(a)),
    "usage.last_proof": platform(lambda a, _: U.last_proof(a)),
    "usage.refund": Row(
        lambda a, p: U.refund(a, organization_id=p.organization, event_id=p.event, reason=REASON),
        expect=lambda who, where: "forbidden" if who not in ADMIN else "hidden" if where == "deleted" else "ok",
    ),
}

ROUTES: dict[str, Route] = {
    "POST /usage/events": Route("usage.submit", lambda _: "/usage/events", {"events": [EVENT]}),
}
