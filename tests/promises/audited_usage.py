"""What the verbs of usage leave in the audit log."""

from __future__ import annotations

from uuid import UUID, uuid4

from nexa_core import usage
from nexa_core.usage import UsageEvent
from tests.promises.audited_rows import Case, EndpointCase, Stage, bearer

DOMAIN = usage
NO_VERBS = {"usage.charge"}  # a step inside another verb


def _reserved(stage: Stage) -> UUID:
    return usage.reserve(stage.ada, event_type="ai_call", credits=1, idempotency_key=uuid4().hex).id


def _used(stage: Stage) -> UUID:
    usage.record(stage.ada, [UsageEvent("ai_call", uuid4().hex, 3)])
    with stage.world.database.superuser() as connection:
        row = connection.execute("SELECT id FROM usage_events WHERE organization_id = %s", [stage.northwind]).fetchone()
    assert row is not None
    return row[0]


CASES: dict[str, Case] = {
    # What is used is in usage_events, which nothing changes; the log has what people decide about it.
    "usage.record": Case(lambda s, _: usage.record(s.ada, [usage.UsageEvent("ai_call", uuid4().hex, credits=1)])),
    "usage.submit": Case(
        lambda s, _: usage.submit(s.ada, events=[{"event_type": "ai_call", "idempotency_key": uuid4().hex}])
    ),
    "usage.reserve": Case(lambda s, _: _reserved(s)),
    "usage.settle": Case(lambda s, held: usage.settle(s.ada, reservation_id=held, credits=1), (), _reserved),
    "usage.release": Case(lambda s, held: usage.release(s.ada, reservation_id=held), (), _reserved),
    "usage.expire_reservations": Case(lambda s, _: usage.expire_reservations(s.root)),
    "usage.alerts": Case(lambda s, _: usage.alerts(s.ada)),
    "usage.raise_alerts": Case(lambda s, _: usage.raise_alerts(s.root)),
    "usage.expire": Case(lambda s, _: usage.expire(s.root, keep_months=120)),
    "usage.prove": Case(lambda s, _: usage.prove(s.root)),
    "usage.roll_up": Case(lambda s, _: usage.roll_up(s.root)),
    "usage.make_months": Case(lambda s, _: usage.make_months(s.root)),
    "usage.last_proof": Case(lambda s, _: usage.last_proof(s.root)),
    "usage.refund": Case(
        lambda s, event: usage.refund(s.root, organization_id=s.northwind, event_id=event, reason="broken"),
        (("usage.refunded", "usage_event"),),
        _used,
    ),
}
ENDPOINTS: dict[str, EndpointCase] = {
    "POST /usage/events": EndpointCase(
        lambda client, _, headers: client.post(
            "/api/usage/events",
            json={"events": [{"event_type": "ai_call", "idempotency_key": uuid4().hex}]},
            headers=headers,
        ),
        (),
        bearer,
    ),
}
