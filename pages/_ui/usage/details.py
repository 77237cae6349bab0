"""What is below the burn of one customer: what the credits were for, when, other months, past forecasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import Burn, Part
from pages._ui import charts, filters, format
from pages._ui.charts import Chart
from pages._ui.usage import watched, words

_TABS = ("What for", "When", "Events", "Months", "Would be refused", "Track record")
_BY = {"type": "Type", "person": "Person", "session": "Session", "tag": "Tag"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BARS = 15


def tabs(actor: Actor, seen: Burn, events: Callable[[Actor, Burn], None]) -> None:
    """The tabs; only the open one is asked for, and the address says which."""
    drawn = (breakdown, hours, events, compare, watched.tab, track_record)
    places = st.tabs(list(_TABS), key="tab", bind="query-params")
    for place, draw in zip(places, drawn, strict=True):
        if place.open:
            with place:
                if draw in (hours, events) and not seen.is_kept:
                    _not_kept(seen)
                draw(actor, seen)


def _not_kept(seen: Burn) -> None:
    st.caption(
        f":material/info: Single events of {format.month(seen.period)} are no longer kept. What it used in all stays; "
        "here is only what is left of them."
    )


def breakdown(actor: Actor, seen: Burn) -> None:
    """What the credits were used for. A click on a bar shows its events."""
    by = str(
        st.segmented_control(
            "By",
            list(_BY),
            default="type",
            required=True,
            format_func=lambda name: _BY[name],
            key="by",
            bind="query-params",
            label_visibility="collapsed",
            width="content",
        )
    )
    period = reports.word(seen.period)
    parts = reports.breakdown(actor, by=by, organization_id=seen.organization_id, period=period)
    chart = _bars(parts, by, seen)
    clicked = charts.draw(actor, chart, key=f"by-{by}-{seen.slug}-{period}", clickable=by != "tag")
    if by == "tag":
        st.caption("The credits of a session with several tags count for each of them.")
    if any(part.key == "" for part in parts):
        st.caption(
            "Last is what is no single one: all but the 200 largest, and what was used by events no longer kept."
        )
    if clicked and (given := clicked[0].get("customdata")):
        key = given[0] if isinstance(given, list | tuple) else given
        _show_events(by, key)


def _bars(parts: tuple[Part, ...], by: str, seen: Burn) -> Chart:
    said = {"type": words.event_type}.get(by, lambda name: name)
    drawn = [part for part in parts if part.credits or part.credits_before][:_BARS][::-1]
    names = [_unique(said(part.name), number) for number, part in enumerate(drawn)]
    customdata = [["none" if part.key is None else part.key] for part in drawn]
    palette = charts.colors()
    return Chart(
        title=f"Credits by {_BY[by].lower()}",
        traces=[
            {"type": "bar", "orientation": "h", "name": "The month before", "y": names, "customdata": customdata,
             "x": [part.credits_before for part in drawn], "marker": {"color": charts.theme("borderColor")},
             "hovertemplate": "%{x:,d}"},
            {"type": "bar", "orientation": "h", "name": format.month(seen.period), "y": names, "customdata": customdata,
             "x": [part.credits for part in drawn], "marker": {"color": palette[0]}, "hovertemplate": "%{x:,d}"},
        ],
        table={
            _BY[by]: [said(part.name) for part in parts],
            "Credits": [part.credits for part in parts],
            "Events": [part.events for part in parts],
            "Credits, the month before": [part.credits_before for part in parts],
        },
        alt=f"Credits of {seen.name} by {by}, against the month before",
        nothing=None if drawn else ("Nothing to break down", f"No credits were used in {format.month(seen.period)}."),
        layout={
            "hovermode": "y unified", "bargap": 0.25, "legend": {"traceorder": "reversed"},
            "xaxis": {"title": {"text": "Credits"}, "tickformat": ",d", "showgrid": True, "rangemode": "tozero"},
            "yaxis": {"type": "category", "tickformat": "", "nticks": 0},
        },
        height=max(200, 90 + 34 * len(drawn)),
    )  # fmt: skip


def _unique(name: str, number: int) -> str:
    """A name of a bar, shortened; bars of one name would become one."""
    short = name if len(name) <= 42 else name[:41] + "…"
    return short + "\u200b" * number


def _show_events(by: str, key: object) -> None:
    names = {"type": "type", "person": "person", "session": "session"}
    if by not in names or not key or (by == "session" and key == "none"):
        return
    if st.query_params.get(names[by]) != str(key):
        st.query_params[names[by]] = str(key)
        st.toast("The table of events shows these now.", icon=":material/filter_alt:")
        st.rerun()


def hours(actor: Actor, seen: Burn) -> None:
    """When in the week the credits were used."""
    period = reports.word(seen.period)
    found = reports.hours(actor, organization_id=seen.organization_id, period=period)
    grid = [[0] * 24 for _ in _DAYS]
    for one in found:
        grid[one.weekday - 1][one.hour] = one.credits
    charts.draw(
        actor,
        Chart(
            title="Credits by hour of the week",
            traces=[
                {"type": "heatmap", "z": grid, "x": [f"{hour:02}" for hour in range(24)], "y": list(_DAYS), "xgap": 2,
                 "ygap": 2, "colorscale": _scale(),
                 "colorbar": {"title": {"text": "Credits"}, "tickformat": ",d", "thickness": 10},
                 "hovertemplate": "%{y}, %{x}:00 to %{x}:59<br>%{z:,d} credits<extra></extra>"}
            ],
            table={
                "Weekday": [_DAYS[one.weekday - 1] for one in found],
                "Hour": [f"{one.hour:02}:00" for one in found],
                "Events": [one.events for one in found],
                "Credits": [one.credits for one in found],
            },
            alt=f"Credits of {seen.name} by hour of the week in {seen.time_zone}",
            nothing=None if any(one.credits for one in found) else ("Nothing was used", "There is no hour to show."),
            layout={
                "hovermode": "closest",
                "xaxis": {"type": "category", "title": {"text": f"Hour ({seen.time_zone})"}},
                "yaxis": {"type": "category", "autorange": "reversed", "tickformat": "", "nticks": 0},
            },
        ),
        key=f"hours-{seen.slug}-{period}",
    )  # fmt: skip


def _scale() -> list[list[Any]]:
    found = list(charts.theme("chartSequentialColors"))
    return [[number / (len(found) - 1), color] for number, color in enumerate(found)]


def compare(actor: Actor, seen: Burn) -> None:
    """The month against another one that is chosen, by type of event."""
    others = {name: says for name, says in words.months().items() if name != reports.word(seen.period)}
    place, _ = filters.row(2, 6)
    chosen = filters.named(place, "Compare with", others, key="with", every="The month before")
    against = chosen or reports.word(reports.before(seen.period))
    other = reports.burn(actor, organization_id=seen.organization_id, period=against)
    now = {
        p.name: p
        for p in reports.breakdown(
            actor, by="type", organization_id=seen.organization_id, period=reports.word(seen.period)
        )
    }
    then = {
        p.name: p for p in reports.breakdown(actor, by="type", organization_id=seen.organization_id, period=against)
    }
    names = sorted(
        {*now, *then}, key=lambda name: -max(part.credits for part in (now.get(name), then.get(name)) if part)
    )
    here, there = format.month(seen.period), format.month(other.period)
    rows: list[tuple[str, int, int]] = [
        ("All credits", seen.credits, other.credits),
        ("All events", seen.events, other.events),
    ]
    rows += [
        (words.event_type(n), now[n].credits if n in now else 0, then[n].credits if n in then else 0) for n in names
    ]
    st.dataframe(
        {
            "What": [name for name, _, _ in rows],
            here: [value for _, value, _ in rows],
            there: [value for _, _, value in rows],
            "Difference": [value - earlier for _, value, earlier in rows],
            "Change": [words.change(value, earlier) or "–" for _, value, earlier in rows],
        },
        hide_index=True, height="content", alt=f"{here} against {there}",
        column_config={name: st.column_config.NumberColumn(format="localized") for name in (here, there, "Difference")},
    )  # fmt: skip
    if seen.is_running:
        st.caption(f"{here} is not over yet.")


def track_record(actor: Actor, seen: Burn) -> None:
    """What was predicted in the last months, against what happened."""
    record = reports.track_record(actor, organization_id=seen.organization_id)
    found = record.predictions
    palette = charts.colors()
    names = [f"{format.short_day(one.made_on)} {one.made_on.year}" for one in found]
    charts.draw(
        actor,
        Chart(
            title="What was predicted, and what happened",
            traces=[
                {"type": "scatter", "mode": "markers", "name": "Predicted, with its band", "x": names,
                 "y": [one.expected for one in found], "marker": {"color": palette[0], "size": 9},
                 "error_y": {"type": "data", "symmetric": False, "color": palette[0], "thickness": 1.5,
                             "array": [one.high - one.expected for one in found],
                             "arrayminus": [one.expected - one.low for one in found]}, "hovertemplate": "%{y:,d}"},
                {"type": "scatter", "mode": "markers", "name": "What happened", "x": names,
                 "y": [one.actual for one in found], "hovertemplate": "%{y:,d}",
                 "marker": {"size": 11, "symbol": "line-ew", "line": {"width": 3, "color": palette[1]}}},
            ],
            table={
                "Month": [format.month(one.period) for one in found],
                "Made on": [one.made_on for one in found],
                "Expected": [one.expected for one in found],
                "At least": [one.low for one in found],
                "At most": [one.high for one in found],
                "What happened": [one.actual for one in found],
                "Off by": ["–" if one.error is None else f"{one.error:+} %" for one in found],
                "In the band": ["yes" if one.is_inside else "no" for one in found],
                "How": ["stored on that day" if one.is_stored else "made now, from the days before" for one in found],
            },
            alt=f"Forecasts of {seen.name} against what happened",
            nothing=None if found else (
                "There is no forecast to judge yet",
                "It takes a month that is over, with two weeks of use before a forecast of it.",
            ),
            layout={"hovermode": "x unified",
                    "xaxis": {"type": "category", "tickangle": -45, "title": {"text": "Day of the forecast"}},
                    "yaxis": {"title": {"text": "Credits of the whole month"}}},
            height=400,
        ),
        key=f"track-{seen.slug}",
    )  # fmt: skip
    if found and record.off_by is not None:
        stored = sum(one.is_stored for one in found)
        st.caption(
            f"Off by {record.off_by} % in the median; {record.inside} % ended in their band, which is made for 80 %. "
            f"{format.number(actor, stored)} of {len(found)} were stored on their day, the others are made now, from "
            "the days before that day alone."
        )
