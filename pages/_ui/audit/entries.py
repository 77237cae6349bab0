"""Entries as a story: one line each, what belongs together as one, and what changed when it is opened."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from nexa_core import audit
from nexa_core.actor import Actor, Scope
from nexa_core.audit import Change, EntryDetail, EntryView, Filters, Group, Page, Value
from pages._ui import format
from pages._ui.audit import address, undoing, words
from pages._ui.text import literal

_MOST_IN_FULL = 10
_SHORT = 120
_IDENTIFIER = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def draw(actor: Actor, found: Sequence[EntryView], filters: Filters, *, key: str = "audit") -> None:
    """The entries, newest first, under their days."""
    day = None
    for group in audit.grouped(found):
        if (here := format.day(actor, group.first.at)) != day:
            day = here
            st.markdown(f"**{day}**")
        with st.container(horizontal=True, wrap=False, vertical_alignment="top", gap="xxsmall"):
            opened = st.expander(_line(actor, group), key=f"{key}-{group.first.id}", on_change="rerun", type="compact")
            _menu(group.first, filters, key)
        if opened.open:
            with opened:
                _group(actor, group, key)


def how_far(actor: Actor, found: Page) -> str:
    """How far a text was looked for."""
    until = format.moment(actor, found.looked_back_to)
    if found.items:
        return f"Looked through the entries back to {until}. The next page looks further."
    return f"The text is in none of the newest entries back to {until}. The next page looks further."


def _line(actor: Actor, group: Group) -> str:
    entry = group.first
    clock = format.clock(actor, entry.at)
    if group.is_burst:
        began = format.clock(actor, group.entries[-1].at)
        clock = f"{began}–{clock}" if began != clock else clock
    beside = [entry.organization_name] if actor.scope is not Scope.TENANT and entry.organization_name else []
    beside += [f"reason: {_short(entry.reason)}"] if entry.reason else []
    staff = " :orange-badge[Staff]" if entry.is_staff_access and actor.scope is Scope.TENANT else ""
    tail = "".join(f" · {literal(part)}" for part in beside)
    return f":gray[{clock}] {literal(group.sentence)}{staff} :small[:gray[{tail}]]"


def _short(reason: str) -> str:
    """A reason in a line: identifiers by their first digits, and not too long."""
    text = _IDENTIFIER.sub(r"\1", reason)
    return text if len(text) <= 120 else text[:119] + "…"


def _menu(entry: EntryView, filters: Filters, key: str) -> None:
    """A click on any actor, resource or request filters by it."""
    choices = _choices(entry)
    chosen = st.menu_button(
        ":material/filter_alt:", list(choices), key=f"{key}-menu-{entry.id}", type="tertiary", help="Show only …"
    )
    if chosen in choices:
        _follow(choices[chosen], filters)


def _choices(entry: EntryView) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    if entry.actor_id:
        found[f"By {literal(entry.actor_name)}"] = {"person": entry.actor_id}
    if entry.resource_id:
        found[f"About {literal(words.about(entry))}"] = {"resource": entry.resource_id}
    if entry.organization_id:
        found[f"In {literal(entry.organization_name or 'this organization')}"] = {"organization": entry.organization_id}
    found[literal(words.action(entry.action))] = {"action": entry.action}
    if entry.ip_address:
        found[f"From {literal(entry.ip_address)}"] = {"address": entry.ip_address.partition("/")[0]}
    found["The same request"] = {"request": str(entry.request_id)}
    return found


def _follow(changes: dict[str, object], filters: Filters) -> None:
    wanted = {**filters.words(), **{name: str(value) for name, value in changes.items()}}
    st.switch_page(address.AUDIT.page(), query_params=wanted)


def _group(actor: Actor, group: Group, key: str) -> None:
    for number, entry in enumerate(group.entries[:_MOST_IN_FULL]):
        if number:
            st.divider()
        if len(group.entries) > 1:
            st.markdown(f"**{literal(entry.sentence)}** :small[:gray[{format.moment(actor, entry.at)}]]")
        _detail(actor, audit.entry(actor, entry_id=entry.id), key)
    rest = len(group.entries) - _MOST_IN_FULL
    if rest > 0:
        st.caption(f"And {rest} more of the same kind on this page.")


def _detail(actor: Actor, detail: EntryDetail, key: str) -> None:
    entry = detail.entry
    _facts(actor, detail)
    _changes(actor, entry, detail.changes, key)
    if not detail.are_all_changes:
        st.caption(f"The first {len(detail.changes)} changes; there are more.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        undoing.offer(actor, entry, key)
        if entry.resource_id and entry.resource_type in ("user", "organization", "session", "membership"):
            address.everything_about(
                entry.resource_type, entry.resource_id, f"Everything about {literal(words.about(entry))}"
            )
        if entry.resource_id and entry.resource_type == "session":
            address.to_session(entry.resource_id, detail.revision)
        if entry.actor_id and entry.actor_id != entry.resource_id:
            address.everything_about("user", entry.actor_id, f"Everything about {literal(entry.actor_name)}")


def _facts(actor: Actor, detail: EntryDetail) -> None:
    entry = detail.entry
    facts = {
        "When": format.moment(actor, entry.at),
        "Who": entry.actor_name,
        "From": words.origin(entry),
        "Reason": entry.reason and _IDENTIFIER.sub(r"\1", entry.reason),
        "Request": str(entry.request_id)[:8],
        "Revision": str(detail.revision) if detail.revision else None,
    }
    st.markdown(" · ".join(f":gray[{name}] {literal(value)}" for name, value in facts.items() if value))


def _changes(actor: Actor, entry: EntryView, changes: Sequence[Change], key: str) -> None:
    """What changed, place by place: short values in a table, long ones as code. Nothing in them is taken for Markdown,
    HTML or a formula."""
    if not changes:
        st.caption("No values belong to this entry.")
        return
    before, after = any(change.before for change in changes), any(change.after for change in changes)
    sides = {"Before": False} if not after else {"After": True} if not before else {"Before": False, "After": True}
    short = [change for change in changes if all(_is_short(value) for value in (change.before, change.after))]
    if short:
        cells = {
            name: [_cell(actor, change.after if is_after else change.before) for change in short]
            for name, is_after in sides.items()
        }
        heads = {"Value": cells["After" if after else "Before"]} if len(sides) == 1 else cells
        st.table({"What": [literal(change.name) for change in short], **heads}, border="horizontal", hide_index=True)
    for number, change in enumerate(changes):
        if change not in short:
            _long(actor, entry, change, list(sides.values()), f"{key}-{entry.id}-{number}")


def _is_short(value: Value | None) -> bool:
    return value is None or (value.size <= _SHORT and "\n" not in value.text)


def _cell(actor: Actor, value: Value | None) -> str:
    return literal(words.value(actor, value)) if value else "–"


def _long(actor: Actor, entry: EntryView, change: Change, sides: Sequence[bool], key: str) -> None:
    columns = st.columns([2, *([4] * len(sides))], gap="small")
    columns[0].markdown(literal(change.name))
    for place, after in zip(columns[1:], sides, strict=True):
        value = change.after if after else change.before
        with place:
            if value is None:
                st.caption("nothing")
                continue
            text = words.value(actor, value)
            st.code(text if value.is_whole else text + " …", language=None, wrap_lines=True)
            if not value.is_whole and st.button(
                f"Show all {value.size:,} characters", key=f"{key}-{after}", type="tertiary"
            ):
                undoing.whole(entry.id, change.path, change.name, after)
