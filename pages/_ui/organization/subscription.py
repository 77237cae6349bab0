"""Subscription: plan, status, dates, seats and contract; another plan is previewed before it is confirmed."""

from __future__ import annotations

import streamlit as st

from nexa_core import billing, organizations
from nexa_core.actor import Actor
from nexa_core.billing import PLANS
from pages._ui import badges, current_actor, format, layout
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.organization import prices, rights
from pages._ui.text import literal


def draw(actor: Actor, organization: organizations.OrganizationView) -> None:
    """The plan, and what was agreed around it."""
    may = rights.may_run(actor, organization)
    left, right = st.columns(2)
    with left:
        with st.container(border=True):
            _plan(actor, organization, may)
        prices.draw(actor, organization)
    with right:
        _contract(actor, organization, may)


def _plan(actor: Actor, organization: organizations.OrganizationView, may: bool) -> None:
    st.subheader("Plan", anchor=False)
    plan = PLANS.get(organization.plan)
    layout.facts(
        {
            "Plan": plan.name if plan else badges.word(organization.plan),
            "Credits a month": format.number(actor, plan.monthly_credits) if plan else None,
            "Seats": (format.number(actor, plan.seats) if plan.seats is not None else "Unlimited") if plan else None,
        }
    )
    others = [key for key in PLANS if key != organization.plan]
    wanted = st.selectbox(
        "Change to",
        others,
        format_func=badges.word,
        index=None,
        placeholder="Choose a plan to compare",
        disabled=not may,
    )
    if may and wanted in others:
        terms = None if organization.is_platform else billing.terms(actor, organization_id=organization.id)
        change = organizations.change_of_plan(organization, PLANS[wanted], terms)
        comparison(change)
        if st.button(f"Change to {PLANS[wanted].name} …", icon=":material/swap_horiz:"):
            confirm_plan(organization, change)


def comparison(change: organizations.PlanChange) -> None:
    """What is paid, gained, lost and kept with another plan, and what would hurt at once."""
    if change.price:
        st.markdown(f"**Price**  \n:gray[:material/payments:] {literal(change.price)}")
    kinds = (("Gained", "green", "add_circle", change.gained), ("Lost", "red", "remove_circle", change.lost))
    for title, color, icon, sentences in kinds:
        if sentences:
            lines = "  \n".join(f":{color}[:material/{icon}:] {literal(sentence)}" for sentence in sentences)
            st.markdown(f"**{title}**  \n{lines}")
    if change.stays:
        st.markdown("**Stays**  \n" + "  \n".join(f":gray[:material/remove:] {literal(line)}" for line in change.stays))
    for warning in change.warnings:
        st.warning(literal(warning), icon=":material/warning:")


@st.dialog("Change the plan?", icon=":material/swap_horiz:")
def confirm_plan(organization: organizations.OrganizationView, change: organizations.PlanChange) -> None:
    after = PLANS[change.after].name
    st.write(f"**{literal(organization.name)}** moves from {badges.word(change.before)} to **{after}** at once.")
    comparison(change)
    with st.form("plan", border=False):
        reason = st.text_input("Reason", help="It is kept in the audit log.")
        if st.form_submit_button(f"Change to {after}", type="primary", width="stretch"):
            with shown_here():
                organizations.change_plan(
                    current_actor(),
                    organization_id=organization.id,
                    plan=change.after,
                    expected=change.before,
                    reason=reason,
                )
                saved(f"The plan is {after} now")


def _contract(actor: Actor, organization: organizations.OrganizationView, may: bool) -> None:
    data = organizations.subscription_of(organization.subscription_data)
    with st.form("contract"):
        st.subheader("Contract", anchor=False)
        statuses = layout.including(organizations.SUBSCRIPTION_STATUSES, organization.subscription_status)
        status = st.selectbox(
            "Status",
            statuses,
            layout.index_of(statuses, organization.subscription_status),
            format_func=badges.word,
            disabled=not may,
        )
        left, right = st.columns(2)
        pattern = format.picker_pattern(actor)
        trial_ends_on = left.date_input("Trial ends on", data.trial_ends_on, format=pattern, disabled=not may)
        renews_on = right.date_input("Renews on", data.renews_on, format=pattern, disabled=not may)
        seats = left.number_input(
            "Seats of the contract", min_value=0, value=data.seats, step=1, disabled=not may, placeholder="Not agreed",
            help="What was signed. What is enforced is on the tab Limits.",
        )  # fmt: skip
        notes = st.text_area(
            "Contract notes", data.contract_notes, max_chars=4_000, disabled=not may, help="The customer can read them."
        )
        reason = st.text_input("Reason", help="It is kept in the audit log.", disabled=not may, key="contract-reason")
        if st.form_submit_button("Save contract", type="primary", disabled=not may):
            with shown_here():
                organizations.update_subscription(
                    actor,
                    organization_id=organization.id,
                    status=status,
                    trial_ends_on=trial_ends_on,
                    renews_on=renews_on,
                    seats=seats,
                    contract_notes=notes,
                    reason=reason,
                )
                saved("The contract is saved")
    if data.others:
        with st.expander("What else is noted", icon=":material/data_object:"):
            st.code(organizations.as_json(data.others), language="json")
