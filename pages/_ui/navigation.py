"""What of the menu one person is shown: by permission and by whom they look for; and what a stranger is shown."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.navigation.page import Page

from nexa_core.actor import Actor
from pages._ui import menu


def for_visitor() -> Page:
    """The gate: at every screen's address the sign-in form, so that the address is still there after signing in."""
    gate = [screen.page(menu.FOLDER / menu.SIGN_IN, listed=False) for screen in menu.SCREENS]
    return st.navigation([*gate, *(screen.page() for screen in menu.PUBLIC)], position="hidden")


def for_actor(actor: Actor) -> Page:
    """The navigation of one person; at the address of what they may not see, the sentence that says so."""
    sections: dict[str, list[Page]] = {}
    for screen in menu.SCREENS:
        allowed = screen.permission is None or actor.may(screen.permission)
        listed = allowed and actor.scope in screen.listed_for
        page = screen.page(listed=listed) if allowed else screen.page(_refusal(actor, screen), listed=False)
        sections.setdefault(screen.section or "", []).append(page)
    sections[""] += [screen.page() for screen in menu.PUBLIC]
    return st.navigation(sections)


def _refusal(actor: Actor, screen: menu.Screen) -> Callable[[], None]:
    def refuse() -> None:
        st.title(screen.title)
        if screen.permission is not None:
            actor.require(screen.permission)

    return refuse
