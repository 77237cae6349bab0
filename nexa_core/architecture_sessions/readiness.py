"""Is a session ready for its client? Deterministic checks across the four documents, each finding with its place."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nexa_core.architecture_sessions import checks_across as across
from nexa_core.architecture_sessions import checks_within as within
from nexa_core.architecture_sessions.findings import Check, Documents, Finding, Severity

#: Every check, in the order of the pages.
CHECKS: Final[tuple[Check, ...]] = (
    within.empty_pages,
    across.coverage,
    within.acceptance,
    across.deliverables_and_effort,
    within.milestones,
    within.effort_rows,
    within.rates,
    within.roles,
    across.totals,
    within.diagram_texts,
    across.diagram_nodes,
    across.references,
    within.same_ids,
    within.placeholders,
)
#: What a finding takes from the score of 100; one kind of finding never takes more than three times its own.
WEIGHTS: Final = {Severity.ERROR: 12, Severity.WARNING: 5, Severity.HINT: 1}
_MOST_OF_A_KIND: Final = 3


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found, worst first, and what it makes of 100."""

    score: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


def assess(documents: Mapping[str, Any], *, today: dt.date, draw: bool = True) -> Readiness:
    """Check the five documents, by column name and of any shape, as of a day. Never raises.

    ``draw=False`` leaves out the diagrams that were not drawn yet: then the answer takes milliseconds.
    """
    about = Documents(documents, today, draw)
    found = [finding for check in CHECKS for finding in check(about)]
    order = list(Severity)
    found.sort(key=lambda finding: order.index(finding.severity))
    counts = Counter((finding.check, finding.severity) for finding in found)
    lost = sum(WEIGHTS[severity] * min(count, _MOST_OF_A_KIND) for (_, severity), count in counts.items())
    return Readiness(max(0, 100 - lost), tuple(found))
