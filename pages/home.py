"""Home: what matters today for the person who looks."""

import streamlit as st

from nexa_core import architecture_sessions, audit, organizations
from nexa_core.permissions import Permission
from pages._ui import current_actor, editor, format, home, layout, tables, usage_alerts
from pages._ui.text import literal
from pages._ui.usage import brief

actor = current_actor()
today = organizations.summary(actor)
layout.title(literal(home.greeting(actor)), literal(f"{actor.organization_name}, {format.today(actor)}"))
editor.unsaved_work(actor)

if not actor.may(Permission.ORGANIZATIONS_BROWSE):
    usage_alerts.draw(actor)
    home.own_organization(actor, organizations.current(actor))
    if actor.may(Permission.SESSIONS_READ):
        st.subheader("Recent sessions", anchor=False)
        home.recent_sessions(actor, today.recent_sessions, architecture_sessions.pinned(actor, limit=6))
else:
    layout.figures(
        [
            ("Organizations", format.number(actor, today.organizations), "Customers you can reach"),
            ("People", format.number(actor, today.people), "Of these customers and of the platform itself"),
            ("Credits used", format.number(actor, today.credits_used), "In the organizations' current periods"),
            ("Need attention", format.number(actor, len({item.organization.id for item in today.attention})), None),
        ]
    )
    if actor.may(Permission.PORTFOLIO_READ):
        st.subheader("Call today", anchor=False)
        brief.teaser(actor)
    if today.customers:
        st.subheader("My customers", anchor=False)
        home.open_chosen(tables.customers(actor, today.customers))
    if not actor.may(Permission.PORTFOLIO_READ):
        home.story(today.attention)
    else:
        left, right = st.columns(2) if actor.may(Permission.AUDIT_READ) else (st.container(), None)
        with left:
            st.subheader("Needs attention", anchor=False)
            home.attention(today.attention)
        if right:
            with right:
                st.subheader("What happened last", anchor=False)
                home.log(actor, audit.recent(actor, limit=8))
