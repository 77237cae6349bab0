"""Note what changes no row, and walk the chains."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit.story import organizations
from nexa_core.db import reading
from nexa_core.permissions import Permission


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a chain; ``sequence`` is its link where there is one."""

    chain_id: UUID
    organization_name: str | None
    sequence: int | None
    entry_id: UUID | None
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The state of every chain: how many there are, how many entries they hold, and the first faults of each."""

    chains: int
    entries: int
    faults: tuple[Fault, ...]
    at: dt.datetime

    @property
    def verified(self) -> bool:
        return not self.faults


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


def verify(actor: Actor, *, progress: Callable[[float], None] | None = None) -> Verification:
    """Walk every chain and name what is wrong; ``progress`` hears the share done, 0 to 1.

    Raises Forbidden without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    with reading(actor) as db:
        chains = db.execute(select("*").select_from(func.nexa.audit_chains())).all()
        names = {row.id: row.name for row in db.execute(select(organizations))}
        faults: list[Fault] = []
        for number, chain in enumerate(chains, start=1):
            found = db.execute(select("*").select_from(func.nexa.audit_faults(chain.chain_id)).limit(10))
            faults += [
                Fault(chain.chain_id, names.get(chain.chain_id), row.sequence, row.audit_log_id, row.fault)
                for row in found
            ]
            if progress:
                progress(number / len(chains))
    return Verification(len(chains), sum(chain.entries for chain in chains), tuple(faults), dt.datetime.now(dt.UTC))
