"""Who may see what customers use, and who may put off a call: the rows of the reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from nexa_core.actor import Actor
from nexa_core.billing import reports as R  # noqa: N812
from tests.promises.matrix_rows import LOOKING, PLATFORM, USAGE, Place, Route, Row, here, platform

TOMORROW = dt.timedelta(days=2)


def _usage(call: Callable[[Actor, Place], Any]) -> Row:
    """For whoever may read an organization's usage, and the platform's people in every other."""
    return Row(call, own=USAGE, other=PLATFORM)


def _exported(call: Callable[..., Any], own: frozenset[str]) -> Row:
    """What is written down cannot be done with somebody else's eyes."""
    return Row(lambda a, p: b"".join(call(a, organization_id=p.organization)), own=own - LOOKING, other=PLATFORM)


def _paused(call: Callable[..., Any], **more: Any) -> Row:
    def put(actor: Actor, place: Place) -> Any:
        until = {"until": dt.datetime.now(dt.UTC).date() + TOMORROW} if call is R.put_off else {}
        return call(actor, organization_id=place.organization, kind="drop", **until, **more)

    return Row(put, own=PLATFORM, other=PLATFORM, strangers="forbidden")


VERBS: dict[str, Row] = {
    "reports.burn": _usage(here(R.burn)),
    "reports.breakdown": _usage(here(R.breakdown, by="person")),
    "reports.hours": _usage(here(R.hours)),
    "reports.events": _usage(here(R.events)),
    "reports.track_record": _usage(here(R.track_record)),
    "reports.watched": _usage(here(R.watched)),
    "reports.find": _usage(lambda a, p: R.find(a, slug=p.slug)),
    "reports.export_events": _exported(R.export_events, USAGE),
    "reports.export_organization_days": _exported(R.export_organization_days, USAGE),
    "reports.portfolio": platform(lambda a, _: R.portfolio(a), PLATFORM),
    "reports.revenue": platform(lambda a, _: R.revenue(a), PLATFORM),
    "reports.by_day": platform(lambda a, _: R.by_day(a, split="customer"), PLATFORM),
    "reports.customers": platform(lambda a, _: R.customers(a), PLATFORM),
    "reports.portfolio_record": platform(lambda a, _: R.portfolio_record(a), PLATFORM),
    "reports.tags": platform(lambda a, _: R.tags(a), PLATFORM),
    "reports.managers": platform(lambda a, _: R.managers(a), PLATFORM),
    "reports.brief": platform(lambda a, _: R.brief(a), PLATFORM),
    "reports.export_customers": platform(lambda a, _: b"".join(R.export_customers(a)), PLATFORM),
    "reports.export_days": platform(lambda a, _: b"".join(R.export_days(a)), PLATFORM),
    "reports.put_off": _paused(R.put_off),
    "reports.take_up": _paused(R.take_up),
    "reports.refresh_outlooks": platform(lambda a, _: R.refresh_outlooks(a)),
    "reports.remember_forecasts": platform(lambda a, _: R.remember_forecasts(a, [])),
}


def _of(path: str, verb: str) -> tuple[str, Route]:
    return f"GET /usage/{path}", Route(verb, lambda place: f"/usage/{path}?organization={place.organization}")


def _across(path: str, verb: str) -> tuple[str, Route]:
    return f"GET /usage/{path}", Route(verb, lambda _: f"/usage/{path}")


ROUTES: dict[str, Route] = dict(
    (
        _of("summary", "reports.burn"),
        _of("breakdown", "reports.breakdown"),
        _of("hours", "reports.hours"),
        _of("track-record", "reports.track_record"),
        _of("events", "reports.events"),
        _of("watched", "reports.watched"),
        _of("events.csv", "reports.export_events"),
        _of("events.xlsx", "reports.export_events"),
        _of("days.csv", "reports.export_organization_days"),
        _of("days.xlsx", "reports.export_organization_days"),
        _across("portfolio", "reports.portfolio"),
        _across("revenue", "reports.revenue"),
        _across("by-day", "reports.by_day"),
        _across("customers", "reports.customers"),
        _across("customers.csv", "reports.export_customers"),
        _across("customers.xlsx", "reports.export_customers"),
        _across("by-day.csv", "reports.export_days"),
        _across("by-day.xlsx", "reports.export_days"),
    )
)
