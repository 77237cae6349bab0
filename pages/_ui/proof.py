"""The pieces of the Proof and Staff access screens."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import badges, chooser, filters, format, layout, reasons, status
from pages._ui.audit import address
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.text import literal

_FOR_EVER = "For ever"
_MONTHS = {_FOR_EVER: None, "1 year": 12, "2 years": 24, "3 years": 36, "5 years": 60, "7 years": 84, "10 years": 120}
_KIND_WORDS = {"documents": "Documents", "viewed_as": "Viewed as", "exported": "Exported", "changed": "Changed"}
_KIND_COLORS = {"documents": "orange", "viewed_as": "violet", "exported": "red", "changed": "blue"}


def headline(actor: Actor, totals: audit.ChainTotals, first: Sequence[audit.ChainState]) -> None:
    """In one line how far everything is verified, and to when; ``first`` begins with what is broken."""
    if totals.broken:
        names = ", ".join(literal(_name(state)) for state in first[:5] if state.faults)
        st.error(
            f"{format.number(actor, totals.broken)} of {format.number(actor, totals.chains)} chains do not verify: "
            f"{names}{', …' if totals.broken > 5 else ''}.",
            icon=":material/gpp_bad:",
        )
    elif totals.verified_at is None:
        st.info("Nothing is verified yet; it happens every hour, or now.", icon=":material/hourglass_top:")
    else:
        entries = format.number(actor, totals.walked_entries)
        when = format.moment(actor, totals.verified_at)
        st.success(f"Verified to {when}, {entries} entries.", icon=":material/verified:")


def figures(actor: Actor, totals: audit.ChainTotals) -> None:
    """Entries, how many are verified and sealed."""
    entries = totals.entries
    layout.figures(
        [
            ("Entries", format.number(actor, entries), "Everything these chains hold"),
            (
                "Verified",
                _share(actor, totals.verified_entries, entries),
                "Walked link by link since they were written",
            ),
            (
                "Sealed",
                _share(actor, totals.sealed_entries, entries),
                "Covered by a signature whose key is not in the database",
            ),
            ("Last seal", format.ago(actor, totals.sealed_at), "Hourly"),
        ]
    )


def chains(actor: Actor, totals: audit.ChainTotals, states: Sequence[audit.ChainState]) -> None:
    """The chains: how long, how far verified and sealed, and what is wrong with them; of many the first."""
    if totals.chains <= len(states):  # else they come in the order that the caption says
        states = sorted(states, key=_place)
    st.dataframe(
        {
            "Organization": [_name(state) for state in states],
            "Entries": [state.entries for state in states],
            "State": [_state(state) for state in states],
            "Verified": [format.moment(actor, state.verified_at) for state in states],
            "Verified entries": [state.verified_entries for state in states],
            "Sealed": [format.moment(actor, state.sealed_at) for state in states],
            "What is wrong": [state.first_fault or "–" for state in states],
        },
        column_config={
            "Entries": st.column_config.NumberColumn(format="localized", width=80),
            "Verified entries": st.column_config.NumberColumn(format="localized", width=120),
        },
        hide_index=True,
        height=420 if len(states) > 11 else "content",
        placeholder="–",
        alt="Chains of the audit log with their entries, verification and seals",
    )
    if totals.chains > len(states):
        st.caption(
            f"{format.number(actor, len(states))} of {format.number(actor, totals.chains)} chains: those that do not "
            "verify first, then those verified longest ago. The figures above are of all of them."
        )


def verify_now(actor: Actor) -> None:
    """The button that walks the chains, with how far it is."""
    may = actor.may(Permission.SYSTEM_READ) or not actor.is_staff
    if may and st.button("Verify now", icon=":material/verified_user:"):
        bar = st.progress(0.0, "Verifying …")
        with shown_here():
            result = audit.verify(actor, progress=lambda done: status.advance(bar, done))
            bar.empty()
            if result.verified:
                saved("Every link verifies")
            status.verification(actor, result)


def take_away(actor: Actor) -> None:
    """The exports, narrowed to some days if wanted, and how an outsider verifies them."""
    left, right = filters.row(1, 1)
    since = left.date_input("From", None, key="since", format=format.picker_pattern(actor))
    until = right.date_input("To, inclusive", None, key="until", format=format.picker_pattern(actor))
    moments = zip(("since", "until"), format.moments(actor, since, until), strict=True)
    wanted = {name: moment.isoformat() for name, moment in moments if moment}
    reason, may = reasons.of_export(actor, key="export-reason")
    with st.container(horizontal=True):
        for form, icon in (("ndjson", ":material/download:"), ("csv", ":material/table_view:")):
            st.link_button(f"Export as {form.upper()}", address.file(form, wanted, reason), icon=icon, disabled=not may)
        st.link_button("Verifier (Python)", "/api/audit/verify_audit_export.py", icon=":material/terminal:")
    keys = audit.seal_keys()
    options = "".join(f" --key {key.argument}" for key in keys)
    st.caption("An outsider verifies an export without NEXA and without a network:")
    st.code(f"python verify_audit_export.py EXPORT.ndjson{options}", language="bash", wrap_lines=True)
    if not keys:
        st.caption("No key seals the chains here (NEXA_SEAL_KEY): keep your exports, they are what shows a rewriting.")


def kept(actor: Actor) -> None:
    """How long the log is kept, in a sentence; for the platform's admins what else was agreed with whom."""
    own = audit.retention(actor)
    since = f", and begin on {format.day(actor, own.kept_from)}" if own.kept_from else ""
    until = "for ever" if own.keep_months is None else f"for {_years(own.keep_months)}, then archived and removed"
    st.write(f"The entries of {literal(own.organization_name)} are kept {until}{since}.")
    if own.legal_hold:
        st.info("A legal hold keeps every entry, whatever was agreed.", icon=":material/gavel:")
    if actor.may(Permission.ORGANIZATIONS_MANAGE):
        _others(audit.retentions(actor))


def retention_form(actor: Actor) -> None:
    """Change how long one organization's log is kept, or hold it; the address says whose."""
    wanted = audit.Filters.parse({"organization": st.query_params.get("organization")}).organization
    ruled = audit.retention(actor, organization_id=wanted) if wanted else None
    chooser.in_address(
        "Organization",
        lambda typed: [
            chooser.Option(str(one.id), one.name, one.detail) for one in audit.organizations_named(actor, text=typed)
        ],
        chosen=ruled.organization_name if ruled else None,
        parameter="organization",
        nothing="No organization is called that.",
    )
    if ruled is None:
        return
    chosen, name = ruled.organization_id, ruled.organization_name
    st.caption(f"Kept {_kept_for(ruled)} now{', and under legal hold' if ruled.legal_hold else ''}.")
    with st.form("retention", border=False):
        months = st.selectbox("Keep entries", list(_MONTHS))
        reason = st.text_input(
            "Reason", max_chars=500, help="It is kept in the audit log, where the customer reads it."
        )
        with st.container(horizontal=True):
            change = st.form_submit_button("Change", type="primary")
            hold = st.form_submit_button("Put under legal hold", icon=":material/gavel:")
            release = st.form_submit_button("Lift the hold")
        if not (change or hold or release):
            return
        with shown_here():
            if change:
                audit.set_retention(actor, organization_id=chosen, keep_months=_MONTHS[months], reason=reason)
                saved(f"{name}: kept {months.lower()}")
            if hold:
                audit.hold(actor, organization_id=chosen, reason=reason)
                saved(f"{name} is under legal hold")
            audit.release(actor, organization_id=chosen, reason=reason)
            saved(f"The hold on {name} is lifted")


def accesses(actor: Actor, items: Sequence[audit.StaffAccess]) -> None:
    """What staff did, newest first, each with its reason."""
    with st.container(border=True):
        for item in items:
            reason = f"Reason: {literal(item.reason)}" if item.reason else "No reason was asked for"
            st.markdown(
                f"{literal(item.sentence)} :{_KIND_COLORS[item.kind]}-badge[{_KIND_WORDS[item.kind]}]  \n"
                f":small[:gray[{format.moment(actor, item.at)} · {reason}]]"
            )


def _others(found: Sequence[audit.RetentionView]) -> None:
    if not found:
        return
    st.dataframe(
        {
            "Organization": [view.organization_name for view in found],
            "Kept": [_kept_for(view) for view in found],
            "Legal hold": [view.legal_hold for view in found],
        },
        hide_index=True,
        height="content",
        alt="Organizations whose entries are kept otherwise than for ever",
    )


def _kept_for(view: audit.RetentionView) -> str:
    return _years(view.keep_months) if view.keep_months else "for ever"


def _place(state: audit.ChainState) -> tuple[bool, bool, str]:
    """What is wrong first, then by name, what belongs to no organization last."""
    return not state.faults, state.organization_name is None, _name(state).casefold()


def _name(state: audit.ChainState) -> str:
    return state.organization_name or "No organization"


def _state(state: audit.ChainState) -> str:
    if state.faults:
        return badges.word("broken")
    return "Verified" if state.verified_at else "Not verified yet"


def _share(actor: Actor, part: int, whole: int) -> str:
    """How much of the whole: all but the few that came since, or else a percentage."""
    if not whole or part >= whole:
        return "all" if whole else "–"
    left = whole - part
    return f"all but {format.number(actor, left)}" if 100 * left <= whole else f"{100 * part // whole} %"


def _years(months: int) -> str:
    years, rest = divmod(months, 12)
    return f"{months} months" if rest else f"{years} year{'s' if years > 1 else ''}"
