"""Is it ready for the client: a score, and each finding with the way to its place."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from nexa_core.architecture_sessions.findings import Finding, Severity
from nexa_core.architecture_sessions.readiness import Readiness, assess
from pages._ui import format, menu
from pages._ui.sessions.opening import SESSION, Opened
from pages._ui.text import literal

_ICONS = {
    Severity.ERROR: ":red[:material/error:]",
    Severity.WARNING: ":orange[:material/warning:]",
    Severity.HINT: ":gray[:material/info:]",
}
_PAGES = {"structuring": menu.STRUCTURING, "sow": menu.SOW, "loe": menu.LOE, "visuals": menu.VISUALS}
_FIRST = 25


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
            screen = _PAGES.get(finding.page)
            if screen is not None:
                query = {SESSION: str(opened.uuid), **({"item": finding.part} if finding.part else {})}
                st.page_link(screen.page(), label=screen.title, icon=":material/arrow_forward:", query_params=query)
