"""The figures beside the grid of the level of effort: totals by role and deliverable, the range, and the picture."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.architecture_sessions.effort import EffortTotal, Estimate, digits, estimate, likelihood, money
from nexa_core.architecture_sessions.foreign import words
from pages._ui import charts, format, layout
from pages._ui.charts import Chart
from pages._ui.sessions import fields, grid, parts
from pages._ui.sessions.opening import Opened
from pages._ui.text import literal

_CURRENCIES = (
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "INR", "JPY", "MXN", "NOK", "NZD", "PLN",
    "SEK", "SGD", "USD", "ZAR",
)  # fmt: skip
_BARS = 14


def draw(opened: Opened) -> None:
    """Currency and contingency, the grid, and what it comes to."""
    document = opened.document(grid.COLUMN)
    first, second, _ = st.columns((1, 1, 2))
    with first:
        fields.choice(opened, "Currency", [grid.COLUMN, "currency"], {code: code for code in _CURRENCIES})
    with second:
        fields.number(
            opened, "Contingency, %", [grid.COLUMN, "contingency_percent"], least=0, most=200, step=0.5,
            hint="On top of all rows",
        )  # fmt: skip
    handed = {
        part["id"]: parts.title_of(part) for part in parts.readable(opened.document("sow_objects"), "deliverables")
    }
    grid.draw(opened, handed, digits(words(document, "currency")))
    parts.unreadable(opened, grid.COLUMN, grid.LIST)
    figures(opened, estimate(document, opened.document("sow_objects")))


def figures(opened: Opened, found: Estimate) -> None:
    """Totals, and where the effort goes."""
    actor = opened.actor
    for row in found.unread:
        st.warning(f"“{literal(row.task or row.id)}” is not counted: {row.reason}.", icon=":material/warning:")
    if not found.tasks:
        layout.nothing("timer", "Nothing is estimated yet", "Add a row in the grid: a task, a role and three points.")
        return
    likely = found.ranges[0]
    between = "–".join(format.number(actor, round(hours)) for hours in (likely.low_hours, likely.high_hours))
    layout.figures(
        [
            ("Hours, PERT mean", hours(actor, found.mean_hours), "(optimistic + 4 × likely + pessimistic) / 6, summed"),
            (f"Range in h, {likely.confidence:.0%} sure", between, "Without contingency"),
            ("With contingency", hours(actor, found.total_hours), f"{found.contingency_percent:g} % on top"),
            ("Cost", amount(actor, found, found.cost_minor), "Of the mean hours"),
            ("Cost with contingency", amount(actor, found, found.total_minor), None),
        ]
    )  # fmt: skip
    if found.contingency_covers is not None:
        st.caption(f"The contingency is enough with a likelihood of {likelihood(found.contingency_covers)}.")
    left, right = st.columns(2, gap="medium")
    with left:
        _totals(found, "Role", found.by_role)
    with right:
        _totals(found, "Deliverable", found.by_deliverable)
    chosen = st.segmented_control(
        "Where the effort goes", ["Role", "Deliverable", "Task"], default="Role", required=True, key="nexa-effort-by"
    )
    by = chosen or "Role"
    charts.draw(actor, _chart(_bars(found, by), by), key=f"effort-{by.lower()}")
    st.caption("Bars are PERT means; the lines reach from the optimistic to the pessimistic hours.")


def hours(actor: Actor, value: float) -> str:
    """Hours, whole from a hundred on."""
    return f"{format.number(actor, round(value))} h" if value >= 100 else f"{value:.1f} h"


def amount(actor: Actor, found: Estimate, minor: int) -> str:
    """Money in whole units of its currency."""
    return f"{format.number(actor, round(money(minor, found.currency)))} {found.currency}"


def _totals(found: Estimate, label: str, totals: Sequence[EffortTotal]) -> None:
    st.dataframe(
        {
            label: [total.title or f"No {label.lower()}" for total in totals],
            "Tasks": [total.tasks for total in totals],
            "Mean, h": [round(total.mean_hours, 1) for total in totals],
            "± h": [round(total.deviation_hours, 1) for total in totals],
            f"Cost, {found.currency}": [float(money(total.cost_minor, found.currency)) for total in totals],
        },
        hide_index=True,
        height="content",
        column_config={
            label: st.column_config.TextColumn(width=125),
            "Tasks": st.column_config.NumberColumn(width=50),
            "Mean, h": st.column_config.NumberColumn(format="localized", width=70),
            "± h": st.column_config.NumberColumn(format="localized", width=60, help="One standard deviation"),
            f"Cost, {found.currency}": st.column_config.NumberColumn(
                format="accounting" if digits(found.currency) else "localized", width=105
            ),
        },
        alt=f"Totals by {label.lower()}",
    )


def _bars(found: Estimate, by: str) -> list[tuple[str, float, float, float]]:
    if by == "Task":
        bars = [(task.task or task.id, task.mean_hours, task.optimistic_hours, task.pessimistic_hours)
                for task in found.tasks]  # fmt: skip
    else:
        totals = found.by_role if by == "Role" else found.by_deliverable
        bars = [(total.title or "None", total.mean_hours, total.optimistic_hours, total.pessimistic_hours)
                for total in totals]  # fmt: skip
    return sorted(bars, key=lambda bar: bar[1])[-_BARS:]


def _chart(bars: Sequence[tuple[str, float, float, float]], by: str) -> Chart:
    """Bars with the greatest at the top; the table behind them has it first."""
    return Chart(
        title=f"Hours by {by.lower()}",
        traces=[
            {
                "type": "bar",
                "orientation": "h",
                "y": [_short(name) for name, *_ in bars],
                "x": [mean for _, mean, _, _ in bars],
                "marker": {"color": charts.colors()[0]},
                "error_x": {
                    "color": charts.theme("grayColor"),
                    "type": "data",
                    "symmetric": False,
                    "array": [high - mean for _, mean, _, high in bars],
                    "arrayminus": [mean - low for _, mean, low, _ in bars],
                    "thickness": 1.4,
                    "width": 4,
                },
                "customdata": [[low, high] for _, _, low, high in bars],
                "hovertemplate": "%{y}: %{x:.1f} h (%{customdata[0]:.1f} to %{customdata[1]:.1f})<extra></extra>",
            }
        ],
        table={
            by: [name for name, *_ in reversed(bars)],
            "Mean, h": [round(mean, 1) for _, mean, _, _ in reversed(bars)],
            "Optimistic, h": [round(low, 1) for _, _, low, _ in reversed(bars)],
            "Pessimistic, h": [round(high, 1) for _, _, _, high in reversed(bars)],
        },
        alt=f"Hours by {by.lower()}, with the range from optimistic to pessimistic",
        layout={
            "hovermode": "closest",
            "xaxis": {"title": {"text": "Hours"}, "rangemode": "tozero", "showgrid": True},
            "yaxis": {"showgrid": False, "nticks": 0, "dtick": 1},
            "bargap": 0.35,
        },
        height=90 + 30 * len(bars),
    )


def _short(name: str) -> str:
    return name if len(name) <= 40 else name[:39].rstrip() + "…"
