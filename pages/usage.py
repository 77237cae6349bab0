"""Usage: what one organization uses of its allowance, what for, and where that leads."""

import streamlit as st

from nexa_core.actor import Scope
from nexa_core.billing import reports
from pages._ui import current_actor, layout, usage_alerts
from pages._ui.usage import burn, details, tables

actor = current_actor()
slug = st.query_params.get("organization")
if not slug and actor.scope is not Scope.TENANT:
    layout.title("Usage")
    burn.choose(actor)
else:
    organization_id = reports.find(actor, slug=slug) if slug else None
    burn.way_back(actor)
    top = st.container()  # the title names the month that is chosen below it
    seen = reports.burn(actor, organization_id=organization_id, period=burn.period())
    with top:
        burn.heading(actor, seen)
    usage_alerts.draw(actor, organization_id=organization_id)
    burn.figures(actor, seen)
    burn.draw(actor, seen)
    details.tabs(actor, seen, tables.events)
