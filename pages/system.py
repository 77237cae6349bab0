"""System: how NEXA itself is doing, what waits to leave, and whether its promises hold."""

import streamlit as st

from nexa_core import system
from pages._ui import current_actor, format, layout, status

actor = current_actor()
state = system.overview(actor)
failed = [finding for finding in state.findings if not finding.ok]

layout.title("System", "How NEXA itself is doing, what waits to leave, and whether its promises hold.")
if state.login_warning:
    st.warning(state.login_warning, icon=":material/badge:")
layout.figures(
    [
        (
            "Checks",
            "All hold" if not failed else f"{len(failed)} failed",
            "Schema, roles, row-level security and invariants",
        ),
        ("Mail waiting", format.number(actor, state.mail_waiting), "Messages that have not left yet"),
        (
            "Jobs to do",
            format.number(actor, sum(job.jobs for job in state.jobs if job.status in ("todo", "doing"))),
            None,
        ),
        ("Database", format.size(state.database_bytes), "Size on disk"),
    ]
)

left, right = st.columns(2)
with left, st.container(border=True, height="stretch"):
    st.subheader("Promises", anchor=False)
    status.findings(state.findings)
with right, st.container(border=True, height="stretch"):
    st.subheader("Versions", anchor=False)
    layout.facts(
        {
            "NEXA": state.nexa_version,
            "PostgreSQL": state.postgresql_version,
            "Streamlit": state.streamlit_version,
            "Python": state.python_version,
            "Schema": state.migration,
            "Connected as": state.login,
        }
    )

with st.container(border=True):
    st.subheader("Audit log", anchor=False)
    st.caption(
        "Every entry is a link of its organization's chain. "
        "Verifying computes each link again and names the first that was changed."
    )
    if st.button("Verify every chain", icon=":material/verified_user:"):
        bar = st.progress(0.0, "Verifying …")
        status.verification(actor, system.verify_audit(actor, progress=lambda done: status.advance(bar, done)))
        bar.empty()

with st.container(border=True):
    st.subheader("Outbox", anchor=False)
    st.caption(
        "Mail leaves through the server named in NEXA_SMTP_URL."
        if state.smtp_configured
        else "No mail server is set (NEXA_SMTP_URL): messages wait here, and in demo mode their links can be followed."
    )
    status.outbox(actor, state.mail, waiting=state.mail_waiting)

with st.container(border=True):
    st.subheader("Jobs", anchor=False)
    status.jobs(actor, state.jobs)
