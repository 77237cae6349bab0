"""Merging and the way back: any JSON document comes through unchanged but for what was edited."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nexa_core.architecture_sessions import values
from nexa_core.architecture_sessions.differences import differences
from nexa_core.architecture_sessions.history import put_back
from nexa_core.architecture_sessions.merging import merge
from nexa_core.architecture_sessions.templates import fill
from nexa_core.architecture_sessions.values import check_document, same, walked_back, way_back

TEXTS = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
PARTS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["req-1", "req-2", "dlv-3", "row-4", "x"])}, optional={"title": TEXTS, "n": SCALARS}
    ),
    unique_by=lambda part: part["id"],
    max_size=5,
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS | PARTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON, JSON)
def test_the_way_back_leads_exactly_back(now: Any, before: Any) -> None:
    kept = json.dumps(now)
    steps = json.loads(json.dumps(way_back(now, before)))
    assert same(walked_back(now, steps), before)
    assert json.dumps(now) == kept, "what it started from is as it was"
    check_document("sow_objects", now)


@given(JSON)
def test_no_document_is_larger_than_it_was_taken_for(document: Any) -> None:
    deep, most = values._looked_through("sow_objects", document)
    assert len(json.dumps(document, ensure_ascii=False).encode()) <= most
    assert values._looked_through("sow_objects", [document])[0] == deep + 1


@given(JSON, JSON)
def test_values_are_the_same_when_they_are_written_the_same(one: Any, other: Any) -> None:
    copy = json.loads(json.dumps(one))
    assert same(one, copy) and same(copy, one)
    assert same(one, other) == same(other, one) == _written_the_same(one, other)


def _written_the_same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_written_the_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_written_the_same, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        if type(one) is type(other):
            return one == other
        return bool not in (type(one), type(other)) and float(one) == float(other)
    return json.dumps(one) == json.dumps(other)


@given(st.lists(SCALARS, max_size=4), st.lists(SCALARS, max_size=3), st.lists(SCALARS, max_size=3), st.lists(SCALARS))
def test_the_way_back_of_what_was_put_in_or_taken_out_leads_exactly_back(
    head: list[Any], old: list[Any], new: list[Any], tail: list[Any]
) -> None:
    before, now = {"parts": [*head, *old, *tail]}, {"parts": [*head, *new, *tail]}
    steps = way_back(now, before)
    assert same(walked_back(now, steps), before)
    assert len(json.dumps(steps)) <= len(json.dumps([old, new])) + 100, "of the size of the change, not of the list"


@given(JSON, JSON)
def test_who_changed_nothing_takes_what_the_other_saved(base: Any, theirs: Any) -> None:
    assert merge(base, base, theirs) == (theirs, ())
    merged, clashes = merge(base, theirs, base)
    assert same(merged, theirs) and clashes == ()
    merged, clashes = merge(base, theirs, json.loads(json.dumps(theirs)))
    assert same(merged, theirs) and clashes == (), "twice the same change is no conflict"


@given(st.dictionaries(TEXTS, JSON, max_size=4), JSON, JSON)
def test_changes_of_different_keys_are_both_there(base: dict[str, Any], mine: Any, theirs: Any) -> None:
    base = {key: value for key, value in base.items() if key not in ("mine", "theirs")}
    merged, clashes = merge(base, {**base, "mine": mine}, {**base, "theirs": theirs})
    assert clashes == () and same(merged, {**base, "mine": mine, "theirs": theirs})


@given(JSON, JSON, JSON)
@settings(max_examples=200)
def test_nothing_is_thrown_away_silently(base: Any, mine: Any, theirs: Any) -> None:
    """Where both sides cannot be had, there is a clash, and it carries both."""
    merged, clashes = merge(base, mine, theirs)
    other, clashes_of_other = merge(base, theirs, mine)
    assert len(clashes) == len(clashes_of_other), "it does not matter who came first"
    if not clashes:
        assert same(_unordered(merged), _unordered(other))
        for clash in clashes:
            assert not same(clash.mine, clash.theirs)


@given(PARTS, PARTS)
def test_parts_that_were_added_on_both_sides_are_all_there(mine: list[Any], theirs: list[Any]) -> None:
    mine = [{**part, "id": f"mine-{part['id']}"} for part in mine]
    theirs = [{**part, "id": f"theirs-{part['id']}"} for part in theirs]
    merged, clashes = merge([], mine, theirs)
    assert clashes == () and len(merged) == len(mine) + len(theirs)
    assert [part for part in merged if part in mine] == mine and [part for part in merged if part in theirs] == theirs


def test_reorder_and_edit_merge_and_two_orders_ask() -> None:
    parts = [{"id": name, "n": 0} for name in "abcd"]
    reordered = [parts[2], parts[0], parts[1], parts[3]]
    edited = [{**part, "n": 1} if part["id"] == "b" else part for part in parts]
    merged, clashes = merge(parts, reordered, edited)
    assert [part["id"] for part in merged] == list("cabd") and merged[2]["n"] == 1 and clashes == ()
    merged, clashes = merge(parts, reordered, parts[::-1])
    assert clashes[0].kind == "order"
    merged, clashes = merge(parts, parts[1:], edited[1:])
    assert clashes == () and [part["id"] for part in merged] == list("bcd")
    merged, clashes = merge(parts, [parts[0], *parts[2:]], edited)
    assert [clash.kind for clash in clashes] == ["removed_by_me"]


def test_long_lists_are_compared_and_merged_while_somebody_waits() -> None:
    """One person's list must not keep the process from everybody else: the test ends, or its time does."""
    base = [{"id": f"row-{number}", "task": ""} for number in range(50_000)]
    moved = [*base[1:], base[0]]
    told = differences({"loe_objects": {"rows": base}}, {"loe_objects": {"rows": moved}})
    assert [(one.what, one.path[-1]) for one in told] == [("moved", "row-0")]
    told = differences({"loe_objects": {"rows": base}}, {"loe_objects": {"rows": base[::-1]}})
    assert [one.what for one in told] == ["moved"] * (len(base) - 1)
    mine, theirs = ([{"id": f"{who}-{row['id']}"} for row in base] for who in ("mine", "theirs"))
    merged, clashes = merge(base, [*mine, *base], [part for pair in zip(theirs, base, strict=True) for part in pair])
    assert clashes == () and len(merged) == 3 * len(base) and merged[-1] == base[-1]
    assert [part for part in merged if part["id"].startswith("mine-")] == mine


@given(st.permutations("abcdefgh"))
def test_as_few_as_possible_count_as_moved(order: list[str]) -> None:
    before, after = ({"session_objects": {"objects": list(keys)}} for keys in ("abcdefgh", order))
    moved = {one.path[-1] for one in differences(before, after) if one.what == "moved"}
    rising = max((run for size in range(9) for run in combinations(order, size) if list(run) == sorted(run)), key=len)
    assert len(moved) == 8 - len(rising)
    stayed = [key for key in order if key not in moved]
    assert stayed == sorted(stayed)


def test_words_merge_as_a_set_in_an_order() -> None:
    merged, clashes = merge(["a", "b"], ["a", "b", "c"], ["b", "d"])
    assert (merged, clashes) == (["b", "c", "d"], ())


@given(JSON)
def test_values_of_placeholders_touch_nothing_else(document: Any) -> None:
    assert same(fill(document, {"client": "Initech"}), document) or "{{" in json.dumps(document)


def test_a_removed_part_comes_back_where_it_stood() -> None:
    then = {"parts": [{"id": "a"}, {"id": "b", "n": 1}, {"id": "c"}], "other": 1}
    now = {"parts": [{"id": "c"}, {"id": "a"}, {"id": "d"}], "other": 2}
    assert put_back(now, then, ["parts", "b"]) == {
        "parts": [{"id": "c"}, {"id": "a"}, {"id": "b", "n": 1}, {"id": "d"}], "other": 2,
    }  # fmt: skip
    assert put_back(now, then, ["parts", "d"])["parts"] == [{"id": "c"}, {"id": "a"}]
    assert put_back(now, then, ["other"])["other"] == 1


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((json.dumps(_unordered(item), sort_keys=True) for item in value), key=str)
    return value
