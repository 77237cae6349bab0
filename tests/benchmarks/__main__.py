"""Measures the figures and prints them in one table; exit code 3 when one is over its bound."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.benchmarks import (  # noqa: F401 - they register their figures
    doors,
    organizations,
    screens,
    session_files,
    sessions,
    signing_in,
    usage_reports,
)
from tests.benchmarks.harness import FIGURES, Row, measure, table
from tests.benchmarks.stage import staged

# isort: split
from tests.benchmarks import audit_log, audit_proof  # noqa: F401 - last: they fill the log

# isort: split
from tests.benchmarks import metering  # noqa: F401 - and it fills the tables of usage

OVER_A_BOUND = 3  # not 1, which is what a run that broke down exits with


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer rounds; what is over is looked at again in full")
    parser.add_argument("--only", action="append", choices=FIGURES, metavar="NAME", help=f"of {', '.join(FIGURES)}")
    parser.add_argument("--worlds", type=Path, help="where worlds of many events are kept (see worlds.py)")
    wanted = parser.parse_args()
    rows: list[Row] = []
    with staged(worlds=wanted.worlds, world="full" if wanted.worlds else "") as stage:
        for name in wanted.only or FIGURES:
            print(f"{name} ...", flush=True)
            rows += measure(name, stage, short=wanted.short)
    print(f"\n{table(rows)}\n")
    over = [row.figure for row in rows if row.is_over]
    print("Over the bound: " + ", ".join(over) if over else "Every figure is within its bound.")
    return OVER_A_BOUND if over else 0


if __name__ == "__main__":
    sys.exit(main())
