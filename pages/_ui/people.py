"""The pieces of the list of people and of the page of one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import streamlit as st

from nexa_core import accounts
from nexa_core.accounts import PersonRow, PersonView
from nexa_core.actor import Actor
from pages._ui import badges, format, home, layout, tables
from pages._ui.people_dialogs import DIALOGS, end_sign_in, erase, view_as
from pages._ui.text import literal

_ASKED = "person"


def asked_for() -> UUID | None:
    """Whose page the address names; None when it names nobody's."""
    try:
        return UUID(st.query_params.get(_ASKED, ""))
    except ValueError:
        return None


def table(actor: Actor, rows: Sequence[PersonRow]) -> PersonRow | None:
    """People with their state and organizations; the row that was clicked, or None."""
    columns: dict[str, list[Any]] = {
        "Name": [row.full_name for row in rows],
        "E-mail address": [row.email for row in rows],
        "Status": [[badges.word("locked" if row.is_locked else row.status)] for row in rows],
        "Organizations": [_named(row) for row in rows],
        "Last sign-in": [format.ago(actor, row.last_login_at) for row in rows],
        "Since": [format.day(actor, row.created_at) for row in rows],
    }
    event = st.dataframe(
        columns, key="people", alt="People with status, organizations and last sign-in", hide_index=True,
        height="content", placeholder="–", on_select="rerun", selection_mode="single-cell",
        column_config={
            "Name": st.column_config.TextColumn(width=175),
            "E-mail address": st.column_config.TextColumn(width=225),
            "Status": badges.column("Status", [*badges.USER_STATUSES, "locked"]),
            "Last sign-in": st.column_config.TextColumn(width=115),
        },
    )  # fmt: skip
    return tables.clicked(event.selection.cells, rows)


def caption(person: PersonView) -> str:
    """The line below the name."""
    return person.email if person.erased_at is None else "Nothing is kept of who this was."


def states(person: PersonView) -> list[str]:
    """What the person is, as badges."""
    if person.erased_at is not None:
        return ["erased"]
    staff = any(m.is_platform and m.status == "active" for m in person.memberships)
    return [person.status, *(["locked"] if person.lock else []), *(["platform_staff"] if staff else [])]


def lock(actor: Actor, person: PersonView) -> None:
    """Why somebody is locked, until when and by which attempts, in one sentence; and the way out."""
    if person.lock is None:
        return
    tried = person.lock.attempts
    sentence = f"Locked until {format.moment(actor, person.lock.until)}, because {person.lock.failures} sign-ins failed"
    if tried:
        between = {format.moment(actor, tried[0].at), format.moment(actor, tried[-1].at)}
        places = sorted({f"{one.ip_address or 'an unknown address'} with {one.device}" for one in tried})
        sentence += f" ({' to '.join(sorted(between))}) from {' and '.join(places[:3])}"
    if person.lock.times_in_a_row > 1:
        sentence += f"; it is lock number {person.lock.times_in_a_row} in a row"
    st.warning(literal(sentence + "."), icon=":material/lock_clock:")


def erased(actor: Actor, person: PersonView) -> None:
    """The certificate of somebody who was erased."""
    if person.erased_at is None:
        return
    found = accounts.certificate(actor, user_id=person.id)
    with st.container(border=True):
        st.subheader("Certificate of erasure", anchor=False)
        layout.facts(
            {
                "Number": str(found.number)[:8].upper(),
                "Erased": format.moment(actor, found.erased_at),
                "Places that still name the person": format.number(actor, found.remaining),
                "Places with a name of one word, which may be anybody's": (
                    format.number(actor, found.one_word) if found.one_word else None
                ),
                "Audit entries without their content": format.number(actor, found.audit_entries),
                "Texts in which the name was replaced": format.number(actor, found.texts),
                "Memberships, sign-ins and mails removed": " / ".join(
                    format.number(actor, n) for n in (found.memberships, found.sign_ins, found.mail)
                ),
                "Credits used by all, before and after": format.number(actor, found.credits),
            }
        )
        if found.names_kept:
            where = ", ".join(f"{place} ({format.number(actor, held)})" for place, held in sorted(found.kept.items()))
            st.caption(
                literal(f"Names that were kept as somebody else's: {found.names_kept}; in {where or 'no text'}.")
            )
        if found.archives:
            st.caption(literal(f"Archives of the audit log keep what they hold: {', '.join(found.archives)}."))


def actions(actor: Actor, person: PersonView) -> None:
    """What an admin can do, each with its question before."""
    if person.erased_at is not None:
        return
    is_self = person.id == actor.user_id
    offered = {
        "Unlock": person.lock is not None,
        "Send reset link": person.status == "active",
        "Suspend": person.status == "active" and not is_self,
        "Resume": person.status == "suspended",
        "Delete": person.deleted_at is None and not is_self,
        "Restore": person.deleted_at is not None,
    }
    with st.container(horizontal=True, gap="small"):
        for label, possible in offered.items():
            if possible and st.button(label, icon=DIALOGS[label].icon, key=f"person-{label}"):
                DIALOGS[label].ask(person)


def account(actor: Actor, person: PersonView) -> None:
    """What is known of the account."""
    layout.facts(
        {
            "Last sign-in": format.ago(actor, person.last_login_at),
            "Sign-ins so far": format.number(actor, person.login_count),
            "Address confirmed": "yes" if person.is_verified else "no",
            "Time zone": person.timezone,
            "Account since": format.day(actor, person.created_at),
            "Deleted": format.day(actor, person.deleted_at) if person.deleted_at else None,
            "Sessions written": format.number(actor, person.sessions_written),
            "Account manager of": ", ".join(person.customers_managed) or None,
        }
    )


def memberships(person: PersonView) -> None:
    """Where the person belongs, each with the way to the organization and to look with the person's eyes."""
    if not person.memberships:
        layout.nothing("domain_disabled", "Belongs to no organization")
    for row in person.memberships:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(gap="xxsmall", width="content"):
                home.to_organization(row.organization_slug, row.organization_name, ":material/apartment:")
                state = "" if row.organization_status == "active" else f" {badges.badge(row.organization_status)}"
                alone = " :orange-badge[Only owner]" if row.is_last_owner else ""
                st.markdown(f"{badges.badge(row.role)} {badges.badge(row.status)}{state}{alone}")
            could_look = row.status == row.organization_status == person.status == "active" and not row.is_platform
            key = f"view-{row.organization_id}"
            if could_look and st.button("View as", icon=":material/visibility:", key=key):
                view_as(person.id, row.organization_id, person.full_name, row.organization_name)


def sign_ins(actor: Actor, person: PersonView) -> None:
    """Where the person is signed in now, to end one or all."""
    if not person.sign_ins:
        st.caption("Nowhere.")
        return
    for row in person.sign_ins:
        if tables.sign_in(actor, row):
            end_sign_in(person.id, row.id, row.device)
    if len(person.sign_ins) > 1 and st.button("End all", icon=":material/logout:"):
        end_sign_in(person.id, None, f"All {len(person.sign_ins)} sign-ins")


def timeline(actor: Actor, person: PersonView) -> None:
    """What happened to the account, the newest first."""
    if not person.timeline:
        st.caption("Nothing has happened yet.")
        return
    st.dataframe(
        {
            "When": [format.moment(actor, event.at) for event in person.timeline],
            "What": [event.what for event in person.timeline],
            "By": [event.by_somebody_else or "–" for event in person.timeline],
            "Address": [event.ip_address or "–" for event in person.timeline],
            "Device": [event.device for event in person.timeline],
            "Why": [event.reason or "–" for event in person.timeline],
        },
        column_config={
            "When": st.column_config.TextColumn(width=145),
            "What": st.column_config.TextColumn(width=265),
            "By": st.column_config.TextColumn(width=120),
            "Address": st.column_config.TextColumn(width=125),
            "Device": st.column_config.TextColumn(width=130),
            "Why": st.column_config.TextColumn(width=220),
        },
        hide_index=True,
        height="content" if len(person.timeline) < 15 else 560,
        alt="Security events with time, address and device",
    )


def privacy(person: PersonView) -> None:
    """Hand out everything there is, or erase it."""
    st.caption("Everything NEXA holds about this person, or nothing any more. Both are recorded with a reason.")
    with st.container(horizontal=True, gap="small"):
        if st.button("Export everything", icon=":material/folder_zip:"):
            DIALOGS["Export everything"].ask(person)
        if st.button("Erase for good", icon=":material/delete_forever:"):
            erase(person.id, person.email)


def _named(row: PersonRow) -> str:
    few = ", ".join(row.organizations[:2])
    return few + (f" and {len(row.organizations) - 2} more" if len(row.organizations) > 2 else "") or "–"
