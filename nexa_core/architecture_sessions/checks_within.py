"""Checks of readiness that look at one document by itself: is everything there, filled in and countable?"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

from nexa_core.architecture_sessions import diagrams
from nexa_core.architecture_sessions.blanks import blank_in
from nexa_core.architecture_sessions.edits import ALL_COLUMNS
from nexa_core.architecture_sessions.effort import estimate
from nexa_core.architecture_sessions.findings import PAGES, Documents, Finding, Severity, task_of, title_of
from nexa_core.architecture_sessions.foreign import names, number, parts, shown, words


def empty_pages(about: Documents) -> Iterator[Finding]:
    for page, has_something in (
        ("structuring", about.objects), ("sow", about.deliverables or list(parts(about.sow, "sections"))),
        ("loe", about.rows), ("visuals", about.diagrams),
    ):  # fmt: skip
        if not has_something:
            yield Finding("empty_page", Severity.WARNING, f"{PAGES[page]} is still empty.", page)


def acceptance(about: Documents) -> Iterator[Finding]:
    for part in about.deliverables:
        if not any(words(criterion, "text") for criterion in parts(part, "acceptance_criteria")):
            yield Finding(
                "no_acceptance_criteria", Severity.ERROR,
                f"“{title_of(part)}” has no acceptance criteria: nobody can say when it is done.",
                "sow", words(part, "id"),
            )  # fmt: skip


def milestones(about: Documents) -> Iterator[Finding]:
    for part in parts(about.sow, "milestones"):
        written, page_part = words(part, "due"), words(part, "id")
        try:
            due = dt.date.fromisoformat(written[:10])
        except ValueError:
            sentence = f"“{title_of(part)}” has no date." if not written else f"“{shown(written)}” is no date."
            yield Finding("milestone_without_date", Severity.WARNING, sentence, "sow", page_part)
            continue
        if due < about.today:
            yield Finding(
                "date_before_today", Severity.WARNING,
                f"“{title_of(part)}” is due on {due.isoformat()}, which has passed.", "sow", page_part,
            )  # fmt: skip


def effort_rows(about: Documents) -> Iterator[Finding]:
    for bad in estimate(about.loe).unread:
        yield Finding(
            "effort_not_countable", Severity.ERROR, f"“{shown(bad.task or bad.id or 'A row')}”: {bad.reason}.",
            "loe", bad.id,
        )  # fmt: skip
    for row in about.rows:
        if not words(row, "role"):
            yield Finding(
                "effort_without_role", Severity.WARNING, f"“{task_of(row)}” names no role.", "loe", words(row, "id")
            )
        if not number(row, "rate_minor"):
            yield Finding(
                "effort_without_rate", Severity.HINT, f"“{task_of(row)}” has no rate.", "loe", words(row, "id")
            )


def rates(about: Documents) -> Iterator[Finding]:
    rates: dict[str, set[Any]] = {}
    for row in about.rows:
        if words(row, "role") and number(row, "rate_minor"):
            rates.setdefault(words(row, "role"), set()).add(number(row, "rate_minor"))
    for role, found in rates.items():
        if len(found) > 1:
            yield Finding(
                "role_with_two_rates", Severity.HINT, f"{shown(role)} has {len(found)} different rates.", "loe"
            )


def roles(about: Documents) -> Iterator[Finding]:
    """Roles that are declared, in documents that declare them, and used in no row."""
    declared = [
        words(role, "name") or words(role, "title") or words(role, "role") for role in parts(about.loe, "roles")
    ]
    used = {words(row, "role").casefold() for row in about.rows}
    for role in [*declared, *names(about.loe, "roles")]:
        if role and role.casefold() not in used:
            yield Finding("role_not_used", Severity.WARNING, f"The role {shown(role)} is used in no row.", "loe")


def diagram_texts(about: Documents) -> Iterator[Finding]:
    for part in about.diagrams:
        text, language = words(part, "text"), words(part, "language") or "mermaid"
        if language == "mermaid" and not about.draw and not diagrams.is_drawn(text):
            continue
        # The text as it stands, not trimmed: the line must be the one on screen.
        fault = diagrams.check(str(part.get("text") or ""), language)
        if fault is not None:
            yield Finding(
                "diagram_does_not_parse", Severity.ERROR, f"The diagram “{title_of(part)}”: {fault.sentence}",
                "visuals", words(part, "id"), fault.line,
            )  # fmt: skip


def same_ids(about: Documents) -> Iterator[Finding]:
    for page, items in (
        ("structuring", about.objects), ("sow", about.deliverables), ("loe", about.rows), ("visuals", about.diagrams),
    ):  # fmt: skip
        for part, count in Counter(words(item, "id") for item in items).items():
            if part and count > 1:
                yield Finding("same_id_twice", Severity.ERROR, f"{count} parts have the id {shown(part)}.", page, part)


# Marks of unfinished work in capitals: "todo" is a word of Spanish. What stands in brackets may be a link or, in a
# diagram, a node.
_MARKED = r"\b(?:TBD|TODO|FIXME|XXX)\b|(?i:\blorem ipsum\b)"
_BRACKETED = (
    r"(?i:\[\s*(?:(?:tbd|todo)\s*(?::[^\]]{0,60})?|(?:insert|placeholder|your |client name)[^\]]{0,60})\](?!\())"
)
_LEFT_OPEN = {
    column: re.compile("|".join((blank_in(column).pattern, _MARKED, *(() if "diagram" in column else (_BRACKETED,)))))
    for column in ALL_COLUMNS
}


def placeholders(about: Documents) -> Iterator[Finding]:
    documents = (
        ("structuring", "session_objects", about.structuring), ("sow", "sow_objects", about.sow),
        ("loe", "loe_objects", about.loe), ("visuals", "diagram_texts_json", about.texts),
        ("visuals", "visual_assets_json", about.assets),
    )  # fmt: skip
    for page, column, document in documents:
        seen: set[tuple[str, str]] = set()
        for part, text in _texts(document, ""):
            found = _LEFT_OPEN[column].search(text)
            if found and (part, found[0]) not in seen:
                seen.add((part, found[0]))
                yield Finding(
                    "placeholder_left", Severity.ERROR, f"The placeholder “{shown(found[0])}” is still there.", page,
                    part,
                )  # fmt: skip


def _texts(value: object, part: str) -> Iterator[tuple[str, str]]:
    """Every text in a document with the id of the nearest part around it."""
    pending: deque[tuple[object, str]] = deque([(value, part)])
    while pending:
        item, within = pending.popleft()
        if isinstance(item, str):
            yield within, item
        elif isinstance(item, Mapping):
            named = words(item, "id") or within
            pending.extend((inner, named) for key, inner in item.items() if key != "id")
        elif isinstance(item, list):
            pending.extend((inner, within) for inner in item)
