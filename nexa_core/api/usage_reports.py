"""/api/usage: what customers use and pay, to read; and the same as files, streamed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from nexa_core.actor import Actor
from nexa_core.api import downloads
from nexa_core.api.endpoint import Body, Endpoint, get
from nexa_core.billing import reports

Form = Literal["csv", "xlsx"]
Query = TypeVar("Query", bound=Body)
Month = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
Label = Annotated[str, Field(max_length=50)]


class OfOne(Body):
    """One organization, the caller's own without one, in a month (``2026-11``), the running one without."""

    organization: UUID | None = None
    period: Month | None = None


class Broken(OfOne):
    by: Literal["type", "person", "session", "tag"] = "type"


class Watched(OfOne):
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class Portfolio(Body):
    """The customers a caller can reach, narrowed; ``manager`` is a person's identifier."""

    period: Month | None = None
    manager: UUID | None = None
    plan: Label | None = None
    tag: Label | None = None

    def wanted(self) -> reports.Wanted:
        return reports.Wanted(period=self.period, manager=self.manager, plan=self.plan, tag=self.tag)


class ByDay(Portfolio):
    split: Literal["type", "customer", "plan"] = "type"
    months: Annotated[int, Field(ge=1, le=13)] = 1


class Sorted(Portfolio):
    sort: Label = "used"


class Customers(Sorted):
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Filtered(OfOne):
    """Which events: of a type, a person (``none`` for programs), a session's number, a day of the organization's."""

    type: Label | None = None
    person: Label | None = None
    architecture_session: Annotated[int | None, Field(ge=0, lt=2**31, alias="session")] = None
    day: dt.date | None = None

    def wanted(self) -> reports.EventFilter:
        return reports.EventFilter(self.period, self.type, self.person, self.architecture_session, self.day)


class Events(Filtered):
    after: str | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@get("/usage/summary", "What an organization uses in a month, and where it leads")
def usage_summary(actor: Actor, query: OfOne) -> reports.Burn:
    return reports.burn(actor, organization_id=query.organization, period=query.period)


@get("/usage/breakdown", "What the credits of a month were used for")
def usage_breakdown(actor: Actor, query: Broken) -> tuple[reports.Part, ...]:
    return reports.breakdown(actor, by=query.by, organization_id=query.organization, period=query.period)


@get("/usage/hours", "When in the week the credits of a month were used")
def usage_hours(actor: Actor, query: OfOne) -> tuple[reports.Hour, ...]:
    return reports.hours(actor, organization_id=query.organization, period=query.period)


@get("/usage/track-record", "What was predicted, and what happened")
def usage_track_record(actor: Actor, query: OfOne) -> reports.TrackRecord:
    return reports.track_record(actor, organization_id=query.organization)


@get("/usage/events", "The single events of a month, newest first, a page at a time")
def usage_events(actor: Actor, query: Events) -> reports.EventPage:
    return reports.events(
        actor, organization_id=query.organization, wanted=query.wanted(), after=query.after, limit=query.limit
    )


@get("/usage/watched", "What limits that only watch would have refused in a month, newest first, a page at a time")
def usage_watched(actor: Actor, query: Watched) -> reports.Watched:
    return reports.watched(
        actor, organization_id=query.organization, period=query.period, after=query.after, limit=query.limit
    )


@get("/usage/portfolio", "What all customers use in a month, and where it leads")
def usage_portfolio(actor: Actor, query: Portfolio) -> reports.Summary:
    return reports.portfolio(actor, wanted=query.wanted())


@get("/usage/revenue", "What the invoices of a month come to, by currency")
def usage_revenue(actor: Actor, query: Portfolio) -> tuple[reports.Money, ...]:
    return reports.revenue(actor, wanted=query.wanted())


@get("/usage/by-day", "What all customers use, by day")
def usage_by_day(actor: Actor, query: ByDay) -> tuple[reports.Point, ...]:
    return reports.by_day(actor, wanted=query.wanted(), split=query.split, months=query.months)


@get("/usage/customers", "The customers and what each uses, a page at a time")
def usage_customers(actor: Actor, query: Customers) -> reports.CustomerPage:
    return reports.customers(actor, wanted=query.wanted(), sort=query.sort, after=query.after, limit=query.limit)


def _events(actor: Actor, form: Form, query: Filtered) -> Generator[bytes]:
    return reports.export_events(actor, form=form, organization_id=query.organization, wanted=query.wanted())


def _days(actor: Actor, form: Form, query: OfOne) -> Generator[bytes]:
    return reports.export_organization_days(actor, form=form, organization_id=query.organization, period=query.period)


def _customers(actor: Actor, form: Form, query: Sorted) -> Generator[bytes]:
    return reports.export_customers(actor, form=form, wanted=query.wanted(), sort=query.sort)


def _by_day(actor: Actor, form: Form, query: ByDay) -> Generator[bytes]:
    return reports.export_days(actor, form=form, wanted=query.wanted(), split=query.split, months=query.months)


def _files(
    what: str, summary: str, query: type[Query], export: Callable[[Actor, Form, Query], Generator[bytes]]
) -> list[Endpoint]:
    """The same table at two addresses, one for each form."""

    def of(form: Form) -> Endpoint:
        def serve(actor: Actor, query: Query) -> Response:
            return _file(export(actor, form, query), what, form)

        serve.__name__ = f"usage_{what.replace('-', '_')}_{form}"
        serve.__annotations__["query"] = query
        return get(f"/usage/{what}.{form}", f"{summary} as {form.upper()}")(serve)

    return [of("csv"), of("xlsx")]


def _file(pieces: Generator[bytes], what: str, form: Form) -> Response:
    return downloads.written(pieces, f"nexa-usage-{what}-{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}.{form}")


ENDPOINTS = (
    usage_summary, usage_breakdown, usage_hours, usage_track_record, usage_events, usage_watched, usage_portfolio,
    usage_revenue, usage_by_day, usage_customers,
    *_files("events", "The events of a month", Filtered, _events),
    *_files("days", "The days of an organization's month", OfOne, _days),
    *_files("customers", "All customers and what each uses", Sorted, _customers),
    *_files("by-day", "What all customers use, by day,", ByDay, _by_day),
)  # fmt: skip
