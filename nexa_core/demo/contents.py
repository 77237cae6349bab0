"""Writing what a customer's people made and used: sessions by their authors, usage by the statement that counts it."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.db import reading, recording
from nexa_core.demo.settling import at_work
from nexa_core.demo.world import Session, Tenant
from nexa_core.usage import UsageEvent
from nexa_core.usage.service import store

_BATCH = 5_000

_SESSION = text("""
INSERT INTO ai_architecture_sessions (uuid, user_id, organization_id, title, client, session_objects, sow_objects,
    loe_objects, diagram_texts_json, visual_assets_json, session_type, is_template, tags, created_at, updated_at,
    deleted_at)
SELECT uuid, user_id, :organization_id, title, client, session_objects, sow_objects, loe_objects, diagram_texts_json,
    visual_assets_json, session_type, is_template, tags, created_at, updated_at, deleted_at
FROM json_to_recordset(CAST(:sessions AS json)) AS s(number integer, uuid uuid, user_id uuid, title text, client text,
    session_objects jsonb, sow_objects jsonb, loe_objects jsonb, diagram_texts_json jsonb, visual_assets_json jsonb,
    session_type text, is_template boolean, tags jsonb, created_at timestamptz, updated_at timestamptz,
    deleted_at timestamptz)
ORDER BY number
ON CONFLICT (uuid) DO NOTHING
""")
_SESSION_IDS = text("SELECT uuid, id FROM ai_architecture_sessions WHERE organization_id = :organization_id")


def write_sessions(tenant: Tenant) -> dict[UUID, int]:
    """Each author's sessions, created by themselves; returns their numbers by uuid."""
    customer = tenant.customer
    people = {person.id: person for person in tenant.people}
    by_author: dict[UUID, list[tuple[int, Session]]] = {}
    for number, architecture_session in enumerate(tenant.sessions):
        by_author.setdefault(architecture_session.author, []).append((number, architecture_session))
    for author, sessions in by_author.items():
        actor = at_work(people[author], tenant.id, customer.name)
        rows = ",".join(_session_row(number, architecture_session) for number, architecture_session in sessions)
        with recording(actor, Action.DEMO_SEEDED) as db:
            db.execute(_SESSION, {"organization_id": tenant.id, "sessions": f"[{rows}]"})
    with reading(at_work(tenant.people[0], tenant.id, customer.name)) as db:
        return {row.uuid: row.id for row in db.execute(_SESSION_IDS, {"organization_id": tenant.id})}


def _session_row(number: int, architecture_session: Session) -> str:
    deleted_at = architecture_session.deleted_at.isoformat() if architecture_session.deleted_at else None
    return json.dumps(
        {
            "number": number,
            "uuid": str(architecture_session.uuid),
            "user_id": str(architecture_session.author),
            "title": architecture_session.title,
            "client": architecture_session.client,
            "session_type": architecture_session.session_type,
            "is_template": architecture_session.is_template,
            "tags": architecture_session.tags,
            "created_at": architecture_session.created_at.isoformat(),
            "updated_at": architecture_session.updated_at.isoformat(),
            "deleted_at": deleted_at,
            **architecture_session.documents,
        }
    )


def write_usage(system: Actor, tenant: Tenant, numbers: dict[UUID, int], now: datetime) -> int:
    """All use up to now, through the statement that stores every usage event; returns how many events there are."""
    events = [
        UsageEvent(
            event_type=use.event_type,
            idempotency_key=use.key,
            credits=use.credits,
            user_id=use.person,
            session_id=None
            if use.architecture_session is None
            else numbers[tenant.sessions[use.architecture_session].uuid],
            event_data=use.data,
            occurred_at=use.at,
        )
        for use in tenant.uses
        if use.at <= now
    ]
    total = 0
    for start in range(0, len(events), _BATCH):
        recorded = store(system, tenant.id, events[start : start + _BATCH])
        total += recorded.inserted + recorded.duplicates
    return total
