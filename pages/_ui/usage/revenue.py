"""Revenue in several currencies: side by side, never added up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.billing.reports import Money, Summary
from pages._ui import format
from pages._ui.usage import words


def change(now: Sequence[Money], before: Sequence[Money]) -> str | None:
    """Against the period before: of one currency in per cent, of several in how many it is more and less."""
    then = {amount.currency: amount.minor for amount in before}
    if len(now) == 1:
        return words.change(now[0].minor, then.get(now[0].currency, 0))
    more = sum(amount.minor > then.get(amount.currency, 0) for amount in now)
    less = sum(amount.minor < then.get(amount.currency, 0) for amount in now)
    return f"more in {more}, less in {less}" if more or less else "±0 %" if now else None


def compared(summary: Summary) -> str:
    """What a month's revenue is compared with: all of the month before or, while it runs, its plans in full and its
    overage by the same day."""
    earlier = format.month((summary.period - dt.timedelta(days=1)).replace(day=1))
    return f"{earlier} by the end of the same day, plans in full" if summary.is_running else f"all of {earlier}"


def by_currency(actor: Actor, summary: Summary, now: Sequence[Money] | None, before: Sequence[Money] | None) -> None:
    """What each currency comes to, where there are several."""
    if now is None or len(now) < 2:
        return
    place = st.expander(
        "Revenue by currency", icon=":material/currency_exchange:", key="revenue-by-currency", on_change="rerun"
    )
    if not place.open:
        return
    then = {amount.currency: amount for amount in before or ()}
    month = format.month(summary.period)
    earlier = format.month((summary.period - dt.timedelta(days=1)).replace(day=1))
    rows = sorted(now, key=lambda amount: amount.currency)
    with place:
        st.dataframe(
            {
                "Currency": [amount.currency for amount in rows],
                month: [words.money(actor, amount) for amount in rows],
                earlier: [words.money(actor, then[one.currency]) if one.currency in then else None for one in rows],
                "Change": [
                    words.change(one.minor, then[one.currency].minor) if one.currency in then else None for one in rows
                ],
            },
            hide_index=True, height="content", placeholder="–", key="revenue-table", alt="Revenue by currency",
            column_config={
                name: st.column_config.TextColumn(alignment="right") for name in (month, earlier, "Change")
            },
        )  # fmt: skip
        until = " by now" if summary.is_running else ""
        st.caption(
            f"What invoices come to{until}, before tax, against {compared(summary)}. "
            "Amounts of different currencies are not added up."
        )
