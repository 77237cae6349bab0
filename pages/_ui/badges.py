"""States as coloured words: the same colour for the same state on every screen."""

from __future__ import annotations

from typing import Any

import streamlit as st

ORGANIZATION_STATUSES = ["active", "pending", "suspended", "deleted"]
SUBSCRIPTION_STATUSES = ["active", "trialing", "past_due", "paused", "canceled"]
USER_STATUSES = ["active", "pending", "suspended", "deleted"]
MEMBER_STATUSES = ["active", "pending", "suspended"]
PLANS = ["free", "starter", "professional", "enterprise"]
ROLES = ["owner", "admin", "member", "viewer", "billing"]

_COLORS = {
    "active": "green", "trialing": "blue", "pending": "orange", "past_due": "red", "suspended": "red",
    "canceled": "gray", "paused": "gray", "deleted": "gray",
    "locked": "orange", "erased": "gray", "platform_staff": "violet",
    "free": "gray", "starter": "blue", "professional": "violet", "enterprise": "yellow",
    "owner": "violet", "admin": "blue", "member": "green", "viewer": "gray", "billing": "orange",
}  # fmt: skip
_WORDS = {"past_due": "past due", "trialing": "trial"}


def word(state: str) -> str:
    """A state as it is read on screen."""
    return _WORDS.get(state, state.replace("_", " ")).capitalize()


def badge(state: str) -> str:
    """A state as an inline Markdown badge."""
    return f":{_COLORS.get(state, 'gray')}-badge[{word(state)}]"


def column(label: str, states: list[str]) -> Any:
    """A table column of states; the cells are lists of one word each."""
    return st.column_config.MultiselectColumn(
        label,
        options=[word(state) for state in states],
        color=[_COLORS.get(state, "gray") for state in states],
        width=108,
    )
