"""Usage: what was used, counted once."""

from nexa_core.usage.alerts import THRESHOLDS, Alert, alerts, raise_alerts
from nexa_core.usage.events import BATCH, Recorded, UsageEvent
from nexa_core.usage.incoming import MOST_SENT, Rejected, Submitted
from nexa_core.usage.months import make_months
from nexa_core.usage.proof import Difference, Proof, expire, last_proof, prove, roll_up
from nexa_core.usage.refunds import refund
from nexa_core.usage.reservations import (
    Reservation,
    Settled,
    expire_reservations,
    release,
    reserve,
    settle,
)
from nexa_core.usage.service import charge, record, submit

__all__ = [
    "BATCH",
    "MOST_SENT",
    "THRESHOLDS",
    "Alert",
    "Difference",
    "Proof",
    "Recorded",
    "Rejected",
    "Reservation",
    "Settled",
    "Submitted",
    "UsageEvent",
    "alerts",
    "charge",
    "expire",
    "expire_reservations",
    "last_proof",
    "make_months",
    "prove",
    "raise_alerts",
    "record",
    "refund",
    "release",
    "reserve",
    "roll_up",
    "settle",
    "submit",
]
