"""One organization, to look at: what it is, who is in it, what it subscribed to and what its limits are."""

import streamlit as st

from nexa_core import organizations
from nexa_core.permissions import Permission
from pages._ui import badges, current_actor, format, home, layout, menu
from pages._ui.organization import invitations, members
from pages._ui.text import literal

actor = current_actor()
slug = st.query_params.get("organization")
organization = organizations.get(actor, slug=slug) if slug else organizations.current(actor)

if actor.may(Permission.ORGANIZATIONS_BROWSE):
    st.page_link(menu.ORGANIZATIONS.page(), label="Organizations", icon=":material/arrow_back:")
states = dict.fromkeys((organization.status, organization.plan, organization.subscription_status))
with layout.header(literal(organization.name), organization.slug, picture=organization.logo_url):
    st.markdown(" ".join(badges.badge(state) for state in states))

home.own_organization(actor, organization)

overview, subscription = st.columns(2)
with overview.container(border=True, height="stretch"):
    st.subheader("Overview", anchor=False)
    layout.facts(
        {
            "Domain": organization.domain,
            "Time zone": organization.time_zone,
            "Account manager": organization.account_manager,
            "Customer since": format.day(actor, organization.created_at),
            "Last activity": format.ago(actor, organization.last_activity),
        }
    )
with subscription.container(border=True, height="stretch"):
    st.subheader("Subscription and limits", anchor=False)
    layout.facts(
        {
            "Plan": badges.word(organization.plan),
            "State": badges.word(organization.subscription_status),
            "Billing address": organization.billing_email,
            **layout.limits(actor, organization.usage_limits),
        }
    )

if actor.may(Permission.MEMBERS_READ):
    who, asked = st.tabs(["Members", "Invitations"], key="tab", on_change="rerun")
    if who.open:
        with who:
            members.draw(actor, organization)
    if asked.open:
        with asked:
            invitations.draw(actor, organization)
