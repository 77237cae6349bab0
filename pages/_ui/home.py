"""The pieces the home page is put together from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import format, layout, menu
from pages._ui.sessions.opening import SESSION
from pages._ui.text import literal

_GREETINGS = ((5, "Good evening"), (12, "Good morning"), (18, "Good afternoon"), (24, "Good evening"))


def greeting(actor: Actor) -> str:
    """A greeting for the time of day where the person is."""
    hour = dt.datetime.now(format.zone(actor.timezone)).hour
    words = next(words for until, words in _GREETINGS if hour < until)
    first_name = actor.full_name.split()[0] if actor.full_name.split() else ""
    return f"{words}, {literal(first_name)}" if first_name else words


def to_organization(slug: str, label: str, icon: str | None = None) -> None:
    """A link to one organization."""
    st.page_link(menu.ORGANIZATION.page(), label=literal(label), icon=icon, query_params={"organization": slug})


def open_chosen(organization: Any | None) -> None:
    """Go to the organization whose row was clicked."""
    if organization is not None:
        st.switch_page(menu.ORGANIZATION.page(), query_params={"organization": organization.slug})


def attention(items: Sequence[Any]) -> None:
    """Organizations somebody should look at, one line each with the reasons."""
    with st.container(border=True, gap="xsmall"):
        if not items:
            st.markdown(":material/check_circle: Nothing needs attention today.")
        for slug, name, reasons in _by_organization(items)[:8]:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                to_organization(slug, name, ":material/apartment:")
                st.markdown(" ".join(f":orange-badge[{literal(reason)}]" for reason in reasons), width="content")


def log(actor: Actor, entries: Iterable[Any]) -> None:
    """What happened last, as sentences."""
    with st.container(border=True, gap="xsmall"):
        lines = [
            f"{literal(entry.sentence)}  \n:small[:gray[{literal(entry.organization_name or 'Platform')}"
            f" · {format.ago(actor, entry.at)}]]"
            for entry in entries
        ]
        st.markdown("\n\n".join(lines) if lines else "Nothing has happened yet.")


def own_organization(actor: Actor, organization: Any) -> None:
    """The figures of the person's own organization."""
    figures: list[tuple[str, str, str | None]] = [
        ("Members", format.number(actor, organization.members), None),
        ("Sessions", format.number(actor, organization.sessions), "Architecture sessions that are not in the trash"),
    ]
    if actor.may(Permission.USAGE_READ):
        figures = [
            ("Credits used", format.number(actor, organization.credits_used), "In the current period"),
            ("Allowance", format.number(actor, organization.credits_allowance), "Credits included in a period"),
            *figures,
        ]
    layout.figures(figures)
    used = format.share(organization.credits_used, organization.credits_allowance)
    if used is not None and actor.may(Permission.USAGE_READ):
        st.progress(min(used, 1.0), text=f"{used:.0%} of this period's credits are used")


def recent_sessions(actor: Actor, sessions: Sequence[Any], pinned: Sequence[Any]) -> None:
    """What was worked on last, and what the person has pinned: each a link to the session."""
    if not sessions:
        layout.nothing("draw", "There is no session yet", "Sessions that you and your colleagues write appear here.")
        return
    with st.container(border=True, gap="xsmall"):
        for row in sessions:
            _to_session(row, f"{literal(row.client or 'No client')} · {literal(row.author)} · "
                             f"{format.ago(actor, row.updated_at)}")  # fmt: skip
    if pinned:
        st.subheader("Pinned", anchor=False)
        with st.container(border=True, gap="xsmall"):
            for line in pinned:
                _to_session(line, f"{literal(line.client or 'No client')} · {format.ago(actor, line.updated_at)}")
    st.page_link(menu.SESSIONS.page(), label="All sessions", icon=menu.SESSIONS.icon)


def _to_session(row: Any, facts: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="xxsmall"):
        st.page_link(
            menu.STRUCTURING.page(), label=literal(row.title), icon=":material/draw:",
            query_params={SESSION: str(row.uuid)},
        )  # fmt: skip
        st.caption(facts, width="content")


def story(items: Sequence[Any]) -> None:
    """The demo as a walk: where to start, which customers show what, and how it looks from the other side."""
    with st.container(border=True):
        st.subheader("The story of this demo", anchor=False)
        st.markdown(
            "Every organization and person here is made up. Start with the whole portfolio, then follow the customers "
            "that something is happening to, and end at the customer's own desk."
        )
        st.page_link(
            menu.ORGANIZATIONS.page(), label="1. All customers, most used first", query_params={"sort": "Most used"}
        )
        for number, (slug, name, reason) in enumerate(_one_for_each_reason(items), start=2):
            st.page_link(
                menu.ORGANIZATION.page(),
                label=literal(f"{number}. {name}: {reason}"),
                query_params={"organization": slug},
            )
        st.caption(
            "To end, sign out and continue as a customer's owner: the same screens, narrowed to one organization."
        )


def _by_organization(items: Sequence[Any]) -> list[tuple[str, str, list[str]]]:
    found: dict[str, tuple[str, str, list[str]]] = {}
    for item in items:
        found.setdefault(item.organization.slug, (item.organization.slug, item.organization.name, []))[2].append(
            item.reason
        )
    return list(found.values())


def _one_for_each_reason(items: Sequence[Any]) -> list[tuple[str, str, str]]:
    """The first customer for each kind of reason; a kind is its first word."""
    found: dict[str, tuple[str, str, str]] = {}
    for item in items:
        found.setdefault(item.reason.split()[0], (item.organization.slug, item.organization.name, item.reason))
    return list(found.values())
