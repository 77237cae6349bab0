"""What is at which address for whom: the gate for strangers, the menu for people, a sentence for what is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from streamlit.navigation.page import Page

from nexa_core.actor import Actor
from nexa_core.errors import NotFound
from pages._ui.errors import shown_here
from pages._ui.menu import FOLDER, HOME, PUBLIC, SCREENS, SIGN_IN, Screen

_KNOWN = frozenset(screen.path for screen in (*SCREENS, *PUBLIC)) - {HOME.path}


def for_visitor() -> Page:
    """The gate: at every screen's address the sign-in form, so that the address is still there after signing in."""
    gate = [screen.page(FOLDER / SIGN_IN, listed=False) for screen in SCREENS]
    gate += _at_another_address(FOLDER / SIGN_IN, FOLDER / SIGN_IN)
    return st.navigation([*gate, *(screen.page() for screen in PUBLIC)], position="hidden")


def for_actor(actor: Actor) -> Page:
    """The navigation of one person; at the address of what they may not see, the sentence that says so."""
    sections: dict[str, list[Page]] = {}
    for screen in SCREENS:
        source = None if screen.is_open_to(actor) else _refusal(actor, screen)
        page = screen.page(source, listed=screen.is_offered_to(actor))
        sections.setdefault(screen.section or "", []).append(page)
    sections[""] += [screen.page() for screen in PUBLIC]
    sections[""] += _at_another_address(FOLDER / HOME.file, _nowhere)
    return st.navigation(sections)


def _at_another_address(home: Path, nowhere: Path | Callable[[], None]) -> list[Page]:
    """The page of an address that is no screen's: Streamlit would lay a dialog over the screen it shows instead.

    The home screen's own address is "/"; by its name it is found, too.
    """
    url = st.context.url  # without a browser, a stand-in
    address = urlsplit(url).path.strip("/").rpartition("/")[2] if isinstance(url, str) else ""
    if address in _KNOWN or not address:
        return []
    source, title = (home, HOME.title) if address == HOME.path else (nowhere, "NEXA")
    return [st.Page(source, title=title, url_path=address, visibility="hidden")]


def _nowhere() -> None:
    st.title("There is no such screen")
    with shown_here():
        raise NotFound("Nothing is at this address. Perhaps it was mistyped, or the link is an old one.")
    st.page_link(HOME.page(), icon=HOME.icon)


def _refusal(actor: Actor, screen: Screen) -> Callable[[], None]:
    def refuse() -> None:
        st.title(screen.title)
        if (wanted := screen.asks_of(actor)) is not None:
            actor.require(wanted)

    return refuse
