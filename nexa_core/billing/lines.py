"""The lines of an invoice, each with the sentence it follows from.

They are the rows of ``nexa.invoice_lines``; the one of overage is opened by type of event. Its amount is divided among
the types by the largest remainder, so that the lines still add up to the same integer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from nexa_core.billing.money import written
from nexa_core.billing.periods import Period


@dataclass(frozen=True, slots=True)
class Line:
    """One line: ``amount_minor`` is what it adds to the total; ``key`` names it for as long as nothing changes.

    ``unit_minor`` is the price of ``unit_quantity``. ``events`` is how many usage events stand behind it.
    """

    key: str
    kind: str
    title: str
    derivation: str
    quantity: int
    unit_minor: int
    unit_quantity: int
    amount_minor: int
    since: dt.datetime
    until: dt.datetime
    event_type: str | None = None
    events: int = 0


_KINDS = ("base", "seats", "included", "overage", "credit", "refund")


def lines_of(rows: Sequence[Any], types: Sequence[Any], period: Period) -> tuple[Line, ...]:
    """The rows of ``nexa.invoice_lines`` as lines, in the order of an invoice; ``types`` are the period's types of
    event, with what they used within and over the allowance. What has no type was used by events that are gone."""
    return tuple(line for kind in _KINDS for line in _lines(kind, rows, types, period))


def _lines(kind: str, rows: Sequence[Any], types: Sequence[Any], period: Period) -> list[Line]:
    found = [row for row in rows if row["kind"] == kind]
    match kind:
        case "base" | "seats":
            return [_fee(row, period) for row in found]
        case "included":
            return [_included(row, types, period) for row in found]
        case "overage":
            return [line for row in found for line in _overage(row, types, period)]
        case _:
            return [_given_back(row, period) for row in found]


def _fee(row: Mapping[str, Any], period: Period) -> Line:
    since, until = _moment(row["since"]), _moment(row["until"])
    name, price = row["plan_name"] or row["plan"], written(row["unit_minor"], row["currency"])
    whole = since == period.starts and until == period.ends
    status = row["subscription_status"]
    times = (
        "the whole month" if whole else f"{_span(since, until, period)}, {_share(since, until, period)} of the month"
    )
    if row["kind"] == "seats":
        title = f"{row['quantity']:,} seats more than {name} includes"
        why = f"{row['quantity']:,} seats at {price} a month each, {times}"
    else:
        title = f"{name}, monthly fee"
        why = f"{name} at {price} a month, {times}"
        if status not in ("active", "past_due"):
            why = f"{name} while the subscription is {_STATUS.get(status, status)}, {times}: no fee"
    if period.is_running and until == period.ends:
        why += "; the period is running, so this is as if nothing changed until its end"
    return Line(
        f"{row['kind']}-{row['number']}", row["kind"], title, why + ".", row["quantity"], row["unit_minor"], 1,
        row["amount_minor"], since, until,
    )  # fmt: skip


def _included(row: Mapping[str, Any], types: Sequence[Any], period: Period) -> Line:
    by_type = [(t["event_type"], t["credits"] - t["over"]) for t in types if t["credits"] != t["over"]]
    parts = ", ".join(f"{named_event(name)} {within:,}" for name, within in by_type)
    allowance = row["allowance"]
    of = "without a limit" if allowance is None else f"of {allowance:,} in the allowance"
    why = f"{row['quantity']:,} credits {of}" + (f": {parts}" if parts else "")
    events = sum(t["included_events"] for t in types)
    return Line(
        "included", "included", "Credits within the allowance", why + ".", row["quantity"], 0, 1, 0, period.starts,
        period.ends, events=events,
    )  # fmt: skip


def _overage(row: Mapping[str, Any], types: Sequence[Any], period: Period) -> list[Line]:
    over = [t for t in types if t["over"] != 0]
    amounts = shares(row["amount_minor"], [t["over"] for t in over])
    price = f"{written(row['unit_minor'], row['currency'])} for {row['unit_quantity']:,}"
    free = ", on trial: not charged" if row["subscription_status"] == "trialing" else ""
    return [
        Line(
            f"overage-{t['event_type']}" if t["event_type"] else "overage", "overage",
            f"{named_event(t['event_type'])}, over the allowance",
            f"{t['over']:,} of the {row['quantity']:,} credits over the allowance, at {price}{free}; "
            f"{written(row['amount_minor'], row['currency'])} for all of them, divided by the largest remainder.",
            t["over"], row["unit_minor"], row["unit_quantity"], amount, period.starts, period.ends, t["event_type"],
            t["over_events"],
        )
        for t, amount in zip(over, amounts, strict=True)
    ]  # fmt: skip


def _given_back(row: Mapping[str, Any], period: Period) -> Line:
    at = _moment(row["since"])
    day = at.astimezone(ZoneInfo(period.time_zone)).date()
    title = "Refund" if row["kind"] == "refund" else "Credit note"
    why = f"{title} of {day.isoformat()}: {row['note']}"
    return Line(
        f"{row['kind']}-{row['reference']}",
        row["kind"],
        title,
        why,
        1,
        row["unit_minor"],
        1,
        row["amount_minor"],
        at,
        at,
    )


def shares(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount divided in proportion to weights, whole units that add up to it: the largest remainder (Hamilton).

    Of equal remainders the first one gets the unit. Weights whose sum is 0 get nothing but the first, all of it.
    """
    whole = sum(weights)
    if whole == 0:
        return [amount if number == 0 else 0 for number in range(len(weights))]
    parts = [amount * weight // whole for weight in weights]
    left = amount - sum(parts)
    order = sorted(range(len(weights)), key=lambda n: (-(amount * weights[n] % whole), n))
    for number in order[:left]:
        parts[number] += 1
    return parts


def named_event(event_type: str | None) -> str:
    """A type of event as a person reads it; without one, events that are gone."""
    if event_type is None:
        return "Events no longer kept"
    return _EVENTS.get(event_type, event_type.replace("_", " ").replace(".", " ").capitalize())


_EVENTS = {
    "ai_call": "AI calls", "session_save": "Saves", "diagram_render": "Diagrams", "pdf_export": "PDF exports",
    "share_view": "Shared views", "session_create": "New sessions", "export": "Exports", "refund": "Refunds",
}  # fmt: skip
_STATUS = {"trialing": "on trial"}


def _moment(value: str) -> dt.datetime:
    return dt.datetime.fromisoformat(value).astimezone(dt.UTC)


def _span(since: dt.datetime, until: dt.datetime, period: Period) -> str:
    zone = ZoneInfo(period.time_zone)
    begin, end = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (since, until))
    return f"from {begin} to {end} ({period.time_zone})"


def _share(since: dt.datetime, until: dt.datetime, period: Period) -> str:
    return f"{100 * ((until - since) / (period.ends - period.starts)):.2f} %"
