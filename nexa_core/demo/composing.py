"""One blueprint, one trade and one client become the five documents of a session that agree with each other."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from datetime import date, timedelta

from nexa_core.architecture_sessions.documents import (
    FORMAT,
    PREFIXES,
    Criterion,
    Deliverable,
    Documents,
    EffortRow,
    Kind,
    Milestone,
    Priority,
    Section,
    SowObjects,
    Statement,
    StructuringObject,
)
from nexa_core.demo.blueprints import Blueprint
from nexa_core.demo.blueprints.blueprint import Note
from nexa_core.demo.drawing import assets, diagrams
from nexa_core.demo.industries import Industry

#: Minor units an hour in euros; other currencies by a round factor. The yen has no minor unit.
_ROLES = {
    "Project lead": 13_500,
    "Solution architect": 16_500,
    "Software engineer": 12_500,
    "Data engineer": 13_000,
    "UX designer": 11_500,
    "Security engineer": 14_500,
    "Test engineer": 10_500,
}
_FACTORS = {
    "EUR": 1.0,
    "GBP": 0.85,
    "USD": 1.15,
    "CHF": 1.3,
    "AUD": 1.6,
    "NZD": 1.7,
    "SGD": 1.4,
    "ZAR": 8.0,
    "INR": 30.0,
    "BRL": 3.2,
    "JPY": 1.4,
}
_VOWEL = re.compile(r"\b([Aa]) (?=[aeio](?!ne\b|ne-|nce\b))")


class _Counter:
    """Hands out ids of one session: ``req-1``, ``req-2`` ..."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, what: str) -> str:
        prefix = PREFIXES[what]
        self._given[prefix] = self._given.get(prefix, 0) + 1
        return f"{prefix}-{self._given[prefix]}"


class Composition:
    """What is known while one session is written: its words, its ids, and what was written so far."""

    def __init__(
        self,
        rng: random.Random,
        blueprint: Blueprint,
        industry: Industry,
        *,
        client: str,
        start: date,
        currency: str,
        colors: dict[str, str],
    ) -> None:
        self.rng, self.blueprint, self.client, self.start, self.currency, self.colors = (
            rng,
            blueprint,
            client,
            start,
            currency,
            colors,
        )
        self._words = industry.words()
        self._new = _Counter()
        self.components = {component.key: self._new("component") for component in blueprint.components}

    def say(self, text: str) -> str:
        """The text with the words of the trade in it."""
        said = _VOWEL.sub(r"\1n ", text.format_map(self._words))
        return said[:1].upper() + said[1:]

    @property
    def title(self) -> str:
        return self.say(self.blueprint.title)

    def documents(self) -> Documents:
        objects = self._structuring()
        sow = self._sow(objects)
        texts = diagrams(self, sow["milestones"])
        return {
            "session_objects": {"format": FORMAT, "objects": objects},
            "sow_objects": sow,
            "loe_objects": {
                "format": FORMAT,
                "currency": self.currency,
                "contingency_percent": float(self.rng.choice((10, 12.5, 15, 20))),
                "rows": self._rows(sow["deliverables"]),
            },
            "diagram_texts_json": {"format": FORMAT, "diagrams": texts},
            "visual_assets_json": {"format": FORMAT, "assets": assets(self, texts)},
        }

    def new(self, what: str) -> str:
        return self._new(what)

    def _ids(self, keys: Iterable[str]) -> list[str]:
        return [self.components[key] for key in keys]

    def _structuring(self) -> list[StructuringObject]:
        plan = self.blueprint
        objects: list[StructuringObject] = []

        def add(kind: Kind, title: str, text: str, priority: Priority, on: list[str], parent: str | None = None) -> str:
            number = self._new(kind)
            objects.append(
                {
                    "id": number,
                    "kind": kind,
                    "title": self.say(title),
                    "description": self.say(text),
                    "priority": priority,
                    "parent": parent,
                    "depends_on": on,
                }
            )
            return number

        for need in plan.needs:
            if need.priority == "could" and self.rng.random() < 0.3:
                continue
            parent = add("requirement", need.title, need.description, need.priority, self._ids(need.on))
            for title, text in need.parts:
                add("requirement", title, text, need.priority, self._ids(need.on[:1]), parent)
        uses = _dependencies(plan)
        objects += [
            StructuringObject(
                id=self.components[component.key],
                kind="component",
                title=self.say(component.name),
                description=self.say(component.description),
                priority="must",
                parent=None,
                depends_on=self._ids(uses[component.key]),
            )
            for component in plan.components
        ]
        groups: tuple[tuple[Kind, tuple[Note, ...]], ...] = (
            ("constraint", plan.constraints),
            ("assumption", plan.assumptions),
            ("integration", plan.integrations),
            ("risk", plan.risks),
        )
        for kind, notes in groups:
            for note in notes:
                add(kind, note.title, note.description, note.priority, self._ids(note.on))
        return objects

    def _sow(self, objects: list[StructuringObject]) -> SowObjects:
        deliverables = self._deliverables(objects)
        milestones = self._milestones(deliverables)
        return {
            "format": FORMAT,
            "sections": self._sections(objects, deliverables, milestones),
            "deliverables": deliverables,
            "milestones": milestones,
            "assumptions": [
                Statement(id=self._new("sow_assumption"), text=f"{o['title']}. {o['description']}")
                for o in objects
                if o["kind"] == "assumption"
            ],
            "out_of_scope": [
                Statement(id=self._new("out_of_scope"), text=self.say(text)) for text in self.blueprint.excluded
            ],
        }

    def _deliverables(self, objects: list[StructuringObject]) -> list[Deliverable]:
        """Each package, and every requirement that stands on one of its components."""
        found: list[Deliverable] = []
        for package in self.blueprint.packages:
            own = set(self._ids(package.on))
            covers = [
                o["id"] for o in objects if o["kind"] == "requirement" and o["depends_on"] and o["depends_on"][0] in own
            ]
            criteria = [Criterion(id=self._new("criterion"), text=self.say(text)) for text in package.criteria]
            found.append(
                {
                    "id": self._new("deliverable"),
                    "title": self.say(package.title),
                    "description": self.say(package.description),
                    "acceptance_criteria": criteria,
                    "covers": sorted(own) + covers,
                }
            )
        return found

    def _milestones(self, deliverables: list[Deliverable]) -> list[Milestone]:
        milestones: list[Milestone] = []
        due = self.start
        for deliverable in deliverables:
            due = workday(due + timedelta(days=self.rng.randrange(28, 64, 7)))
            milestones.append(
                {
                    "id": self._new("milestone"),
                    "title": f"{deliverable['title']} accepted",
                    "due": due.isoformat(),
                    "deliverables": [deliverable["id"]],
                }
            )
        return milestones

    def _sections(
        self, objects: list[StructuringObject], deliverables: list[Deliverable], milestones: list[Milestone]
    ) -> list[Section]:
        goals = [o for o in objects if o["kind"] == "requirement" and o["parent"] is None]
        limits = [o for o in objects if o["kind"] == "constraint"]
        risks = [o for o in objects if o["kind"] == "risk"]
        weeks = (date.fromisoformat(milestones[-1]["due"]) - self.start).days // 7
        table = "\n".join(f"| {m['title']} | {m['due']} |" for m in milestones)
        texts = (
            (
                "Background",
                f"{self.client} asks for the following: *{self.say(self.blueprint.goal)}*\n\n"
                f"The work begins on **{self.start.isoformat()}** and takes {weeks} weeks.",
            ),
            ("Objectives", "\n".join(f"- **{o['title']}** ({o['priority']}): {o['description']}" for o in goals)),
            ("Scope of work", "\n".join(f"1. **{d['title']}.** {d['description']}" for d in deliverables)),
            ("Boundaries", "\n".join(f"- {o['title']}: {o['description']}" for o in limits)),
            (
                "Approach",
                "Two-week iterations, each with a demonstration to the client. Decisions are written down on one "
                "page each. Nothing counts as done before its acceptance criteria have been shown in a test "
                "environment.",
            ),
            ("Timetable", f"| Milestone | Due |\n| --- | --- |\n{table}"),
            ("Risks", "\n".join(f"- **{o['title']}.** {o['description']}" for o in risks)),
            (
                "Acceptance and payment",
                "The client accepts or objects in writing within ten working days. Each milestone is "
                "invoiced on acceptance, by hours worked, up to the estimate with its contingency.",
            ),
        )
        return [Section(id=self._new("section"), title=title, markdown=text) for title, text in texts]

    def _rows(self, deliverables: list[Deliverable]) -> list[EffortRow]:
        rows: list[EffortRow] = []
        factor = _FACTORS[self.currency]
        step = 1 if self.currency == "JPY" else 100

        def add(task: str, role: str, likely: float, deliverable: str | None) -> None:
            low, high = self.rng.uniform(0.6, 0.85), self.rng.uniform(1.3, 2.1)
            rate = round(_ROLES[role] * factor / step) * step
            rows.append(
                {
                    "id": self._new("row"),
                    "task": task,
                    "role": role,
                    "deliverable": deliverable,
                    "optimistic_hours": _halves(likely * low),
                    "likely_hours": _halves(likely),
                    "pessimistic_hours": _halves(likely * high),
                    "rate_minor": rate,
                }
            )

        builder = (
            "Data engineer" if "data" in self.blueprint.tags or "events" in self.blueprint.tags else "Software engineer"
        )
        for deliverable in deliverables:
            size = sum(part.startswith("cmp-") for part in deliverable["covers"])
            number, title = deliverable["id"], deliverable["title"]
            add(f"Design: {title}", "Solution architect", 18 + 14 * size * self.rng.uniform(0.8, 1.3), number)
            add(f"Build: {title}", builder, 50 + 62 * size * self.rng.uniform(0.8, 1.4), number)
            if deliverable is deliverables[0] and {"web", "mobile", "portal"} & set(self.blueprint.tags):
                add(f"Screens and tests with people: {title}", "UX designer", self.rng.uniform(60, 110), number)
            if deliverable is deliverables[-1]:
                add(f"Security review: {title}", "Security engineer", self.rng.uniform(24, 56), number)
            add(f"Acceptance tests: {title}", "Test engineer", 16 + 20 * size * self.rng.uniform(0.8, 1.2), number)
        total = sum(row["likely_hours"] for row in rows)
        add("Steering, reporting, iterations", "Project lead", total * 0.12, None)
        return rows


def _dependencies(plan: Blueprint) -> dict[str, list[str]]:
    """What each component sends to, without the flows that lead back: dependencies run in no circle."""
    uses: dict[str, list[str]] = {component.key: [] for component in plan.components}

    def reaches(source: str, target: str) -> bool:
        return source == target or any(reaches(next_one, target) for next_one in uses[source])

    for source, target, _ in plan.flows:
        if target not in uses[source] and not reaches(target, source):
            uses[source].append(target)
    return uses


def workday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


def _halves(hours: float) -> float:
    return round(hours * 2) / 2
