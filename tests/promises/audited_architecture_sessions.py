"""What changes of architecture sessions leave in the audit log."""

from __future__ import annotations

from nexa_core import architecture_sessions
from tests.promises.audited_rows import Case

DOMAIN = architecture_sessions
CASES: dict[str, Case] = {}
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "ai_architecture_sessions": [
        (
            "nexa_tenant",
            "INSERT INTO ai_architecture_sessions (user_id, organization_id, title) VALUES (%(me)s, %(org)s, 'New')",
        ),
        ("nexa_tenant", "UPDATE ai_architecture_sessions SET title = 'Newer' WHERE organization_id = %(org)s"),
        ("nexa_tenant", "DELETE FROM ai_architecture_sessions WHERE organization_id = %(org)s"),
    ],
    "share_links": [
        (
            "nexa_tenant",
            "INSERT INTO share_links (organization_id, session_id, revision, token, created_by, expires_at)"
            " SELECT %(org)s, id, 1, 'x', %(me)s, 'infinity' FROM ai_architecture_sessions",
        ),
        ("nexa_tenant", "UPDATE share_links SET revoked_at = now()"),
    ],
}
BEFORE = {
    "share_links": "INSERT INTO ai_architecture_sessions (user_id, organization_id, title)"
    " VALUES (%(me)s, %(org)s, 'Review')"
}
