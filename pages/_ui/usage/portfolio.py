"""The pieces of the portfolio: filters, figures, the chart by day, and the table of customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.billing.reports import Customer, Money, Point, Summary, Wanted
from pages._ui import badges, charts, filters, format, layout, menu, tables
from pages._ui.charts import Chart
from pages._ui.usage import kept, words
from pages._ui.usage import revenue as in_currencies

_SORTS = {
    "used": "Most used", "share": "Most of the allowance", "depletion": "First to run out", "growth": "Growing fastest",
    "drop": "Falling fastest", "risk": "Most urgent", "activity": "Last active", "name": "Name",
}  # fmt: skip
_SPLITS = {"type": "Type", "customer": "Customer", "plan": "Plan"}
_SPANS = {"1": "Month", "3": "3 months", "13": "13 months"}


def filters_of(actor: Actor) -> tuple[Wanted, str]:
    """What the portfolio is narrowed to, and the order of its table; all of it is in the address."""
    period_place, whose, plan_place, tag_place, sort_place = filters.row(2, 2, 2, 2, 2)
    months = words.months()
    newest, *earlier = months
    period = filters.named(
        period_place, "Period", {name: months[name] for name in earlier}, key="period", every=months[newest]
    )
    managers = {str(identifier): name for identifier, name in kept.managers(actor).items()}
    if str(actor.user_id) in managers:
        managers = {str(actor.user_id): "My customers", **managers}
    manager = filters.named(whose, "Whose", managers, key="manager", every="Everybody’s customers")
    plan = filters.choice(plan_place, "Plan", badges.PLANS, key="plan", every="Every plan")
    tags = {tag: tag for tag in kept.tags(actor)}
    tag = filters.named(tag_place, "Tag", tags, key="tag", every="Every tag")
    sort = filters.order(sort_place, _SORTS, key="sort")
    return Wanted(period=period, manager=UUID(manager) if manager else None, plan=plan, tag=tag), sort


def figures(actor: Actor, summary: Summary, revenue: Sequence[Money] | None, before: Sequence[Money] | None) -> None:
    """What was used and earned, against the same days of the period before, and where it leads."""
    earlier = format.month((summary.period - dt.timedelta(days=1)).replace(day=1))
    with st.grid(5, min_column_width=165):
        if summary.is_running:
            change = words.change(summary.complete, summary.same_days_before)
            about = (
                f"Until now. The change compares the complete days, {format.number(actor, summary.complete)} credits, "
                f"with the same days of {earlier}, {format.number(actor, summary.same_days_before)}."
            )
        else:
            change = words.change(summary.credits, summary.credits_before)
            about = f"In the whole month, against {format.number(actor, summary.credits_before)} in {earlier}."
        _metric("Credits", format.number(actor, summary.credits), change, about)
        if revenue is not None:
            several = len(revenue) > 1
            change = in_currencies.change(revenue, before or ())
            against = "Amounts of different currencies are not added up; each is below." if several else (
                f"Against {in_currencies.compared(summary)}: {words.moneys(actor, before or ())}."
            )  # fmt: skip
            _metric(
                "Revenue", words.moneys(actor, revenue), None if several else change,
                "What the invoices of the month come to by now, before tax: plans in full, overage so far, less credit "
                f"notes. {against}", note=change if several else None,
            )  # fmt: skip
        if summary.expected is None:
            why = "Only for the running month" if not summary.is_running else "There is too little to go by yet"
            _metric("Expected", "–", None, why)
        else:
            band = f"{format.number(actor, summary.low)} to {format.number(actor, summary.high)}"
            _metric(
                "Expected", format.number(actor, summary.expected), None,
                f"Credits at the end of the month. Between {band} if all of the {summary.forecast_of} customers with "
                "a forecast end at the lower or at the upper end of their bands.", note=band,
            )  # fmt: skip
        _metric(
            "Overage", format.number(actor, summary.overage), None,
            f"Credits beyond the allowance of {summary.over} customers",
        )  # fmt: skip
        if summary.at_risk is None:
            _metric("At risk", "–", None, "Only for the running month")
        else:
            _metric(
                "At risk", format.number(actor, summary.at_risk), None,
                f"Of {format.number(actor, summary.customers)} customers; the morning brief says why",
            )  # fmt: skip


def _metric(label: str, value: str, change: str | None, about: str, *, note: str | None = None) -> None:
    st.metric(
        label, value, delta=note or change, delta_color="off", help=about, border=True, height="stretch",
        delta_arrow="off" if note or change == "±0 %" else "auto",
    )  # fmt: skip


def by_day(actor: Actor, wanted: Wanted) -> None:
    """The chart by day. A click on a bar opens its customer, or narrows to its plan."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        split = st.segmented_control(
            "Split by", list(_SPLITS), default="type", required=True, format_func=lambda name: _SPLITS[name],
            key="split", bind="query-params", label_visibility="collapsed", width="content",
        )  # fmt: skip
        span = st.segmented_control(
            "Span", list(_SPANS), default="1", required=True, format_func=lambda name: _SPANS[name],
            key="span", bind="query-params", label_visibility="collapsed", width="content",
        )  # fmt: skip
    split, months = str(split or "type"), int(span or 1)
    points = kept.by_day(actor, wanted, split, months)
    clicked = charts.draw(
        actor, _chart(wanted, points, split, months), key=f"portfolio-{split}-{months}", clickable=split != "type"
    )
    if clicked and (part := clicked[0].get("customdata")):
        _open_part(split, str(part[0] if isinstance(part, list | tuple) else part), wanted)


def _chart(wanted: Wanted, points: Sequence[Point], split: str, months: int) -> Chart:
    totals: dict[str, int] = {}
    names = {point.key: point.part for point in points}
    for point in points:
        totals[point.key] = totals.get(point.key, 0) + point.credits
    drawn = [key for key in sorted(totals, key=lambda key: (not key, -totals[key])) if totals[key]]
    palette = charts.colors()
    said = {"type": words.event_type, "plan": badges.word}.get(split, lambda part: part)
    traces = []
    for number, key in enumerate(drawn):
        mine = [point for point in points if point.key == key]
        color = palette[number % len(palette)] if key else charts.theme("grayColor")
        traces.append(
            {
                "type": "bar",
                "name": said(names[key]),
                "x": [point.day.isoformat() for point in mine],
                "y": [point.credits for point in mine],
                "marker": {"color": color},
                "customdata": [[key]] * len(mine),
                "hovertemplate": "%{y:,d}",
            }
        )
    shown = [point for point in points if point.credits or point.events]
    return Chart(
        title=f"Credits by day and {_SPLITS[split].lower()}",
        traces=traces,
        table={
            "Day": [point.day for point in shown],
            _SPLITS[split]: [said(point.part) for point in shown],
            "Events": [point.events for point in shown],
            "Credits": [point.credits for point in shown],
        },
        alt=f"Credits of the portfolio by day, stacked by {split}",
        nothing=None
        if traces
        else ("No credits were used", "No customer of this selection used any credits in this period."),
        layout={
            "barmode": "stack",
            "legend": {"traceorder": "normal"},
            "bargap": 0.15,
            "xaxis": charts.days("Day, in each customer’s own time zone", [point.day for point in points]),
            "yaxis": {"title": {"text": "Credits"}},
        },
        files=words.files(
            "by-day",
            period=wanted.period,
            manager=wanted.manager,
            plan=wanted.plan,
            tag=wanted.tag,
            split=split,
            months=months,
        ),
    )


def _open_part(split: str, key: str, wanted: Wanted) -> None:
    """Open the customer of a bar, or narrow to its plan; the others' bar has no key."""
    if split == "plan" and key in badges.PLANS and wanted.plan != key:
        st.switch_page(menu.PORTFOLIO.page(), query_params=_address(plan=badges.word(key), split="Type"))
    if split == "customer" and key:
        open_customer(key, wanted)


def _address(**changes: str) -> dict[str, str]:
    """The portfolio's address as Streamlit writes it: what a choice is called on screen."""
    kept = {
        name: str(st.query_params[name]) for name in ("period", "manager", "tag", "sort") if name in st.query_params
    }
    return {**kept, **changes}


def open_customer(slug: str, wanted: Wanted) -> None:
    """Go to the usage of one customer, in the same period."""
    given = {"organization": slug} | ({"period": format.month(wanted.month)} if wanted.period else {})
    st.switch_page(menu.USAGE.page(), query_params=given)


def table(actor: Actor, rows: Sequence[Customer], wanted: Wanted) -> None:
    """The customers; a click on one opens its usage."""
    shown = tables.of_these(row.id for row in rows)
    columns: dict[str, list[Any]] = {
        "Customer": [row.name if row.status != "deleted" else f"{row.name} (deleted)" for row in rows],
        "Plan": [[badges.word(row.plan)] for row in rows],
        "28 days": [list(row.recent) for row in rows],
        "Credits": [row.used for row in rows],
        "Allowance": [row.allowance for row in rows],
        "Used": [tables.percent(row.used, row.allowance) for row in rows],
        "Expected": [row.expected for row in rows],
        "Runs out": [row.depletes_on for row in rows],
        "Trend": [row.trend for row in rows],
        "Last activity": [row.last_activity for row in rows],
        "Plan fit": [words.plan_fit(row.plan_fit) for row in rows],
        "Urgency": [row.score or None for row in rows],
        "Account manager": [row.account_manager or "–" for row in rows],
        "Tags": [list(row.tags) for row in rows],
    }
    column, pattern = st.column_config, format.day_pattern(actor)
    event = st.dataframe(
        columns, key=f"portfolio-{shown}", hide_index=True, height="content", placeholder="–", on_select="rerun",
        selection_mode="single-cell", alt="Customers with their credits, forecast, trend and plan fit",
        column_config={
            "Customer": column.TextColumn(width=170),
            "Plan": badges.column("Plan", badges.PLANS),
            "28 days": column.AreaChartColumn(width=110, help="Credits of the last 28 complete days", y_min=0),
            "Credits": column.NumberColumn(format="localized", width=80),
            "Allowance": column.NumberColumn(format="localized", width=85),
            "Used": column.ProgressColumn(format="%d %%", min_value=0, max_value=100, width=100),
            "Expected": column.NumberColumn(format="localized", width=85, help="Credits at the end of the period"),
            "Runs out": column.DateColumn(format=pattern, width=105, help="When the allowance is passed"),
            "Trend": column.NumberColumn(format="%+d %%", width=75, help="14 complete days against the 14 before"),
            "Last activity": column.DateColumn(format=pattern, width=105),
            "Plan fit": column.TextColumn(width=150, help="Which plan would have cost least in the last whole month"),
            "Urgency": column.NumberColumn(width=80, help="The score of the morning brief, 0 to 100"),
            "Tags": column.ListColumn(width=170),
        },
    )  # fmt: skip
    if (row := tables.clicked(event.selection.cells, rows)) is not None:
        open_customer(row.slug, wanted)


def nothing(wanted: Wanted) -> None:
    """What stands where the portfolio would be."""
    if wanted.is_everybody:
        layout.nothing("apartment", "There is no customer here", "Customers that you can reach appear here.")
    else:
        layout.nothing("search_off", "No customer fits", "Change a filter above.")


def exports(wanted: Wanted, sort: str) -> None:
    """The table as files: all that the filters show, every page of it."""
    found = words.files(
        "customers", period=wanted.period, manager=wanted.manager, plan=wanted.plan, tag=wanted.tag, sort=sort
    )
    for form, address in found.items():
        st.link_button(
            f"Export {form.upper()}", address, icon=":material/download:", type="tertiary",
            help="All that the filters show, every page of it",
        )  # fmt: skip


def revenues(actor: Actor, wanted: Wanted) -> tuple[Sequence[Money] | None, Sequence[Money] | None]:
    """What the invoices of the period come to, and what it is compared with; None for who may not see money."""
    now = kept.revenue(actor, wanted, False)
    return (now, kept.revenue(actor, wanted, True)) if now else (None, None)


def how_sure(actor: Actor, wanted: Wanted, summary: Summary, made_at: str) -> str:
    """When the forecasts are from, and how good the last ones were."""
    if summary.made_at is None:
        return "No forecast has been made yet; a job makes them every hour for the customers whose day is over."
    record = kept.record(actor, wanted)
    if record.off_by is None:
        return f"Forecasts of {made_at}."
    return (
        f"Forecasts of {made_at}. In {format.month(record.period)} the {record.predictions} forecasts of the 15th were "
        f"off by {record.off_by} % in the median, and {record.inside} % ended within their bands."
    )
