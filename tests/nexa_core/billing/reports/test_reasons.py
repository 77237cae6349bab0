"""The morning brief's reasons: each from its facts, with the score that is written down, and no other."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from nexa_core.billing.reports.reasons import Facts, reasons, total
from nexa_core.billing.reports.wording import KINDS, message, words

TODAY = dt.date(2026, 11, 12)
QUIET = Facts(
    today=TODAY, period_end=dt.date(2026, 11, 30), subscription_status="active", subscription_data={}, status="active",
    is_hard=False, allowance=1_000, used=300, expected=800, depletes_on=None, trend=3, last_fortnight=150,
    fortnight_before=145, last_activity=TODAY, members=6, unused=1, week=70, top_person="p", top_week=20, top_usual=18,
)  # fmt: skip
CASES = {
    "depletion": ({"depletes_on": dt.date(2026, 11, 21), "used": 600}, 50 + 10),
    "depletion, hard": ({"depletes_on": dt.date(2026, 11, 21), "is_hard": True}, 50 + 10 + 15),
    "drop": ({"trend": -60, "last_fortnight": 58}, 40 + 10),
    "drop, quiet": ({"last_activity": TODAY - dt.timedelta(days=20), "trend": None}, 65),
    "spike": ({"top_week": 60, "top_usual": 15}, 35 + 10),
    "seats": ({"unused": 3}, 20 + 50 // 3),
    "trial": (
        {"subscription_status": "trialing", "subscription_data": {"trial_ends_on": "2026-11-15"}}, 75 - 3 * 3,
    ),
    "payment": (
        {"subscription_status": "past_due", "subscription_data": {"past_due_since": "2026-11-02"}}, 70 + 10,
    ),
}  # fmt: skip


def test_a_customer_that_is_well_gives_no_reason() -> None:
    assert reasons(QUIET) == ()
    assert total(()) == 0


@pytest.mark.parametrize("case", CASES)
def test_a_fact_gives_its_reason_and_its_score(case: str) -> None:
    changes, score = CASES[case]
    (reason,) = reasons(replace(QUIET, **changes))
    assert (reason.kind, reason.score) == (case.partition(",")[0], score)
    said = words(reason.kind, reason.as_json()["facts"], person="Ada Quill")
    assert said.sentence.endswith(".") and said.evidence and said.ask
    assert all(name and value for name, value in said.evidence)


@pytest.mark.parametrize(
    "changes",
    [
        {"depletes_on": dt.date(2026, 12, 1)},  # in the next period
        {"trend": -39},
        {"trend": -80, "fortnight_before": 20},  # of almost nothing
        {"top_week": 20, "top_usual": 5},  # three times as usual, but not half of all
        {"unused": 2},
        {"subscription_status": "trialing", "subscription_data": {"trial_ends_on": "2026-12-24"}},
        {"subscription_status": "trialing", "subscription_data": {"trial_ends_on": 7}},
        {"status": "suspended", "depletes_on": TODAY, "trend": -90},
    ],
)
def test_what_is_near_a_reason_is_none(changes: dict[str, object]) -> None:
    assert reasons(replace(QUIET, **changes)) == ()  # type: ignore[arg-type]


def test_several_reasons_begin_with_the_weightiest_and_add_up_to_a_hundred_at_most() -> None:
    many = replace(
        QUIET, subscription_status="past_due", subscription_data={"past_due_since": "2026-09-01"}, unused=6, trend=-90,
        depletes_on=TODAY,
    )  # fmt: skip
    found = reasons(many)
    assert [reason.kind for reason in found] == ["payment", "depletion", "drop", "seats"]
    assert total(found) == 100
    assert reasons(many) == found, "the same facts give the same list"


def test_what_a_hard_limit_refuses_is_no_drop() -> None:
    stopped = replace(QUIET, is_hard=True, depletes_on=TODAY - dt.timedelta(days=3), trend=-95)
    assert [reason.kind for reason in reasons(stopped)] == ["depletion"]


def test_a_message_can_be_sent_as_it_is() -> None:
    assert set(KINDS) == {case.partition(",")[0] for case in CASES}
    text = message("Northwind", "", "Mara", ["Two."])
    assert text.startswith("Hello everybody at Northwind,") and text.endswith("Mara")
