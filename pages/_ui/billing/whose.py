"""Whose invoices a screen shows, and of which month; both are in the address."""

from __future__ import annotations

from uuid import UUID

import streamlit as st

from nexa_core import billing
from nexa_core.actor import Actor, Scope
from nexa_core.permissions import Permission
from pages._ui import filters, format, layout, menu


def organization(actor: Actor, title: str) -> UUID | None:
    """The organization of the address, else one's own; None where the platform's people have not chosen one.

    Then ``title`` stands over the ways to choose one.
    """
    slug = st.query_params.get("organization")
    if not slug and actor.scope is not Scope.TENANT:
        layout.title(title)
        layout.nothing(
            "receipt_long", "Whose invoices?", "Open a customer from the portfolio or from the list of organizations."
        )
        st.page_link(menu.PORTFOLIO.page(), icon=menu.PORTFOLIO.icon)
        st.page_link(menu.ORGANIZATIONS.page(), icon=menu.ORGANIZATIONS.icon)
        return None
    return billing.organization_of(actor, slug=slug)


def way_back(actor: Actor) -> None:
    """For the platform's people: to the customer."""
    slug = st.query_params.get("organization")
    if slug and actor.may(Permission.ORGANIZATIONS_BROWSE):
        st.page_link(
            menu.ORGANIZATION.page(), label="Organization", icon=":material/arrow_back:",
            query_params={"organization": slug},
        )  # fmt: skip


def period(totals: tuple[billing.InvoiceTotal, ...]) -> str | None:
    """The month that is shown: the newest of ``totals`` unless the address names another."""
    newest, *earlier = [total.period for total in totals]
    place, _ = filters.row(2, 6)
    return filters.named(
        place, "Period", {name: month(name) for name in earlier}, key="period", every=f"{month(newest)}, running"
    )


def month(name: str) -> str:
    """``2026-11`` as it is read: November 2026."""
    year, number = name.split("-")
    return f"{_MONTHS[int(number) - 1]} {year}"


def same_address(**more: str) -> dict[str, str]:
    """What leads to the same organization and period on another of these screens."""
    kept = {name: st.query_params[name] for name in ("organization", "period") if st.query_params.get(name)}
    return {**kept, **more}


def money(actor: Actor, minor: int, currency: str) -> str:
    """An amount as the person writes numbers; the currency behind it."""
    whole, _, rest = billing.written(minor, currency).partition(" ")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    thousands = format.number(actor, 1000)[1:-3]
    point = "." if thousands in (",", "’") else ","
    units, _, parts = digits.partition(".")
    written = units.replace(",", thousands) + (point + parts if parts else "")
    return f"{sign}{written} {rest}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
