"""The notice of a threshold that was crossed in the running period."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from nexa_core import usage
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui.text import literal


def draw(actor: Actor, *, organization_id: UUID | None = None) -> None:
    """The highest threshold that was crossed, with when credits run out and who used them; nothing when none was."""
    if not actor.may(Permission.USAGE_READ):
        return
    crossed = usage.alerts(actor, organization_id=organization_id)
    if not crossed:
        return
    notice = st.error if crossed[0].threshold >= 100 else st.warning
    notice(literal(crossed[0].sentence), icon=":material/data_usage:")
