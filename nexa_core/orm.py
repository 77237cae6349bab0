"""The mapping's common ground: naming, column types, and the sentence a person sees when a constraint is broken."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import Constraint, DateTime, Index, MetaData, String, Text, func, text
from sqlalchemy.dialects.postgresql import ENUM, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm import DeclarativeBase, Mapped, deferred, mapped_column

#: PostgreSQL's own naming: constraint names are an API, the errors of the database carry them.
NAMING = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s_%(constraint_name)s_check",
}


class Base(DeclarativeBase):
    """Every table NEXA maps."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        UUID: PG_UUID(as_uuid=True),
        dt.datetime: DateTime(timezone=True),
        str: Text(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


#: Views are read like tables, but no migration may try to create them.
VIEWS = MetaData()

Id = Annotated[UUID, mapped_column(primary_key=True, server_default=func.gen_random_uuid())]
Timestamp = Annotated[dt.datetime, mapped_column(server_default=func.now())]
Object = Annotated[dict[str, Any], mapped_column(JSONB(), server_default=text("'{}'"))]

USER_STATUS = ENUM("active", "pending", "suspended", "deleted", name="user_status", create_type=False)
ORGANIZATION_STATUS = ENUM("pending", "active", "suspended", "deleted", name="organization_status", create_type=False)
MEMBERSHIP_ROLE = ENUM("owner", "admin", "member", "viewer", "billing", name="membership_role", create_type=False)
MEMBERSHIP_STATUS = ENUM("active", "pending", "suspended", name="membership_status", create_type=False)


def secret(length: int = 64, *, nullable: bool = True) -> Mapped[Any]:
    """A column no ordinary transaction may read: loaded only where it is asked for by name."""
    return deferred(mapped_column(String(length), nullable=nullable), raiseload=True)


#: Constraints that live in triggers, not in the mapping.
_TRIGGER_SENTENCES = {
    "users_membership": "Everybody belongs to at least one organization; add another membership first.",
    "organizations_owner": "An active organization needs an active owner; transfer the ownership first.",
    "audit_action": "This change cannot be recorded, so it was not made.",
    "plan_versions_begun": "What a plan was stays as it was: a new version begins in the future.",
    "audit_kept": "These entries of the audit log are kept: by its retention, a legal hold, or for want of an archive.",
}


def sentence_of(constraint: str | None) -> str | None:
    """What to tell the person whose input broke this constraint; None for a constraint without a sentence."""
    if constraint in _TRIGGER_SENTENCES:
        return _TRIGGER_SENTENCES[constraint]
    for table in Base.metadata.tables.values():
        named: list[Constraint | Index] = [*table.constraints, *table.indexes]
        for candidate in named:
            if candidate.name == constraint:
                return candidate.info.get("sentence")
    return None
