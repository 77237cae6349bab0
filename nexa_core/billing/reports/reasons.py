"""Why somebody should call a customer today: which facts make a reason, how much it weighs, and how it reads.

A score is the sum that is written beside each rule, at most 100; the brief shows it. Nothing here is random, learned or
hidden: the same facts give the same list.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: A drop is told from here on, in per cent of 14 days against the 14 before; and only where there was something.
DROP = -40
_WORTH_TELLING = 40
_QUIET_DAYS = 14
_TRIAL_DAYS = 7
_SPIKE_SHARE = 50
_UNUSED_SHARE = 40


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a customer on a day. Credits are whole numbers; ``top_*`` are of the person who used the most in
    the last 7 days, ``top_usual`` being that person's mean of a week in the three weeks before."""

    today: dt.date
    period_end: dt.date
    subscription_status: str
    subscription_data: Mapping[str, Any]
    status: str
    is_hard: bool
    allowance: int | None
    used: int
    expected: int | None
    depletes_on: dt.date | None
    trend: int | None
    last_fortnight: int
    fortnight_before: int
    last_activity: dt.date | None
    members: int
    unused: int
    week: int
    top_person: str | None
    top_week: int
    top_usual: int


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason as it is kept: its kind, its weight and the facts it was made from, without anybody's name."""

    kind: str
    score: int
    facts: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "score": self.score, "facts": dict(self.facts)}


def reasons(facts: Facts) -> tuple[Reason, ...]:
    """Every reason the facts give, the weightiest first."""
    if facts.status != "active":
        return ()
    found = [reason for rule in _RULES for reason in rule(facts)]
    return tuple(sorted(found, key=lambda reason: (-reason.score, reason.kind)))


#: Reasons that are none any more once the subscription has another status than this.
SETTLED_BY = {"payment": "past_due", "trial": "trialing"}


def total(found: tuple[Reason, ...]) -> int:
    """The weight of a customer: the weightiest reason, and 5 more for each other one, at most 100."""
    return min(100, found[0].score + 5 * (len(found) - 1)) if found else 0


def _payment(facts: Facts) -> Iterator[Reason]:
    """70, and 1 more for each day it is overdue, up to 25."""
    if facts.subscription_status == "past_due":
        since = _day(facts.subscription_data.get("past_due_since"))
        days = max((facts.today - since).days, 0) if since else 0
        failed = facts.subscription_data.get("failed_payments")
        known = {"days": days, "failed": failed if isinstance(failed, int) else None}
        yield Reason("payment", 70 + min(days, 25), known)


def _depletion(facts: Facts) -> Iterator[Reason]:
    """50, and 1 more for each day without credits until the renewal, up to 30; 15 more where use then stops."""
    if facts.depletes_on is None or facts.depletes_on > facts.period_end:
        return
    short = (facts.period_end - facts.depletes_on).days + 1
    yield Reason(
        "depletion",
        50 + min(short, 30) + (15 if facts.is_hard else 0),
        {
            "on": facts.depletes_on.isoformat(), "short": short, "used": facts.used, "allowance": facts.allowance,
            "expected": facts.expected, "hard": facts.is_hard, "over": facts.depletes_on <= facts.today,
            "until": facts.period_end.isoformat(),
        },
    )  # fmt: skip


def _trial(facts: Facts) -> Iterator[Reason]:
    """75, and 3 less for each day that is left; from 7 days before the end on, until 7 days after it."""
    end = _day(facts.subscription_data.get("trial_ends_on"))
    if facts.subscription_status != "trialing" or end is None:
        return
    left = (end - facts.today).days
    if -_TRIAL_DAYS <= left <= _TRIAL_DAYS:
        known = {"on": end.isoformat(), "left": left, "used": facts.used, "members": facts.members}
        yield Reason("trial", 75 - 3 * max(left, 0), known)


def _drop(facts: Facts) -> Iterator[Reason]:
    """40, and 1 more for each 2 per cent beyond a drop of 40; 65 where nobody has used anything for two weeks."""
    if facts.is_hard and facts.depletes_on is not None and facts.depletes_on < facts.today:
        return  # what is refused cannot be used: another reason says so
    quiet = (facts.today - facts.last_activity).days if facts.last_activity else None
    if quiet is not None and quiet >= _QUIET_DAYS:
        yield Reason("drop", 65, {"quiet": quiet, "last": str(facts.last_activity), "members": facts.members})
    elif facts.trend is not None and facts.trend <= DROP and facts.fortnight_before >= _WORTH_TELLING:
        known = {"trend": facts.trend, "now": facts.last_fortnight, "before": facts.fortnight_before}
        yield Reason("drop", 40 + (DROP - facts.trend) // 2, known)


def _spike(facts: Facts) -> Iterator[Reason]:
    """35, and 1 more for each 10 per cent beyond three times that person's usual week, up to 25."""
    if facts.top_person is None or facts.week < _WORTH_TELLING or facts.top_usual <= 0:
        return
    share = round(100 * facts.top_week / facts.week)
    times = facts.top_week / facts.top_usual
    if share >= _SPIKE_SHARE and times >= 3:
        known = {
            "person": facts.top_person, "share": share, "week": facts.top_week, "usual": facts.top_usual,
            "all": facts.week,
        }  # fmt: skip
        yield Reason("spike", 35 + min(int((times - 3) * 10), 25), known)


def _seats(facts: Facts) -> Iterator[Reason]:
    """20, and 1 more for each 3 per cent of the members who did nothing for 30 days; from 40 per cent of 5 on."""
    if facts.members >= 5 and 100 * facts.unused >= _UNUSED_SHARE * facts.members:
        share = 100 * facts.unused // facts.members
        yield Reason("seats", 20 + share // 3, {"members": facts.members, "unused": facts.unused})


_RULES: tuple[Callable[[Facts], Iterator[Reason]], ...] = (_payment, _depletion, _trial, _drop, _spike, _seats)


def _day(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
