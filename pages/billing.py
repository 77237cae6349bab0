"""Billing: what a period comes to, line by line, and the events behind each line."""

import streamlit as st

from nexa_core import billing
from pages._ui import current_actor, layout
from pages._ui.billing import invoice, whose

actor = current_actor()
organization_id = whose.organization(actor, "Billing")
if organization_id is not None:
    periods = billing.periods(actor, organization_id=organization_id)
    line = st.query_params.get("line")
    if not periods:
        layout.nothing("receipt_long", "There is no invoice yet", "The first one begins with the organization.")
    else:
        whose.way_back(actor)
        top = st.container()  # the title names the invoice of the month that is chosen below it
        found = billing.invoice(actor, organization_id=organization_id, period=whose.period(periods))
        if line:
            invoice.events(actor, found, found.line(line))
        else:
            with top:
                invoice.heading(found)
            invoice.figures(actor, found)
            invoice.lines(actor, found)
            with st.container(horizontal=True, vertical_alignment="center"):
                invoice.files(found)
                invoice.giving_back(actor, found)
            invoice.past(actor, billing.invoices(actor, organization_id=organization_id))
