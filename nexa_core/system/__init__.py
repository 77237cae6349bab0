"""How NEXA itself is doing: versions, database, jobs, mail that waits, and the checks that prove its promises."""

from nexa_core.audit import Verification, verify
from nexa_core.system.checks import Finding, check, readiness
from nexa_core.system.service import JobCount, SystemView, WaitingMail, overview

verify_audit = verify

__all__ = [
    "Finding",
    "JobCount",
    "SystemView",
    "Verification",
    "WaitingMail",
    "check",
    "overview",
    "readiness",
    "verify_audit",
]
