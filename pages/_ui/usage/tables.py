"""The single events behind the figures of one customer: filtered, paged, and as files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import Burn, Event, EventFilter
from pages._ui import format, layout
from pages._ui.pager import pager
from pages._ui.text import literal
from pages._ui.usage import event, words

_FILTERS = {"day": "Day", "type": "Type", "person": "Person", "session": "Session"}


def events(actor: Actor, seen: Burn) -> None:
    """The events of the month, newest first; filters are set by a click on a bar, a day or a cell."""
    wanted = _wanted(seen)
    _chips(actor, seen)
    place = pager(f"events-{seen.slug}", wanted)
    found = reports.events(actor, organization_id=seen.organization_id, wanted=wanted, after=place.after, limit=50)
    if not found.items:
        layout.nothing("receipt_long", "There is no event", f"In {format.month(seen.period)} nothing fits.")
        return
    zone = format.zone(seen.time_zone)
    rows = found.items
    key = f"events-{place.after or 'first'}"
    st.dataframe(
        {
            f"Time ({seen.time_zone})": [row.occurred_at.astimezone(zone).replace(tzinfo=None) for row in rows],
            "Type": [words.event_type(row.event_type) for row in rows],
            "Credits": [row.credits for row in rows],
            "Person": [row.person or "A program" for row in rows],
            "Session": [row.title or (f"Session {row.session_id}" if row.session_id else "–") for row in rows],
            "Source": [row.source for row in rows],
            "Key": [event.key_of(row) for row in rows],
        },
        hide_index=True, height="content", key=key, on_select=lambda: _clicked(rows, key),
        selection_mode="single-cell", alt="Usage events, newest first",
        column_config={
            f"Time ({seen.time_zone})": st.column_config.DatetimeColumn(
                format=format.moment_pattern(actor, seconds=True), width=190
            ),
            "Credits": st.column_config.NumberColumn(format="localized", width=80),
            "Key": st.column_config.TextColumn(width=200, help="What names the event: it counts once"),
        },
    )  # fmt: skip
    place.draw(shown=len(rows), next_cursor=found.next_cursor)
    with st.container(horizontal=True):
        for form, address in words.files("events", organization=seen.organization_id, **_query(seen)).items():
            st.link_button(
                f"Export {form.upper()}", address, icon=":material/download:", type="tertiary",
                help="All events that the filters show, every page of them",
            )  # fmt: skip
    event.open_clicked(actor, seen, rows)


def _clicked(rows: Sequence[Event], key: str) -> None:
    """Before the screen is drawn again: a type, person or session narrows the table, any other cell opens the event."""
    cells = [cell for cell in st.session_state[key].selection.cells if cell[0] < len(rows)]
    if not cells:
        return
    row, column = rows[cells[0][0]], str(cells[0][1])
    given = {"Type": ("type", row.event_type), "Person": ("person", str(row.person_id or "none"))}
    if row.session_id:
        given["Session"] = ("session", str(row.session_id))
    if column in given:
        name, value = given[column]
        st.query_params[name] = value
    else:
        event.open_next(row)


def _wanted(seen: Burn) -> EventFilter:
    """The filters of the address; what cannot be read is looked past."""
    given = st.query_params
    number = given.get("session", "")
    return EventFilter(
        period=reports.word(seen.period),
        event_type=given.get("type"),
        person=given.get("person"),
        architecture_session=int(number) if number.isdecimal() and len(number) < 10 else None,
        day=_day(given.get("day"), seen),
    )


def _query(seen: Burn) -> dict[str, object]:
    wanted = _wanted(seen)
    return {
        "period": wanted.period, "type": wanted.event_type, "person": wanted.person,
        "session": wanted.architecture_session, "day": wanted.day,
    }  # fmt: skip


def _day(value: str | None, seen: Burn) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(value or "")
    except ValueError:
        return None
    return day if seen.period <= day <= seen.last_day else None


def _chips(actor: Actor, seen: Burn) -> None:
    """What the table is narrowed to, each with its way out."""
    given = {name: st.query_params[name] for name in _FILTERS if name in st.query_params}
    if not given:
        st.caption(
            "Click a type, person or session in the table, a bar, or a day of the chart to narrow it; any "
            "other cell opens the event."
        )
        return
    with st.container(horizontal=True, gap="small"):
        for name, value in given.items():
            st.button(
                literal(f"{_FILTERS[name]}: {_says(actor, seen, name, value)}"), key=f"chip-{name}",
                icon=":material/close:", icon_position="right", on_click=_drop, args=(name,), help="Take this away",
            )  # fmt: skip


def _says(actor: Actor, seen: Burn, name: str, value: str) -> str:
    if name == "type":
        return words.event_type(value[:50])
    if name == "day":
        day = _day(value, seen)
        return format.day(actor, day) if day else "not in this month"
    if name == "person":
        if value == "none":
            return "a program"
        people = reports.breakdown(
            actor, by="person", organization_id=seen.organization_id, period=reports.word(seen.period)
        )
        return next((part.name for part in people if part.key == value), "somebody")
    return value[:10]


def _drop(name: str) -> None:
    st.query_params.pop(name, None)
