"""Jobs: what happens later or by itself, worked off inside every process that serves."""

from nexa_core.jobs.service import is_running, start, stop

__all__ = ["is_running", "start", "stop"]
