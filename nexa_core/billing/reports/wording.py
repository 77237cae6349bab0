"""How a reason of the morning brief reads: its sentence, its evidence, and a message to copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: What the kinds of reason are called.
KINDS = {
    "depletion": "Runs out before renewal",
    "drop": "Sudden drop",
    "spike": "Spike by one person",
    "seats": "Unused seats",
    "trial": "Trial ending",
    "payment": "Payment past due",
}

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    """A reason in words. ``evidence`` are pairs of what and how much; ``ask`` is the middle of a message."""

    sentence: str
    evidence: tuple[tuple[str, str], ...]
    ask: str


def words(kind: str, facts: Facts, *, person: str) -> Words:
    """The reason in words; ``person`` is who a spike is about."""
    return _WORDS[kind](facts, person)


def message(customer: str, contact: str, sender: str, asks: list[str]) -> str:
    """A message to the customer that can be copied as it is."""
    body = "\n\n".join(asks)
    return f"Hello {contact or 'everybody at ' + customer},\n\n{body}\n\nBest regards,\n{sender}"


def _depletion(facts: Facts, _person: str) -> Words:
    on, until = _date(facts["on"]), _date(facts["until"])
    allowance, stops = facts["allowance"] or 0, facts["hard"]
    if facts["over"]:
        sentence = f"The allowance is used up since {on}; " + ("use is refused." if stops else "the rest is overage.")
        ask = f"your {allowance:,} credits of this month were used up on {on}."
    else:
        sentence = f"Runs out around {on}, {_days(facts['short'])} before the renewal."
        ask = f"at the present pace your {allowance:,} credits of this month will last until about {on}."
    ask += (
        " Beyond them use is refused until the renewal." if stops else " What comes beyond them is charged as overage."
    )
    evidence = [
        ("Used of the allowance", f"{facts['used']:,} of {allowance:,}"),
        ("Expected by the end of the period", _number(facts["expected"])),
        ("Passes the allowance", on),
        ("Renewal after", until),
        ("Beyond the allowance", "use stops" if stops else "overage"),
    ]
    return Words(sentence, tuple(evidence), _start(ask) + " Shall we look at what would suit you better?")


def _drop(facts: Facts, _person: str) -> Words:
    if "quiet" in facts:
        sentence = f"Nobody has used NEXA for {facts['quiet']} days."
        evidence = (("Last use", _date(facts["last"])), ("Members", f"{facts['members']:,}"))
        ask = f"since {_date(facts['last'])} nobody of your team has worked with NEXA."
    else:
        sentence = f"Use fell by {-facts['trend']} % within two weeks."
        evidence = (
            ("Credits of the last 14 days", f"{facts['now']:,}"),
            ("Credits of the 14 days before", f"{facts['before']:,}"),
        )
        ask = "in the last two weeks your team used NEXA much less than before."
    return Words(sentence, evidence, _start(ask) + " Is anything in your way that we could help with?")


def _spike(facts: Facts, person: str) -> Words:
    times = facts["week"] / facts["usual"]
    sentence = f"{person} used {facts['share']} % of the last week's credits, {times:.1f} times as many as usual."
    evidence = (
        (f"{person}, last 7 days", f"{facts['week']:,}"),
        (f"{person}, a usual week", f"{facts['usual']:,}"),
        ("Everybody, last 7 days", f"{facts['all']:,}"),
    )
    ask = (
        f"in the last week {person} used {facts['week']:,} credits, against {facts['usual']:,} in a usual week."
        " If that is meant, all is well; if not, we can find out together what it was."
    )
    return Words(sentence, evidence, _start(ask))


def _seats(facts: Facts, _person: str) -> Words:
    unused, members = facts["unused"], facts["members"]
    evidence = (("Members", f"{members:,}"), ("Without any activity for 30 days", f"{unused:,}"))
    ask = f"{unused} of your {members} members have not worked with NEXA for 30 days."
    return Words(
        f"{unused} of {members} members did nothing for 30 days.",
        evidence,
        _start(ask) + " Would an introduction for them help, or do you need fewer seats?",
    )


def _trial(facts: Facts, _person: str) -> Words:
    left = facts["left"]
    when = "ended" if left < 0 else "ends today" if left == 0 else f"ends in {_days(left)}"
    evidence = (
        ("End of the trial", _date(facts["on"])),
        ("Credits used in this period", f"{facts['used']:,}"),
        ("Members", f"{facts['members']:,}"),
    )
    ask = f"your trial {when}, and your team has used {facts['used']:,} credits this month."
    return Words(f"The trial {when}.", evidence, _start(ask) + " Shall we talk about how you would like to go on?")


def _payment(facts: Facts, _person: str) -> Words:
    days, failed = facts["days"], facts["failed"]
    evidence = [("Overdue for", _days(days) if days else "less than a day")]
    if failed:
        evidence.append(("Failed attempts", str(failed)))
    ask = f"your last payment has been open for {_days(days)}." if days else "your last payment is open."
    return Words(
        f"Payment has been past due for {_days(days)}." if days else "Payment is past due.",
        tuple(evidence),
        _start(ask) + " Could you look into it, or tell us whom to ask?",
    )


_WORDS: dict[str, Callable[[Facts, str], Words]] = {
    "depletion": _depletion, "drop": _drop, "spike": _spike, "seats": _seats, "trial": _trial, "payment": _payment,
}  # fmt: skip


def _date(value: str) -> str:
    return f"{dt.date.fromisoformat(value):%-d %B}"


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _number(value: int | None) -> str:
    return "unknown yet" if value is None else f"{value:,}"


def _start(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
