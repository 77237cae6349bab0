"""How an error looks: a sentence, what to do next, and a reference under which the log tells the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import streamlit as st
import structlog

from nexa_core.architecture_sessions import ReasonNeeded
from nexa_core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    LimitExceeded,
    NexaError,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from pages._ui.gate import remembered_actor
from pages._ui.organization import words
from pages._ui.text import literal

_log = structlog.get_logger("nexa.pages")

_ASK = "Ask an owner or administrator of your organization if you need it."
# Icon and what to do next, the first class that fits.
_ADVICE: tuple[tuple[type[NexaError], str, str], ...] = (
    (Invalid, ":material/edit_note:", "Correct it and try again."),
    (Unauthenticated, ":material/lock_clock:", "Reload the page to sign in again."),
    (ReasonNeeded, ":material/lock:", ""),  # its second sentence says what to do, and nobody else can
    (Forbidden, ":material/lock:", _ASK),
    (NotFound, ":material/search_off:", "It may have been removed, or the link is not complete."),
    (Conflict, ":material/sync_problem:", "Reload the page to see how it is now, then try again."),
    (LimitExceeded, ":material/hourglass_top:", "Wait a little, then try again."),
    (Unavailable, ":material/cloud_off:", "Try again in a minute."),
)
_UNEXPECTED = "Something went wrong on our side."


def show(exc: Exception) -> bool:
    """Show ``exc`` to the person and log it under the reference shown; True, so that Streamlit shows nothing itself."""
    if isinstance(exc, NexaError):
        _show_expected(exc)
    else:
        _show_unexpected(exc)
    return True


@contextmanager
def boundary() -> Iterator[None]:
    """Whatever goes wrong inside is shown in its place; what was drawn before stays."""
    try:
        yield
    except Exception as exc:  # the outermost boundary of a rerun: everything becomes a sentence here
        show(exc)


@contextmanager
def shown_here() -> Iterator[None]:
    """Show a verb's refusal right here, beside the form it answers, and draw the rest of the page."""
    try:
        yield
    except NexaError as exc:
        _show_expected(exc)


def _show_expected(exc: NexaError) -> None:
    incident = _incident()
    _log.info("refused", incident=incident, error=type(exc).__name__, status=exc.status, sentence=exc.sentence)
    icon, advice = next(
        ((icon, advice) for kind, icon, advice in _ADVICE if isinstance(exc, kind)), (":material/error:", "Try again.")
    )
    actor = remembered_actor()
    if (". " in exc.sentence and not isinstance(exc, Forbidden)) or (
        advice == _ASK and actor is not None and actor.role in ("owner", "admin")
    ):
        advice = ""  # two sentences: the second already says what to do; and nobody is sent to themselves
    box = st.error if exc.status == 422 or exc.status >= 500 else st.warning
    box(f"{literal(words.spoken(exc.sentence))} {advice}  \n:small[Reference {incident}]", icon=icon)


def _show_unexpected(exc: Exception) -> None:
    incident = _incident()
    _log.error("unexpected", incident=incident, exc_info=exc)
    st.error(
        f"{_UNEXPECTED} It has been recorded. Try again, and if it happens again tell your administrator the reference."
        f"  \n:small[Reference {incident}]",
        icon=":material/report:",
    )


def _incident() -> str:
    """The first eight digits of the request id, which the audit log and every log line of this rerun carry too."""
    actor = remembered_actor()
    return str(actor.origin.request_id if actor else uuid4())[:8]
