"""The portfolio's figures, kept for a minute: a rerun of the screen does not add up ten thousand customers again.

Who asks is part of the question (``Actor`` as an ordinary argument), by what decides about what they see.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any
from uuid import UUID

import streamlit as st

from nexa_core.actor import Actor
from nexa_core.billing import reports
from nexa_core.billing.reports import CustomerPage, Money, Point, Summary, Wanted


def _who(actor: Actor) -> Hashable:
    return (str(actor.user_id), str(actor.organization_id), actor.scope.value, tuple(sorted(actor.permissions)))


_KEPT: dict[str, Any] = {"ttl": "1m", "max_entries": 500, "show_spinner": False, "hash_funcs": {Actor: _who}}


@st.cache_data(**_KEPT)
def portfolio(actor: Actor, wanted: Wanted) -> Summary:
    return reports.portfolio(actor, wanted=wanted)


@st.cache_data(**_KEPT)
def revenue(actor: Actor, wanted: Wanted, before: bool) -> tuple[Money, ...]:
    return reports.revenue(actor, wanted=wanted, before=before)


@st.cache_data(**_KEPT)
def by_day(actor: Actor, wanted: Wanted, split: str, months: int) -> tuple[Point, ...]:
    return reports.by_day(actor, wanted=wanted, split=split, months=months)


@st.cache_data(**_KEPT)
def customers(actor: Actor, wanted: Wanted, sort: str, after: str | None) -> CustomerPage:
    return reports.customers(actor, wanted=wanted, sort=sort, after=after, limit=50)


@st.cache_data(**_KEPT)
def record(actor: Actor, wanted: Wanted) -> Any:
    return reports.portfolio_record(actor, wanted=wanted)


@st.cache_data(**_KEPT)
def managers(actor: Actor) -> Mapping[UUID, str]:
    return reports.managers(actor)


@st.cache_data(**{**_KEPT, "ttl": "5s"})
def tags(actor: Actor) -> tuple[str, ...]:
    return reports.tags(actor)
