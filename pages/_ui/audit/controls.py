"""Setting and taking away filters: a small form for each, chips for those that are set, and the saved views."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import streamlit as st

from nexa_core import audit
from nexa_core.actor import Actor, Scope
from nexa_core.audit import EVERYTHING, Filters
from pages._ui import chooser, current_actor, format, reasons, saved, shown_here
from pages._ui.audit import address, words
from pages._ui.text import literal

_RANGES = {
    "The last 24 hours": dt.timedelta(days=1),
    "The last 7 days": dt.timedelta(days=7),
    "The last 30 days": dt.timedelta(days=30),
    "The last year": dt.timedelta(days=365),
}


def draw(actor: Actor, filters: Filters) -> None:
    """One row of small forms, and below it what is set."""
    with st.container(horizontal=True, gap="small", key="nexa-audit-filters"):
        with st.popover("Person", icon=":material/person:"):
            _typeahead(actor, "person", "Name or e-mail address")
        with st.popover("Action", icon=":material/bolt:"):
            _choice("What happened", "action", words.actions(), words.action)
        with st.popover("Resource", icon=":material/category:"):
            _choice(
                "What kind of thing", "resource_type", words.RESOURCES, lambda kind: words.resource(kind).capitalize()
            )
            _typed("Identifier of the thing", "resource", "00000000-0000-0000-0000-000000000000")
        if actor.scope is not Scope.TENANT:
            with st.popover("Organization", icon=":material/apartment:"):
                _typeahead(actor, "organization", "Name or slug")
        with st.popover("Origin", icon=":material/lan:"):
            _typed("IP address", "address", "203.0.113.7")
            _typed("Request, or the reference of an error", "request", "1a2b3c4d")
        with st.popover("Text", icon=":material/search:"):
            _typed("A text within old or new values", "text", "Enterprise")
            st.caption(
                f"Looked for in {format.number(actor, audit.TEXT_BUDGET)} entries a page, newest first, of those"
                " that fit the other filters."
            )
        with st.popover("Time", icon=":material/schedule:"):
            _times(actor, filters)
        with st.popover("Views", icon=":material/bookmark:"):
            _views(actor, filters)
        with st.popover("Export", icon=":material/download:"):
            st.caption("The entries these filters find, with what proves each of them. Exporting is recorded too.")
            reason, may = reasons.of_export(actor, key="audit-export-reason")
            for form in ("ndjson", "csv"):
                where = address.export(filters, form, reason)
                st.link_button(f"Export as {form.upper()}", where, width="stretch", disabled=not may)
    _chips(actor, filters)


def _chips(actor: Actor, filters: Filters) -> None:
    given = words.chips(actor, filters, audit.names_in(actor, filters=filters))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.toggle(
            "Staff access only",
            value=filters.staff,
            key=f"audit-staff-{filters.staff}",
            on_change=address.put,
            kwargs={"staff": not filters.staff},
            help="Only what the platform's own people did",
        )
        for says, names in given.items():
            st.button(
                literal(says),
                key=f"audit-chip-{'-'.join(names)}",
                icon=":material/close:",
                icon_position="right",
                help="Take this filter away",
                on_click=address.put,
                kwargs=dict.fromkeys(names, False if names == ("staff",) else None),
            )
        if len(given) > 1:
            st.button("Clear all", type="tertiary", on_click=address.go, args=(EVERYTHING,))


def _typeahead(actor: Actor, name: str, label: str) -> None:
    """Search over all there are while one types; a click makes it a filter."""
    named = audit.people_named if name == "person" else audit.organizations_named
    chooser.typeahead(
        label,
        lambda typed: [chooser.Option(str(one.id), one.name, one.detail) for one in named(actor, text=typed)],
        lambda word: address.put(**{name: UUID(word)}),
        key=f"audit-{name}",
        nothing="Nobody is called that." if name == "person" else "No organization is called that.",
    )


def _choice(label: str, name: str, options: object, says: object) -> None:
    key = f"audit-{name}"
    st.selectbox(
        label,
        options,
        index=None,
        key=key,
        format_func=says,
        placeholder="Choose",
        on_change=address.take,
        args=(key, name),
    )


def _typed(label: str, name: str, example: str) -> None:
    key = f"audit-{name}"
    st.text_input(label, key=key, placeholder=example, on_change=address.take, args=(key, name), autocomplete="off")


def _times(actor: Actor, filters: Filters) -> None:
    now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
    for says, length in _RANGES.items():
        st.button(says, type="tertiary", on_click=address.range_of, args=((now - length, None),))
    first, last = format.days(actor, filters.since, filters.until)
    with st.form("audit-times", border=False):
        left, right = st.columns(2)
        pattern = format.picker_pattern(actor)
        since = left.date_input("From", first, format=pattern)
        until = right.date_input("To and including", last, format=pattern)
        if st.form_submit_button("Show these days"):
            address.range_of(format.moments(actor, since, until))
            st.rerun()


def _views(actor: Actor, filters: Filters) -> None:
    views = audit.saved_views(actor)
    for view in views:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            icon = ":material/group:" if view.is_shared else ":material/bookmark:"
            wanted = (view.filters,)
            st.button(
                literal(view.name), key=f"view-{view.id}", type="tertiary", icon=icon, on_click=address.go, args=wanted
            )
            if view.is_mine:
                _change(view)
            else:
                st.caption("shared", width="content")
    if not filters.words():
        st.caption("Set filters, then keep them here under a name.")
        return
    with st.form("audit-view", border=False):
        name = st.text_input("Keep these filters as", max_chars=100, autocomplete="off")
        is_shared = st.checkbox("Show to everybody here who may read the log")
        if st.form_submit_button("Save view"):
            with shown_here():
                audit.save_view(actor, name=name, filters=filters, is_shared=is_shared)
                saved(f"The view {name} is saved")


def _change(view: audit.SavedViewView) -> None:
    with st.container(horizontal=True, width="content", gap="xxsmall"):
        says = "Keep to myself" if view.is_shared else "Share"
        if st.button(says, key=f"share-{view.id}", type="tertiary"):
            audit.share_view(current_actor(), view_id=view.id, is_shared=not view.is_shared)
            saved("The view is yours alone again" if view.is_shared else "The view is shared")
        if st.button("Remove", key=f"remove-{view.id}", type="tertiary"):
            audit.remove_view(current_actor(), view_id=view.id)
            saved("The view is removed")
