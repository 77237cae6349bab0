"""Limits and features: what was agreed beyond the plan, as fields; what NEXA does not know stays as it is."""

from __future__ import annotations

import streamlit as st

from nexa_core import organizations, usage
from nexa_core.actor import Actor
from nexa_core.billing import PLANS
from pages._ui import format
from pages._ui.errors import shown_here
from pages._ui.notices import saved
from pages._ui.organization import rights

_PLANS, _OWN, _NONE = "As in the plan", "Agreed", "Unlimited"
_SWITCH = {"plan": "As in the plan", "on": "On", "off": "Off"}
_MEANS = {"plan": None, "on": True, "off": False}


def draw(actor: Actor, organization: organizations.OrganizationView) -> None:
    """The form; closed for who may not change it."""
    may = rights.may_run(actor, organization)
    agreed = organizations.limits_of(organization.usage_limits)
    plan = PLANS.get(organization.plan)
    with st.container(border=True):
        st.subheader("Limits", anchor=False)
        left, right = st.columns(2)
        with left:
            monthly_credits = _amount(
                actor, "Monthly credits", "credits", agreed.monthly_credits, plan.monthly_credits if plan else None, may
            )
        with right:
            seats = _amount(actor, "Seats", "seats", agreed.seats, plan.seats if plan else None, may)
        hard = st.toggle(
            "Hard limit",
            agreed.hard,
            disabled=not may,
            help="On: use beyond the monthly credits, agreed or the plan's, and beyond the most events of a kind is "
            "refused. Off: it goes on, and is over the allowance.",
        )
        shadow = st.toggle(
            "Only watch",
            agreed.shadow,
            disabled=not may or not hard,
            help="The hard limit refuses nothing yet; NEXA notes what it would have refused.",
        )
        alert_at = st.multiselect(
            "Alerts at (percent of the credits)",
            sorted({*usage.THRESHOLDS, 50, 90, 150, *(agreed.alert_at or ())}),
            default=list(usage.THRESHOLDS if agreed.alert_at is None else agreed.alert_at),
            accept_new_options=True,
            disabled=not may,
            help="Owners, billing contacts and the account manager get a mail, once a period and threshold.",
        )
        st.markdown("**Most events of a kind in a month**")
        names = {
            **organizations.EVENT_TYPES,
            **{n: n for n in agreed.event_limits if n not in organizations.EVENT_TYPES},
        }
        events = {}
        for place, (name, label) in zip(st.columns(len(names)), names.items(), strict=True):
            events[name] = place.number_input(
                label,
                min_value=0,
                value=agreed.event_limits.get(name),
                step=1,
                placeholder="No limit",
                disabled=not may,
            )
        st.subheader("Features", anchor=False)
        features = {}
        for name, meaning in organizations.FEATURE_MEANINGS.items():
            features[name] = _feature(name, meaning, agreed.features.get(name), plan, may)
        if agreed.others:
            st.markdown("**Also agreed**", help="NEXA does not know these; they are kept as they are.")
            st.code(organizations.as_json(agreed.others), language="json")
        reason = st.text_input("Reason", help="It is kept in the audit log.", disabled=not may, key="limits-reason")
        if st.button("Save limits", type="primary", disabled=not may):
            with shown_here():
                organizations.update_limits(
                    actor,
                    organization_id=organization.id,
                    monthly_credits=monthly_credits,
                    seats=seats,
                    hard=hard,
                    event_limits={name: most for name, most in events.items() if most is not None},
                    features=features,
                    reason=reason,
                    shadow=shadow and hard,
                    alert_at=_percents(alert_at),
                )
                saved("The limits are saved")


def _percents(chosen: list[int | str]) -> list[int] | None:
    """What was chosen or typed; what is no number is for the verb to refuse, and the usual ones need no agreement."""
    percents = [int(one) if str(one).isdecimal() else -1 for one in chosen]
    return None if sorted(percents) == list(usage.THRESHOLDS) else percents


def _amount(actor: Actor, label: str, unit: str, agreed: int | None, of_plan: int | None, may: bool) -> int | None:
    """The plan's own, an agreed number, or no limit."""
    start = _PLANS if agreed is None else _NONE if agreed == organizations.UNLIMITED else _OWN
    options = [_PLANS, _OWN, _NONE]
    chosen = st.segmented_control(label, options, default=start, required=True, disabled=not may)
    if chosen == _OWN:
        value = agreed if agreed not in (None, organizations.UNLIMITED) else of_plan
        return st.number_input(f"Agreed {unit}", min_value=0, value=value or 0, step=1, disabled=not may)
    if chosen == _NONE:
        st.caption(f"No limit of {unit}.")
        return organizations.UNLIMITED
    st.caption(f"The plan has {format.number(actor, of_plan) if of_plan is not None else 'no limit of'} {unit}.")
    return None


def _feature(name: str, meaning: str, agreed: bool | None, plan: object, may: bool) -> bool | None:
    of_plan = getattr(plan, "features", {}).get(name, False)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"**{name.replace('_', ' ').capitalize()}**  \n:small[:gray[{meaning} "
            f"In the plan it is {'on' if of_plan else 'off'}.]]",
            width="content",
        )
        chosen = st.segmented_control(
            name.replace("_", " ").capitalize(),
            list(_SWITCH),
            default=next(key for key, on in _MEANS.items() if on is agreed),
            format_func=lambda key: _SWITCH[key],
            required=True,
            label_visibility="collapsed",
            key=f"feature-{name}",
            disabled=not may,
        )
    return _MEANS.get(chosen or "plan")
