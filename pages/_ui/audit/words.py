"""Actions, resources, devices, addresses and filters as the words a person uses for them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from nexa_core import billing
from nexa_core.accounts import device_label
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.audit import EntryView, Filters, Value
from pages._ui import format

RESOURCES = (
    "user", "user_session", "organization", "membership", "domain", "batch", "session", "session_view", "share_link",
    "plan_version", "invoice", "credit_note", "usage_event", "api_key", "brief_pause", "audit_log", "audit_view",
    "retention",
)  # fmt: skip
_NAMES = {
    "user": "person",
    "user_session": "sign-in",
    "audit_log": "export of this log",
    "audit_view": "view of this log",
    "retention": "retention of this log",
    "batch": "change of many",
    "session_view": "view of the sessions",
    "plan_version": "version of a plan",
    "usage_event": "usage",
    "api_key": "API key",
    "brief_pause": "reason that was put off",
}


def action(value: str) -> str:
    """An action in a list: its noun, and what happened to it."""
    noun, _, happened = value.partition(".")
    return f"{resource(noun).capitalize()}: {happened.replace('_', ' ')}"


def actions() -> list[str]:
    """Every action there is, in the order of its words."""
    return sorted((one.value for one in Action), key=action)


def resource(kind: str) -> str:
    """What a kind of resource is called."""
    return _NAMES.get(kind, kind.replace("_", " "))


def about(entry: EntryView) -> str:
    """What an entry is about: its name, or its kind."""
    return entry.resource_name or f"this {resource(entry.resource_type)}"


def value(actor: Actor, one: Value) -> str:
    """A value of an entry: a moment where the person is, an amount with its currency, else its text."""
    if one.moment:
        return format.moment(actor, one.moment)
    return billing.written(*one.amount) if one.amount else one.text


def origin(entry: EntryView) -> str:
    """Device and address in words."""
    where = address(entry.ip_address)
    device = device_label(entry.user_agent) if entry.user_agent else ""
    return f"{device}, {where}" if device and where else device or where or "not known"


def address(value: str | None) -> str:
    """An address, and what kind it is where that says something."""
    if not value:
        return ""
    host = value.partition("/")[0]
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return value
    if parsed.is_loopback:
        return f"this machine ({host})"
    in_use_inside = parsed.is_private and not host.startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    return f"an internal network ({host})" if in_use_inside else host


def chips(actor: Actor, filters: Filters, names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What each chip says, and which filters it takes away."""
    given: dict[str, tuple[str, ...]] = {}
    if filters.about:
        given[f"Everything about {names.get('about', 'this ' + resource(filters.about.resource_type))}"] = ("about",)
    if filters.person:
        given[f"By {names.get('person', 'somebody')}"] = ("person",)
    if filters.action:
        given[action(filters.action)] = ("action",)
    if filters.resource_type:
        given[f"A {resource(filters.resource_type)}"] = ("resource_type",)
    if filters.resource:
        given[f"About {names.get('resource', 'resource ' + str(filters.resource)[:8])}"] = ("resource",)
    if filters.organization:
        given[f"In {names.get('organization', 'an organization')}"] = ("organization",)
    if filters.address:
        given[f"From {filters.address}"] = ("address",)
    if filters.request:
        given[f"Request {filters.request[:8]}"] = ("request",)
    if filters.text:
        given[f"Values hold “{filters.text}”"] = ("text",)
    if filters.since or filters.until:
        given[_range(actor, filters)] = ("since", "until")
    if filters.staff:
        given["Staff access only"] = ("staff",)
    return given


def _range(actor: Actor, filters: Filters) -> str:
    since, until = format.moment(actor, filters.since), format.moment(actor, filters.until)
    if filters.since and filters.until:
        return f"{since} to {until}"
    return f"Since {since}" if filters.since else f"Before {until}"
