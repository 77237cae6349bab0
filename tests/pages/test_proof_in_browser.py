"""Proof and Staff access in a real Chromium: verify, carry the log away, verify it outside, and read who was there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.visits import OpenPage


def _download(page: Page, link: str, into: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).click()
    path = into / started.value.suggested_filename
    started.value.save_as(path)
    return path


@pytest.mark.parametrize("button", ["Owner of", "Internal admin"])
def test_the_log_is_verified_carried_away_and_verified_outside(
    open_page: OpenPage, tmp_path: Path, button: str
) -> None:
    page = open_page("/audit-proof", who=button)
    expect(page.get_by_role("heading", name="Proof", exact=True)).to_be_visible()
    page.get_by_role("button", name="Verify now").click()
    expect(page.get_by_text("Every link verifies")).to_be_visible()
    expect(page.get_by_text("Verified to")).to_be_visible()
    command = page.get_by_test_id("stCode").inner_text().split()
    script = _download(page, "Verifier (Python)", tmp_path)
    if button == "Internal admin":
        page.get_by_role("textbox", name="Reason for exporting").fill("A yearly copy")
        page.get_by_role("textbox", name="Reason for exporting").press("Enter")
    for link in ("Export as NDJSON", "Export as CSV"):
        export = _download(page, link, tmp_path)
        run = [sys.executable, "-I", str(script), str(export), *command[3:]]
        done = subprocess.run(run, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "It verifies." in done.stdout and " 1 seals" in done.stdout
    forged = tmp_path / "forged.csv"
    forged.write_text(export.read_text().replace("Lumenfold Retail", "Lumenfold Detail"))
    done = subprocess.run([sys.executable, "-I", str(script), str(forged)], capture_output=True, text=True)
    assert done.returncode == 1 and "were changed" in done.stdout


def test_a_hold_is_set_with_a_reason_and_the_customer_reads_it(open_page: OpenPage) -> None:
    admin = open_page("/audit-proof", who="Internal admin")
    admin.get_by_label("Organization", exact=True).press_sequentially("lumenf")
    admin.get_by_role("button", name="Lumenfold Retail").click()
    expect(admin.get_by_role("button", name="Organization: Lumenfold Retail")).to_be_visible()
    admin.get_by_role("button", name="Put under legal hold").click()
    expect(admin.get_by_text("Please give a reason")).to_be_visible()
    admin.get_by_label("Reason", exact=True).fill("A court asked for it <i>today</i>")
    admin.get_by_role("button", name="Put under legal hold").click()
    expect(admin.get_by_text("Lumenfold Retail is under legal hold")).to_be_visible()

    owner = open_page("/staff-access", who="Owner of")
    expect(owner.get_by_text("Reason: A court asked for it <i>today</i>")).to_be_visible()
    owner.get_by_test_id("stSidebarNav").get_by_role("link", name="Proof").click()
    expect(owner.get_by_text("A legal hold keeps every entry")).to_be_visible()


@pytest.mark.parametrize("path", ["/audit-proof", "/staff-access"])
def test_neither_screen_is_wider_than_a_telephone(open_page: OpenPage, path: str) -> None:
    page = open_page(path, width=400)
    page.get_by_role("button", name="Owner of").click()  # there is no sidebar to wait for
    expect(page.locator("h1").first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
