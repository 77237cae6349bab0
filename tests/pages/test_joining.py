"""In a real Chromium: invite, take the mail from a real mail server, follow its link, and belong; and who may not."""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Page, expect

from tests.pages.visits import OpenWindow
from tests.serving import Served, free_port, serve

GOOD = "a quiet walk along the harbour"
OpenPage = Callable[..., Page]


class Postbox:
    """A mail server's inside."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def link_to(self, address: str, *, after: int = 0) -> str:
        """The path of the link in the newest mail to an address, once it has come behind so many others."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for message in reversed(self.taken[after:]):
                if message["To"] == address:
                    found = re.search(r"https?://\S+/invitation\?token=\S+", message.get_content())
                    assert found, message.get_content()
                    parts = urlsplit(found.group(0))
                    return f"{parts.path}?{parts.query}"
            time.sleep(0.2)
        raise AssertionError(f"no mail came for {address}")


@pytest.fixture(scope="module")
def postbox() -> Iterator[Postbox]:
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    box.port = controller.port  # type: ignore[attr-defined]
    yield box
    controller.stop()


@pytest.fixture(scope="module")
def served(postbox: Postbox) -> Iterator[Served]:
    with serve(environment={"NEXA_SMTP_URL": f"smtp://127.0.0.1:{postbox.port}"}) as running:  # type: ignore[attr-defined]
        yield running


@pytest.fixture
def open_page(open_window: OpenWindow, served: Served) -> OpenPage:
    def make(path: str = "/", *, as_: str = "", width: int = 1280) -> Page:
        page = open_window(served.url + path, width=width, height=1400)
        if as_:
            page.get_by_role("button", name=as_).click()
            expect(page.get_by_test_id("stSidebar").get_by_role("button", name="Sign out")).to_be_visible()
        return page

    return make


def invite(page: Page, text: str, *, people: str) -> None:
    page.get_by_role("tab", name="Invitations").click()
    page.get_by_text("Invite people").click()
    page.get_by_role("textbox", name="E-mail addresses").fill(text)
    page.get_by_role("textbox", name="Message (optional)").fill("Come **aboard** <b>now</b>")
    page.get_by_role("textbox", name="E-mail addresses").click()
    page.get_by_role("button", name=f"Invite {people}").click()
    expect(page.get_by_text("on the way")).to_be_visible()


def test_an_invited_person_follows_the_mail_sets_a_password_and_belongs(
    served: Served, open_page: OpenPage, postbox: Postbox
) -> None:
    owner = open_page("/organization", as_="Owner of")
    invite(owner, "kim@lumenfold.example\nnot an address", people="1 person")
    link = postbox.link_to("kim@lumenfold.example")
    for method in ("GET", "HEAD", "POST"):  # a mail scanner's look at it
        httpx.request(method, served.url + link)
    owner.reload()
    owner.get_by_role("tab", name="Invitations").click()
    owner.get_by_label("Search invitations by address").fill("kim@")
    owner.get_by_text(re.compile(r"^Sent \d")).click()
    expect(owner.get_by_role("button", name="Withdraw", exact=True)).to_have_count(1)

    owner.goto(served.url + link)  # signed in as somebody else: both are named, neither is taken
    alert = owner.get_by_test_id("stAlert")
    expect(alert).to_contain_text("kim@lumenfold.example")
    expect(alert).to_contain_text("owner@lumenfold.example")
    expect(owner.get_by_role("button", name=re.compile("^Join"))).to_have_count(0)

    for _ in range(2):  # looking uses nothing up
        kim = open_page(link)
        expect(kim.get_by_text("invites kim@lumenfold.example to Lumenfold Retail")).to_be_visible()
    expect(kim.get_by_text("Come **aboard** <b>now</b>")).to_be_visible()
    kim.get_by_label("First name").fill("Kim")
    kim.get_by_label("Last name").fill("Nguyen")
    kim.get_by_label("New password", exact=True).fill(GOOD)
    kim.get_by_label("New password again").fill(GOOD)
    kim.get_by_role("button", name="Join Lumenfold Retail").click()
    expect(kim.get_by_test_id("stSidebar").get_by_text("Kim Nguyen")).to_be_visible()
    expect(kim.get_by_test_id("stSidebar").get_by_text("Lumenfold Retail")).to_be_visible()

    again = open_page(link)
    expect(again.get_by_test_id("stAlert")).to_contain_text("used or withdrawn")


def test_a_person_with_an_account_signs_in_on_the_invitation_and_joins(open_page: OpenPage, postbox: Postbox) -> None:
    owner = open_page("/organization", as_="Owner of")
    invite(owner, "owner@halewind.example,viewer", people="1 person")
    page = open_page(postbox.link_to("owner@halewind.example"))
    expect(page.get_by_text("Sign in as owner@halewind.example to join.")).to_be_visible()
    page.get_by_label("E-mail address", exact=True).fill("owner@halewind.example")
    page.get_by_label("Password", exact=True).fill("nexa-demo-walkthrough")
    page.get_by_label("Password", exact=True).press("Enter")
    page.get_by_role("button", name="Join Lumenfold Retail").click()
    expect(page.get_by_text("Welcome to Lumenfold Retail")).to_be_visible()
    expect(page.get_by_role("combobox", name="Organization")).to_have_value("Lumenfold Retail")


def test_an_organization_is_created_and_opened_by_its_first_owner(open_page: OpenPage, postbox: Postbox) -> None:
    admin = open_page("/new-organization", as_="Internal admin")
    admin.get_by_label("Name", exact=True).fill("Fabrikam **Bold** $x^2$ www.evil.example")
    slug = admin.get_by_label("Slug", exact=True)
    expect(slug).to_have_value("fabrikam-bold-x-2-www-evil-example")
    slug.fill("admin")
    expect(admin.get_by_text("is kept for NEXA itself")).to_be_visible()
    slug.fill("fabrikam")
    expect(admin.get_by_text("This slug is free.")).to_be_visible()
    admin.get_by_label("E-mail address of the first owner").fill("gina@fabrikam.example")
    admin.get_by_label("E-mail address of the first owner").press("Tab")
    admin.get_by_role("button", name="Create and invite the owner").click()
    admin.wait_for_url("**/organization?organization=fabrikam*")
    expect(admin.get_by_text("Pending", exact=True).first).to_be_visible()

    gina = open_page(postbox.link_to("gina@fabrikam.example"))
    expect(gina.get_by_text("to Fabrikam **Bold** $x^2$ www")).to_be_visible()
    expect(gina.get_by_test_id("stMain").locator('.katex, a[href*="evil"]')).to_have_count(0)
    gina.get_by_label("First name").fill("Gina")
    gina.get_by_label("New password", exact=True).fill(GOOD)
    gina.get_by_label("New password again").fill(GOOD)
    gina.get_by_role("button", name="Join Fabrikam **Bold** $x^2$ www").click()
    expect(gina.get_by_test_id("stSidebar").get_by_text("Gina")).to_be_visible()
    admin.reload()
    for page in (admin, gina):
        expect(page.get_by_role("heading").filter(has_text="Fabrikam **Bold** $x^2$")).to_have_count(int(page is admin))
        expect(page.locator('.katex, a[href*="evil"]')).to_have_count(0)
    expect(admin.get_by_text("Active", exact=True).first).to_be_visible()
    expect(admin.get_by_text("Pending", exact=True)).to_have_count(0)


def choose(page: Page, who: str) -> None:
    person = page.get_by_role("combobox", name="Person")
    person.fill(who)
    person.press("Enter")


def pick(page: Page, label: str, wanted: str) -> None:
    """Choose an option of a select box by what it says, with the keyboard: a list closes when the page scrolls."""
    box = page.get_by_role("combobox", name=label)
    option = page.get_by_role("option", name=re.compile(wanted, re.I)).first
    for _ in range(8):  # again when the box was drawn anew, which closes it, too
        box.press("ArrowDown")
        with contextlib.suppress(AssertionError):
            expect(option).to_be_visible(timeout=3_000)
            option.click()
            break
    expect(box).to_have_value(re.compile(wanted, re.I))


def test_the_last_owner_is_guided_to_a_transfer(open_page: OpenPage) -> None:
    admin = open_page("/organization?organization=sorrelby&tab=members", as_="Internal admin")
    choose(admin, "owner@sorrelby")
    admin.get_by_role("button", name="Remove").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog).to_contain_text("somebody else has to be an owner")
    dialog.get_by_label("Reason", exact=True).fill("They retire")
    dialog.get_by_role("button", name="Transfer").click()
    expect(admin.get_by_text("is the owner now")).to_be_visible()


def test_somebody_without_another_organization_is_suspended_or_kept_in_their_own(open_page: OpenPage) -> None:
    admin = open_page("/organization?organization=sorrelby&tab=members", as_="Internal admin")
    choose(admin, "viewer@sorrelby")
    admin.get_by_role("button", name="Remove").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog).to_contain_text("belongs to no other organization")
    expect(dialog).to_contain_text("Suspend them here instead")
    dialog.get_by_label("Reason", exact=True).fill("The project is over")
    dialog.get_by_role("button", name="Remove").click()
    expect(admin.get_by_text("The member is removed")).to_be_visible()


def test_an_exception_shows_what_it_changes_before_it_is_saved(open_page: OpenPage) -> None:
    owner = open_page("/organization?tab=members", as_="Owner of")
    choose(owner, "viewer@lumenfold")
    owner.get_by_text("Permissions", exact=True).last.click()
    owner.get_by_text("Read the audit log").click()
    expect(owner.get_by_text("Gains:")).to_be_visible()
    owner.get_by_label("Reason", exact=True).fill("Quarterly review")
    owner.get_by_role("button", name="Save exceptions").click()
    expect(owner.get_by_text("may do is saved")).to_be_visible()
    owner.get_by_text("Why can or can't").click()
    what = owner.get_by_role("combobox", name="do this")
    what.fill("audit")
    what.press("Enter")
    expect(owner.get_by_text("Yes. “Read the audit log” was granted to")).to_be_visible()


def test_an_invitation_is_withdrawn_on_the_board_and_its_link_is_dead(open_page: OpenPage, postbox: Postbox) -> None:
    owner = open_page("/organization", as_="Owner of")
    invite(owner, "lee@lumenfold.example", people="1 person")
    link = postbox.link_to("lee@lumenfold.example")
    owner.get_by_label("Search invitations by address").fill("lee@")
    expect(owner.get_by_role("button", name="Withdraw", exact=True)).to_have_count(1)
    owner.get_by_role("button", name="Withdraw", exact=True).click()
    owner.get_by_role("dialog").get_by_role("button", name="Withdraw the invitation").click()
    expect(owner.get_by_text("Withdrawn 1")).to_be_visible()
    expect(open_page(link).get_by_test_id("stAlert")).to_contain_text("used or withdrawn")


def test_why_somebody_cannot_is_told_gate_by_gate_and_what_would_change_it(open_page: OpenPage) -> None:
    admin = open_page("/organization?organization=lumenfold&tab=members", as_="Internal admin")
    choose(admin, "viewer@lumenfold")
    admin.get_by_text("Why can or can't").click()
    pick(admin, "do this", "invite")
    expect(admin.get_by_test_id("stAlert").filter(has_text="No.")).to_be_visible()
    expect(admin.get_by_text("Decides")).to_have_count(1)
    expect(admin.get_by_text("nothing is changed by looking")).to_be_visible()
    pick(admin, "the role were", "Admin")
    expect(admin.get_by_text("Gains:")).to_be_visible()
    pick(admin, "the membership were", "Suspended")
    expect(admin.get_by_text("Loses:")).to_be_visible()
    who = admin.get_by_role("combobox", name="Can", exact=True)
    who.fill("stranger@elsewhere.example")
    who.press("Enter")
    stranger = admin.get_by_test_id("stAlert").filter(has_text=re.compile(r"No\..*(account|membership)"))
    expect(stranger).to_be_visible()


def test_an_invitation_is_sent_again_and_only_the_new_mails_link_works(open_page: OpenPage, postbox: Postbox) -> None:
    owner = open_page("/organization", as_="Owner of")
    invite(owner, "noor@lumenfold.example", people="1 person")
    first = postbox.link_to("noor@lumenfold.example")
    before = len(postbox.taken)
    owner.get_by_label("Search invitations by address").fill("noor@")
    expect(owner.get_by_role("button", name="Send again")).to_have_count(1)
    owner.get_by_role("button", name="Send again").click()
    expect(owner.get_by_text("A new link is on its way")).to_be_visible()
    second = postbox.link_to("noor@lumenfold.example", after=before)
    assert second != first
    expect(open_page(first).get_by_test_id("stAlert")).to_contain_text("used or withdrawn")
    noor = open_page(second)
    noor.get_by_label("First name").fill("Noor")
    noor.get_by_label("Last name").fill("Haddad")
    noor.get_by_label("New password", exact=True).fill(GOOD)
    noor.get_by_label("New password again").fill(GOOD)
    noor.get_by_role("button", name="Join Lumenfold Retail").click()
    expect(noor.get_by_test_id("stSidebar").get_by_text("Noor Haddad")).to_be_visible()
