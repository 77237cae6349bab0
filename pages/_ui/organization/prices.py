"""What a customer pays: its currency, its plan's list prices in it, and what was agreed over them."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nexa_core import billing
from nexa_core.actor import Actor
from nexa_core.billing import Terms
from nexa_core.organizations import OrganizationView
from pages._ui import current_actor, format, layout, saved, shown_here
from pages._ui.billing import whose
from pages._ui.organization import rights

_LABELS = {"price_minor": "Fee a month", "overage_minor": "Credits over the allowance", "seat_minor": "Seat over"}


def draw(actor: Actor, organization: OrganizationView) -> None:
    """The agreed prices, and for the platform's people the form that changes them."""
    if organization.is_platform:
        return
    terms = billing.terms(actor, organization_id=organization.id)
    with st.container(border=True):
        st.subheader("Prices", anchor=False)
        listed = terms.listed(terms.currency)
        layout.facts({label: _says(actor, terms, listed, name) for name, label in _LABELS.items()})
        if rights.may_run(actor, organization):
            with st.expander("Agree on other prices", icon=":material/handshake:"):
                _form(actor, organization, terms)


def _says(actor: Actor, terms: Terms, listed: dict[str, int | None], name: str) -> str | None:
    """One price as it is now, and the list's where another was agreed."""
    agreed, of_list = terms.agreed.get(name), listed[name]
    if agreed is None:
        return None if of_list is None else _price(actor, terms.currency, name, of_list, listed["overage_credits"])
    price = _price(actor, terms.currency, name, agreed, terms.agreed.get("overage_credits"))
    if of_list is None:
        return f"{price}, as agreed; the list has none"
    there = _price(actor, terms.currency, name, of_list, listed["overage_credits"])
    return f"{price}, as agreed; {there} in the list"


def _price(actor: Actor, currency: str, name: str, minor: int, credits: int | None) -> str:
    amount = whose.money(actor, minor, currency)
    return f"{amount} for {format.number(actor, credits)}" if name == "overage_minor" and credits else amount


def _form(actor: Actor, organization: OrganizationView, terms: Terms) -> None:
    """Prices are typed as amounts of the currency; an empty field is the list's."""
    currencies = layout.including(terms.currencies, terms.currency)
    currency = st.selectbox(
        "Currency", currencies, layout.index_of(currencies, terms.currency), key="agreed-currency",
        help="Of invoices from now on; the running month's, too. The plans have list prices in these.",
    )  # fmt: skip
    listed = terms.listed(currency)
    start = terms.agreed if currency == terms.currency else {}
    with st.form(f"agreed-prices-{currency}", border=False):
        fields: dict[str, str] = {}
        places = st.columns(2)
        for number, (name, label) in enumerate(_LABELS.items()):
            place = places[number % 2]
            fields[name] = _field(actor, place, f"{label}, {currency}", start.get(name), listed[name], currency)
        per = places[1].number_input(
            "For how many credits", min_value=1, value=start.get("overage_credits") or listed["overage_credits"] or 100,
            step=1, help="The price of credits over the allowance is for as many.",
        )  # fmt: skip
        reason = st.text_input("Reason", help="It is kept in the audit log.")
        if st.form_submit_button("Agree", type="primary"):
            with shown_here():
                prices = {name: whose.typed(actor, text, currency) for name, text in fields.items() if text.strip()}
                if "overage_minor" in prices:
                    prices["overage_credits"] = int(per)
                billing.agree_prices(
                    current_actor(), organization_id=organization.id, currency=currency, prices=prices, reason=reason
                )
                saved("The prices are agreed")


def _field(
    actor: Actor, place: DeltaGenerator, label: str, agreed: int | None, listed: int | None, currency: str
) -> str:
    hint = "Not sold in the list" if listed is None else f"As in the list: {whose.amount(actor, listed, currency)}"
    value = "" if agreed is None else whose.amount(actor, agreed, currency)
    return str(place.text_input(label, value, placeholder=hint, max_chars=30, autocomplete="off"))
