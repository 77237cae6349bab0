"""The catalogue of plans on screen: every version by date, and a new one drafted, previewed and scheduled."""

from __future__ import annotations

import datetime as dt
from typing import Any
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
                f"{whose.money(actor, version.overage_minor, version.currency)} for {version.overage_credits:,}"
                for version in ordered
            ],
            "Seats": ["no limit" if version.seats is None else f"{version.seats:,}" for version in ordered],
            "Features": [
                ", ".join(name.replace("_", " ") for name, on in version.features.items() if on) for version in ordered
            ],
            "Currencies": [", ".join(sorted({version.currency, *version.prices})) for version in ordered],
        },
        hide_index=True, height="content", key="versions", alt="Every version of every plan",
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


def draft(actor: Actor, found: tuple[billing.Version, ...]) -> None:
    """A new version of a plan, from the one that is in force."""
    st.subheader("Schedule a version", anchor=False)
    current = {version.plan: version for version in found if version.is_in_force}
    left, right = st.columns(2)
    plan = left.selectbox("Plan", list(billing.PLANS), format_func=badges.word, key="draft-plan")
    if plan not in current:
        return
    now = current[plan]
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    day = right.date_input(
        "Begins on", _first_of_next(tomorrow), min_value=tomorrow, key=f"draft-day-{plan}",
        format=format.picker_pattern(actor), help="At 00:00 UTC; the first of a month divides the fewest invoices",
    )  # fmt: skip
    name = left.text_input("Name", now.name, key=f"draft-name-{plan}", max_chars=100)
    credits_place, seats_place = right.columns(2)
    monthly = credits_place.number_input(
        "Credits a month", 0, value=now.monthly_credits, step=100, key=f"draft-c-{plan}"
    )
    seats = seats_place.number_input(
        "Seats", 0, value=now.seats, step=1, placeholder="No limit", key=f"draft-s-{plan}",
        help="Empty for no limit",
    )  # fmt: skip
    prices = _prices(now)
    own = prices.pop(now.currency)
    if day is None or monthly is None:
        return
    drafted = billing.Draft(
        plan=plan, name=name, effective_from=dt.datetime.combine(day, dt.time(), dt.UTC),
        price_minor=own.get("price_minor", 0), monthly_credits=int(monthly), overage_minor=own.get("overage_minor", 0),
        overage_credits=now.overage_credits, seats=None if seats is None else int(seats),
        seat_minor=own.get("seat_minor"), prices=prices, limits=now.limits, features=now.features,
    )  # fmt: skip
    if st.button("Who is affected …", icon=":material/groups:"):
        confirm(drafted)


@st.dialog("Schedule this version?", icon=":material/event:", width="large")
def confirm(drafted: billing.Draft) -> None:
    """Whom it would affect, before it is scheduled."""
    actor = current_actor()
    with shown_here():
        affected = billing.preview_version(actor, draft=drafted)
        st.write(
            f"**{literal(drafted.name)}** changes on {format.day(actor, drafted.effective_from.date())}, 00:00 UTC, "
            f"for {format.number(actor, len(affected))} customers. Invoices of the time before stay as they are."
        )
        if affected:
            st.dataframe(
                {
                    "Customer": [one.name for one in affected],
                    "Fee now": [_money(actor, one.price_before, one.currency) for one in affected],
                    "Fee then": [_money(actor, one.price_after, one.currency) for one in affected],
                    "Credits now": [one.allowance_before for one in affected],
                    "Credits then": [one.allowance_after for one in affected],
                },
                hide_index=True, key="affected", placeholder="no limit", alt="Customers and what changes for them",
            )  # fmt: skip
        with st.form("schedule", border=False):
            reason = st.text_input("Reason", help="It is kept in the audit log.")
            if st.form_submit_button("Schedule", type="primary", width="stretch"):
                with shown_here():
                    billing.schedule_version(actor, draft=drafted, reason=reason)
                    saved("The version is scheduled")


@st.dialog("Withdraw this version?", icon=":material/delete:")
def confirm_withdrawal(version_id: UUID, name: str) -> None:
    st.write(f"**{literal(name)}** stays as it is now. Nothing of it has begun.")
    with st.form("withdraw", border=False):
        reason = st.text_input("Reason", help="It is kept in the audit log.")
        if st.form_submit_button("Withdraw", type="primary", width="stretch"):
            with shown_here():
                billing.withdraw_version(current_actor(), version_id=version_id, reason=reason)
                saved("The version is withdrawn")


def _prices(now: billing.Version) -> dict[str, dict[str, int]]:
    """The price list by currency, as it was edited; beginning with the plan's own currency."""
    own = {"price_minor": now.price_minor, "overage_minor": now.overage_minor, "seat_minor": now.seat_minor}
    listed: dict[str, Any] = {now.currency: own, **now.prices}
    fields = {
        "Fee a month": "price_minor",
        f"{now.overage_credits:,} credits over": "overage_minor",
        "Seat over": "seat_minor",
    }
    edited: Any = st.data_editor(
        {
            "Currency": list(listed),
            **{label: [amounts.get(field) for amounts in listed.values()] for label, field in fields.items()},
        },
        hide_index=True, disabled=["Currency"], key=f"draft-prices-{now.plan}", num_rows="fixed", height="content",
        column_config={label: st.column_config.NumberColumn(min_value=0, step=1) for label in fields},
    )  # fmt: skip
    st.caption("Prices are minor units: 4900 is 49.00 EUR, and 8400 is 8,400 JPY. An empty seat is not sold.")
    return {
        currency: {
            field: int(amount)
            for label, field in fields.items()
            if (amount := edited[label][number]) is not None and amount == amount  # NaN is not itself
        }
        for number, currency in enumerate(listed)
    }


def nothing() -> None:
    layout.nothing("sell", "There is no plan")


def _state(version: billing.Version) -> str:
    return "scheduled" if version.is_ahead else "in force" if version.is_in_force else "past"


def _begins(actor: Actor, at: dt.datetime) -> str:
    return "the beginning" if at.year < 2000 else f"{format.moment(actor, at)}"


def _money(actor: Actor, minor: int | None, currency: str) -> str | None:
    return None if minor is None else whose.money(actor, minor, currency)


def _first_of_next(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
