"""How screens are laid out: the card of the public screens, titles, rows of figures and what an empty list says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape

import streamlit as st

from pages._ui import marks
from pages._ui.text import literal

PASSWORD_ADVICE = "15 characters or more; a few words in a row are easy to remember. Nothing else is asked of it."  # noqa: S105
_PERSON_ICONS = {
    "admin": ":material/shield_person:",
    "manager": ":material/support_agent:",
    "presenter": ":material/co_present:",
    "owner": ":material/storefront:",
}


@contextmanager
def card() -> Iterator[None]:
    """The narrow column in the middle that the public screens stand in."""
    with st.container(horizontal_alignment="center"), st.container(width=420, gap="xsmall"):
        yield


def brand(line: str) -> None:
    """The logo and one line under it, centred."""
    st.space("small")
    with st.container(horizontal_alignment="center", gap="xsmall"):
        st.image(marks.logo(st.context.theme.type), width=150, alt="NEXA")
        st.caption(line, text_alignment="center")


def way_to_sign_in() -> None:
    """The link from a public screen to the start."""
    st.markdown("[Go to the sign-in screen](/)", text_alignment="center")


def person_icon(email: str) -> str:
    """The icon of a demo account."""
    return _PERSON_ICONS.get(email.partition("@")[0], ":material/person:")


def title(text: str, caption: str | None = None) -> None:
    """A screen's title, and in one line what it shows."""
    with st.container(gap="xxsmall"):
        st.title(text, anchor=False)
        if caption:
            st.caption(caption)


def not_the_same() -> None:
    """Beside a form with a new password: its two entries differ."""
    st.error("The two entries of the new password are not the same.", icon=":material/error:")


def figures(values: Sequence[tuple[str, str, str | None]]) -> None:
    """A row of figures: label, value, and a help text or None. It wraps on a narrow screen."""
    with st.grid(len(values), min_column_width=150):
        for label, value, meaning in values:
            st.metric(label, value, help=meaning, border=True, height="stretch")


def nothing(icon: str, sentence: str, hint: str = "") -> None:
    """What stands where a list would be."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f":gray[:material/{icon}:] **{sentence}**", text_alignment="center")
        if hint:
            st.caption(hint, text_alignment="center")
        st.space("small")


@contextmanager
def header(text: str, caption: str, *, picture: str | None = None) -> Iterator[None]:
    """A title with a picture beside it, where there is one."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        if picture and picture.startswith("/"):  # one of ours; st.image would look for it on the disk
            st.html(f'<img src="{escape(picture)}" alt="" width="56">', width="content")
        elif picture:
            st.image(picture, width=56, alt="")
        with st.container(gap="xxsmall"):
            title(text, caption)
            yield


def including(options: Sequence[str], value: str) -> Sequence[str]:
    """``options`` with ``value`` among them, whatever was stored."""
    return options if value in options else (value, *options)


def index_of(options: Sequence[str], value: str) -> int:
    """Where ``value`` is among ``including(options, value)``."""
    return options.index(value) if value in options else 0


def facts(values: Mapping[str, str | None]) -> None:
    """A short list of what is known; a dash stands for what is not."""
    st.table(
        {label: literal(value) if value else "–" for label, value in values.items()},
        border="horizontal",
        alt="What is known",
    )
