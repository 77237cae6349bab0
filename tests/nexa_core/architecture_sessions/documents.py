"""One small, finished session for these tests; every call a fresh copy."""

from __future__ import annotations

import copy
from typing import Any

FLOW = 'flowchart LR\n    cmp_1["Portal"] -->|HTTPS| cmp_2["Identity provider"]'
_DOCUMENTS: dict[str, Any] = {
    "session_objects": {
        "format": 1,
        "objects": [
            {"id": "req-1", "kind": "requirement", "title": "Sign in with a passkey", "description": "No passwords.",
             "priority": "must", "parent": None, "depends_on": []},
            {"id": "cmp-1", "kind": "component", "title": "Portal", "description": "Server-rendered pages.",
             "priority": "must", "parent": None, "depends_on": ["cmp-2"]},
            {"id": "cmp-2", "kind": "component", "title": "Identity provider", "description": "", "priority": "should",
             "parent": "cmp-1", "depends_on": []},
        ],
    },
    "sow_objects": {
        "format": 1,
        "sections": [
            {"id": "sec-1", "title": "Scope", "markdown": "We build a **portal** with:\n\n- passkeys\n- *roles*\n"},
            {"id": "sec-2", "title": "Approach", "markdown": "| Week | Work |\n|---|---|\n| 1 | Start |\n| 2 | Go |"},
        ],
        "deliverables": [
            {"id": "dlv-1", "title": "Portal application", "description": "Installable.", "covers": ["req-1", "cmp-1"],
             "acceptance_criteria": [{"id": "acc-1", "text": "A customer signs in within 10 s."}]},
        ],
        "milestones": [{"id": "mil-1", "title": "Live", "due": "2099-06-01", "deliverables": ["dlv-1"]}],
        "assumptions": [{"id": "sas-1", "text": "The identity provider exists."}],
        "out_of_scope": [{"id": "out-1", "text": "A native app."}],
    },
    "loe_objects": {
        "format": 1,
        "currency": "EUR",
        "contingency_percent": 10,
        "rows": [
            {"id": "row-1", "task": "Design", "role": "Solution architect", "deliverable": "dlv-1",
             "optimistic_hours": 10, "likely_hours": 20, "pessimistic_hours": 36, "rate_minor": 16_500},
            {"id": "row-2", "task": "Build", "role": "Software engineer", "deliverable": "dlv-1",
             "optimistic_hours": 40, "likely_hours": 50, "pessimistic_hours": 90, "rate_minor": 12_500},
        ],
    },
    "diagram_texts_json": {
        "format": 1,
        "diagrams": [
            {"id": "dia-1", "title": "Overview", "language": "mermaid", "text": FLOW, "depicts": ["cmp-1", "cmp-2"]}
        ],
    },
    "visual_assets_json": {"format": 1, "assets": []},
}  # fmt: skip


def documents() -> dict[str, Any]:
    return copy.deepcopy(_DOCUMENTS)
