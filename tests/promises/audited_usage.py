"""What the verbs of usage leave in the audit log."""

from __future__ import annotations

from uuid import uuid4

from nexa_core import usage
from tests.promises.audited_rows import Case

DOMAIN = usage
NO_VERBS = {"usage.charge"}  # a step inside another verb
CASES: dict[str, Case] = {
    "usage.record": Case(lambda s, _: usage.record(s.ada, [usage.UsageEvent("ai_call", uuid4().hex, credits=1)])),
}
