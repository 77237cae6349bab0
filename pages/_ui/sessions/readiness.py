"""Is it ready for the client: a score, and each finding with the way to its place."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from nexa_core.architecture_sessions import Finding, GoingOut, Readiness, Severity, assess
from pages._ui import format, menu
from pages._ui.sessions.opening import SESSION, Opened
from pages._ui.text import literal

_ICONS = {
    Severity.ERROR: ":red[:material/error:]",
    Severity.WARNING: ":orange[:material/warning:]",
    Severity.HINT: ":gray[:material/info:]",
}
_FIRST = 25
#: How many findings stand in the way of somebody who is about to share or export.
_BEFORE_GOING_OUT = 8


@st.dialog("Readiness", width="large", icon=":material/checklist:")
def dialog(opened: Opened) -> None:
    with st.spinner("Checking the four pages"):
        found = of(opened)
    summary(found)
    _findings(opened, found.findings[:_FIRST])
    if len(found.findings) > _FIRST and st.checkbox(f"Show the other {len(found.findings) - _FIRST:,} too"):
        _findings(opened, found.findings[_FIRST:])


def of(opened: Opened) -> Readiness:
    """The checks, as of today where the person is."""
    today = dt.datetime.now(format.zone(opened.actor.timezone)).date()
    return assess(opened.view.documents, today=today)


def before_going_out(opened: Opened, going: GoingOut) -> None:
    """What the organization wants to be known before something goes out: what was found, and what forbids it."""
    errors = tuple(one for one in going.readiness.findings if one.severity is Severity.ERROR)
    if going.blocked is not None:
        st.error(
            f"Your organization lets nothing out that has errors, and this session has "
            f"{'one' if len(errors) == 1 else f'{len(errors):,}'} to mend first.",
            icon=":material/block:",
        )
        _findings(opened, errors[:_BEFORE_GOING_OUT])
    elif going.warns:
        summary(going.readiness)
        with st.expander("What was found"):
            _findings(opened, going.readiness.findings[:_BEFORE_GOING_OUT])
    else:
        return
    if len(errors if going.blocked else going.readiness.findings) > _BEFORE_GOING_OUT:
        st.caption(f"The first {_BEFORE_GOING_OUT}; “Readiness” above shows all.")


def summary(found: Readiness) -> None:
    """The score in one line."""
    counts = {severity: sum(one.severity is severity for one in found.findings) for severity in Severity}
    words = [f"{count:,} {severity.value}{'s' if count != 1 else ''}" for severity, count in counts.items() if count]
    st.progress(found.score / 100, text=f"**{found.score} of 100** · {', '.join(words) or 'nothing to mend'}")


def _findings(opened: Opened, findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            line = f" (line {finding.line})" if finding.line else ""
            st.markdown(f"{_ICONS[finding.severity]} {literal(finding.sentence)}{line}", width="stretch")
            screen = menu.SESSION_PAGES.get(finding.page)
            if screen is not None:
                query = {SESSION: str(opened.uuid), **({"item": finding.part} if finding.part else {})}
                st.page_link(screen.page(), label=screen.title, icon=":material/arrow_forward:", query_params=query)
