"""Finds a Chromium for the browser tests, and installs one where there is none: ``python -m tests.browser``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PATIENCE = 60_000  # milliseconds to wait for what a page shall show: a busy machine is slow, not wrong
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed() -> Path | None:
    """An installed Chromium or Chrome, else the one playwright has downloaded; None when there is neither."""
    for candidate in (os.environ.get("NEXA_TEST_CHROMIUM"), *map(shutil.which, NAMES), *PLACES):
        if candidate and _runs(candidate):
            return Path(candidate)
    own = _of_playwright()
    return Path(own) if own and _runs(own) else None


def install() -> Path:
    """playwright's own Chromium, else Debian's package when root. Raises RuntimeError that says why there is none."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts += [
            ["apt-get", "update", "-q"],
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"],
        ]
    said = []
    for command in attempts:
        print("Installing a Chromium:", " ".join(command), flush=True)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
            said.append(
                f"{' '.join(command)}: exit code {done.returncode}\n{(done.stderr or done.stdout).strip()[-500:]}"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            said.append(f"{' '.join(command)}: {error}")
        if (found := installed()) is not None:
            return found
    raise RuntimeError(
        "There is no Chromium for the browser tests and none could be installed; install Chromium or Chrome, or name "
        "one in NEXA_TEST_CHROMIUM.\n" + "\n".join(said)
    )


def find() -> Path:
    """The Chromium to use, installed now if need be."""
    return installed() or install()


def _of_playwright() -> str | None:
    """Where playwright keeps its own, whether it is there or not."""
    asking = "from playwright.sync_api import sync_playwright as p\nwith p() as q: print(q.chromium.executable_path)"
    try:
        done = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.strip() or None


def _runs(candidate: str) -> bool:
    """Whether it starts at all: playwright's may lack system libraries, Debian's wrapper may point nowhere."""
    try:
        done = subprocess.run([candidate, "--version", "--no-sandbox"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


if __name__ == "__main__":
    try:
        print("Chromium for the browser tests:", find())
    except RuntimeError as error:
        sys.exit(str(error))
