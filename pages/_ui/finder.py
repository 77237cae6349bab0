"""Find: over every screen, a few letters lead to a screen, a customer, a person or a session. Ctrl+K opens it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from nexa_core import accounts, architecture_sessions, organizations
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import gate, layout, menu
from pages._ui.errors import shown_here
from pages._ui.sessions.opening import SESSION
from pages._ui.text import literal

_keys = st.components.v2.component(
    "nexa_find_keys", html="<i hidden></i>", js=(Path(__file__).resolve().parent / "finder.js").read_text()
)

#: Of each kind; who wants more goes to its list.
MOST = 5
#: So many are asked for, so that who begins with the text is not behind five who only hold it.
_ASKED = 20


@dataclass(frozen=True, slots=True)
class Link:
    """What was found: where it leads, its name, and what tells it from another of this name."""

    screen: menu.Screen
    name: str
    detail: str = ""
    query: dict[str, str] | None = None


def button() -> None:
    """What opens it; the shortcut is shown beside the name."""
    if st.button("Find", icon=":material/search:", shortcut="Ctrl+K", width="stretch", key="nexa-find"):
        _dialog()


@st.dialog("Find", icon=":material/search:", width="medium")
def _dialog() -> None:
    actor = gate.current_actor()
    wanted = st.text_input(
        "What are you looking for?",
        type="search",
        live="250ms",
        placeholder="A name, an address, words of a document",
        label_visibility="collapsed",
        key="nexa-find-text",
    )
    text = (wanted or "").strip()
    with st.container(key="nexa-find-results"), shown_here():
        found = find(actor, text)
        for kind, links in found.items():
            _draw(kind, links)
        if not any(found.values()):
            layout.nothing("search_off", "Nothing is called that", "Try fewer letters, or a word of a document.")
    _keys(key="nexa-find-keys", data={"text": text})


def find(actor: Actor, text: str) -> dict[str, list[Link]]:
    """What the actor may open, by kind, first what begins with the text; nothing but screens without a text.

    Raises Invalid as the lists do.
    """
    found = {"Screens": _screens(actor, text)}
    if text:
        found |= {
            "Customers": _organizations(actor, text),
            "People": _people(actor, text),
            "Sessions": _sessions(actor, text),
        }
    return {
        kind: sorted(links, key=lambda link: not _begins(link, text))[: MOST if text else None]
        for kind, links in found.items()
    }


def _begins(link: Link, text: str) -> bool:
    return link.name.casefold().startswith(text.casefold())


def _draw(kind: str, links: Sequence[Link]) -> None:
    if links:
        with st.container(gap="xxsmall", key=f"nexa-find-{kind.lower()}"):
            st.caption(kind)
            for link in links:
                label = (
                    f"{literal(link.name)} :gray[:small[{literal(link.detail)}]]" if link.detail else literal(link.name)
                )
                st.page_link(link.screen.page(), label=label, icon=link.screen.icon, query_params=link.query)


def _screens(actor: Actor, text: str) -> list[Link]:
    """Those of the menu, by their names or what they are for; all of them while nothing is looked for."""
    shown = [
        screen
        for screen in menu.SCREENS
        if (screen.section is not None or screen is menu.ACCOUNT)
        and screen.is_offered_to(actor)
        and text.casefold() in f"{screen.title} {screen.help if len(text) > 2 else ''}".casefold()
    ]
    return [Link(screen, screen.title) for screen in shown]


def _organizations(actor: Actor, text: str) -> list[Link]:
    if not actor.may(Permission.ORGANIZATIONS_BROWSE):
        return []
    items = organizations.browse(actor, wanted=organizations.Filter(text=text), limit=_ASKED).items
    return [Link(menu.ORGANIZATION, item.name, query={"organization": item.slug}) for item in items]


def _people(actor: Actor, text: str) -> list[Link]:
    if not actor.may(Permission.USERS_MANAGE):
        return []
    items = accounts.find_people(actor, text=text, limit=_ASKED).items
    return [Link(menu.PERSON, item.full_name, item.email, {"person": str(item.id)}) for item in items]


def _sessions(actor: Actor, text: str) -> list[Link]:
    if not actor.may(Permission.SESSIONS_READ):
        return []
    items = architecture_sessions.browse(actor, wanted=architecture_sessions.Filter(text=text), limit=_ASKED).items
    return [
        Link(menu.STRUCTURING, item.title, item.client or item.organization_name, {SESSION: str(item.uuid)})
        for item in items
    ]
