"""A rehearsal on screen: how a month's use would have met each plan, as a picture and as a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import streamlit as st

from nexa_core import billing
from nexa_core.actor import Actor
from pages._ui import charts, filters, format, layout, menu
from pages._ui.billing import whose
from pages._ui.charts import Chart
from pages._ui.text import literal

_PRICED = ("Fee", "Cost of overage", "Fee and overage")


def own_limits() -> tuple[int | None, dict[str, int]]:
    """Limits of one's own to replay against; in the address."""
    credits_place, calls_place, exports_place, _ = filters.row(2, 2, 2, 2)
    most = credits_place.number_input(
        "Credits, hard", min_value=0, max_value=2**31 - 1, value=None, step=100, key="credits", bind="query-params",
        placeholder="No limit of your own", help="A hard limit of your own, beside the plans",
    )  # fmt: skip
    limits: dict[str, int] = {}
    for place, name, label in ((calls_place, "ai_call", "AI calls"), (exports_place, "pdf_export", "PDF exports")):
        found = place.number_input(
            f"{label}, hard", min_value=0, max_value=2**31 - 1, value=None, step=10, key=name, bind="query-params",
            placeholder="No limit of your own",
        )  # fmt: skip
        if found is not None:
            limits[name] = int(found)
    return (None if most is None else int(most)), limits


def heading(rehearsal: billing.Rehearsal) -> None:
    layout.title(
        literal(f"{rehearsal.name}: what if"),
        literal(
            f"The real use of {whose.month(rehearsal.period.name)}, replayed call by call against every plan; "
            f"days are those of {rehearsal.period.time_zone}"
        ),
    )
    st.page_link(
        menu.BILLING.page(), label="Invoice", icon=":material/receipt_long:", query_params=whose.same_address()
    )


def verdict(actor: Actor, rehearsal: billing.Rehearsal) -> None:
    """The answer in two sentences."""
    names = {outcome.plan: outcome.name for outcome in rehearsal.outcomes}
    least = rehearsal.outcome(rehearsal.cheapest) if rehearsal.cheapest else None
    free = rehearsal.outcome(rehearsal.blocks_nothing) if rehearsal.blocks_nothing else None
    said = []
    if free is not None:
        said.append(
            f"**{literal(free.name)}** is the cheapest plan that would have blocked nothing, at "
            f"{literal(whose.money(actor, free.price_minor, rehearsal.currency))} a month."
        )
    else:
        said.append("Every plan would have blocked something under a hard limit.")
    if least is not None:
        said.append(
            f"With overage charged instead, **{literal(least.name)}** would have cost least: "
            f"{literal(whose.money(actor, least.total_minor, rehearsal.currency))}."
        )
    if rehearsal.current_plan in names:
        said.append(f"The plan now is {literal(names[rehearsal.current_plan])}.")
    st.markdown(" ".join(said))


def picture(actor: Actor, rehearsal: billing.Rehearsal) -> None:
    """How the credits added up, and where each plan's allowance lay."""
    days = [day for day, _ in rehearsal.burn]
    total = list(accumulate(spent for _, spent in rehearsal.burn))
    color, *others = charts.colors()
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "Credits used",
            "x": days,
            "y": total,
            "line": {"color": color, "width": 2.5, "shape": "hv"},
        }
    ]
    # An allowance far above what was used would press the rest of the picture flat.
    enough = [outcome.included for outcome in rehearsal.outcomes if (outcome.included or 0) >= rehearsal.used]
    most = min((included for included in enough if included is not None), default=rehearsal.used)
    shown = [outcome for outcome in rehearsal.outcomes if outcome.included is not None and outcome.included <= most]
    for number, outcome in enumerate(shown):
        tint = others[number % len(others)]
        ends = [days[0], days[-1]] if days else []
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": f"{outcome.name}: {format.number(actor, outcome.included)}",
                "x": ends,
                "y": [outcome.included] * len(ends),
                "line": {"color": tint, "width": 1.5, "dash": "dash"},
            }
        )
        if outcome.first is not None:
            at = outcome.first.occurred_at.astimezone(format.zone(rehearsal.period.time_zone))
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": f"{outcome.name}: first refusal",
                    "x": [at.date()],
                    "y": [_at(days, total, at.date())],
                    "marker": {"color": tint, "size": 10, "symbol": "x"},
                    "showlegend": False,
                }
            )
    charts.draw(
        actor,
        Chart(
            "Credits used against every allowance",
            traces,
            {"Day": days, "Credits": [spent for _, spent in rehearsal.burn], "Credits so far": total},
            "Credits added up over the month, with the allowance of every plan as a line and its first refusal",
            nothing=None if days else ("Nothing was used", "Without use there is nothing to replay."),
            layout={
                "xaxis": charts.days(f"Day ({rehearsal.period.time_zone})", days),
                "yaxis": {"title": {"text": "Credits"}},
                "hovermode": "closest",
            },
        ),
        key="rehearsal",
    )


def table(actor: Actor, rehearsal: billing.Rehearsal) -> None:
    """One row a plan: with a hard limit what is refused, with a soft one what it costs."""
    rows = rehearsal.outcomes
    currency = rehearsal.currency
    st.dataframe(
        {
            "Plan": [outcome.name for outcome in rows],
            "Included": [outcome.included for outcome in rows],
            "Fee": [_price(actor, outcome, outcome.price_minor, currency) for outcome in rows],
            "Over": [outcome.overage for outcome in rows],
            "Cost of overage": [_price(actor, outcome, outcome.overage_minor, currency) for outcome in rows],
            "Fee and overage": [_price(actor, outcome, outcome.total_minor, currency) for outcome in rows],
            "Refused if hard": [outcome.blocked for outcome in rows],
            "First refusal": [_first(actor, outcome, rehearsal) for outcome in rows],
        },
        hide_index=True, height="content", placeholder="–", key="outcomes", alt="Each plan's outcome",
        column_config={
            **{n: st.column_config.NumberColumn(format="localized") for n in ("Included", "Over", "Refused if hard")},
            **{n: st.column_config.TextColumn(alignment="right") for n in _PRICED},
            "First refusal": st.column_config.TextColumn(width="large"),
        },
    )  # fmt: skip
    for outcome in rows:
        if outcome.blocked_by_person:
            people = ", ".join(f"{name} {format.number(actor, count)}" for name, count in outcome.blocked_by_person)
            kinds = ", ".join(f"{name} {format.number(actor, n)}" for name, n in outcome.blocked_by_type.items())
            st.caption(literal(f"{outcome.name} would have refused most to {people}; by type {kinds}."))
    st.caption(
        "Prices are the list's; what was agreed with the customer is left out. With a hard limit a call that does not "
        "fit is refused and uses nothing; with a soft one it goes on and is charged."
    )


def _price(actor: Actor, outcome: billing.Outcome, minor: int, currency: str) -> str | None:
    return None if outcome.plan == billing.CUSTOM else whose.money(actor, minor, currency)


def _first(actor: Actor, outcome: billing.Outcome, rehearsal: billing.Rehearsal) -> str | None:
    if outcome.first is None:
        return None
    at = outcome.first.occurred_at.astimezone(format.zone(rehearsal.period.time_zone))
    what = billing.named_event(outcome.first.event_type)
    return f"{format.day(actor, at.date())}, {at:%H:%M}: {what} by {outcome.first.person or 'nobody in person'}"


def _at(days: Sequence[dt.date], total: Sequence[int], day: dt.date) -> int:
    return next((value for known, value in zip(days, total, strict=True) if known >= day), total[-1])
