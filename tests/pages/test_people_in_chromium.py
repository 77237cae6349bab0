"""People in a real Chromium: a lock explained and lifted, a look with somebody's eyes, a file, an erasure, joining, and
what else an admin does to an account."""

from __future__ import annotations

import io
import json
import re
import zipfile
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
from playwright.sync_api import Page, expect

from nexa_core.embedded import EmbeddedServer
from tests.pages.visits import OpenPage, in_database, press, said, sign_in
from tests.serving import Served

NEW = "an entirely new phrase to remember"


def database(served: Served) -> psycopg.Connection:
    return psycopg.connect(EmbeddedServer(served.data_dir).url(), autocommit=True)


def id_of(served: Served, email: str) -> UUID:
    with database(served) as connection:
        row = connection.execute("SELECT id FROM users WHERE email = %s", [email]).fetchone()
    assert row
    return UUID(str(row[0]))


def name_of(served: Served, email: str) -> str:
    with database(served) as connection:
        row = connection.execute("SELECT full_name FROM users WHERE email = %s", [email]).fetchone()
    assert row
    return str(row[0])


def admin_at(open_page: OpenPage, served: Served, email: str) -> Page:
    return open_page(f"/person?person={id_of(served, email)}", who="Internal admin")


def test_a_person_is_found_opened_and_the_address_can_be_sent(open_page: OpenPage) -> None:
    page = open_page("/people?q=thabo", who="Internal admin")
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    page.wait_for_timeout(1000)
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 60, box["y"] + 52)
    expect(page.get_by_role("heading", name=re.compile("^Thabo"))).to_be_visible()
    again = open_page("/person?" + urlsplit(page.url).query, beside=page)
    expect(again.get_by_role("heading", name=re.compile("^Thabo"))).to_be_visible()
    again.get_by_role("link", name=re.compile("^Everything about Thabo")).click()
    expect(again.get_by_role("heading", name="Audit log")).to_be_visible()
    expect(again.get_by_role("button", name=re.compile("^Everything about Thabo"))).to_be_visible()
    expect(again.get_by_text(re.compile("Thabo .+ accepted the invitation"))).to_be_visible()


def test_a_lock_says_why_until_when_and_from_where_and_is_lifted(open_page: OpenPage, served: Served) -> None:
    email = "billing@lumenfold.example"
    import httpx

    for _ in range(6):
        httpx.post(f"{served.url}/api/auth/token", json={"email": email, "password": "not the password at all"})
    page = admin_at(open_page, served, email)
    told = page.get_by_test_id("stAlert")
    expect(told).to_contain_text(
        re.compile(r"Locked until .+, because 5 sign-ins failed \(.+\) from (127\.0\.0\.1|::1) with python-httpx"),
    )
    page.get_by_role("button", name="Unlock").click()
    page.get_by_role("dialog").get_by_role("button", name="Unlock").click()
    expect(page.get_by_text("Unlocked").first).to_be_visible()
    expect(told).to_have_count(0)


def test_viewing_as_somebody_is_seen_on_every_screen_changes_nothing_and_ends(
    open_page: OpenPage, served: Served
) -> None:
    page = admin_at(open_page, served, "owner@lumenfold.example")
    page.get_by_role("button", name="View as").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Begin").click()
    expect(dialog.get_by_test_id("stAlert")).to_contain_text("say why")
    dialog.get_by_label("Reason", exact=True).fill("Ticket 4711")
    dialog.get_by_role("button", name="Begin").click()
    banner = page.get_by_text("you are viewing Lumenfold Retail as")
    expect(banner).to_be_visible()
    for screen in ("Home", "Organization"):
        page.get_by_test_id("stSidebarNav").get_by_role("link", name=screen, exact=True).click()
        expect(banner).to_be_visible()
    page.get_by_role("link", name="My account").click()
    expect(banner).to_be_visible()
    page.get_by_label("First name").fill("Mallory")
    alert = page.get_by_test_id("stAlert").filter(has_text="change nothing")
    press(page.get_by_role("button", name="Save"), until=alert)
    answer = page.request.get(f"{served.url}/api/me")
    assert (
        answer.json()["organization"]["slug"] == "lumenfold" and answer.json()["user"]["email"] == "admin@nexa.example"
    )
    page.get_by_role("button", name="End viewing").click()
    expect(banner).to_have_count(0)
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name="People")).to_be_visible()
    owner, admin = name_of(served, "owner@lumenfold.example"), name_of(served, "admin@nexa.example")
    # Who really looked is who stands in the log, for the platform by name and for the customer as its staff.
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Audit log").click()
    began = page.get_by_text(f"{admin} began to view Lumenfold Retail as {owner}").first  # the demo has one, too
    expect(began).to_be_visible()
    began.click()
    expect(page.get_by_text("Ticket 4711").first).to_be_visible()
    theirs = open_page("/staff-access", who="Owner of")
    shown = theirs.get_by_text(f"NEXA staff began to view Lumenfold Retail as {owner}").first
    expect(shown).to_be_visible()
    expect(theirs.get_by_text("Reason: Ticket 4711").first).to_be_visible()
    expect(theirs.get_by_text(admin)).to_have_count(0)
    with database(served) as connection:
        seen = connection.execute(
            "SELECT l.action, l.reason, u.email, o.slug FROM audit_logs l JOIN users u ON u.id = l.user_id"
            " JOIN organizations o ON o.id = l.organization_id WHERE l.action LIKE 'user.viewing%'"
            " ORDER BY l.created_at"
        ).fetchall()
    assert seen[-2:] == [
        ("user.viewing_started", "Ticket 4711", "admin@nexa.example", "lumenfold"),
        ("user.viewing_ended", None, "admin@nexa.example", "lumenfold"),
    ]


def test_viewing_ends_by_itself_without_a_click(open_page: OpenPage, served: Served) -> None:
    page = admin_at(open_page, served, "viewer@lumenfold.example")
    page.get_by_role("button", name="View as").click()
    page.get_by_role("dialog").get_by_label("Reason", exact=True).fill("Ticket 4712")
    page.get_by_role("dialog").get_by_role("button", name="Begin").click()
    banner = page.get_by_text("you are viewing Lumenfold Retail as")
    expect(banner).to_be_visible()
    with database(served) as connection, connection.transaction():
        connection.execute(
            "SELECT set_config('nexa.action', 'test', true), set_config('nexa.request', %s, true)", [str(uuid4())]
        )
        connection.execute("UPDATE viewings SET expires_at = now() + interval '20 seconds' WHERE ended_at IS NULL")
    page.reload()
    expect(banner).to_be_visible()
    expect(banner).to_have_count(0, timeout=60_000)


def test_a_person_is_exported_then_erased_with_a_certificate(open_page: OpenPage, served: Served) -> None:
    email = "carys.abelwick@lumenfold.example"
    page = admin_at(open_page, served, email)
    page.get_by_role("button", name="Export everything").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason", exact=True).fill("Article 15, ticket 9")
    link = dialog.get_by_role("link", name="Download")
    expect(link).to_have_attribute("href", re.compile("ticket"))
    answer = page.request.get(served.url + str(link.get_attribute("href")))
    assert answer.status == 200 and answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.body()))
    assert json.loads(archive.read("users.json"))[0]["email"] == email and "index.html" in archive.namelist()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Erase for good").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("What would happen")).to_be_visible()
    dialog.get_by_label("Type the person's e-mail address").fill("wrong@lumenfold.example")
    dialog.get_by_label("Reason", exact=True).fill("Article 17, ticket 10")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(dialog.get_by_test_id("stAlert")).to_contain_text("not this person's")
    dialog.get_by_label("Type the person's e-mail address").fill(email)
    dialog.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("heading", name="Certificate of erasure")).to_be_visible()
    expect(page.get_by_role("heading", name="Erased person")).to_be_visible()
    expect(page.get_by_text("Carys")).to_have_count(0)
    system = open_page("/system", beside=page)
    system.get_by_role("button", name="Verify every chain").click()
    expect(system.get_by_text("every link verifies")).to_be_visible(timeout=60_000)


def test_somebody_joins_by_their_work_address(open_page: OpenPage, served: Served) -> None:
    with database(served) as connection:
        row = connection.execute(
            "SELECT d.domain, o.name FROM organization_domains d JOIN organizations o ON o.id = d.organization_id"
            " WHERE d.auto_join_enabled AND o.status = 'active' LIMIT 1"
        ).fetchone()
    assert row
    domain, organization = row
    page = open_page()
    page.get_by_role("link", name="Join your organization").click()
    page.get_by_label("Work e-mail address").fill(f"new.colleague@{domain}")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("the link is on its way")).to_be_visible()
    with database(served) as connection:
        mailed = connection.execute("SELECT link FROM outbox_messages WHERE link LIKE '%/join?%'").fetchone()
    assert mailed
    page.goto(f"{served.url}/join?{mailed[0].partition('?')[2]}")
    expect(page.get_by_text(f"Join {organization} as viewer")).to_be_visible()
    page.get_by_label("First name").fill("<b>New</b>")
    page.get_by_label("Last name").fill("*Colleague*")
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You have joined")).to_be_visible()
    page.goto(served.url)
    page.get_by_label("E-mail address", exact=True).fill(f"new.colleague@{domain}")
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.get_by_test_id("stSidebar").get_by_text("<b>New</b> *Colleague*")).to_be_visible()


def test_an_account_is_sent_a_link_suspended_resumed_signed_out_deleted_and_restored(
    open_page: OpenPage, served: Served
) -> None:
    email = f"pat.{uuid4().hex[:8]}@lumenfold.example"
    world = in_database(served)
    with database(served) as connection:
        ((lumenfold,),) = connection.execute("SELECT id FROM organizations WHERE slug = 'lumenfold'").fetchall()
    pat = world.person(email, lumenfold, full_name="Pat Price")
    admin = admin_at(open_page, served, email)
    dialog = admin.get_by_role("dialog")

    def do(button: str, *, done: str, confirm: str = "", why: str = "Ticket 4713") -> None:
        press(admin.get_by_role("button", name=button, exact=True).first, until=dialog)
        if why:
            dialog.get_by_label("Reason", exact=True).fill(why)
        dialog.get_by_role("button", name=confirm or button, exact=True).click()
        expect(said(admin, done)).to_be_visible()
        expect(dialog).to_have_count(0)

    press(admin.get_by_role("button", name="Suspend", exact=True).first, until=dialog)
    dialog.get_by_role("button", name="Cancel", exact=True).click()
    expect(dialog).to_have_count(0)
    do("Send reset link", confirm="Send the link", done="The link is on its way", why="")
    with database(served) as connection:
        ((link,),) = connection.execute("SELECT link FROM outbox_messages WHERE recipient = %s", [email]).fetchall()
    theirs = open_page(f"/set-password?{link.partition('?')[2]}")
    theirs.get_by_label("New password", exact=True).fill(NEW)
    theirs.get_by_label("New password again").fill(NEW)
    theirs.get_by_role("button", name="Set password").click()
    expect(theirs.get_by_text("Your password is set")).to_be_visible()
    inside = theirs.get_by_test_id("stSidebar").get_by_role("button", name="Sign out")

    def enter() -> None:
        theirs.goto(served.url)
        sign_in(theirs, email, NEW)

    def is_out() -> None:
        theirs.goto(served.url)
        expect(theirs.get_by_label("Password", exact=True)).to_be_visible()

    enter()
    expect(inside).to_be_visible()
    do("Suspend", done="The account is suspended")
    is_out()
    sign_in(theirs, email, NEW)
    expect(theirs.get_by_test_id("stAlert")).to_be_visible()
    do("Resume", done="The account is active again")
    enter()
    expect(inside).to_be_visible()
    admin.reload()
    do("End this one", confirm="End it", done="Signed out")
    expect(admin.get_by_text("Nowhere.")).to_be_visible()
    is_out()
    enter()
    expect(inside).to_be_visible()
    world.sign_in(pat, lumenfold)  # at another desk
    admin.reload()
    do("End all", confirm="End all of them", done="Signed out")
    expect(admin.get_by_text("Nowhere.")).to_be_visible()
    is_out()
    do("Delete", done="The account is deleted")
    is_out()
    do("Restore", done="The account is restored")
    enter()
    expect(inside).to_be_visible()
