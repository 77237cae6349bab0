"""Running customers in a real Chromium: find, change together, undo, edit, export, delete and restore."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.nexa_core.organizations.domains.dns_server import Zone, dns_server
from tests.pages.visits import visits
from tests.serving import Served, serve

MARKUP = "<b>Bold</b> **stars** $x^2$ :red[red]"


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    with dns_server() as zone:
        yield zone


@pytest.fixture(scope="module")
def served(zone: Zone) -> Iterator[Served]:
    """A NEXA of this module's own: these tests change its customers, and their DNS."""
    with serve(environment={"NEXA_DNS_RESOLVER": zone.address}) as running:
        yield running


@pytest.fixture
def admin(browser: Any, served: Served) -> Iterator[Page]:
    """An internal admin at the list of organizations."""
    with visits(browser, served) as visit:
        page = visit("admin@nexa.example", "/organizations", height=1100)
        expect(page.get_by_role("heading", name="Organizations")).to_be_visible()
        yield page


def _open(page: Page, served: Served, slug: str, tab: str) -> None:
    page.goto(f"{served.url}/organization?organization={slug}&tab={tab}")
    expect(page.get_by_role("tab", name=tab.title())).to_have_attribute("aria-selected", "true")


def _said(page: Page, sentence: str) -> None:
    expect(page.get_by_test_id("stToast").filter(has_text=sentence)).to_be_visible()


def _choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option, exact=True).click()


def test_what_is_shown_is_suspended_together_and_set_back(admin: Page) -> None:
    admin.get_by_label("Search", exact=True).fill("ne")
    _choose(admin, "Status", "Active")
    expect(admin).to_have_url(re.compile("q=ne.*status=Active|status=Active.*q=ne"))
    admin.get_by_text("All that the filters show").click()
    admin.get_by_role("button", name="Suspend …").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_text("organizations change.")).to_be_visible()
    dialog.get_by_role("button", name="Suspend ").click()
    expect(dialog.get_by_text("Please give a reason")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).fill("Contract review")
    dialog.get_by_role("button", name="Suspend ").click()
    _said(admin, "changed")
    expect(admin.get_by_text("No organization fits")).to_be_visible()
    admin.get_by_role("button", name="Recent bulk changes").click()
    dialog.get_by_role("combobox", name="Bulk change").click()
    admin.get_by_role("option").first.click()
    expect(dialog.get_by_text("Contract review")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).fill("Review is over")
    dialog.get_by_role("button", name="Undo ").click()
    _said(admin, "set back")
    expect(admin.get_by_text("No organization fits")).to_have_count(0)


def test_a_ticked_row_gets_another_plan(admin: Page) -> None:
    table = admin.get_by_test_id("stDataFrame").first
    expect(table).to_be_visible()
    box = table.bounding_box()
    assert box
    admin.mouse.click(box["x"] + 17, box["y"] + 35 + 17)
    expect(admin.get_by_text("Change the 1 ticked")).to_be_visible()
    admin.get_by_role("button", name="Plan …").click()
    dialog = admin.get_by_role("dialog")
    _choose(admin, "New plan", "Free")
    expect(dialog.get_by_text("1 of 1 organizations change.")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).fill("Trial over")
    dialog.get_by_role("button", name="Change 1").click()
    _said(admin, "1 organization changed")


def test_the_file_holds_what_the_filters_show(admin: Page) -> None:
    admin.get_by_label("Search", exact=True).fill("lumenfold retail")
    link = admin.get_by_role("link", name="Export CSV")
    expect(link).to_have_attribute("href", re.compile("text=lumenfold"))
    answer = admin.context.request.get(admin.url.split("/organizations")[0] + str(link.get_attribute("href")))
    assert answer.status == 200 and "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))
    assert [row["Name"] for row in rows] == ["Lumenfold Retail"]


def test_markup_in_a_name_is_shown_and_not_drawn(admin: Page, served: Served) -> None:
    _open(admin, served, "sorrelby", "profile")
    admin.get_by_label("Name", exact=True).fill(MARKUP)
    admin.get_by_role("button", name="Save profile").click()
    _said(admin, "The profile is saved")
    expect(admin.get_by_role("heading", name=MARKUP)).to_be_visible()
    assert admin.locator("h1 b, h1 strong, h1 .katex, h1 span[style*=color]").count() == 0
    assert admin.locator('[aria-label^="Preview"] b').first.inner_text() == MARKUP
    admin.get_by_role("button", name="Delete …").click()
    expect(admin.get_by_role("dialog").get_by_label("Type sorrelby to confirm")).to_be_visible()


def test_a_reserved_slug_is_refused_beside_its_form_and_what_was_typed_stays(admin: Page, served: Served) -> None:
    _open(admin, served, "nimbrook", "profile")
    admin.get_by_label("Slug", exact=True).fill("admin")
    admin.get_by_role("button", name="Save profile").click()
    expect(admin.get_by_test_id("stAlert")).to_contain_text("kept for NEXA itself")
    expect(admin.get_by_label("Slug", exact=True)).to_have_value("admin")


def test_an_uploaded_logo_is_shown_from_nexas_own_address(admin: Page, served: Served, tmp_path: Path) -> None:
    from PIL import Image

    file = tmp_path / "logo.png"
    Image.new("RGB", (64, 64), "#7a2e8e").save(file)
    _open(admin, served, "lumenfold", "profile")
    admin.locator("input[type=file]").set_input_files(file)
    expect(admin.get_by_text("logo.png")).to_be_visible()
    admin.get_by_role("button", name="Use this logo").click()
    _said(admin, "The logo is saved")
    shown = admin.locator('img[src^="/api/organizations/"]')
    expect(shown).to_be_visible()
    assert shown.evaluate("image => image.naturalWidth") == 64


def test_another_plan_is_compared_before_it_is_confirmed(admin: Page, served: Served) -> None:
    _open(admin, served, "brindlemoor", "subscription")
    _choose(admin, "Change to", "Starter")
    expect(admin.get_by_text("10 seats instead of unlimited")).to_be_visible()
    expect(admin.get_by_text("members are 15 more than the 10 seats")).to_be_visible()
    admin.get_by_role("button", name="Change to Starter …").click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_label("Reason", exact=True).fill("Asked for by the customer")
    dialog.get_by_role("button", name="Change to Starter").click()
    _said(admin, "The plan is Starter now")


def test_limits_are_agreed_and_the_wrong_one_is_named(admin: Page, served: Served) -> None:
    _open(admin, served, "kestrane", "limits")
    admin.get_by_role("radiogroup", name="Seats").get_by_text("Agreed").click()
    admin.get_by_label("Agreed seats").fill("12")
    admin.get_by_label("Agreed seats").press("Enter")
    admin.get_by_role("button", name="Save limits").click()
    expect(admin.get_by_test_id("stAlert")).to_contain_text("Please give a reason")
    admin.get_by_label("Reason", exact=True).fill("Side letter")
    admin.get_by_label("Reason", exact=True).press("Tab")
    admin.get_by_role("button", name="Save limits").click()
    _said(admin, "The limits are saved")
    expect(admin.get_by_text("of 12")).to_be_visible()


def test_an_organization_is_deleted_by_its_slug_and_restored(admin: Page, served: Served) -> None:
    _open(admin, served, "halewind", "business")
    admin.get_by_role("button", name="Delete …").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_text("can no longer sign in to it")).to_be_visible()
    dialog.get_by_label("Type halewind to confirm").fill("Halewind")
    dialog.get_by_label("Reason", exact=True).fill("Contract ended")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(dialog.get_by_text("This is not its slug")).to_be_visible()
    dialog.get_by_label("Type halewind to confirm").fill("halewind")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    _said(admin, "The organization is deleted")
    expect(admin.get_by_text("it can be restored")).to_be_visible()
    admin.get_by_role("button", name="Restore …").click()
    dialog.get_by_label("Reason", exact=True).fill("They came back")
    dialog.get_by_role("button", name="Restore", exact=True).click()
    _said(admin, "The organization is restored")


def test_a_domain_is_proven_by_its_record_and_joining_is_switched_on_after_its_radius(
    admin: Page, served: Served, zone: Zone
) -> None:
    _open(admin, served, "sorrelby", "domains")
    panel = admin.get_by_role("tabpanel")
    for refused, why in (("gmail.com", "Anybody can have an address"), ("vila-sorrel.org", "")):
        panel.get_by_label("Domain", exact=True).fill(refused)
        panel.get_by_role("button", name="Add", exact=True).click()
        if why:
            expect(panel.get_by_text(why)).to_be_visible()
    expect(panel.get_by_text("_nexa-challenge.vila-sorrel.org")).to_be_visible()
    panel.get_by_role("button", name="Check now").last.click()  # the domains stand by name, so it is the last one
    expect(panel.get_by_text("There is no TXT record")).to_be_visible()
    name, value = [code.inner_text().strip() for code in panel.get_by_test_id("stCode").all()[-2:]]
    zone.records[name] = [value]
    panel.get_by_role("button", name="Check now").last.click()
    expect(panel.get_by_text("Proven by DNS")).to_be_visible()
    panel.get_by_role("button", name="Who joins").last.click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_text("People with a confirmed address of vila-sorrel.org join").click()
    expect(dialog.get_by_text("0 existing people would join at once")).to_be_visible()
    dialog.get_by_role("button", name="Save").click()
    expect(panel.get_by_text("People with a confirmed address of it join as viewer.")).to_be_visible()


def test_shown_customers_get_an_account_manager_together_and_their_former_ones_back(admin: Page) -> None:
    admin.get_by_label("Search", exact=True).fill("lumenfold")
    expect(admin).to_have_url(re.compile("q=lumenfold"))
    admin.get_by_text("All that the filters show").click()
    admin.get_by_role("button", name="Account manager …").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_text("What would happen to each is shown before it does.")).to_be_visible()
    expect(dialog.get_by_role("button", name=re.compile("^Change"))).to_have_count(0)
    _choose(admin, "New account manager", "Nobody")
    expect(dialog.get_by_text(re.compile(r"[1-9]\d* of \d+ organizations change"))).to_be_visible()
    dialog.get_by_role("button", name=re.compile(r"^Change \d+$")).click()
    expect(dialog.get_by_text("Please give a reason")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).fill("Team is reorganised")
    dialog.get_by_role("button", name=re.compile(r"^Change \d+$")).click()
    _said(admin, "changed")
    admin.get_by_role("button", name="Recent bulk changes").click()
    dialog.get_by_role("combobox", name="Bulk change").click()
    admin.get_by_role("option", name=re.compile("Another account manager")).first.click()
    expect(dialog.get_by_text("Team is reorganised")).to_be_visible()
    dialog.get_by_label("Reason", exact=True).fill("Reorganised too early")
    dialog.get_by_role("button", name=re.compile(r"^Undo \d+$")).click()
    _said(admin, "set back")


def test_business_details_are_saved_and_a_wrong_tax_id_is_named(admin: Page, served: Served) -> None:
    _open(admin, served, "tarnfell", "business")
    panel = admin.get_by_role("tabpanel")
    panel.get_by_label("Street and number", exact=True).fill("Rue <b>Haute</b> 1")
    panel.get_by_label("City", exact=True).fill("Bruxelles")
    panel.get_by_role("combobox", name="Country").fill("Belgium")
    admin.get_by_role("option", name="Belgium", exact=True).click()
    panel.get_by_label("Tax id", exact=True).fill("BE0428759498")
    save = panel.get_by_role("button", name="Save business details")
    save.click()
    expect(admin.get_by_test_id("stAlert")).to_contain_text("check digits of this tax id of Belgium do not fit")
    expect(panel.get_by_label("Tax id", exact=True)).to_have_value("BE0428759498")
    panel.get_by_label("Tax id", exact=True).fill("be0428759497")
    panel.get_by_label("Billing address", exact=True).fill("nobody at all")
    save.click()
    expect(panel.get_by_text("valid email")).to_be_visible()  # said by the browser, before the form is sent
    panel.get_by_label("Billing address", exact=True).fill("accounts@tarnfell.example")
    panel.get_by_role("combobox", name="Time zone of billing").fill("Brussels")
    admin.get_by_role("option", name=re.compile("Brussels")).click()
    save.click()
    _said(admin, "The business details are saved")
    admin.reload()
    expect(panel.get_by_label("Tax id", exact=True)).to_have_value("BE0428759497")
    expect(panel.get_by_label("Street and number", exact=True)).to_have_value("Rue <b>Haute</b> 1")
    expect(panel.get_by_label("Billing address", exact=True)).to_have_value("accounts@tarnfell.example")
    expect(panel.get_by_role("combobox", name="Time zone of billing")).to_have_value(re.compile("Brussels"))
