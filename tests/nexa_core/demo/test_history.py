"""The demo world's audit log has a past that can be believed, and that only the owner of the tables can write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.demo import history
from nexa_core.demo.world import SEED, build
from tests.databases import TestDatabase

#: What a past must not hold; each a query that finds nothing.
CONTRADICTIONS = {
    "an entry of the future": "SELECT FROM audit_logs WHERE created_at > now()",
    "a session edited before it was created": """
        SELECT FROM audit_logs e JOIN audit_logs c ON c.resource_id = e.resource_id AND c.action = 'session.created'
        WHERE e.action = 'session.edited' AND e.created_at < c.created_at""",
    "a session created twice": """
        SELECT FROM audit_logs WHERE action = 'session.created' GROUP BY resource_id HAVING count(*) > 1""",
    "somebody who worked before they came": """
        SELECT FROM audit_logs e JOIN audit_logs j ON j.user_id = e.user_id AND j.action = 'invitation.accepted'
            AND j.organization_id = e.organization_id
        WHERE e.actor_scope = 'tenant' AND e.created_at < j.created_at""",
    "a membership that is none": """
        SELECT FROM audit_logs l LEFT JOIN organization_memberships m ON m.id = l.resource_id
        WHERE l.resource_type = 'membership' AND m.id IS NULL""",
    "a session that is none": """
        SELECT FROM audit_logs l LEFT JOIN ai_architecture_sessions s ON s.uuid = l.resource_id
        WHERE l.resource_type = 'session' AND s.uuid IS NULL""",
    "a title that is not what it became": """
        SELECT FROM ai_architecture_sessions s JOIN LATERAL (SELECT new_values FROM audit_logs l
            WHERE l.resource_id = s.uuid AND l.action = 'session.details_changed' AND l.new_values ? 'title'
            ORDER BY created_at DESC LIMIT 1) l ON true
        WHERE l.new_values->>'title' <> s.title""",
}


def test_the_past_contradicts_neither_itself_nor_the_world(demo_database: TestDatabase) -> None:
    with demo_database.superuser() as connection:
        for what, query in CONTRADICTIONS.items():
            assert connection.execute(query.encode()).fetchall() == [], what
        months = connection.execute(
            "SELECT count(DISTINCT date_trunc('month', created_at)) FROM audit_logs WHERE action <> 'demo.seeded'"
        ).fetchone()
    assert months and months[0] >= 20
    assert audit.verify(Actor.system()).verified
    by_staff = audit.find(Actor.system(), filters=audit.Filters(staff=True, resource_type="user"), limit=200).items
    assert any((entry.reason or "").startswith("Ticket ") for entry in by_staff)


def test_only_who_owns_the_tables_can_write_a_past_and_writes_it_once(demo_copy: TestDatabase) -> None:
    with demo_copy.superuser() as connection:
        row = connection.execute(
            "SELECT subscription_data->'demo'->>'day', now() FROM organizations WHERE is_platform"
        ).fetchone()
    assert row
    day = datetime.fromisoformat(row[0]).replace(tzinfo=UTC)
    world = build(day.date(), SEED)
    assert history.write(demo_copy.superuser_url, world, day - timedelta(days=30)) == 0, "it is there already"
    with demo_copy.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM audit_logs WHERE action = 'session.created'")
    assert history.write(demo_copy.app_url, world, row[1]) == 0, "the program's own login may not"
    assert not audit.verify(Actor.system()).verified, "the control: a past that is gone is missed"
    assert history.write(demo_copy.superuser_url, world, row[1]) > 100


def test_two_pasts_of_one_day_are_the_same() -> None:
    def told() -> list[Any]:
        world = build(datetime(2026, 11, 22, tzinfo=UTC).date(), SEED)
        return [entry for tenant in world.tenants for entry in history.entries_of(world, tenant)]

    first = told()
    assert first == told()
    assert len({entry["id"] for entry in first}) == len(first) > 1_000
