"""One customer is run in a real Chromium, a new one for each story: members, invitations, domains, contract."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from nexa_core.demo import PASSWORD
from tests.pages.visits import Visit, in_database, insist, press, said, visits
from tests.serving import Served, serve


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A NEXA of this module's own: these tests make customers in it."""
    with serve() as running:
        yield running


@pytest.fixture
def visit(browser: Any, served: Served) -> Iterator[Visit]:
    with visits(browser, served) as make:
        yield make


@dataclass(frozen=True)
class Customer:
    """A customer that no other test has seen, nor this one when it is tried once more."""

    id: UUID
    slug: str
    served: Served

    @property
    def name(self) -> str:
        return self.slug.replace("-", " ").capitalize()

    def address(self, name: str) -> str:
        return f"{name}@{self.slug}.org"

    def person(self, name: str, role: str = "member", **values: Any) -> str:
        """Somebody who belongs to it; their address."""
        in_database(self.served).person(self.address(name), self.id, role=role, password=PASSWORD, **values)
        return self.address(name)

    def tab(self, name: str) -> str:
        return f"/organization?organization={self.slug}&tab={name}"


def customer_of(served: Served) -> Customer:
    number = uuid4().hex[:8]
    slug = f"fabrikam-{number}"
    made = in_database(served).organization(f"Fabrikam {number}", slug=slug, plan="professional")
    customer = Customer(made, slug, served)
    customer.person("olga", "owner")
    return customer


@pytest.fixture
def customer(served: Served) -> Customer:
    return customer_of(served)


def test_a_member_gets_another_role_is_suspended_and_resumed(visit: Visit, customer: Customer) -> None:
    ben = customer.person("ben", "admin")
    page = visit(customer.address("olga"), "/organization?tab=members")
    who = page.get_by_role("combobox", name="Person")
    suspend = page.get_by_role("button", name="Suspend", exact=True).first
    insist(lambda: (who.fill(ben), who.press("Enter")), until=suspend)
    page.get_by_role("combobox", name="Role").last.click()
    page.get_by_role("option", name="Viewer", exact=True).click()
    loses = page.get_by_test_id("stMarkdown").filter(has_text="Loses:")
    expect(loses).to_contain_text("Invite, change and remove members")
    make = page.get_by_role("button", name="Make Ben a viewer")
    press(make, until=page.get_by_test_id("stAlert").filter(has_text="Please give a reason"))
    page.get_by_label("Reason", exact=True).fill("Another team")
    page.get_by_label("Reason", exact=True).press("Tab")
    press(make, until=said(page, "The role is viewer now"))
    dialog = page.get_by_role("dialog")
    for what, done in (
        ("Suspend", "The membership is suspended"), ("Resume", "The membership is active again"),
    ):  # fmt: skip
        press(page.get_by_role("button", name=what, exact=True).first, until=dialog)
        dialog.get_by_label("Reason", exact=True).fill("Long leave")
        dialog.get_by_role("button", name=what, exact=True).click()
        expect(said(page, done)).to_be_visible()
    expect(suspend).to_be_visible()


def test_people_of_a_file_are_invited_and_a_copied_link_leads_to_its_offer_until_it_is_withdrawn(
    visit: Visit, customer: Customer
) -> None:
    page = visit(
        customer.address("olga"), "/organization?tab=invitations", permissions=("clipboard-read", "clipboard-write")
    )
    ann, bea = customer.address("ann"), customer.address("bea")
    # As a spreadsheet writes it, with its mark at the beginning.
    lines = f"\ufeffemail;role\r\n{ann};viewer\r\nnobody at all\r\n{customer.address('olga')}\r\n{bea}\r\n"
    page.get_by_text("Invite people").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    )
    send = page.get_by_role("button", name="Invite 2 people")
    expect(send).to_be_visible()
    rows = page.get_by_role("tabpanel").get_by_test_id("stDataFrame").locator("canvas tr")
    for line, address, role, verdict in (
        (2, ann, "Viewer", "New"), (3, "nobody at all", "Member", "Bad address"),
        (4, customer.address("olga"), "Member", "Member"), (5, bea, "Member", "New"),
    ):  # fmt: skip
        expect(rows.nth(line - 1)).to_contain_text(re.compile(f"{line}{address}.*{role}.*{verdict}"))
    press(send, until=said(page, "2 invitations on the way"))

    page.get_by_label("Search invitations by address").fill("ann@")
    withdraw = page.get_by_role("button", name="Withdraw", exact=True)
    expect(withdraw).to_have_count(1)
    dialog = page.get_by_role("dialog")
    press(page.get_by_role("button", name="Copy link"), until=dialog)
    dialog.get_by_role("button", name="Make the link").click()
    shown = dialog.get_by_test_id("stCode")
    expect(shown).to_contain_text("/invitation?token=")
    shown.hover()
    shown.get_by_role("button").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == shown.inner_text().strip()
    parts = urlsplit(link)  # its host is the one the program is set to, not the one of this test
    other = page.context.browser.new_page()  # type: ignore[union-attr]
    other.goto(f"{customer.served.url}{parts.path}?{parts.query}")
    expect(other.get_by_text(f"invites {ann} to")).to_be_visible()

    page.reload()  # it has been opened meanwhile
    press(withdraw, until=dialog)
    dialog.get_by_role("button", name="Withdraw the invitation").click()
    expect(said(page, "The invitation is withdrawn")).to_be_visible()
    other.reload()
    expect(other.get_by_test_id("stAlert")).to_contain_text("used or withdrawn")
    other.close()


def test_a_domain_is_accepted_those_who_exist_wait_and_are_let_in_or_declined_and_it_is_removed(
    visit: Visit, customer: Customer, served: Served
) -> None:
    elsewhere = customer_of(served)
    for name in ("una", "ugo"):
        in_database(served).person(customer.address(name), elsewhere.id, email_verified_at="2026-01-01")
    admin = visit("admin@nexa.example", customer.tab("domains"))
    panel, dialog = admin.get_by_role("tabpanel"), admin.get_by_role("dialog")
    panel.get_by_label("Domain", exact=True).fill(f"{customer.slug}.org")
    panel.get_by_role("button", name="Add", exact=True).click()
    expect(panel.get_by_text("Not proven")).to_be_visible()
    expect(panel.get_by_label("Domain", exact=True)).to_have_value("")
    press(panel.get_by_role("button", name="Accept without proof"), until=dialog)
    accept = dialog.get_by_role("button", name="Accept", exact=True)
    press(accept, until=dialog.get_by_test_id("stAlert"))
    reason = dialog.get_by_label("Reason (kept in the audit log)", exact=True)
    reason.fill("Seen in their contract")
    reason.press("Tab")
    accept.click()
    expect(panel.get_by_text("Accepted by")).to_be_visible()

    press(panel.get_by_role("button", name="Who joins"), until=dialog)
    dialog.get_by_text("with a confirmed address of").click()
    expect(dialog.get_by_text("2 existing people would join at once; 3 of 25 seats are taken then.")).to_be_visible()
    dialog.get_by_text("An owner lets each of them in").click()
    expect(dialog.get_by_text("2 existing people would wait to be let in.")).to_be_visible()
    dialog.get_by_role("button", name="Save").click()
    expect(said(admin, "2 existing people are in the queue")).to_be_visible()
    expect(panel.get_by_text("once an owner has let them in")).to_be_visible()

    owner = visit(customer.address("olga"), "/organization?tab=domains")
    expect(owner.get_by_text("2 waiting to be let in")).to_be_visible()
    press(owner.get_by_role("button", name="Let in").first, until=said(owner, "is in"))
    expect(owner.get_by_text("1 waiting to be let in")).to_be_visible()
    asked = owner.get_by_role("dialog")
    press(owner.get_by_role("button", name="Decline"), until=asked)
    asked.get_by_label("Reason (kept in the audit log)").fill("Left long ago")
    asked.get_by_role("button", name="Decline").click()
    expect(said(owner, "is declined")).to_be_visible()
    expect(owner.get_by_text("waiting to be let in")).to_have_count(0)

    press(panel.get_by_role("button", name="Remove"), until=dialog)
    dialog.get_by_label("Reason (kept in the audit log)").fill("Sold")
    dialog.get_by_role("button", name="Remove").click()
    expect(panel.get_by_text("No domain yet")).to_be_visible()


def test_a_contract_and_colours_are_saved_the_customer_is_suspended_resumed_and_in_the_file(
    visit: Visit, customer: Customer
) -> None:
    page = visit("admin@nexa.example", customer.tab("subscription"))
    panel = page.get_by_role("tabpanel")
    contract = panel.get_by_test_id("stForm").filter(has_text="Contract notes")
    contract.get_by_role("combobox", name="Status").click()
    page.get_by_role("option", name="Paused", exact=True).click()
    contract.get_by_role("spinbutton", name="Seats of the contract").fill("40")
    contract.get_by_role("textbox", name="Contract notes").fill("Net 30, <b>signed</b>")
    save = contract.get_by_role("button", name="Save contract")
    press(save, until=page.get_by_test_id("stAlert").filter(has_text="Please give a reason"))
    contract.get_by_label("Reason", exact=True).fill("Amendment 2")
    press(save, until=said(page, "The contract is saved"))
    expect(page.get_by_text("Its subscription is paused.")).to_be_visible()
    expect(contract.get_by_role("textbox", name="Contract notes")).to_have_value("Net 30, <b>signed</b>")

    page.get_by_role("tab", name="Profile").click()
    _paint(page, "Primary colour", "#ffff66")
    warning = panel.get_by_text("White writing on the primary colour has a contrast of 1.1")
    expect(warning).to_be_visible()
    _paint(page, "Primary colour", "#123456")
    expect(warning).to_have_count(0)
    press(panel.get_by_role("button", name="Save branding"), until=said(page, "The branding is saved"))

    dialog = page.get_by_role("dialog")
    for what, done in (
        ("Suspend", "The organization is suspended"), ("Resume", "The organization is active again"),
    ):  # fmt: skip
        press(page.get_by_role("button", name=f"{what} …"), until=dialog)
        dialog.get_by_label("Reason", exact=True).fill("Amendment 2")
        dialog.get_by_role("button", name=what, exact=True).click()
        expect(said(page, done)).to_be_visible()

    page.goto(f"{customer.served.url}/organizations?q={customer.slug}")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export XLSX").click()
    (sheet,) = openpyxl.load_workbook(io.BytesIO(waiting.value.path().read_bytes())).worksheets
    head, *lines = sheet.iter_rows(values_only=True)
    assert [line[head.index("Name")] for line in lines] == [customer.name]
    assert lines[0][head.index("Subscription")] == "paused"


def _paint(page: Page, label: str, color: str) -> None:
    """Choose a colour by its number; it counts once its picker is closed."""
    page.get_by_test_id("stColorPicker").filter(has_text=label).get_by_test_id("stColorPickerBlock").click()
    number = page.get_by_role("textbox", name="hex")
    number.fill(color)
    number.press("Enter")
    page.keyboard.press("Escape")
