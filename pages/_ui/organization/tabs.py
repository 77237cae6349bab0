"""The tabs of an organization's page: only the open one runs, and the address says which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.organizations import OrganizationView
from nexa_core.permissions import Permission
from pages._ui.organization import (
    api_keys,
    audit,
    business,
    domains,
    invitations,
    limits,
    members,
    profile,
    subscription,
)

_TAB = "tab"


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab; without the permission it is not there."""

    title: str
    draw: Callable[[Actor, OrganizationView], None]
    permission: Permission = Permission.ORGANIZATION_READ


TABS = (
    Tab("Profile", profile.draw),
    Tab("Business", business.draw, Permission.BILLING_READ),
    Tab("Subscription", subscription.draw, Permission.BILLING_READ),
    Tab("Limits", limits.draw, Permission.BILLING_READ),
    Tab("Members", members.draw, Permission.MEMBERS_READ),
    Tab("Invitations", invitations.draw, Permission.MEMBERS_READ),
    Tab("Domains", domains.draw, Permission.MEMBERS_READ),
    Tab("API keys", api_keys.draw, Permission.MEMBERS_READ),
    Tab("Audit", audit.draw, Permission.AUDIT_READ),
)


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The tabs this person has; ``?tab=members`` opens one of them."""
    mine = [tab for tab in TABS if actor.may(tab.permission)]
    wanted = st.query_params.get(_TAB, "").lower()
    named = next((tab.title for tab in mine if tab.title.lower() == wanted), None)
    if named and st.query_params.get(_TAB) != named:  # spelled in lower case, as a link is: the widget knows its own
        st.query_params[_TAB] = named
        st.rerun()  # set in the run that first draws the widget, it would be taken out of the address again
    places = st.tabs([tab.title for tab in mine], key=_TAB, bind="query-params")
    for place, tab in zip(places, mine, strict=True):
        if place.open:
            with place:
                tab.draw(actor, organization)
