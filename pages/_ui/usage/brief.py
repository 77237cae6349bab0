"""The pieces of the morning brief: a card a customer, what was put off, and why a list is empty."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import Brief, Call, Why
from nexa_core.permissions import Permission
from pages._ui import badges, format, gate, layout, menu
from pages._ui.notices import later
from pages._ui.text import literal

_PAUSES = {"Until tomorrow": 1, "For a week": 7, "For a month": 30}
_DISMISSED_DAYS = 90
_ICONS = {
    "depletion": ":material/battery_alert:", "drop": ":material/trending_down:", "spike": ":material/bolt:",
    "seats": ":material/event_seat:", "trial": ":material/hourglass_bottom:", "payment": ":material/credit_card_off:",
}  # fmt: skip


def is_for_everybody() -> bool:
    """Whether all customers are asked for; the switch below says so, and the address."""
    given = st.session_state.get("everybody", st.query_params.get("everybody"))
    return str(given).lower() == "true"


def whose(found_mine: bool) -> None:
    """Whether one's own customers are looked at, or all."""
    if found_mine or is_for_everybody():
        st.toggle("All customers, not only mine", key="everybody", bind="query-params")


def draw(actor: Actor, brief: Brief) -> None:
    """The customers to call, the most urgent first."""
    if brief.looked_at is None:
        layout.nothing(
            "hourglass_empty",
            "Nothing was looked at yet" if brief.customers else "There is no customer here",
            "Every hour a job looks at the customers whose day is over." if brief.customers else "",
        )
        return
    if not brief.calls:
        layout.nothing(
            "sunny", "Nobody needs a call today",
            f"{format.number(actor, brief.customers)} customers were looked at {format.ago(actor, brief.looked_at)}.",
        )  # fmt: skip
    for number, call in enumerate(brief.calls, start=1):
        _card(actor, number, call)
    more = f" {brief.waiting} more have a reason, too." if brief.waiting else ""
    st.caption(
        f"{format.number(actor, brief.customers)} customers, looked at {format.ago(actor, brief.looked_at)}.{more} The "
        "score is that of the weightiest reason and 5 more for each other one, at most 100."
    )


def _card(actor: Actor, number: int, call: Call) -> None:
    with st.container(border=True, key=f"call-{call.slug}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.page_link(
                    menu.USAGE.page(), label=f"**{number}. {literal(call.name)}**",
                    query_params={"organization": call.slug},
                )  # fmt: skip
                st.markdown(badges.badge(call.plan), width="content")
            st.badge(f"{call.score} of 100", color="red" if call.score >= 75 else "orange", help=_explain(call))
        for why in call.reasons:
            _reason(actor, call, why)
        with st.expander("Message to copy", icon=":material/mail:"):
            contact = f"{call.contact} ({call.contact_email})" if call.contact else "There is no owner to write to"
            st.caption(f"To {literal(contact)}" if call.contact else contact)
            st.code(call.message, language=None, wrap_lines=True)


def _explain(call: Call) -> str:
    parts = ", ".join(f"{why.name.lower()} {why.score}" for why in call.reasons)
    return f"{parts}; 5 more for each further reason" if len(call.reasons) > 1 else parts


def _reason(actor: Actor, call: Call, why: Why) -> None:
    with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute"):
        with st.container(gap="xxsmall", width="stretch"):
            st.markdown(f"{_ICONS[why.kind]} **{why.name}** :gray[{why.score}]  \n{literal(why.sentence)}")
            evidence = " · ".join(f":gray[{literal(name)}] {literal(value)}" for name, value in why.evidence)
            st.markdown(f":small[{evidence}]")
        if actor.may(Permission.PORTFOLIO_READ):
            _later(call, why)


def _later(call: Call, why: Why) -> None:
    chosen = st.menu_button(
        "Later", [*_PAUSES, "Dismiss"], key=f"later-{call.slug}-{why.kind}", type="tertiary",
        icon=":material/snooze:", help="Do not show this reason for a while",
    )  # fmt: skip
    if chosen:
        actor = gate.current_actor()
        days = _PAUSES.get(str(chosen), _DISMISSED_DAYS)
        today = dt.datetime.now(format.zone(actor.timezone)).date()
        reports.put_off(
            actor, organization_id=call.organization_id, kind=why.kind, until=today + dt.timedelta(days=days)
        )
        later(f"{call.name}: {why.name.lower()} is put off. It is below, where you can take it up again.")
        st.rerun()


def paused(actor: Actor, brief: Brief) -> None:
    """What was put off, each with its way back."""
    if not brief.paused:
        return
    with st.expander(f"Put off ({len(brief.paused)})", icon=":material/snooze:", expanded=True):
        for pause in brief.paused:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(
                    f"**{literal(pause.name)}** · {pause.kind_name} :gray[until {format.day(actor, pause.until)}]",
                    width="content",
                )
                st.button(
                    "Undo", key=f"undo-{pause.organization_id}-{pause.kind}", icon=":material/undo:", type="tertiary",
                    on_click=_take_up, args=(pause.organization_id, pause.kind, pause.name),
                )  # fmt: skip


def _take_up(organization_id: UUID, kind: str, name: str) -> None:
    reports.take_up(gate.current_actor(), organization_id=organization_id, kind=kind)
    later(f"{name} is in the brief again.")


def teaser(actor: Actor) -> None:
    """On the home page: whom to call first, and the way to the whole brief."""
    brief = reports.brief(actor)
    with st.container(border=True, gap="xsmall"):
        for call in brief.calls[:4]:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.page_link(
                    menu.USAGE.page(), label=literal(call.name), icon=_ICONS[call.reasons[0].kind],
                    query_params={"organization": call.slug},
                )  # fmt: skip
                st.markdown(f":small[{literal(call.reasons[0].sentence)}]", width="content")
        if not brief.calls:
            st.markdown(":material/check_circle: Nobody needs a call today.")
        st.page_link(menu.BRIEF.page(), label="The whole brief, with messages to copy", icon=":material/arrow_forward:")
