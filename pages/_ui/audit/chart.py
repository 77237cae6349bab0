"""The histogram over the entries: how much happened when; a brush over it narrows the range."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.audit import Activity, Filters
from pages._ui import charts, format
from pages._ui.audit import address
from pages._ui.charts import Chart


def draw(actor: Actor, activity: Activity, filters: Filters) -> None:
    """Bars in the person's time; what is estimated is paler, and the line below says how to read it."""
    if not activity.bars:
        return
    several = len(activity.bars) > 1
    if several:
        charts.draw(
            actor,
            _chart(actor, activity),
            key=f"audit-activity-{filters.since}-{filters.until}",
            brushed=lambda ends: _brushed(actor, ends),
        )
    total = activity.total
    count = "1,000+ entries" if total is None else f"{format.number(actor, total)} entr{'y' if total == 1 else 'ies'}"
    about = ", paler bars are estimates" if any(not bar.is_exact for bar in activity.bars) else ""
    beside = "; the text is not counted" if filters.text else ""
    brush = " Drag over the bars to narrow the time." if several else ""
    st.caption(f"{count}{about}{beside}. Times are those of {_zone(actor)}.{brush}")


def _chart(actor: Actor, activity: Activity) -> Chart:
    bars = activity.bars
    begins = [_local(actor, bar.since) for bar in bars]
    trace = {
        "type": "bar",
        "x": begins,
        "y": [bar.entries for bar in bars],
        "width": [(bar.until - bar.since).total_seconds() * 1000 * 0.9 for bar in bars],
        "offset": 0,
        "marker": {"color": charts.colors()[0], "opacity": [1 if bar.is_exact else 0.6 for bar in bars]},
        "hovertext": [_says(actor, bar.since, bar.entries, bar.is_exact) for bar in bars],
        "hoverinfo": "text",
        "unselected": {"marker": {"opacity": 0.3}},
    }
    return Chart(
        title="Entries over time",
        traces=[trace],
        table={
            f"From ({_zone(actor)})": [format.moment(actor, bar.since) for bar in bars],
            "Until": [format.moment(actor, bar.until) for bar in bars],
            "Entries": [bar.entries for bar in bars],
            "Counted": ["exactly" if bar.is_exact else "as an estimate" for bar in bars],
        },
        alt="How many entries there were over time",
        layout={
            "dragmode": "select",
            "selectdirection": "h",
            "hovermode": "closest",
            "showlegend": False,
            "xaxis": {
                "type": "date",
                "range": [begins[0], _local(actor, bars[-1].until)],
                "title": {"text": f"Time ({_zone(actor)})"},
            },
            "yaxis": {"nticks": 3, "title": {"text": "Entries"}},
        },
        height=200,
    )


def _zone(actor: Actor) -> str:
    return actor.timezone.replace("_", " ")


def _says(actor: Actor, since: dt.datetime, entries: int, is_exact: bool) -> str:
    count = f"{entries:,}" if is_exact else f"about {float(f'{entries:.2g}'):,.0f}"
    return f"{count} from {format.moment(actor, since)}"


def _local(actor: Actor, moment: dt.datetime) -> str:
    """A moment on the axis: the person's clock, without a zone, because the axis knows none."""
    return moment.astimezone(format.zone(actor.timezone)).replace(tzinfo=None).isoformat()


def _brushed(actor: Actor, dragged: Sequence[Any]) -> None:
    ends = sorted(str(end)[:26] for end in dragged)
    zone = format.zone(actor.timezone)
    since, until = (dt.datetime.fromisoformat(end).replace(tzinfo=zone).astimezone(dt.UTC) for end in ends)
    address.range_of((since, max(until, since + dt.timedelta(milliseconds=1))))
