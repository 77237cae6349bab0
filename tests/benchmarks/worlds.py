"""Worlds of many events, made once and kept between runs: ``python -m tests.benchmarks.worlds FOLDER``, 10 GB.

``python -m tests.benchmarks --worlds FOLDER`` then plays on copies of them. They are good for the month they were made
in: the running month is part of what is measured.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from nexa_core import startup
from tests.benchmarks import many_events, usage_reports
from tests.benchmarks.stage import staged

FULL, TENTH = "full", "tenth"
SIZES = {FULL: many_events.FULL, TENTH: many_events.FULL // 10}


def make(folder: Path, name: str) -> None:
    """Fill a world and keep it under its name; what was kept there before goes."""
    began = time.monotonic()
    shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with staged() as stage:
        usage_reports.prepare(stage, short=False, total=SIZES[name])
        startup.release()  # a copy of a running server's files is none
        shutil.move(stage.folder, folder / name)
    print(f"{name} is kept, after {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.worlds", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=SIZES)
    given = parser.parse_args()
    for wanted in [given.only] if given.only else SIZES:
        make(given.folder, wanted)
