"""The histogram over the entries: how much happened when; a brush over it narrows the range."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.audit import Activity, Filters
from pages._ui import format
from pages._ui.audit import address


def draw(actor: Actor, activity: Activity, filters: Filters) -> None:
    """Bars in the person's time; what is estimated is paler, and the line below says how to read it."""
    if not activity.bars:
        return
    key = f"audit-activity-{filters.since}-{filters.until}"
    if len(activity.bars) > 1:
        st.plotly_chart(
            _figure(actor, activity),
            key=key,
            on_select=lambda: _brushed(actor, key),
            selection_mode="box",
            config={"displayModeBar": False},
            alt="How many entries there were over time",
        )
    total = activity.total
    count = "1,000+ entries" if total is None else f"{format.number(actor, total)} entr{'y' if total == 1 else 'ies'}"
    about = ", paler bars are estimates" if any(not bar.is_exact for bar in activity.bars) else ""
    beside = "; the text is not counted" if filters.text else ""
    brush = " Drag over the bars to narrow the time." if len(activity.bars) > 1 else ""
    st.caption(f"{count}{about}{beside}. Times are those of {actor.timezone.replace('_', ' ')}.{brush}")


def _figure(actor: Actor, activity: Activity) -> dict[str, Any]:
    color = "#4fb3bd" if st.context.theme.type == "dark" else "#0b6b74"
    begins = [_local(actor, bar.since) for bar in activity.bars]
    return {
        "data": [
            {
                "type": "bar",
                "x": begins,
                "y": [bar.entries for bar in activity.bars],
                "width": [(bar.until - bar.since).total_seconds() * 1000 * 0.9 for bar in activity.bars],
                "offset": 0,
                "marker": {"color": color, "opacity": [1 if bar.is_exact else 0.6 for bar in activity.bars]},
                "hovertext": [_says(actor, bar.since, bar.entries, bar.is_exact) for bar in activity.bars],
                "hoverinfo": "text",
                "unselected": {"marker": {"opacity": 0.3}},
            }
        ],
        "layout": {
            "height": 130,
            "margin": {"l": 0, "r": 0, "t": 6, "b": 0},
            "dragmode": "select",
            "selectdirection": "h",
            "showlegend": False,
            "xaxis": {"type": "date", "fixedrange": True, "range": [begins[0], _local(actor, activity.bars[-1].until)]},
            "yaxis": {"fixedrange": True, "nticks": 3, "rangemode": "tozero", "tickformat": ",d"},
        },
    }


def _says(actor: Actor, since: dt.datetime, entries: int, is_exact: bool) -> str:
    count = f"{entries:,}" if is_exact else f"about {float(f'{entries:.2g}'):,.0f}"
    return f"{count} from {format.moment(actor, since)}"


def _local(actor: Actor, moment: dt.datetime) -> str:
    """A moment on the axis: the person's clock, without a zone, because the axis knows none."""
    return moment.astimezone(format.zone(actor.timezone)).replace(tzinfo=None).isoformat()


def _brushed(actor: Actor, key: str) -> None:
    boxes = st.session_state[key].selection.get("box") or []
    if not boxes:
        return
    ends = sorted(str(end)[:26] for end in boxes[0]["x"][:2])
    zone = format.zone(actor.timezone)
    since, until = (dt.datetime.fromisoformat(end).replace(tzinfo=zone).astimezone(dt.UTC) for end in ends)
    address.range_of((since, max(until, since + dt.timedelta(milliseconds=1))))
