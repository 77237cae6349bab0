"""Whose invoices a screen shows, and of which month; both are in the address."""

from __future__ import annotations

import datetime as dt
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
        menu.to_customers(actor)
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


def period(periods: tuple[str, ...]) -> str | None:
    """The month that is shown: the newest of ``periods`` unless the address names another."""
    newest, *earlier = periods
    place, _ = filters.row(2, 6)
    return filters.named(
        place, "Period", {name: month(name) for name in earlier}, key="period", every=f"{month(newest)}, running"
    )


def month(name: str) -> str:
    """``2026-11`` as it is read: November 2026."""
    return format.month(dt.date.fromisoformat(f"{name}-01"))


def same_address(**more: str) -> dict[str, str]:
    """What leads to the same organization and period on another of these screens."""
    kept = {name: st.query_params[name] for name in ("organization", "period") if st.query_params.get(name)}
    return {**kept, **more}


def money(actor: Actor, minor: int, currency: str) -> str:
    """An amount as the person writes numbers; the currency behind it."""
    return f"{amount(actor, minor, currency)} {currency}"


def amount(actor: Actor, minor: int, currency: str) -> str:
    """An amount without its currency, which stands beside it: what a field for it is filled with."""
    written = billing.written(abs(minor), currency).removesuffix(f" {currency}")
    units, _, parts = written.partition(".")
    units = units.replace(",", format.number(actor, 1000)[1:-3])
    return ("−" if minor < 0 else "") + units + (format.point(actor) + parts if parts else "")


def typed(actor: Actor, text: str, currency: str) -> int:
    """Minor units of an amount that the person typed as they write numbers. Raises Invalid."""
    return billing.parsed(text, currency, point=format.point(actor))
