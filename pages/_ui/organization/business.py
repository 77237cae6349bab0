"""Business details: address, tax id, billing address and the time zone billing periods begin in."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.permissions import Permission
from pages._ui import format, layout
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.organization import rights


def draw(actor: Actor, organization: organizations.OrganizationView) -> None:
    """The form; closed for who may not change it."""
    may = rights.may_change(actor, organization, own=Permission.BILLING_MANAGE)
    stored = {part: str(organization.address.get(part) or "") for part in (*organizations.ADDRESS, "country")}
    with st.form("business"):
        st.subheader("Address", anchor=False)
        address = {}
        for parts in (("street", "street2"), ("postal_code", "city"), ("state", "country")):
            for place, part in zip(st.columns(2), parts, strict=True):
                if part == "country":
                    address[part] = place.selectbox(
                        "Country",
                        layout.including(("", *organizations.COUNTRIES), stored[part]),
                        layout.index_of(layout.including(("", *organizations.COUNTRIES), stored[part]), stored[part]),
                        format_func=lambda code: organizations.COUNTRIES.get(code, code) or "Not known",
                        disabled=not may,
                    )
                else:
                    label, _ = organizations.ADDRESS[part]
                    address[part] = place.text_input(label, stored[part], disabled=not may, autocomplete="off")
        st.subheader("Billing", anchor=False)
        left, right = st.columns(2)
        checked = organizations.is_tax_id_checked(stored["country"])
        country = organizations.COUNTRIES.get(stored["country"], "")
        tax_id = left.text_input(
            "Tax id",
            organization.tax_id or "",
            disabled=not may,
            autocomplete="off",
            help=f"Checked by the rules of {country}." if checked else "Taken as it is: no rules are known for it.",
        )
        email = right.text_input("Billing address", organization.billing_email or "", disabled=not may, type="email")
        zones = layout.including(format.zones(), organization.time_zone)
        time_zone = left.selectbox(
            "Time zone of billing",
            zones,
            layout.index_of(zones, organization.time_zone),
            disabled=not may or not actor.may(Permission.ORGANIZATIONS_MANAGE),
            help="A billing period begins at midnight there, from the next one on. Only NEXA's own people change it.",
        )
        if st.form_submit_button("Save business details", type="primary", disabled=not may):
            with shown_here():
                organizations.update_business(
                    actor,
                    organization_id=organization.id,
                    address=address,
                    tax_id=tax_id,
                    billing_email=email,
                    time_zone=time_zone,
                )
                saved("The business details are saved")
