"""The filters of the log are in the address: read from there, changed there, and nowhere else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from nexa_core.audit import EVERYTHING, Filters
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission
from pages._ui import current_actor, shown_here
from pages._ui.menu import AUDIT, STRUCTURING

#: What the export calls a filter of the screen, where it calls it otherwise.
_EXPORTED_AS = {"person": "user", "staff": "staff_only"}


def filters() -> Filters:
    """The filters of this address; one that cannot be read is said, and then looked past."""
    with shown_here():
        return Filters.parse(st.query_params)
    return EVERYTHING


def export(wanted: Filters, form: str, reason: str = "") -> str:
    """Where the entries that these filters find are downloaded."""
    return file(form, {_EXPORTED_AS.get(name, name): value for name, value in wanted.words().items()}, reason)


def file(form: str, query: Mapping[str, str], reason: str = "") -> str:
    """Where an export of the log is downloaded, in the words of the API."""
    query = {**query, **({"reason": reason} if reason else {})}
    return f"/api/audit/export.{form}" + (f"?{urlencode(query)}" if query else "")


def put(**changes: Any) -> None:
    """Change some filters and begin at the newest entry; None takes one away. For callbacks and before a rerun."""
    try:
        before = Filters.parse(st.query_params)
    except Invalid:  # whatever was in the address, the wish is clear
        before = EVERYTHING
    go(replace(before, **changes))


def go(wanted: Filters) -> None:
    """Make these the filters of the address."""
    for name in (*Filters.names(), "after"):
        st.query_params.pop(name, None)
    st.query_params.update(wanted.words())


def take(key: str, name: str) -> None:
    """What was typed or chosen in the widget ``key`` becomes a filter, and the widget is empty again."""
    given = st.session_state[key]
    st.session_state[key] = None if given is None else type(given)()
    if not given:
        return
    with shown_here():
        put(**{name: getattr(Filters.parse({name: given}), name)})


def range_of(moments: tuple[dt.datetime | None, dt.datetime | None]) -> None:
    """A range of time as filter."""
    put(since=moments[0], until=moments[1])


def everything_about(kind: str, resource_id: UUID, label: str) -> None:
    """A link to the timeline of one user, organization, session or membership, for who may read the log."""
    if current_actor().may(Permission.AUDIT_READ):
        about = {"about": f"{kind}:{resource_id}"}
        st.page_link(AUDIT.page(), label=label, icon=":material/history:", query_params=about)


def to_session(session_id: UUID, revision: int | None) -> None:
    """A link to the session an entry is about; its history there holds the revision."""
    if current_actor().may(Permission.SESSIONS_READ):
        label = "Open the session" if revision is None else f"Open the session; revision {revision} is in its history"
        st.page_link(STRUCTURING.page(), label=label, icon=":material/draw:", query_params={"session": str(session_id)})
