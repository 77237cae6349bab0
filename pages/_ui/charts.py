"""Charts with NEXA's template, in light and dark: plotly figures as plain dicts, a table behind each, and its files.

A chart is never an empty frame: without anything to draw it says why. The camera above a chart saves the picture.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from nexa_core.actor import Actor
from pages._ui import format, layout

Trace = dict[str, Any]
_HEIGHT = 330
#: What else the camera can be told to save.
_PICTURES = {"png": "PNG", "svg": "SVG"}


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows. ``table`` are the same figures as columns; ``alt`` says what it shows to who cannot see it;
    ``nothing`` why there is nothing to draw, which is drawn instead. ``files`` are addresses of the data by form."""

    title: str
    traces: Sequence[Trace]
    table: Mapping[str, Sequence[Any]]
    alt: str
    nothing: tuple[str, str] | None = None
    layout: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    height: int = _HEIGHT


def theme(option: str) -> Any:
    """A value of NEXA's theme, of the ground that is shown: one place says what the colours are."""
    mode = "dark" if st.context.theme.type == "dark" else "light"
    return st.get_option(f"theme.{mode}.{option}")


def colors() -> list[str]:
    """The colours of categories, in their order."""
    return list(theme("chartCategoricalColors"))


def faint(color: str, share: float) -> str:
    """A colour of which only a share covers what is behind it."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def draw(
    actor: Actor,
    chart: Chart,
    *,
    key: str,
    clickable: bool = False,
    brushed: Callable[[Sequence[Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Draw a chart under its title, or the table behind it; the points that were clicked, if it is ``clickable``.

    ``brushed`` is called, before the screen is drawn again, with the two ends of what was dragged over, on the x axis.
    """
    with st.container(key=f"nexa-chart-{key}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{chart.title}**", width="content")
            if chart.nothing is None:
                with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center"):
                    as_table, picture = _choices(chart, key)
        if chart.nothing is not None:
            layout.nothing("monitoring", *chart.nothing)
            return []
        if as_table:
            st.dataframe(
                dict(chart.table), hide_index=True, height=chart.height, alt=f"The figures of: {chart.alt}",
                column_config={name: _column(actor, values) for name, values in chart.table.items()},
                key=f"{key}-table",
            )  # fmt: skip
            return []
        widget = f"{key}-chart-{st.context.theme.type}-{picture}"
        drawn = st.plotly_chart(
            figure(actor, chart), key=widget, theme=None, alt=chart.alt, config=_config(chart, picture),
            selection_mode="box" if brushed else "points",
            on_select=_brush(widget, brushed) if brushed else "rerun" if clickable else "ignore",
        )  # fmt: skip
    return list(drawn.selection.points) if clickable else []


def figure(actor: Actor, chart: Chart) -> dict[str, Any]:
    """The chart as plotly takes it, NEXA's template first and what is the chart's own over it."""
    ink, line = theme("textColor"), theme("borderColor")
    axis = {
        "gridcolor": line, "linecolor": line, "zerolinecolor": line, "automargin": True, "fixedrange": True,
        "tickfont": {"color": ink, "size": 12}, "title": {"font": {"color": ink, "size": 12}, "standoff": 8},
    }  # fmt: skip
    base: dict[str, Any] = {
        "height": chart.height,
        "margin": {"l": 8, "r": 12, "t": 28, "b": 8},
        "paper_bgcolor": theme("backgroundColor"),
        "plot_bgcolor": theme("backgroundColor"),
        "colorway": colors(),
        "font": {"family": '"Source Sans", "Source Sans Pro", sans-serif', "color": ink, "size": 13},
        "separators": _separators(actor),
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": theme("secondaryBackgroundColor"), "bordercolor": line, "font": {"color": ink}},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 12}},
        "dragmode": False,
        "xaxis": {**axis, "showgrid": False},
        "yaxis": {**axis, "tickformat": ",d", "rangemode": "tozero", "nticks": 6},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": theme("grayTextColor"), "activecolor": theme("primaryColor")},
    }
    return {"data": [dict(trace) for trace in chart.traces], "layout": _over(base, chart.layout)}


def days(title: str, values: Sequence[dt.date]) -> dict[str, Any]:
    """An axis of days; the title names the time zone they are days of."""
    # Few days get a tick each: plotly would divide them into hours otherwise.
    few = {"dtick": 86_400_000} if 0 < len(set(values)) <= 10 else {}
    return {"type": "date", "tickformat": "%-d %b", "hoverformat": "%a %-d %b %Y", "title": {"text": title}, **few}


def _brush(widget: str, brushed: Callable[[Sequence[Any]], None]) -> Callable[[], None]:
    def on_select() -> None:
        boxes = st.session_state[widget].selection.get("box") or []
        if boxes:
            brushed(boxes[0]["x"][:2])

    return on_select


def _choices(chart: Chart, key: str) -> tuple[bool, str]:
    as_table = st.toggle("Table", key=f"{key}-as-table", help="The figures behind the chart")
    picture = "png"
    if not chart.files and as_table:
        return as_table, picture
    with st.popover("Export", icon=":material/download:", type="tertiary"):
        if not as_table:
            picture = st.radio(
                "The camera above the chart saves", list(_PICTURES), format_func=lambda form: _PICTURES[form],
                horizontal=True, key=f"{key}-picture",
            )  # fmt: skip
        for form, address in chart.files.items():
            st.link_button(f"Data as {form.upper()}", address, icon=":material/table_view:", type="tertiary")
    return as_table, picture or "png"


def _config(chart: Chart, picture: str) -> dict[str, Any]:
    name = "-".join("".join(c if c.isalnum() else " " for c in chart.title.lower()).split())
    return {
        "displaylogo": False,
        "displayModeBar": True,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": picture, "filename": f"nexa-{name}", "scale": 2 if picture == "png" else 1},
        **chart.config,
    }


def _separators(actor: Actor) -> str:
    """Plotly's two signs: what stands before fractions, and between thousands."""
    return format.point(actor) + format.number(actor, 1000)[1:-3]


def _column(actor: Actor, values: Sequence[Any]) -> Any:
    first = next((value for value in values if value is not None), None)
    if isinstance(first, dt.date):
        return st.column_config.DateColumn(format=format.day_pattern(actor))
    if isinstance(first, int):
        return st.column_config.NumberColumn(format="localized")
    return None


def _over(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in own.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return merged
