"""Usage: what was used, counted once."""

from nexa_core.usage.events import BATCH, Recorded, UsageEvent
from nexa_core.usage.incoming import MOST_SENT, Rejected, Submitted
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
    "Recorded",
    "Rejected",
    "Reservation",
    "Settled",
    "Submitted",
    "UsageEvent",
    "charge",
    "expire_reservations",
    "record",
    "refund",
    "release",
    "reserve",
    "settle",
    "submit",
]
