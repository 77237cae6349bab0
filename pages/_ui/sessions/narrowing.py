"""The filters of the list of sessions; all of them are in the address, and a saved view is such an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from nexa_core import architecture_sessions, organizations
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions import Filter
from nexa_core.errors import Invalid
from nexa_core.permissions import Permission
from pages._ui import chooser, filters, format, menu
from pages._ui.badges import word
from pages._ui.sessions.details import TYPES

SORTS = {"updated": "Last edited", "oldest": "Oldest edit", "created": "Newest", "title": "Title"}
_FIRST = next(iter(SORTS))
_KINDS = {"session": "Sessions", "template": "Templates"}
_ONLY = {"pinned": "Pinned", "deleted": "In the trash", "without_criteria": "SOW without acceptance criteria",
         "broken_diagram": "Diagram that does not parse"}  # fmt: skip
_AUTHOR, _ORGANIZATION = "author", "organization"
#: The parameters of the address, beside which nothing of the list is in it.
NAMES = (
    *("q", "type", "kind", "sort", "only"),
    *(_ORGANIZATION, _AUTHOR, "client", "tag", "since", "until", "role", "hours"),
)


def filter_of(actor: Actor) -> tuple[Filter, str]:
    """What the list is narrowed to, and its order."""
    first, second, third, fourth = filters.row(5, 2, 2, 2)
    text = filters.search(first, "Search in titles, clients, tags and all four documents", key="q")
    kind = filters.named(second, "Kind", _KINDS, key="kind", every="Every kind")
    one = _organization(actor)
    # Types and tags are whatever people write: one that is not offered can be typed, and an address may hold it.
    session_type = third.selectbox(
        "Type", _types(actor, one), key="type", bind="query-params", accept_new_options=True,
        format_func=lambda option: _type_word(option) or "Every type",
    )  # fmt: skip
    sort = filters.order(fourth, SORTS, key="sort")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        only = filters.flags(st.container(), "Only those", _ONLY, key="only")
        with st.popover("More filters", icon=":material/tune:"):
            more = _more(actor, one)
        _cleared()
    wanted = Filter(
        text=text,
        session_type=session_type or "",
        template={"session": False, "template": True}.get(kind or ""),
        pinned="pinned" in only,
        deleted="deleted" in only,
        without_criteria="without_criteria" in only,
        broken_diagram="broken_diagram" in only,
        **more,
    )
    return wanted, sort


def _more(actor: Actor, one: organizations.OrganizationView | None) -> dict[str, Any]:
    if _reaches_several(actor):
        _choose_organization(actor, one)
    organization_id = one.id if one else None
    author = _author(_authors(actor, organization_id))
    client = st.text_input("Client", key="client", bind="query-params", max_chars=255) or ""
    offered = architecture_sessions.suggest_tags(actor, limit=100, **_whose(actor, one))
    tag = st.multiselect(
        "Tags, all of them", [one.tag for one in offered], key="tag", bind="query-params", accept_new_options=True,
        placeholder="Every tag",
    )  # fmt: skip
    left, right = st.columns(2)
    pattern = format.picker_pattern(actor)
    since = left.date_input("Edited from", None, key="since", bind="query-params", format=pattern)
    until = right.date_input("Edited until", None, key="until", bind="query-params", format=pattern)
    left, right = st.columns(2)
    role = left.text_input("Effort of the role", key="role", bind="query-params") or ""
    hours = right.number_input(
        "over hours", 0.0, 100_000.0, 0.0, 8.0, key="hours", bind="query-params", disabled=not role.strip()
    )
    edited_since, edited_until = format.moments(actor, since, until)
    return {
        "organization_id": organization_id,
        "author_id": author,
        "client": client.strip(),
        "tags": tuple(tag),
        "edited_since": edited_since,
        "edited_until": edited_until,
        "role": role.strip(),
        "over_hours": float(hours or 0) if role.strip() else 0.0,
    }


def _organization(actor: Actor) -> organizations.OrganizationView | None:
    """Whose sessions, for those who reach several; the address holds a slug, or of a saved view the identifier."""
    said = st.query_params.get(_ORGANIZATION)
    if not said or not _reaches_several(actor):
        return None
    number = _identifier(said)
    return organizations.get(actor, organization_id=number, slug=None if number else said)


def _choose_organization(actor: Actor, one: organizations.OrganizationView | None) -> None:
    chooser.in_address(
        "Organization",
        lambda typed: [
            chooser.Option(row.slug, row.name, row.slug)
            for row in organizations.browse(actor, wanted=organizations.Filter(text=typed), limit=8).items
        ],
        chosen=one.name if one else None,
        parameter=_ORGANIZATION,
        nothing="No organization is called that.",
    )


def _reaches_several(actor: Actor) -> bool:
    return actor.scope is not Scope.TENANT and actor.may(Permission.ORGANIZATIONS_BROWSE)


def _whose(actor: Actor, one: organizations.OrganizationView | None) -> dict[str, Any]:
    """Whose tags and types are offered: the chosen organization's, else of everything within reach."""
    return {"organization_id": one.id if one else None, "everywhere": one is None and _reaches_several(actor)}


def _types(actor: Actor, one: organizations.OrganizationView | None) -> list[str]:
    """Every type first, then those NEXA offers, then what else people have written."""
    offered = ["", *TYPES]
    shown = {_type_word(option) for option in offered}
    used = architecture_sessions.suggest_types(actor, limit=50, **_whose(actor, one))
    return offered + [option for option in used if _type_word(option) not in shown]


def _authors(actor: Actor, organization_id: UUID | None) -> dict[str, str]:
    where = organization_id or (actor.organization_id if actor.scope is Scope.TENANT else None)
    if where is None or not actor.may(Permission.MEMBERS_READ):
        return {str(actor.user_id): actor.full_name} if actor.scope is Scope.TENANT else {}
    found = organizations.members(actor, organization_id=where)
    names = Counter(member.full_name for member in found)
    return {
        str(member.user_id): member.full_name
        if names[member.full_name] == 1 and member.full_name
        else f"{member.full_name} ({member.email})".strip()
        for member in found
    }


def _author(authors: Mapping[str, str]) -> UUID | None:
    """Whose sessions; the address holds an id, for two may have one name, and a view may name somebody not listed."""
    named = st.query_params.get(_AUTHOR, "")
    named = next((one for one, name in authors.items() if name == named), named)  # as addresses once said it
    if named and not (number := _identifier(named)):
        raise Invalid("This address does not name an author. Choose one from the list.")
    wanted = str(number) if named else ""
    if not authors and not wanted:
        return None
    options = {"": "Everybody", **authors}
    options.setdefault(wanted, "Somebody who is not listed here")
    key = f"nexa-{_AUTHOR}"
    st.session_state[key] = wanted

    def take() -> None:
        if st.session_state[key]:
            st.query_params[_AUTHOR] = st.session_state[key]
        else:
            st.query_params.pop(_AUTHOR, None)

    st.selectbox("Author", list(options), key=key, format_func=lambda one: options.get(one, one), on_change=take)
    return UUID(wanted) if wanted else None


def _identifier(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def _type_word(session_type: str) -> str:
    return word(session_type) if session_type in TYPES else session_type


def _cleared() -> None:
    if any(name in st.query_params for name in NAMES):
        link("Clear", {})


def link(label: str, words: Mapping[str, Any]) -> None:
    """A link to the list narrowed to just this. It loads the page anew: the filters own their words in the address."""
    query = f"?{urlencode(words, doseq=True)}" if words else ""
    st.html(f'<a href="/{menu.SESSIONS.path}{escape(query)}">{escape(label)}</a>', width="content")


def address_of(actor: Actor, wanted: Filter, sort: str = _FIRST) -> dict[str, Any]:
    """A filter and an order as this list's address says it: choices stand there as they read on screen."""
    kinds = {False: _KINDS["session"], True: _KINDS["template"]}
    since, until = format.days(actor, wanted.edited_since, wanted.edited_until)
    only = [label for name, label in _ONLY.items() if getattr(wanted, name)]
    found: dict[str, Any] = {
        "q": wanted.text,
        "type": _type_word(wanted.session_type),
        "kind": kinds.get(wanted.template, "") if wanted.template is not None else "",
        _ORGANIZATION: str(wanted.organization_id or "") if _reaches_several(actor) else "",
        _AUTHOR: str(wanted.author_id or ""),
        "client": wanted.client,
        "tag": list(wanted.tags),
        "since": since.isoformat() if since else "",
        "until": until.isoformat() if until else "",
        "role": wanted.role,
        "hours": str(wanted.over_hours) if wanted.over_hours else "",
        "only": only,
        "sort": SORTS[sort] if sort != _FIRST else "",
    }
    return {name: value for name, value in found.items() if value}
