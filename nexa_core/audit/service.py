"""Note what changes no row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from nexa_core.actions import Action


def note(
    db: Session,
    resource_type: str,
    resource_id: UUID | None,
    values: Mapping[str, Any],
    *,
    organization_id: UUID | None = None,
    action: Action | None = None,
) -> UUID:
    """Log what changes no audited row (a failed sign-in, an export), in the caller's transaction.

    ``action`` is the transaction's own unless another is named; ``values`` must hold no secret.
    """
    noted = func.nexa.audit_note(
        resource_type, resource_id, organization_id, cast(dict(values), JSONB), action.value if action else None
    )
    entry_id: UUID = db.execute(select(noted)).scalar_one()
    return entry_id


def note_in_each(db: Session, resource_type: str, organizations: Iterable[UUID], values: Mapping[str, Any]) -> None:
    """Log one thing that is about several organizations in the log of each, about that organization's own."""
    each = "SELECT nexa.audit_note(:kind, o, o, CAST(:values AS jsonb)) FROM unnest(CAST(:organizations AS uuid[])) o"
    given = {"kind": resource_type, "values": json.dumps(dict(values)), "organizations": list(organizations)}
    db.execute(text(each), given)
