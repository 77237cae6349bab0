"""A new version of a plan: drafted from the one in force, shown to whom it matters, and scheduled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import streamlit as st

from nexa_core import billing, organizations
from nexa_core.actor import Actor
from nexa_core.billing import Draft, Version
from nexa_core.errors import Invalid
from pages._ui import badges, current_actor, format, saved, shown_here
from pages._ui.billing import whose
from pages._ui.text import literal

Prices = dict[str, dict[str, int]]


def draft(actor: Actor, found: tuple[Version, ...]) -> None:
    """The fields of a new version, filled with what the plan is now; the button shows whom it would affect."""
    st.subheader("Schedule a version", anchor=False)
    current = {version.plan: version for version in found if version.is_in_force}
    left, right = st.columns(2)
    plan = left.selectbox("Plan", list(billing.PLANS), format_func=badges.word, key="draft-plan")
    if plan not in current:
        return
    now = current[plan]
    earliest = (dt.datetime.now(dt.UTC) + billing.SOMEWHERE).date() + dt.timedelta(days=1)
    day = right.date_input(
        "Begins on", _first_of_next(earliest), min_value=earliest, key=f"draft-day-{plan}",
        format=format.picker_pattern(actor),
        help="At 00:00 of each customer's own time zone; the first of a month divides no invoice",
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
    per = left.number_input(
        "Credits over the allowance are sold by", 1, value=now.overage_credits, step=10, key=f"draft-o-{plan}"
    )
    typed = _price_list(actor, now, int(per or 1))
    limits = _limits(now)
    features = _features(now)
    if st.button("Who is affected …", icon=":material/groups:"):
        with shown_here():
            if day is None or monthly is None or per is None:
                raise Invalid("A version needs a day, credits a month and how many credits are sold at once.")
            prices = _prices(actor, typed)
            own = prices.pop(now.currency)
            drafted = Draft(
                plan=plan, name=name, effective_from=dt.datetime.combine(day, dt.time(), dt.UTC),
                price_minor=own["price_minor"], monthly_credits=int(monthly), overage_minor=own["overage_minor"],
                overage_credits=int(per), seats=None if seats is None else int(seats),
                seat_minor=own.get("seat_minor"), prices=prices, limits=limits, features=features,
            )  # fmt: skip
            confirm(now, drafted)


@st.dialog("Schedule this version?", icon=":material/event:", width="large")
def confirm(now: Version, drafted: Draft) -> None:
    """What is different, and whom it would affect, before it is scheduled."""
    actor = current_actor()
    with shown_here():
        affected = billing.preview_version(actor, draft=drafted)
        st.write(
            f"**{literal(drafted.name)}** changes on {format.day(actor, drafted.effective_from.date())}, at 00:00 of "
            "each customer's own time zone, "
            f"for {format.number(actor, len(affected))} customer{'' if len(affected) == 1 else 's'}. "
            "Invoices of the time before stay as they are."
        )
        changes = _changes(actor, now, drafted)
        st.markdown("  \n".join(f":gray[{literal(what)}] {literal(how)}" for what, how in changes))
        if not changes:
            st.info("Nothing is different from the version in force.", icon=":material/info:")
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
                column_config={
                    **{name: st.column_config.TextColumn(alignment="right") for name in ("Fee now", "Fee then")},
                    **{n: st.column_config.NumberColumn(format="localized") for n in ("Credits now", "Credits then")},
                },
            )  # fmt: skip
        with st.form("schedule", border=False):
            reason = st.text_input("Reason", help="It is kept in the audit log.")
            if st.form_submit_button("Schedule", type="primary", width="stretch", disabled=not changes):
                with shown_here():
                    billing.schedule_version(actor, draft=drafted, reason=reason)
                    saved("The version is scheduled")


def _price_list(actor: Actor, now: Version, per: int) -> dict[str, dict[str, str | None]]:
    """The amounts by currency as they were typed; the plan's own currency first."""
    fields = {"Fee a month": "price_minor", f"{per:,} credits over": "overage_minor", "Seat over": "seat_minor"}
    own = {"price_minor": now.price_minor, "overage_minor": now.overage_minor, "seat_minor": now.seat_minor}
    listed: dict[str, Mapping[str, int | None]] = {now.currency: own, **now.prices}
    st.markdown("**Prices**")
    edited: Any = st.data_editor(
        {
            "Currency": list(listed),
            **{
                label: [_amount(actor, amounts.get(field), currency) for currency, amounts in listed.items()]
                for label, field in fields.items()
            },
        },
        hide_index=True, disabled=["Currency"], key=f"draft-prices-{now.plan}-{per}", num_rows="fixed",
        height="content", placeholder="not sold",
        column_config={label: st.column_config.TextColumn(alignment="right", max_chars=30) for label in fields},
    )  # fmt: skip
    st.caption("Amounts are in the currency of their row, 49.00 EUR as “49.00”. An empty seat is not sold.")
    # Which currency a row is of is known here: the browser may send another one.
    return {
        currency: {field: edited[label][number] for label, field in fields.items()}
        for number, currency in enumerate(listed)
    }


def _prices(actor: Actor, typed: Mapping[str, Mapping[str, str | None]]) -> Prices:
    """What was typed, in minor units. Raises Invalid for what is no amount, and for a missing fee or price."""
    found: Prices = {}
    for currency, amounts in typed.items():
        found[currency] = {
            field: whose.typed(actor, str(text), currency)
            for field, text in amounts.items()
            if text and str(text).strip()
        }
        if missing := {"price_minor", "overage_minor"} - set(found[currency]):
            what = "a fee" if "price_minor" in missing else "a price of credits over the allowance"
            raise Invalid(f"The plan needs {what} in {currency}; 0 for none.", field="prices")
    return found


def _limits(now: Version) -> dict[str, int]:
    """The most events of a kind in a month."""
    st.markdown("**Most events of a kind in a month**")
    names = {**organizations.EVENT_TYPES, **{n: billing.named_event(n) for n in now.limits}}
    found = {}
    for place, (name, label) in zip(st.columns(len(names)), names.items(), strict=True):
        found[name] = place.number_input(
            label, 0, value=now.limits.get(name), step=10, placeholder="No limit", key=f"draft-limit-{now.plan}-{name}"
        )
    return {name: int(most) for name, most in found.items() if most is not None}


def _features(now: Version) -> dict[str, bool]:
    """What the plan includes; a feature that NEXA does not know stays as it is."""
    st.markdown("**Features**")
    found = dict(now.features)
    with st.container(horizontal=True, gap="large"):
        for name, meaning in organizations.FEATURE_MEANINGS.items():
            found[name] = st.toggle(
                name.replace("_", " ").capitalize(), now.features.get(name, False), help=meaning,
                key=f"draft-feature-{now.plan}-{name}", width="content",
            )  # fmt: skip
    return found


def _changes(actor: Actor, now: Version, drafted: Draft) -> list[tuple[str, str]]:
    """What is different in the new version, one line each."""
    lines: list[tuple[str, object, object]] = [
        ("Name", now.name, drafted.name),
        ("Credits a month", _count(actor, now.monthly_credits), _count(actor, drafted.monthly_credits)),
        ("Seats", _count(actor, now.seats), _count(actor, drafted.seats)),
    ]
    before, after = _all_prices(now), _all_prices(drafted, now.currency)
    for currency, amounts in after.items():
        for field, label in (("price_minor", "Fee"), ("overage_minor", "Credits over"), ("seat_minor", "Seat over")):
            old, new = (
                _money(actor, of.get(field), currency) or "not sold" for of in (before.get(currency, {}), amounts)
            )
            if field == "overage_minor":
                old, new = f"{old} for {now.overage_credits:,}", f"{new} for {drafted.overage_credits:,}"
            lines.append((f"{label} in {currency}", old, new))
    lines += [
        (billing.named_event(name), _count(actor, now.limits.get(name)), _count(actor, drafted.limits.get(name)))
        for name in {**now.limits, **drafted.limits}
    ]
    for name, on in drafted.features.items():
        was = now.features.get(name, False)
        lines.append((name.replace("_", " ").capitalize(), "on" if was else "off", "on" if on else "off"))
    return [(what, f"{old} → {new}") for what, old, new in lines if old != new]


def _all_prices(version: Version | Draft, own: str = "") -> dict[str, Mapping[str, int | None]]:
    currency = version.currency if isinstance(version, Version) else own
    mine = {
        "price_minor": version.price_minor, "overage_minor": version.overage_minor, "seat_minor": version.seat_minor
    }  # fmt: skip
    return {currency: mine, **version.prices}


def _count(actor: Actor, value: int | None) -> str:
    return "no limit" if value is None else format.number(actor, value)


def _amount(actor: Actor, minor: int | None, currency: str) -> str | None:
    return None if minor is None else whose.amount(actor, minor, currency)


def _money(actor: Actor, minor: int | None, currency: str) -> str | None:
    return None if minor is None else whose.money(actor, minor, currency)


def _first_of_next(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
