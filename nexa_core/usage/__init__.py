"""Usage: what was used, counted once."""

from nexa_core.usage.events import BATCH, Recorded, UsageEvent
from nexa_core.usage.service import charge, record

__all__ = ["BATCH", "Recorded", "UsageEvent", "charge", "record"]
