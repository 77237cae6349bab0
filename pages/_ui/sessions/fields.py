"""Fields that save as soon as they are left; what is shown is always what is stored, so others' changes arrive too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import streamlit as st

from pages._ui.sessions.opening import Opened

Steps = Sequence[str]


def text(opened: Opened, label: str, steps: Steps, *, most: int = 255) -> None:
    """A short text."""
    key = _bound(opened, steps, _text(opened.value(steps)))
    st.text_input(
        label, key=key, max_chars=most, disabled=not opened.may_write, on_change=_take,
        args=(opened, key, steps, str.strip),
    )  # fmt: skip


def area(opened: Opened, label: str, steps: Steps, *, height: int = 90) -> None:
    """A text of a few lines; long ones belong into the editor."""
    key = _bound(opened, steps, _text(opened.value(steps)))
    st.text_area(
        label, key=key, height=height, disabled=not opened.may_write, on_change=_take, args=(opened, key, steps, str)
    )


def choice(opened: Opened, label: str, steps: Steps, options: Mapping[str, str], *, none: str | None = None) -> None:
    """One of ``options``; ``none`` names the choice of nothing, where that is one. What is stored is always there."""
    value = opened.value(steps)
    names = {**({"": none} if none is not None else {}), **options}
    stored = value if isinstance(value, str) else ""
    if stored not in names:
        names = {stored: stored or "Not set", **names}
    key = _bound(opened, steps, stored)
    st.selectbox(
        label, list(names), key=key, format_func=lambda option: names.get(option, option),
        disabled=not opened.may_write, on_change=_take, args=(opened, key, steps, lambda chosen: chosen or None),
    )  # fmt: skip


def choices(opened: Opened, label: str, steps: Steps, options: Mapping[str, str], *, placeholder: str) -> None:
    """Any of ``options``; references to what is gone stay until somebody takes them away."""
    value = opened.value(steps)
    stored = [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
    names = {**options, **{item: f"{item} (removed)" for item in stored if item not in options}}
    key = _bound(opened, steps, stored)
    st.multiselect(
        label, list(names), key=key, format_func=lambda option: names.get(option, option), placeholder=placeholder,
        disabled=not opened.may_write, on_change=_take, args=(opened, key, steps, list),
    )  # fmt: skip


def day(opened: Opened, label: str, steps: Steps, *, pattern: str) -> None:
    """A day, kept in ISO 8601; a text that is none is shown in the label and stays until a day is chosen."""
    value = opened.value(steps)
    try:
        stored = dt.date.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        stored, label = None, f"{label} (now: {value})"
    key = _bound(opened, steps, stored)
    st.date_input(
        label, key=key, value=None, format=pattern, disabled=not opened.may_write, on_change=_take,
        args=(opened, key, steps, lambda chosen: chosen.isoformat() if chosen else ""),
    )  # fmt: skip


def number(
    opened: Opened, label: str, steps: Steps, *, least: float, most: float, step: float, hint: str | None = None
) -> None:
    """A number; what the browser sends instead of one is not saved."""
    value = opened.value(steps)
    fits = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
    key = _bound(opened, steps, float(value) if fits else None)
    st.number_input(
        label, key=key, value=None, min_value=float(least), max_value=float(most), step=float(step), help=hint,
        disabled=not opened.may_write, on_change=_take, args=(opened, key, steps, _finite),
    )  # fmt: skip


def _finite(value: float | None) -> float | None:
    return value if value is None or isfinite(value) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _bound(opened: Opened, steps: Steps, stored: Any) -> str:
    """The key of a field, which from here on shows what is stored; its callback has already taken what was typed."""
    key = f"{opened.uuid}/{'/'.join(steps)}"
    if key not in st.session_state or st.session_state[key] != stored:
        st.session_state[key] = stored
    return key


def _take(opened: Opened, key: str, steps: Steps, meaning: Callable[[Any], Any]) -> None:
    opened.put(steps, meaning(st.session_state[key]))
