"""Domains: which are the organization's, how far their proof is, and who joins by them."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.organizations import BlastRadius, DomainView, OrganizationView
from nexa_core.permissions import Permission
from pages._ui import badges, current_actor, format, layout, saved, shown_here
from pages._ui.text import literal

_WHY = "Reason (kept in the audit log)"
_VERDICTS = {
    "joins": "Would join", "member": "Belongs already", "paused": "Membership is suspended",
    "invited": "Is invited already", "waiting": "Waits to be let in already",
    "removed": "Was removed, does not come back", "suspended": "Account is suspended", "pending": "Has no password yet",
}  # fmt: skip


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The domains of one organization, the queue of those who ask to join, and a form to add one."""
    is_own = organization.id == actor.organization_id
    may_manage = actor.may(Permission.ORGANIZATION_MANAGE if is_own else Permission.ORGANIZATIONS_MANAGE)
    if actor.may(Permission.MEMBERS_MANAGE if is_own else Permission.ORGANIZATIONS_MANAGE):
        _queue(actor, organization.id)
    found = organizations.domains(actor, organization_id=organization.id)
    if not found:
        layout.nothing("alternate_email", "No domain yet", "Prove a domain, and people with an address of it can join.")
    for domain in found:
        with st.container(border=True):
            _one(actor, organization, domain, may_manage=may_manage)
    if may_manage:
        _add(actor, organization.id, known=len(found))


def _one(actor: Actor, organization: OrganizationView, domain: DomainView, *, may_manage: bool) -> None:
    key, organization_id = str(domain.id), organization.id
    offered = organizations.offers_joining(organization.plan, organization.usage_limits)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{literal(domain.readable)}** {_badges(domain, offered=offered)}", width="content")
        if may_manage and st.button("Remove", key=f"remove-{key}", type="tertiary", icon=":material/delete:"):
            _remove(organization_id, domain)
    st.caption(_state(actor, domain, offered=offered))
    if domain.proven_by is None and may_manage:
        st.markdown("Set this TXT record where the DNS of the domain is run:")
        name, value = st.columns((2, 3))
        name.code(domain.record_name, language=None, wrap_lines=True)
        value.code(domain.record_value, language=None, wrap_lines=True)
    if not may_manage:
        return
    with st.container(horizontal=True, gap="small"):
        if domain.proven_by != "admin" and st.button("Check now", key=f"check-{key}", icon=":material/dns:"):
            with shown_here():
                check = organizations.check_domain(actor, organization_id=organization_id, domain_id=domain.id)
                if check.proven:
                    saved(check.sentence)
                st.warning(literal(check.sentence), icon=":material/dns:")
        staff = actor.may(Permission.ORGANIZATIONS_MANAGE)
        if (
            staff
            and domain.proven_by is None
            and st.button("Accept without proof", key=f"accept-{key}", icon=":material/verified_user:")
        ):
            _accept(organization_id, domain)
        # Without it in the plan there is nothing to choose, but to stop what began before.
        choice = domain.proven_by and (offered or domain.auto_join)
        if choice and st.button("Who joins", key=f"join-{key}", icon=":material/group_add:"):
            _joining(organization_id, domain)


def _badges(domain: DomainView, *, offered: bool) -> str:
    if domain.proven_by is None:
        return ":orange-badge[Not proven]"
    how = ":red-badge[Record missing]" if domain.missing_since else ":green-badge[Proven]"
    if not domain.auto_join:
        return how
    return f"{how} {':blue-badge[People join]' if offered else ':orange-badge[Not in the plan]'}"


def _state(actor: Actor, domain: DomainView, *, offered: bool) -> str:
    if domain.proven_by is None:
        looked = "not looked for yet"
        if domain.checked_at:
            looked = f"last looked for {format.ago(actor, domain.checked_at)}"
        return f"A claim proves nothing: the record below does ({looked})."
    if domain.proven_by == "admin":
        proof = f"Accepted by {literal(domain.accepted_by or 'NEXA')} on {format.day(actor, domain.verified_at)}."
    else:
        proof = f"Proven by DNS on {format.day(actor, domain.verified_at)}, looked for again every week."
    if domain.missing_since:
        return f"{proof} The record has been missing since {format.day(actor, domain.missing_since)}: nobody joins."
    if not offered:
        return f"{proof} The plan does not include joining by domain: nobody joins."
    if not domain.auto_join:
        return f"{proof} Nobody joins by it."
    waits = ", once an owner has let them in" if domain.approval_required else ""
    return f"{proof} People with a confirmed address of it join as {domain.auto_join_role}{waits}."


def _queue(actor: Actor, organization_id: UUID) -> None:
    waiting = organizations.join_requests(actor, organization_id=organization_id)
    if not waiting:
        return
    with st.container(border=True):
        st.subheader(f"{len(waiting)} waiting to be let in", anchor=False)
        for request in waiting:
            key = str(request.membership_id)
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(
                    f"**{literal(request.full_name)}** {badges.badge(request.role)}  \n:small[:gray["
                    f"{literal(request.email)} · asked {format.ago(actor, request.requested_at)}]]",
                    width="content",
                )
                with st.container(horizontal=True, width="content", gap="small"):
                    if st.button("Let in", key=f"in-{key}", type="primary"):
                        with shown_here():
                            organizations.approve_join(
                                actor, organization_id=organization_id, membership_id=request.membership_id
                            )
                            saved(f"{request.full_name} is in")
                    if st.button("Decline", key=f"out-{key}"):
                        _decline(organization_id, request.membership_id, request.full_name)


def _add(actor: Actor, organization_id: UUID, *, known: int) -> None:
    """The form; a new one once a domain is added, the same while it is refused."""
    staff = actor.may(Permission.ORGANIZATIONS_MANAGE)
    with st.form(f"add-domain-{known}"):
        st.markdown("**Add a domain**")
        domain = st.text_input("Domain", placeholder="customer.com", max_chars=300, autocomplete="off")
        reason = ""
        if staff:
            reason = st.text_input(
                "Reason for an exception", max_chars=1000,
                help="Only for a domain that looks like somebody else's and is the customer's own all the same.",
            )  # fmt: skip
        if st.form_submit_button("Add"):
            with shown_here():
                added = organizations.add_domain(actor, organization_id=organization_id, domain=domain, reason=reason)
                saved(f"{added.readable} is added; now prove it")


@st.dialog("Remove this domain?", icon=":material/delete:")
def _remove(organization_id: UUID, domain: DomainView) -> None:
    st.write(f"Nobody joins by **{literal(domain.readable)}** any more. Who has joined stays.")
    reason = st.text_input(_WHY, max_chars=1000) if domain.proven_by else ""
    if st.button("Remove", type="primary", width="stretch"):
        with shown_here():
            organizations.remove_domain(
                current_actor(), organization_id=organization_id, domain_id=domain.id, reason=reason
            )
            saved(f"{domain.readable} is removed")


@st.dialog("Accept without its DNS record?", icon=":material/verified_user:")
def _accept(organization_id: UUID, domain: DomainView) -> None:
    st.write(f"**{literal(domain.readable)}** counts as proven on your word, and is not looked for again.")
    reason = st.text_input(_WHY, max_chars=1000)
    if st.button("Accept", type="primary", width="stretch"):
        with shown_here():
            organizations.accept_domain(
                current_actor(), organization_id=organization_id, domain_id=domain.id, reason=reason
            )
            saved(f"{domain.readable} is accepted")


@st.dialog("Decline?", icon=":material/person_off:")
def _decline(organization_id: UUID, membership_id: UUID, name: str) -> None:
    st.write(f"**{literal(name)}** stays out; the membership is kept as suspended, so that the domain asks no more.")
    reason = st.text_input(_WHY, max_chars=1000)
    if st.button("Decline", type="primary", width="stretch"):
        with shown_here():
            organizations.decline_join(
                current_actor(), organization_id=organization_id, membership_id=membership_id, reason=reason
            )
            saved(f"{name} is declined")


@st.dialog("Who joins by this domain", icon=":material/group_add:", width="medium")
def _joining(organization_id: UUID, domain: DomainView) -> None:
    actor = current_actor()
    enabled = st.toggle(f"People with a confirmed address of {domain.readable} join", domain.auto_join)
    roles = layout.including(organizations.joining_roles(actor, organization_id=organization_id), domain.auto_join_role)
    role = st.selectbox("As", roles, roles.index(domain.auto_join_role), format_func=badges.word, disabled=not enabled)
    approval = st.toggle("An owner lets each of them in", domain.approval_required, disabled=not enabled)
    expected: list[UUID] = []
    if enabled and not domain.auto_join:
        with shown_here():
            radius = organizations.blast_radius(actor, organization_id=organization_id, domain_id=domain.id)
            expected = [one.user_id for one in radius.joining]
            _radius(radius, approval=approval)
    reason = st.text_input(f"{_WHY}, if you like", max_chars=1000)
    st.caption("Each needs their own confirmed address. Who was removed comes back by an invitation only.")
    if st.button("Save", type="primary", width="stretch"):
        with shown_here():
            joined = organizations.set_joining(
                actor, organization_id=organization_id, domain_id=domain.id, enabled=enabled, role=role,
                approval_required=approval, expected=expected, reason=reason,
            )  # fmt: skip
            word = "are in the queue" if approval else "have joined"
            saved(f"Saved; {joined} existing people {word}" if joined else "Saved")


def _radius(radius: BlastRadius, *, approval: bool) -> None:
    """What switching it on does to people who exist."""
    count = len(radius.joining)
    seats = f" of {radius.seats} seats" if radius.seats is not None else ""
    if approval:
        st.info(f"{count} existing people would wait to be let in.", icon=":material/group_add:")
    elif radius.fits:
        st.info(
            f"{count} existing people would join at once; {radius.members_after}{seats} are taken then.",
            icon=":material/group_add:",
        )
    else:
        st.error(f"{count} people would join, which makes {radius.members_after}{seats}.", icon=":material/error:")
    if radius.candidates:
        st.dataframe(
            {
                "Name": [one.full_name for one in radius.candidates],
                "E-mail address": [one.email for one in radius.candidates],
                "What happens": [_VERDICTS.get(one.verdict, one.verdict) for one in radius.candidates],
            },
            hide_index=True,
            height="content" if len(radius.candidates) < 8 else 300,
            alt="Existing people with an address of this domain, and what happens to them",
        )
