"""One customer: which one, which month, its figures, and the burn against its allowance with what is to come."""

from __future__ import annotations

import datetime as dt
from itertools import accumulate
from typing import Any

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import Burn
from nexa_core.permissions import Permission
from pages._ui import badges, charts, filters, format, layout, menu, saved, shown_here
from pages._ui.charts import Chart
from pages._ui.text import literal
from pages._ui.usage import words


def choose(actor: Actor) -> None:
    """For the platform's people, whose own organization is nobody's customer."""
    layout.nothing(
        "data_usage", "Whose usage?", "Open a customer from the portfolio or from the list of organizations."
    )
    menu.to_customers(actor)


def way_back(actor: Actor) -> None:
    """For the platform's people: to all customers."""
    if menu.PORTFOLIO.is_open_to(actor):
        st.page_link(menu.PORTFOLIO.page(), label="Portfolio", icon=":material/arrow_back:")


def period() -> str | None:
    """The month that is shown; it is in the address."""
    months = words.months()
    newest, *earlier = months
    place, _ = filters.row(2, 6)
    return filters.named(place, "Period", {name: months[name] for name in earlier}, key="period", every=months[newest])


def heading(actor: Actor, seen: Burn) -> None:
    """Whose usage it is, and the ways from here."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(gap="xxsmall", width="content"):
            layout.title(
                literal(seen.name), literal(f"Usage in {format.month(seen.period)}; days are those of {seen.time_zone}")
            )
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.markdown(f"{badges.badge(seen.plan)} {badges.badge(seen.subscription_status)}", width="content")
            if actor.may(Permission.BILLING_READ):
                for screen in (menu.BILLING, menu.REHEARSAL):
                    st.page_link(screen.page(), icon=screen.icon, query_params={"organization": seen.slug})
            if actor.may(Permission.ORGANIZATIONS_BROWSE):
                st.page_link(
                    menu.ORGANIZATION.page(), label="Organization", icon=":material/domain:",
                    query_params={"organization": seen.slug},
                )  # fmt: skip
            if actor.may(Permission.PORTFOLIO_READ) and seen.organization_id != actor.organization_id:
                _tags(actor, seen)


def _tags(actor: Actor, seen: Burn) -> None:
    with st.popover("Tags", icon=":material/sell:", type="tertiary"), st.form(f"tags-{seen.slug}", border=False):
        tags = st.multiselect(
            "Tags of this customer", sorted({*reports.tags(actor), *seen.tags}), list(seen.tags),
            accept_new_options=True, help="Short words to find customers by; the customer does not see them here",
        )  # fmt: skip
        if st.form_submit_button("Save tags"):
            with shown_here():
                organizations.set_tags(actor, organization_id=seen.organization_id, tags=tags)
                saved("The tags are saved; the audit log can put the old ones back")


def figures(actor: Actor, seen: Burn) -> None:
    """What was used, of what, and where it leads."""
    values: list[tuple[str, str, str | None]] = [
        (
            "Credits",
            format.number(actor, seen.credits),
            f"In {format.month(seen.period)}, of {format.number(actor, seen.events)} events",
        ),
        (
            "Allowance",
            "no limit" if seen.allowance is None else format.number(actor, seen.allowance),
            "Beyond it use is refused" if seen.is_hard else "Beyond it use is overage",
        ),
    ]
    if seen.is_running:
        expected = format.number(actor, seen.expected[-1]) if seen.expected else "–"
        band = (
            f"Between {format.number(actor, seen.low[-1])} and {format.number(actor, seen.high[-1])} in 80 of 100 cases"
            if seen.expected
            else seen.too_little
        )
        values.append(("Expected", expected, band))
    if seen.depletes_on:
        values.append(("Runs out", format.short_day(seen.depletes_on), "The day on which the allowance is passed"))
    values.append(("Overage", format.number(actor, seen.overage), "Credits beyond the allowance"))
    if seen.charges:
        about = "What the invoice of this month comes to, before tax" + (
            ", if nothing is used any more" if seen.is_running else ""
        )
        values.append(("Invoice", words.moneys(actor, seen.charges), about))
    layout.figures(values)


def draw(actor: Actor, seen: Burn) -> None:
    """Credits since the month began: so far, expected, and in the month before; a click on a day shows its events."""
    clicked = charts.draw(
        actor, _chart(actor, seen), key=f"burn-{seen.slug}-{reports.word(seen.period)}", clickable=True
    )
    if seen.too_little:
        st.caption(f":material/info: {seen.too_little}")
    day = str(clicked[0].get("x", ""))[:10] if clicked else ""
    if day and st.query_params.get("day") != day:
        st.query_params["day"] = day
        st.rerun()


def _chart(actor: Actor, seen: Burn) -> Chart:
    length = (seen.last_day - seen.period).days + 1
    every = [seen.period + dt.timedelta(days=number) for number in range(length)]
    so_far, before = list(accumulate(seen.days)), list(accumulate(seen.before))
    palette = charts.colors()
    traces: list[dict[str, Any]] = []
    if any(before):
        same = before[:length] + before[-1:] * (length - len(before))
        traces.append(_line("The month before", every, same, charts.theme("grayColor"), dash="dot", width=1.5))
    if seen.expected:
        traces += _ahead(seen, so_far, every, palette[0])
    if so_far:
        traces.append(
            {
                **_line("So far", every[: len(so_far)], so_far, palette[0]),
                "mode": "lines+markers",
                "marker": {"size": 6},
            }
        )
    used = any(seen.days) or any(before)
    chart: dict[str, Any] = {
        "xaxis": {
            **charts.days(f"Day ({seen.time_zone})", every),
            "range": [every[0].isoformat(), every[-1].isoformat()],
        },
        "yaxis": {"title": {"text": "Credits since the month began"}},
    }
    if seen.allowance is not None:
        chart["shapes"] = [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": seen.allowance, "y1": seen.allowance,
             "line": {"color": charts.theme("redColor"), "width": 1.5, "dash": "dash"}}
        ]  # fmt: skip
        color = charts.theme("redTextColor")
        chart["annotations"] = [
            {"xref": "paper", "x": 0, "y": seen.allowance, "text": f"Allowance {format.number(actor, seen.allowance)}",
             "showarrow": False, "yshift": 9, "xanchor": "left", "font": {"color": color, "size": 12}}
        ]  # fmt: skip
    return Chart(
        title="Credits against the allowance",
        traces=traces,
        table=_table(seen, so_far, before, every),
        alt=f"Credits of {seen.name} since the month began, against an allowance of {seen.allowance or 'any number'}",
        nothing=None
        if used
        else ("Nothing was used", f"No credits were used in {format.month(seen.period)} or before."),
        layout=chart,
        files=words.files("days", organization=seen.organization_id, period=reports.word(seen.period)),
    )


def _ahead(seen: Burn, so_far: list[int], every: list[dt.date], color: str) -> list[dict[str, Any]]:
    """The band and the most likely course; both begin where the complete days end."""
    done = so_far[-2] if len(so_far) > 1 else 0
    first = len(so_far) - 1
    days = every[max(first - 1, 0) :]
    start = [done] if first else []
    low, high, expected = (start + list(part) for part in (seen.low, seen.high, seen.expected))
    edge = {"type": "scatter", "x": [day.isoformat() for day in days], "mode": "lines", "line": {"width": 0}}
    return [
        {**edge, "y": high, "name": "At most", "showlegend": False, "hovertemplate": "%{y:,d}"},
        {**edge, "y": low, "name": "At least", "fill": "tonexty", "fillcolor": charts.faint(color, 0.16),
         "showlegend": False, "hovertemplate": "%{y:,d}"},
        _line("Expected", days, expected, color, dash="dash"),
    ]  # fmt: skip


def _line(
    name: str, days: list[dt.date], values: list[int], color: str, *, dash: str = "solid", width: float = 2.5
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "name": name, "x": [day.isoformat() for day in days], "y": values,
        "line": {"color": color, "width": width, "dash": dash}, "hovertemplate": "%{y:,d}",
    }  # fmt: skip


def _table(seen: Burn, so_far: list[int], before: list[int], every: list[dt.date]) -> dict[str, list[Any]]:
    length, begin = len(every), len(so_far) - 1 if seen.expected else len(every)

    def padded(values: list[int] | tuple[int, ...], start: int = 0) -> list[int | None]:
        cells: list[int | None] = [None] * start + list(values)
        return (cells + [None] * length)[:length]

    columns: dict[str, list[Any]] = {"Day": list(every), "Credits": padded(seen.days), "So far": padded(so_far)}
    if seen.expected:
        columns |= {
            "Expected": padded(seen.expected, begin),
            "At least": padded(seen.low, begin),
            "At most": padded(seen.high, begin),
        }
    return columns | {"The month before": padded(before)}
