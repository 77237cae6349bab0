"""The catalogue of plans on screen: every version by date, and one that has not begun withdrawn."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import streamlit as st

from nexa_core import billing
from nexa_core.actor import Actor
from pages._ui import badges, current_actor, format, layout, saved, shown_here
from pages._ui.billing import whose
from pages._ui.text import literal


def versions(actor: Actor, found: tuple[billing.Version, ...]) -> None:
    """What each plan was, is and will be."""
    ordered = sorted(found, key=lambda v: (billing.PLANS[v.plan].price_minor if v.plan in billing.PLANS else 0, v.plan))
    st.dataframe(
        {
            "Plan": [[badges.word(version.plan)] for version in ordered],
            "Name": [version.name for version in ordered],
            "State": [_state(version) for version in ordered],
            "From": [_begins(actor, version.effective_from) for version in ordered],
            "Fee a month": [whose.money(actor, version.price_minor, version.currency) for version in ordered],
            "Credits": [version.monthly_credits for version in ordered],
            "Credits over": [
                f"{whose.money(actor, version.overage_minor, version.currency)}"
                f" for {format.number(actor, version.overage_credits)}"
                for version in ordered
            ],
            "Seats": [
                "no limit" if version.seats is None else format.number(actor, version.seats) for version in ordered
            ],
            "Most events": [_limits(actor, version) for version in ordered],
            "Features": [
                ", ".join(name.replace("_", " ") for name, on in version.features.items() if on) for version in ordered
            ],
            "Currencies": [", ".join(sorted({version.currency, *version.prices})) for version in ordered],
        },
        hide_index=True, height="content", key="versions", placeholder="–", alt="Every version of every plan",
        column_config={
            "Plan": badges.column("Plan", badges.PLANS),
            "Fee a month": st.column_config.TextColumn(alignment="right"),
            "Credits": st.column_config.NumberColumn(format="localized"),
        },
    )  # fmt: skip
    for version in ordered:
        if version.is_ahead:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{literal(version.name)}** changes on {_begins(actor, version.effective_from)}.", width="content"
                )
                if st.button("Withdraw …", key=f"withdraw-{version.id}", type="tertiary", icon=":material/delete:"):
                    confirm_withdrawal(version.id, version.name)


@st.dialog("Withdraw this version?", icon=":material/delete:")
def confirm_withdrawal(version_id: UUID, name: str) -> None:
    st.write(f"**{literal(name)}** stays as it is now. Nothing of it has begun.")
    with st.form("withdraw", border=False):
        reason = st.text_input("Reason", help="It is kept in the audit log.")
        if st.form_submit_button("Withdraw", type="primary", width="stretch"):
            with shown_here():
                billing.withdraw_version(current_actor(), version_id=version_id, reason=reason)
                saved("The version is withdrawn")


def nothing() -> None:
    layout.nothing("sell", "There is no plan")


def _state(version: billing.Version) -> str:
    return "scheduled" if version.is_ahead else "in force" if version.is_in_force else "past"


def _limits(actor: Actor, version: billing.Version) -> str | None:
    return (
        ", ".join(f"{billing.named_event(name)} {format.number(actor, most)}" for name, most in version.limits.items())
        or None
    )


def _begins(actor: Actor, at: dt.datetime) -> str:
    """The day, which is each customer's own."""
    return "the beginning" if at.year < 2000 else format.day(actor, at.astimezone(dt.UTC).date())
