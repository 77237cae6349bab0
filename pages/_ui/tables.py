"""Tables that more than one screen shows, or that are more than a list of columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar
from uuid import UUID

import streamlit as st

from nexa_core.actor import Actor
from pages._ui import badges, format
from pages._ui.text import literal

Row = TypeVar("Row", bound=Any)
SelectionMode = Literal["multi-row", "single-cell"]

# How much of its allowance an organization has used, the same on every screen.
_USE = {
    "Credits used": st.column_config.NumberColumn(
        format="localized", width=90, help="Credits used in the current period"
    ),
    "Allowance": st.column_config.NumberColumn(
        format="localized", width=80, help="Credits included in the current period"
    ),
    "Used": st.column_config.ProgressColumn(
        "Used", format="%d %%", min_value=0, max_value=100, width=110, help="Of the allowance of the current period"
    ),
}


def _use(actor: Actor) -> dict[str, Any]:
    return {**_USE, "Last activity": st.column_config.DateColumn(format=format.day_pattern(actor), width=100)}


def organizations(actor: Actor, rows: Sequence[Row], *, selectable: bool = False) -> tuple[Row | None, tuple[Row, ...]]:
    """Customers with their use of the allowance; the row that was clicked, or None, and those that are ticked."""
    columns: dict[str, list[Any]] = {
        "Name": [row.name for row in rows],
        "Status": [[badges.word(row.status)] for row in rows],
        "Plan": [[badges.word(row.plan)] for row in rows],
        "Members": [row.members for row in rows],
        "Credits used": [row.credits_used for row in rows],
        "Allowance": [row.credits_allowance for row in rows],
        "Used": [percent(row.credits_used, row.credits_allowance) for row in rows],
        "Last activity": [row.last_activity for row in rows],
        "Account manager": [row.account_manager or "–" for row in rows],
    }
    # Ticks are numbers of rows: another page or order is another table, so that none goes over to another row.
    shown = of_these(row.id for row in rows)
    return _selectable(
        rows,
        columns,
        key=f"organizations-{shown}",
        modes=["multi-row", "single-cell"] if selectable else ["single-cell"],
        alt="Organizations with their status, plan, members, use of the allowance and last activity",
        config={
            "Name": st.column_config.TextColumn(width=160),
            "Account manager": st.column_config.TextColumn(width=125),
            "Status": badges.column("Status", badges.ORGANIZATION_STATUSES),
            "Plan": badges.column("Plan", badges.PLANS),
            "Members": st.column_config.NumberColumn(width=70),
            **_use(actor),
        },
    )


def customers(actor: Actor, rows: Sequence[Row]) -> Row | None:
    """An account manager's own customers, with who is over; the row that was clicked, or None."""
    columns: dict[str, list[Any]] = {
        "Name": [row.name for row in rows],
        "Plan": [[badges.word(row.plan)] for row in rows],
        "Subscription": [[badges.word(row.subscription_status)] for row in rows],
        "Credits used": [row.credits_used for row in rows],
        "Allowance": [row.credits_allowance for row in rows],
        "Used": [percent(row.credits_used, row.credits_allowance) for row in rows],
        "Over by": [_over(row.credits_used, row.credits_allowance) for row in rows],
        "Last activity": [row.last_activity for row in rows],
    }
    return _clickable(
        rows,
        columns,
        key="customers",
        alt="My customers with plan, subscription, and use of the allowance",
        config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Plan": badges.column("Plan", badges.PLANS),
            "Subscription": badges.column("Subscription", badges.SUBSCRIPTION_STATUSES),
            **_use(actor),
            "Over by": st.column_config.NumberColumn(format="localized", help="Credits above the allowance"),
        },
    )


def sessions(actor: Actor, rows: Sequence[Row], *, several: bool) -> tuple[Row | None, tuple[Row, ...]]:
    """Architecture sessions, perhaps of ``several`` organizations; the clicked one, or None, and the ticked ones."""
    # A cell shows plain text: what was found is set in quotation marks.
    snippets = ["".join(f"«{piece}»" if is_find else piece for piece, is_find in row.snippet) for row in rows]
    columns: dict[str, list[Any]] = {
        "Title": [row.title for row in rows],
        **({"Found": snippets} if any(snippets) else {}),
        **({"Organization": [row.organization_name for row in rows]} if several else {}),
        "Client": [row.client or "–" for row in rows],
        "Edited": [row.updated_at for row in rows],
        "Complete": [_complete(row) for row in rows],
        "Type": ["template" if row.is_template else row.session_type for row in rows],
        "Author": [row.author_name for row in rows],
        "Tags": [list(row.tags) for row in rows],
    }
    shown = of_these(row.uuid for row in rows)
    return _selectable(
        rows,
        columns,
        key=f"sessions-{shown}",
        modes=["multi-row", "single-cell"],
        alt="Sessions with client, type, tags, how complete they are, author and last edit",
        config={
            "Title": st.column_config.TextColumn(width=230),
            "Organization": st.column_config.TextColumn(width=140),
            "Client": st.column_config.TextColumn(width=120),
            "Type": st.column_config.TextColumn(width=80),
            "Author": st.column_config.TextColumn(width=115),
            "Tags": st.column_config.ListColumn(width=150),
            "Complete": st.column_config.ProgressColumn(format="%d %%", min_value=0, max_value=100, width=95),
            "Edited": st.column_config.DatetimeColumn(
                format=format.moment_pattern(actor), timezone=actor.timezone, width=150
            ),
            "Found": st.column_config.TextColumn(width=330),
        },
    )


def sign_in(actor: Actor, row: Any) -> bool:
    """One place where the person is signed in; whether its end was asked for."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        here = " :green-badge[This one]" if row.is_current else ""
        st.markdown(
            f"**{literal(row.device)}**{here}  \n:small[:gray[{literal(row.ip_address or 'address unknown')} · "
            f"since {format.moment(actor, row.created_at)} · seen {format.ago(actor, row.last_seen_at)}]]",
            width="content",
        )
        if row.is_current:
            return False
        return st.button("End this one", key=f"end-{row.id}")


def _clickable(
    rows: Sequence[Row], columns: dict[str, list[Any]], *, key: str, alt: str, config: dict[str, Any]
) -> Row | None:
    """A table of which one row can be chosen, by a click on any of its cells."""
    return _selectable(rows, columns, key=key, alt=alt, config=config, modes=["single-cell"])[0]


def _selectable(
    rows: Sequence[Row],
    columns: dict[str, list[Any]],
    *,
    key: str,
    alt: str,
    config: dict[str, Any],
    modes: list[SelectionMode],
) -> tuple[Row | None, tuple[Row, ...]]:
    """A table of which one row can be clicked and, with the mode for it, several be ticked."""
    event = st.dataframe(
        columns, key=key, alt=alt, column_config=config, hide_index=True, height="content",
        placeholder="–", on_select="rerun", selection_mode=modes,
    )  # fmt: skip
    ticked = tuple(rows[number] for number in event.selection.rows if number < len(rows))
    return clicked(event.selection.cells, rows), ticked


def clicked(cells: Sequence[tuple[int, str]], rows: Sequence[Row]) -> Row | None:
    """The row of the cell that was clicked; None where none was, or where there are fewer rows by now."""
    return next((rows[row] for row, _ in cells if row < len(rows)), None)


def of_these(ids: Iterable[UUID]) -> str:
    """Part of a table's key: what was chosen among other rows is not chosen among these."""
    return hashlib.sha256(b"".join(one.bytes for one in ids)).hexdigest()[:16]


def percent(used: int, allowance: int | None) -> int | None:
    """How much of its allowance is used, as every screen says it: the nearest whole percent."""
    return round(100 * used / allowance) if allowance else None


def _complete(row: Any) -> int | None:
    return percent(*(sum(getattr(page, name) for page in row.progress) for name in ("done", "total")))


def _over(used: int, allowance: int | None) -> int | None:
    return used - allowance if allowance is not None and used > allowance else None
