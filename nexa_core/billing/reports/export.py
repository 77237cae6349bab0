"""Usage as a file: the customers of a portfolio, the days of a chart, the events of an organization."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Hashable, Iterable, Iterator, Sequence
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from nexa_core import audit
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.billing.reports import periods
from nexa_core.billing.reports.customer import burn
from nexa_core.billing.reports.customers import customers
from nexa_core.billing.reports.customers import every as every_customer
from nexa_core.billing.reports.events import EventFilter, events
from nexa_core.billing.reports.events import every as every_event
from nexa_core.billing.reports.files import Column, Sheet, as_csv, as_xlsx
from nexa_core.billing.reports.portfolio import by_day
from nexa_core.billing.reports.scope import Wanted, organization_of, require_portfolio, zone_of
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid
from nexa_core.slots import Slots

Form = Literal["csv", "xlsx"]
#: Each export keeps a connection for as long as its reader takes.
AT_ONCE = 3
_slots = Slots(AT_ONCE, "Other exports are being written; try again when they are done.", retry_after=30)

_EVENTS = (
    Column("Time", "When it happened, in the organization's own time zone, which the sheet names."),
    Column("Time (UTC)", "The same moment in UTC."),
    Column("Type", "What was done: ai_call, pdf_export, session_create and so on."),
    Column("Credits", "What it cost in credits; their sum is the credits of the period."),
    Column("Person", "Who did it; empty where a program did."),
    Column("Session", "The number of the architecture session it belongs to."),
    Column("Title", "The title of that session, for who may read sessions."),
    Column("Source", "Which system reported it."),
    Column("Idempotency key", "What names the event within its source, for ever: it is counted once."),
    Column("Event", "NEXA's own identifier of the event."),
)
_CUSTOMERS = (
    Column("Customer", "The name of the organization."),
    Column("Slug", "Its short name in addresses."),
    Column("Plan", "Its plan today."),
    Column("Subscription", "The state of its subscription."),
    Column("Account manager", "Whose customer it is."),
    Column("Tags", "What the platform's people call it by, separated by commas."),
    Column("Credits", "Credits of the period: the calendar month of the organization's own time zone, half-open."),
    Column(
        "Allowance", "Credits included in the period, by what held at its end: agreed, else the plan's; or no limit."
    ),
    Column("Overage", "Credits beyond the allowance."),
    Column("Expected", "Credits forecast for the whole period; empty where too little is known."),
    Column("Expected at least", "Four of five periods end above this or within the band."),
    Column("Expected at most", "The upper end of the same band, which holds 80 of 100 outcomes."),
    Column("Passes its allowance on", "The day the allowance was or is expected to be passed, within the period."),
    Column("Trend in %", "Credits of the last 14 complete days against the 14 before."),
    Column("Last activity", "The last day of any use, in the organization's time zone."),
    Column("Plan fit", "fits, or the plan that would have cost less in the last whole month; else empty."),
    Column("Urgency", "The score of the morning brief, 0 to 100; of a month that is over, 0."),
)
_DAYS = (
    Column("Day", "A day in each organization's own time zone."),
    Column("Part", "The type of event, the customer or the plan that the chart is split by."),
    Column("Events", "How many events there were."),
    Column("Credits", "What they cost in credits."),
)


def export_events(
    actor: Actor, *, form: Form = "csv", organization_id: UUID | None = None, wanted: EventFilter | None = None
) -> Generator[bytes]:
    """The events of a period as CSV or XLSX, in pieces; the audit log keeps who exported what.

    Raises as ``events`` does before the first piece, and LimitExceeded while another of the
    organization, or too many others, are being written.
    """
    wanted = wanted or EventFilter()
    with reading(actor) as db:
        row = organization_of(db, actor, organization_id)
        month = periods.month(wanted.period, row.today)
        time_zone = zone_of(db, row.id, month)
    zone = ZoneInfo(time_zone)
    events(actor, organization_id=row.id, wanted=wanted, limit=1)  # what can be refused is refused now

    def rows() -> Iterator[Sequence[Any]]:
        for one in every_event(actor, organization_id=row.id, wanted=wanted):
            yield (
                one.occurred_at.astimezone(zone), one.occurred_at.astimezone(dt.UTC), one.event_type, one.credits,
                one.person, one.session_id, one.title, one.source, one.idempotency_key, str(one.id),
            )  # fmt: skip

    about = [("Organization", row.name), ("Period", periods.word(month)), ("Time zone", time_zone)]
    what = {"what": "events", "period": periods.word(month), "form": form}
    return _file(actor, form, Sheet("Events", _EVENTS, rows(), about), what, row.id)


def export_customers(
    actor: Actor, *, form: Form = "csv", wanted: Wanted | None = None, sort: str = "used"
) -> Generator[bytes]:
    """The table of customers as CSV or XLSX, all pages of it. Raises as ``customers`` does, and LimitExceeded."""
    wanted = wanted or Wanted()
    customers(actor, wanted=wanted, sort=sort, limit=1)

    def rows() -> Iterator[Sequence[Any]]:
        for one in every_customer(actor, wanted=wanted, sort=sort):
            yield (
                one.name, one.slug, one.plan, one.subscription_status, one.account_manager, ", ".join(one.tags),
                one.used, one.allowance, one.overage, one.expected, one.low, one.high, one.depletes_on, one.trend,
                one.last_activity, one.plan_fit, one.score,
            )  # fmt: skip

    about = [("Period", periods.word(wanted.month)), ("Time zone", "each customer's own")]
    what = {"what": "customers", "period": periods.word(wanted.month), "form": form}
    return _file(actor, form, Sheet("Customers", _CUSTOMERS, rows(), about), what, None)


def export_days(
    actor: Actor, *, form: Form = "csv", wanted: Wanted | None = None, split: str = "type", months: int = 1
) -> Generator[bytes]:
    """What the chart by day shows, as CSV or XLSX. Raises as ``by_day`` does, and LimitExceeded."""
    require_portfolio(actor)
    wanted = wanted or Wanted()
    points = by_day(actor, wanted=wanted, split=split, months=months)
    rows = [(point.day, point.part, point.events, point.credits) for point in points]
    about = [("Last period", periods.word(wanted.month)), ("Time zone", "each customer's own"), ("Split by", split)]
    what = {"what": "days", "period": periods.word(wanted.month), "form": form}
    return _file(actor, form, Sheet("Days", _DAYS, rows, about), what, None)


def export_organization_days(
    actor: Actor, *, form: Form = "csv", organization_id: UUID | None = None, period: str | None = None
) -> Generator[bytes]:
    """The days of one organization's chart. Raises as ``burn`` does, and LimitExceeded."""
    seen = burn(actor, organization_id=organization_id, period=period)
    columns = (_DAYS[0], Column("Credits", _DAYS[3].meaning), Column("So far", "Credits since the period began."))
    rows, total = [], 0
    for number, spent in enumerate(seen.days):
        total += spent
        rows.append((seen.period + dt.timedelta(days=number), spent, total))
    about = [("Organization", seen.name), ("Period", periods.word(seen.period)), ("Time zone", seen.time_zone)]
    what = {"what": "days", "period": periods.word(seen.period), "form": form}
    return _file(actor, form, Sheet("Days", columns, rows, about), what, seen.organization_id)


def _file(
    actor: Actor, form: str, sheet: Sheet, what: dict[str, Any], organization_id: UUID | None
) -> Generator[bytes]:
    if form not in ("csv", "xlsx"):
        raise Invalid("Usage is exported as csv or xlsx.", field="form")
    slot = _slots.take(actor)
    try:
        with recording(actor, Action.USAGE_EXPORTED) as db:
            audit.note(db, "organization", organization_id, what, organization_id=organization_id)
    except BaseException:
        _slots.free(slot)
        raise
    signed = [
        *sheet.about,
        ("Exported", f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC"),
        ("Exported by", actor.full_name or "a program"),
    ]
    whole = Sheet(sheet.name, sheet.columns, sheet.rows, signed)
    pieces = _releasing((as_csv if form == "csv" else as_xlsx)(whole), sheet.rows, slot)
    next(pieces)  # begun, so that whoever lets go of it lets go of the slot too
    return pieces


def _releasing(pieces: Iterator[bytes], rows: Iterable[Any], slot: Hashable) -> Generator[bytes]:
    try:
        yield b""
        yield from pieces
    finally:
        if isinstance(rows, Iterator) and hasattr(rows, "close"):
            rows.close()  # ends the transaction of a reader who left
        _slots.free(slot)
