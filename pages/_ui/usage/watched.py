"""Limits that only watch: what they would have refused, and the way to let them hold."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import Burn, Watched
from nexa_core.permissions import Permission
from pages._ui import current_actor, format, layout, saved, shown_here
from pages._ui.pager import pager
from pages._ui.text import literal
from pages._ui.usage import words

_STATES = {
    "soft": (
        "lock_open", "gray", "No hard limit",
        "Beyond the allowance use goes on and is overage. A hard limit can be tried first: it only watches, and notes "
        "what it would have refused.",
    ),
    "watching": (
        "visibility", "orange", "Only watching",
        "The hard limit refuses nothing yet. What it would have refused is below.",
    ),
    "hard": ("lock", "green", "Enforced", "What does not fit is refused, with a sentence that says which limit it is."),
}  # fmt: skip


def tab(actor: Actor, seen: Burn) -> None:
    """On the screen of one customer: whether its limits hold, and what they would have refused in the month."""
    place = pager(f"watched-{seen.slug}", seen.period)
    period = reports.word(seen.period)
    found = reports.watched(actor, organization_id=seen.organization_id, period=period, after=place.after)
    _state(actor, seen.organization_id, seen.name, found)
    if not found.reports:
        layout.nothing(
            "verified", "Nothing would have been refused",
            f"In {format.month(seen.period)} "
            + ("all that was reported fits the limits." if found.is_watching else "no limit was only watching."),
        )  # fmt: skip
        return
    layout.figures(
        [
            (
                "Credits refused" if metric == "credits" else f"{words.event_type(metric)} refused",
                format.number(actor, amount),
                f"Over {format.number(actor, found.reports[metric])} reports of usage in {format.month(seen.period)}, "
                "each of which would have been refused as a whole",
            )
            for metric, amount in found.amounts.items()
        ]
    )
    _table(actor, seen, found, place.after)
    place.draw(shown=len(found.items), next_cursor=found.next_cursor)


def _state(actor: Actor, organization_id: UUID, name: str, found: Watched) -> None:
    icon, color, title, meaning = _STATES["watching" if found.is_watching else "hard" if found.is_hard else "soft"]
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f":{color}-badge[:material/{icon}: {title}] {meaning}", width="content")
        if found.is_hard and actor.may(Permission.ORGANIZATIONS_MANAGE):
            label = "Let it hold …" if found.is_watching else "Only watch …"
            if st.button(label, icon=":material/swap_horiz:", key="switch-watching"):
                _switch(organization_id, name, watching=not found.is_watching)


@st.dialog("Change what the hard limit does?", icon=":material/swap_horiz:")
def _switch(organization_id: UUID, name: str, *, watching: bool) -> None:
    """Let a hard limit hold, or only watch; the other limits stay as they are."""
    st.write(
        f"From the next report on, what does not fit the limits of **{literal(name)}** "
        + ("goes through, and is noted as what would have been refused." if watching else "is refused.")
    )
    with st.form("watching", border=False):
        reason = st.text_input("Reason", help="It is kept in the audit log.")
        if st.form_submit_button("Only watch" if watching else "Let it hold", type="primary", width="stretch"):
            with shown_here():
                organizations.watch_limits(
                    current_actor(), organization_id=organization_id, watching=watching, reason=reason
                )
                saved("The limits only watch now" if watching else "The limits hold now")


def _table(actor: Actor, seen: Burn, found: Watched, after: str | None) -> None:
    zone = format.zone(seen.time_zone)
    st.dataframe(
        {
            f"Time ({seen.time_zone})": [one.at.astimezone(zone).replace(tzinfo=None) for one in found.items],
            "Limit": ["Credits" if one.metric == "credits" else words.event_type(one.metric) for one in found.items],
            "Reported": [one.amount for one in found.items],
            "Came to": [one.total for one in found.items],
            "Of at most": [one.most for one in found.items],
            "Person": [one.person or "A program" for one in found.items],
        },
        hide_index=True, height="content", key=f"watched-{after or 'first'}",
        alt="Reports of usage that a hard limit would have refused, newest first",
        column_config={
            f"Time ({seen.time_zone})": st.column_config.DatetimeColumn(
                format=format.moment_pattern(actor, seconds=True), width=190
            ),
            **{name: st.column_config.NumberColumn(format="localized", width=100)
               for name in ("Reported", "Came to", "Of at most")},
        },
    )  # fmt: skip
