"""Why somebody can or cannot do something, gate by gate, and what would change if."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.organizations import MemberView, OrganizationView
from nexa_core.permissions import Explanation, Gate
from pages._ui import badges
from pages._ui.organization import member_changes, words
from pages._ui.text import literal

_SAME = "as it is"


def draw(actor: Actor, organization: OrganizationView, member: MemberView) -> None:
    """The question about one person, its answer, and the same question under other circumstances."""
    is_platform = organization.id == actor.organization_id and actor.standing.is_platform
    left, middle, right = st.columns(3)
    email = left.selectbox(
        "Can",
        [member.email],
        key=f"can-{member.id}",
        accept_new_options=True,
        help="The chosen member; any other address can be typed, a member's or not.",
    )
    permission = middle.selectbox("do this", words.reachable(is_platform=is_platform), format_func=words.permission)
    things = organizations.resources(actor, organization_id=organization.id)
    number = right.selectbox("with", range(len(things)), format_func=lambda index: things[index].name)
    found = organizations.explain_access(
        actor, organization_id=organization.id, email=email, permission=permission.value, resource=things[number]
    )
    _answer(found)
    _what_if(actor, organization, email)


def _answer(found: Explanation) -> None:
    sentence = literal(words.spoken(found.sentence))
    if found.allowed:
        st.success(f"**Yes.** {sentence}", icon=":material/check_circle:")
    else:
        st.error(f"**No.** {sentence}", icon=":material/block:")
    st.markdown("  \n".join(_gate(gate, gate is found.deciding) for gate in found.gates))


def _gate(gate: Gate, decides: bool) -> str:
    icon = {True: ":green[:material/check:]", False: ":red[:material/close:]", None: ":gray[:material/remove:]"}[
        gate.passed
    ]
    reason = "Answered as if they were signed in." if gate.name == "sign_in" else gate.reason
    text = f"{icon} **{words.GATES.get(gate.name, gate.name)}:** {literal(words.spoken(reason))}"
    return f"{text} :violet-badge[Decides]" if decides else text


def _what_if(actor: Actor, organization: OrganizationView, email: str) -> None:
    st.markdown("**What would change if**")
    with st.container(horizontal=True):
        role = _choice("the role were", badges.ROLES)
        membership = _choice("the membership were", badges.MEMBER_STATUSES)
        account = _choice("the account were", ["active", "suspended"])
        plan = _choice("the plan were", badges.PLANS)
    if not any((role, membership, account, plan)):
        st.caption("Choose one or more; nothing is changed by looking.")
        return
    member_changes.prospect(
        organizations.what_if(
            actor,
            organization_id=organization.id,
            email=email,
            role=role,
            membership_status=membership,
            account_status=account,
            plan=plan,
        )
    )


def _choice(label: str, options: list[str]) -> str | None:
    chosen = st.selectbox(
        label,
        [_SAME, *options],
        format_func=lambda option: option if option == _SAME else badges.word(option),
        width=200,
    )
    return None if chosen == _SAME else chosen
