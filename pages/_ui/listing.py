"""The filters of the list of organizations, and the files of what they show."""

from __future__ import annotations

from dataclasses import asdict
from urllib.parse import urlencode
from uuid import UUID

import streamlit as st

from nexa_core import organizations
from nexa_core.actor import Actor
from pages._ui import badges, filters

_SORTS = {"name": "Name", "usage": "Most used", "activity": "Last active", "newest": "Newest", "plan": "Plan"}
_KINDS = {"real": "Customers", "demo": "Demo"}
_NEEDS = {"over_limit": "Over the limit", "without_owner": "No active owner"}


def filters_of(actor: Actor) -> tuple[organizations.Filter, str]:
    """What the list is narrowed to, and its order; all of it is in the address."""
    left, second, third, right = filters.row(4, 2, 2, 2)
    text = filters.search(left, "Search", key="q")
    status = filters.choice(second, "Status", badges.ORGANIZATION_STATUSES, key="status", every="Every status")
    plan = filters.choice(third, "Plan", badges.PLANS, key="plan", every="Every plan")
    sort = filters.order(right, _SORTS, key="sort")
    needs_place, subscription_place, manager_place, kind_place = filters.row(4, 2, 2, 2)
    needs = filters.flags(needs_place, "Only those", _NEEDS, key="only")
    subscription = filters.choice(
        subscription_place, "Subscription", badges.SUBSCRIPTION_STATUSES, key="subscription", every="Every subscription"
    )
    managers = {str(manager.id): manager.name for manager in organizations.account_managers(actor)}
    chosen = filters.named(manager_place, "Account manager", managers, key="manager", every="Everybody’s")
    kind = filters.named(kind_place, "Kind", _KINDS, key="kind", every="Every kind")
    wanted = organizations.Filter(
        text=text,
        status=status,
        plan=plan,
        subscription_status=subscription,
        account_manager_id=UUID(chosen) if chosen else None,
        over_limit="over_limit" in needs,
        without_owner="without_owner" in needs,
        demo={"real": False, "demo": True}.get(kind or ""),
    )
    return wanted, sort


def exports(wanted: organizations.Filter, sort: str) -> None:
    """Links to the files of exactly what the filters show, all pages of it."""
    given = {name: value for name, value in asdict(wanted).items() if value not in (None, "")}
    words = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}
    query = urlencode({**words, "sort": sort})
    for form, icon in (("csv", ":material/csv:"), ("xlsx", ":material/table_view:")):
        st.link_button(
            f"Export {form.upper()}", f"/api/organizations/export.{form}?{query}", icon=icon, type="tertiary",
            help="All that the filters show, every page of it",
        )  # fmt: skip
