"""The pieces of the System screen."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nexa_core.actor import Actor
from nexa_core.system import Finding, JobCount, Verification, WaitingMail
from pages._ui import format, layout
from pages._ui.text import literal

_JOB_WORDS = {
    "todo": "Waiting",
    "doing": "Running",
    "succeeded": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "aborted": "Stopped",
}


def findings(found: Sequence[Finding]) -> None:
    """One line for each check: whether it holds or is still to come, and the sentence."""
    for finding in found:
        icon = ":green[:material/check_circle:]" if finding.ok else ":red[:material/error:]"
        if finding.is_pending:
            icon = ":gray[:material/schedule:]"
        st.markdown(f"{icon} **{literal(finding.name.capitalize())}**  \n:small[{literal(finding.sentence)}]")


def advance(bar: DeltaGenerator, done: float) -> None:
    """How far the verification is."""
    bar.progress(done, f"Verifying, {done:.0%} done")


def verification(actor: Actor, result: Verification) -> None:
    """What walking the chains found."""
    if result.verified:
        st.success(
            f"{format.number(actor, result.entries)} entries in {format.number(actor, result.chains)} chains: "
            "every link verifies.",
            icon=":material/verified:",
        )
        return
    st.error(f"{len(result.faults)} faults were found. The first of each chain:", icon=":material/gpp_bad:")
    st.dataframe(
        {
            "Chain": [fault.organization_name or "Platform" for fault in result.faults],
            "Link": [fault.sequence for fault in result.faults],
            "What is wrong": [fault.what for fault in result.faults],
        },
        hide_index=True,
        height="content",
        alt="Faults in the audit chains",
    )


def outbox(actor: Actor, mail: Sequence[WaitingMail], *, waiting: int) -> None:
    """Messages that have not left, newest first; in demo mode with the link they carry."""
    if not mail:
        layout.nothing("outgoing_mail", "No message is waiting")
        return
    for message in mail:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            trouble = f" · {message.attempts} attempts: {literal(message.last_error)}" if message.last_error else ""
            st.markdown(
                f"**{literal(message.subject)}**  \n:small[:gray[to {literal(message.recipient)} · "
                f"{format.ago(actor, message.created_at)}{trouble}]]",
                width="content",
            )
            if message.link:
                st.link_button("Follow its link", _here(message.link), icon=":material/open_in_new:")
    if waiting > len(mail):
        st.caption(f"The newest {len(mail)} of {format.number(actor, waiting)}.")


def jobs(actor: Actor, counts: Sequence[JobCount]) -> None:
    """How many jobs are in which state."""
    if not counts:
        layout.nothing("schedule", "No job has run yet")
        return
    st.dataframe(
        {
            "State": [_JOB_WORDS.get(count.status, count.status.capitalize()) for count in counts],
            "Jobs": [count.jobs for count in counts],
            "Oldest": [format.moment(actor, count.oldest) for count in counts],
        },
        hide_index=True,
        height="content",
        alt="Jobs by state",
    )


def _here(link: str) -> str:
    """The same link at the address this screen was opened at, which need not be NEXA_PUBLIC_URL."""
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
