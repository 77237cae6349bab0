"""The grid of effort rows: what a person changes in it becomes changes of parts, and nothing they type is drawn over.

The grid is drawn from the rows as they were when it was opened, never from its own output; Streamlit lays the person's
edits over them, as long as all that the grid is drawn with stays the same. So it is opened anew, from what is stored,
when a row went away, when the stored rows are not what the edits lead to (somebody else has changed them), and when it
is drawn with something else: deliverables with other names, a currency with other digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import pandas as pd
import streamlit as st

from nexa_core import architecture_sessions
from nexa_core.architecture_sessions import Edit
from pages._ui.sessions import parts
from pages._ui.sessions.opening import Opened

COLUMN, LIST = "loe_objects", "rows"
#: What can be edited, by the name of its column; whatever else a browser sends back is not looked at.
TEXTS = {"Task": "task", "Role": "role"}
HOURS = {"Optimistic": "optimistic_hours", "Likely": "likely_hours", "Pessimistic": "pessimistic_hours"}
_MOST = 1_000_000.0

Row = dict[str, Any]
#: The names of the deliverables, the digits of the currency, and whether the person may write.
Drawn = tuple[tuple[tuple[str, str], ...], int, bool]


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid as it was opened: ``base`` is what it was drawn from, ``expected`` what its edits lead to."""

    base: tuple[Row, ...]
    expected: tuple[Row, ...]
    drawn: Drawn
    added: tuple[str, ...] = ()
    number: int = 0

    def anew(self, rows: tuple[Row, ...]) -> Grid:
        """Another grid, from these rows; never with the key of an earlier one, whose edits the browser may hold."""
        return replace(self, base=rows, expected=rows, added=(), number=self.number + 1)


def draw(opened: Opened, deliverables: Mapping[str, str], digits: int) -> None:
    """The grid, dynamic for those who may write."""
    state = f"nexa.grid.{opened.uuid}"
    rows = tuple(parts.readable(opened.document(COLUMN), LIST))
    may_write = opened.may_add([COLUMN, LIST])
    drawn = (tuple(deliverables.items()), digits, may_write)
    grid: Grid = st.session_state.get(state) or Grid(rows, rows, drawn)
    if grid.expected != rows or grid.drawn != drawn:
        grid = replace(grid.anew(rows), drawn=drawn)
    st.session_state[state] = grid
    key = f"{state}.{grid.number}"
    unit = 10**digits
    stored = {row["deliverable"] for row in grid.base if isinstance(row.get("deliverable"), str)}
    names = {**deliverables, **{key: f"{key} (removed)" for key in stored if key not in deliverables}}
    st.data_editor(
        _table(grid.base, unit),
        key=key,
        num_rows="dynamic" if may_write else "fixed",
        disabled=not may_write,
        hide_index=True,
        height="auto",  # grows in the browser: a number of ours would make another grid of it at every row
        column_config={
            "Task": st.column_config.TextColumn(width=240, max_chars=500, required=False),
            "Role": st.column_config.TextColumn(width=135, max_chars=120),
            "Deliverable": st.column_config.SelectboxColumn(
                options=list(names), format_func=lambda option: names.get(option, option), width=175
            ),
            **{
                name: st.column_config.NumberColumn(
                    min_value=0.0, max_value=_MOST, step=0.5, format="localized", width=98, help=f"{name} hours"
                )
                for name in HOURS
            },
            "Rate": st.column_config.NumberColumn(
                min_value=0.0, max_value=_MOST, step=1 / unit if digits else 1.0, format="localized", width=86,
                help="An hour, in the currency of this estimate",
            ),
        },
        on_change=_take,
        args=(opened, state, key, unit),
        alt="Tasks with role, deliverable, hours and rate",
    )  # fmt: skip


def _table(rows: Sequence[Row], unit: int) -> pd.DataFrame:
    """The cells; with their types, for of an empty table the grid would guess them, and then refuse to be edited."""
    return pd.DataFrame(
        {
            **{name: _column([_words(row.get(field)) for row in rows], "string") for name, field in TEXTS.items()},
            "Deliverable": _column(
                [row.get("deliverable") if isinstance(row.get("deliverable"), str) else None for row in rows], "string"
            ),
            **{name: _column([_number(row.get(field)) for row in rows], "float64") for name, field in HOURS.items()},
            "Rate": _column(
                [None if (rate := _number(row.get("rate_minor"))) is None else rate / unit for row in rows], "float64"
            ),
        }
    )


def _column(values: list[Any], dtype: str) -> pd.Series[Any]:
    return pd.Series(values, dtype=dtype)


def _take(opened: Opened, state: str, key: str, unit: int) -> None:
    """What was edited since the grid was opened, less what was saved already."""
    if not opened.takes([COLUMN, LIST]):
        return
    grid: Grid = st.session_state[state]
    edits = st.session_state[key]
    rows = [dict(row) for row in grid.base]
    for number, cells in edits.get("edited_rows", {}).items():
        if int(number) < len(rows):
            rows[int(number)].update(_values(cells, unit))
    added = list(grid.added)
    for number, cells in enumerate(edits.get("added_rows", ())):
        if number == len(added):
            added.append(architecture_sessions.new_id("row"))
        rows.append({"id": added[number], **_EMPTY, **_values(cells, unit)})
    gone = {int(number) for number in edits.get("deleted_rows", ())}
    wanted = tuple(row for number, row in enumerate(rows) if number not in gone)
    anew = bool(gone) or len(edits.get("added_rows", ())) < len(grid.added)
    steps = _steps(opened, grid.expected, wanted)
    if steps and not opened.save(*steps):
        st.session_state[state] = grid.anew(grid.expected)  # as it is stored
    elif anew:
        st.session_state[state] = grid.anew(wanted)
    else:
        st.session_state[state] = replace(grid, added=tuple(added), expected=wanted)


def _steps(opened: Opened, before: Sequence[Row], after: Sequence[Row]) -> list[Edit]:
    """The edits that lead from the rows as they were saved last to the rows as they are wanted."""
    known = {row["id"]: row for row in before}
    kept = {row["id"] for row in after}
    edits = [Edit((COLUMN, LIST, row_id), op="remove") for row_id in known if row_id not in kept]
    if not isinstance(opened.document(COLUMN).get(LIST), list):
        edits.append(Edit((COLUMN, LIST), []))
    for row in after:
        if row["id"] not in known:
            edits.append(Edit((COLUMN, LIST, row["id"]), row))
        else:
            old = known[row["id"]]
            edits += [
                Edit((COLUMN, LIST, row["id"], name), value)
                for name, value in row.items()
                if name not in old or old[name] != value
            ]
    return edits


_EMPTY: Row = {
    "task": "", "role": "", "deliverable": None, "optimistic_hours": 0.0, "likely_hours": 0.0,
    "pessimistic_hours": 0.0, "rate_minor": 0,
}  # fmt: skip


def _values(cells: Mapping[str, Any], unit: int) -> Row:
    """The cells that can be edited, as a row keeps them; NaN and infinity are no hours, forged columns are nothing."""
    found: Row = {}
    for name, value in cells.items():
        if name in TEXTS:
            found[TEXTS[name]] = _words(value)
        elif name == "Deliverable":
            found["deliverable"] = value if isinstance(value, str) and value else None
        elif name in HOURS:
            found[HOURS[name]] = min(max(_number(value) or 0.0, 0.0), _MOST)
        elif name == "Rate":
            found["rate_minor"] = round(min(max(_number(value) or 0.0, 0.0), _MOST) * unit)
    return found


def _words(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: object) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if fits else None  # type: ignore[arg-type]
