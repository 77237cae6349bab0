"""Fields that save as soon as they are left; what is shown is always what is stored, so others' changes arrive too."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, TypedDict

import streamlit as st

from pages._ui.sessions.opening import FOREIGN, Opened

Steps = Sequence[str]


class _Asked(TypedDict):
    """What every field is drawn with besides its value."""

    disabled: bool
    help: str | None


def text(opened: Opened, label: str, steps: Steps, *, most: int = 255) -> None:
    """A short text."""
    value = opened.value(steps)
    key = _bound(opened, steps, _text(value))
    st.text_input(
        label, key=key, max_chars=most, on_change=_take, args=(opened, key, steps, str.strip),
        **_asked(opened, value, str),
    )  # fmt: skip


def area(opened: Opened, label: str, steps: Steps, *, height: int = 90) -> None:
    """A text of a few lines; long ones belong into the editor."""
    value = opened.value(steps)
    key = _bound(opened, steps, _text(value))
    st.text_area(
        label, key=key, height=height, on_change=_take, args=(opened, key, steps, str), **_asked(opened, value, str)
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
        label, list(names), key=key, format_func=lambda option: names.get(option, option), on_change=_take,
        args=(opened, key, steps, lambda chosen: chosen or None), **_asked(opened, value, str),
    )  # fmt: skip


def choices(opened: Opened, label: str, steps: Steps, options: Mapping[str, str], *, placeholder: str) -> None:
    """Any of ``options``; references to what is gone stay until somebody takes them away, what is no text always."""
    value = opened.value(steps)
    every = value if isinstance(value, list) else []
    stored = list(dict.fromkeys(item for item in every if isinstance(item, str)))

    def chosen_of(chosen: list[str]) -> list[Any]:
        kept = [item for item in every if not isinstance(item, str) or item in chosen]
        return kept + [item for item in chosen if item not in every]

    names = {**options, **{item: f"{item} (removed)" for item in stored if item not in options}}
    key = _bound(opened, steps, stored)
    st.multiselect(
        label, list(names), key=key, format_func=lambda option: names.get(option, option), placeholder=placeholder,
        on_change=_take, args=(opened, key, steps, chosen_of), **_asked(opened, value, list),
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
        label, key=key, value=None, format=pattern, on_change=_take,
        args=(opened, key, steps, lambda chosen: chosen.isoformat() if chosen else ""), **_asked(opened, value, str),
    )  # fmt: skip


def number(
    opened: Opened, label: str, steps: Steps, *, least: float, most: float, step: float, hint: str | None = None
) -> None:
    """A number; what the browser sends instead of one is not saved, and one that is too large or small is said."""
    value = opened.value(steps)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = is_number and least <= value <= most
    if is_number and not fits:
        label = f"{label} (now: {value})"
    key = _bound(opened, steps, float(value) if fits else None)
    st.number_input(
        label, key=key, value=None, min_value=float(least), max_value=float(most), step=float(step), on_change=_take,
        args=(opened, key, steps, _finite), **_asked(opened, value, int, float, hint=hint),
    )  # fmt: skip


def _asked(opened: Opened, value: object, *kinds: type, hint: str | None = None) -> _Asked:
    """Greyed out for who may not write, and over a value of another kind, which an edit would replace."""
    foreign = not _is(value, *kinds)
    return {"disabled": foreign or not opened.may_write, "help": FOREIGN if foreign else hint}


def _is(value: object, *kinds: type) -> bool:
    """Whether it is one of these kinds, or nothing; true and false are no numbers."""
    return value is None or (isinstance(value, kinds) and not isinstance(value, bool))


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
