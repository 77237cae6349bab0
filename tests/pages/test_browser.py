"""NEXA in a real Chromium, started as the README says: signing in and out, and what a browser makes of it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Page, expect

from nexa_core.demo import PASSWORD
from nexa_core.embedded import EmbeddedServer
from tests.pages.visits import OpenPage
from tests.serving import Served


def _at_the_gate(page: Page) -> None:
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)


def _signed_in(page: Page, name: str) -> None:
    expect(page.get_by_test_id("stSidebar").get_by_text(name)).to_be_visible()


def _fill(page: Page, email: str, password: str) -> None:
    expect(page.get_by_label("E-mail address", exact=True)).to_have_count(1)  # not while one form replaces another
    page.get_by_label("E-mail address", exact=True).fill(email)
    page.get_by_label("Password", exact=True).fill(password)


def _sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    _fill(page, email, password)
    page.get_by_label("Password", exact=True).press("Enter")


def _database(served: Served) -> psycopg.Connection:
    return psycopg.connect(EmbeddedServer(served.data_dir).url(), autocommit=True)


def _name_of(served: Served, email: str) -> str:
    with _database(served) as connection:
        row = connection.execute("SELECT full_name FROM users WHERE email = %s", [email]).fetchone()
    assert row
    return str(row[0])


def test_a_person_signs_in_with_enter_and_lands_where_the_link_pointed(served: Served, open_page: OpenPage) -> None:
    page = open_page("/organizations?status=Active&sort=Most+used")
    _at_the_gate(page)
    _sign_in(page, "admin@nexa.example")
    _signed_in(page, _name_of(served, "admin@nexa.example"))
    expect(page.get_by_role("heading", name="Organizations")).to_be_visible()
    address = urlsplit(page.url)
    assert address.path == "/organizations"
    assert "status=Active" in address.query and "sort=Most" in address.query
    expect(page.get_by_role("combobox", name="Sort by")).to_have_value("Most used")


@pytest.mark.parametrize(("path", "title"), [("/home", "Good"), ("/no-such-screen", "There is no such screen")])
def test_an_address_of_no_screen_asks_to_sign_in_without_a_dialog_and_is_still_there_after_it(
    open_page: OpenPage, path: str, title: str
) -> None:
    page = open_page(path)
    expect(page.get_by_label("E-mail address", exact=True)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    _sign_in(page, "admin@nexa.example")
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert urlsplit(page.url).path == path
    if path == "/no-such-screen":
        page.get_by_test_id("stMain").get_by_role("link", name="Home").click()
        expect(page.get_by_role("heading", name="Good")).to_be_visible()


def test_a_script_cannot_read_the_cookie(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Internal admin").click()
    _signed_in(page, "NEXA")
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "nexa"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    assert cookie["value"] not in page.evaluate("document.cookie")
    assert "nexa=" not in page.evaluate("document.cookie")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert cookie["value"] not in stored


def test_a_reload_stays_signed_in_and_so_does_a_second_tab(served: Served, open_page: OpenPage) -> None:
    page = open_page("/account")
    _sign_in(page, "manager@nexa.example")
    name = _name_of(served, "manager@nexa.example")
    _signed_in(page, name)
    page.reload()
    _signed_in(page, name)
    second = open_page("/organizations", beside=page)
    _signed_in(second, name)
    expect(second.get_by_role("heading", name="Organizations")).to_be_visible()


def test_signing_out_ends_it_in_every_tab_and_after_a_reload(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Presenter").click()
    _signed_in(page, "NEXA")
    second = open_page("/organizations", beside=page)
    _signed_in(second, "NEXA")
    page.get_by_role("button", name="Sign out").click()
    _at_the_gate(page)
    _at_the_gate(second)
    second.reload()
    _at_the_gate(second)
    assert "nexa" not in {cookie["name"] for cookie in page.context.cookies()}


def test_a_wrong_password_is_one_sentence_and_the_address_stays(open_page: OpenPage) -> None:
    page = open_page("/system")
    _sign_in(page, "admin@nexa.example", "not the password at all")
    expect(page.get_by_test_id("stAlert")).to_have_count(1)
    expect(page.get_by_test_id("stAlert")).not_to_contain_text("Reference")
    expect(page.get_by_label("E-mail address", exact=True)).to_have_value("admin@nexa.example")
    assert "nexa" not in {cookie["name"] for cookie in page.context.cookies()}
    _sign_in(page, "admin@nexa.example")
    _signed_in(page, "NEXA")
    expect(page.get_by_role("heading", name="System")).to_be_visible()


def test_repeated_failures_bring_a_picture_and_then_a_lock_that_says_how_long(open_page: OpenPage) -> None:
    page = open_page()
    nobody = f"nobody-{uuid4().hex[:8]}@nexa.example"
    seen = ""
    for attempt in range(3):
        _sign_in(page, nobody, f"wrong password {attempt}")
        expect(page.get_by_test_id("stAlert")).to_have_count(1)
        page.wait_for_timeout(400)
    picture = page.get_by_test_id("stForm").locator("img")
    expect(picture).to_be_visible()
    assert picture.get_attribute("src").startswith("data:image/png")  # type: ignore[union-attr]
    _sign_in(page, nobody, "wrong password again")
    expect(page.get_by_test_id("stAlert")).to_contain_text("picture")
    fresh = open_page()  # another browser has no picture to read, and the address is locked all the same
    for attempt in range(3):
        _sign_in(fresh, nobody, f"wrong password {attempt}")
        fresh.wait_for_timeout(600)
        seen = fresh.get_by_test_id("stAlert").inner_text()
    assert re.search(r"\d+ (second|minute)|a minute|one minute", seen), seen


@pytest.mark.parametrize(
    ("button", "organization"),
    [("Internal admin", "NEXA"), ("Account manager", "NEXA"), ("Presenter", "NEXA"), ("Owner of", None)],
)
def test_the_demo_offers_to_continue_as(open_page: OpenPage, button: str, organization: str | None) -> None:
    page = open_page()
    page.get_by_role("button", name=button).click()
    expect(page.get_by_role("heading", name=re.compile("Good (morning|afternoon|evening)"))).to_be_visible()
    if organization:
        _signed_in(page, organization)


def test_password_managers_find_the_fields(open_page: OpenPage) -> None:
    page = open_page()
    _at_the_gate(page)
    assert page.get_by_label("E-mail address", exact=True).get_attribute("autocomplete") == "username"
    password = page.get_by_label("Password", exact=True)
    assert password.get_attribute("autocomplete") == "current-password" and password.get_attribute("type") == "password"


def test_caps_lock_is_said(open_page: OpenPage) -> None:
    page = open_page()
    _at_the_gate(page)
    page.get_by_label("Password", exact=True).focus()
    expect(page.get_by_text("Caps Lock is on.")).to_be_hidden()
    hint = page.get_by_text("Caps Lock is on.")
    for on in (True, False):
        # The listener may still be on its way: a person types more than one key, too.
        for _ in range(100):
            page.evaluate(
                """on => document.activeElement.dispatchEvent(
                    new KeyboardEvent("keydown", {key: "A", bubbles: true, modifierCapsLock: on}))""",
                on,
            )
            if hint.is_visible() is on:
                break
            page.wait_for_timeout(100)
        assert hint.is_visible() is on


def test_a_forgotten_password_is_set_anew_by_the_link_on_the_system_screen(served: Served, open_page: OpenPage) -> None:
    email, new = "owner@sorrelby.example", "an entirely new phrase to remember"
    page = open_page()
    page.get_by_role("button", name="Forgot password?").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your e-mail address").fill(email)
    dialog.get_by_role("button", name="Send the link").click()
    known = dialog.get_by_test_id("stAlert").inner_text()
    stranger = open_page()
    stranger.get_by_role("button", name="Forgot password?").click()
    dialog = stranger.get_by_role("dialog")
    dialog.get_by_label("Your e-mail address").fill("nobody@nowhere.example")
    dialog.get_by_role("button", name="Send the link").click()
    assert dialog.get_by_test_id("stAlert").inner_text() == known, "the answer tells nobody who has an account"

    admin = open_page("/system")
    admin.get_by_role("button", name="Internal admin").click()
    expect(admin.get_by_text(f"to {email}")).to_be_visible()
    with admin.context.expect_page() as opened:
        admin.get_by_role("link", name="Follow its link").first.click()
    setting = opened.value
    setting.get_by_label("New password", exact=True).fill(new)
    setting.get_by_label("New password again").fill(new)
    setting.get_by_role("button", name="Set password").click()
    expect(setting.get_by_text("Your password is set")).to_be_visible()

    owner = open_page()
    _sign_in(owner, email)
    expect(owner.get_by_test_id("stAlert")).to_be_visible()
    _sign_in(owner, email, new)
    _signed_in(owner, _name_of(served, email))


def test_somebody_in_two_organizations_switches_and_the_other_tab_follows(served: Served, open_page: OpenPage) -> None:
    email = "viewer@lumenfold.example"
    with _database(served) as connection, connection.transaction():
        connection.execute(
            "SELECT set_config('nexa.action', 'invitation.accepted', true), set_config('nexa.request', %s, true)",
            [str(uuid4())],
        )
        connection.execute(
            "INSERT INTO organization_memberships (user_id, organization_id, role, status, joined_at)"
            " SELECT u.id, o.id, 'viewer', 'active', now() FROM users u, organizations o"
            " WHERE u.email = %s AND o.slug = 'halewind'",
            [email],
        )
    page = open_page()
    _sign_in(page, email)
    switcher = page.get_by_role("combobox", name="Organization")
    expect(switcher).to_have_value("Lumenfold Retail")
    other = open_page("/organization", beside=page)
    expect(other.get_by_role("heading", name="Lumenfold Retail")).to_be_visible()
    switcher.click()
    page.get_by_role("option", name="Halewind Mutual").click()
    expect(page.get_by_text("Halewind Mutual, ")).to_be_visible()
    other.get_by_test_id("stSidebarNav").get_by_role("link", name="Home").click()
    expect(other.get_by_text("Halewind Mutual, ")).to_be_visible()
    expect(other.get_by_role("combobox", name="Organization")).to_have_value("Halewind Mutual")


def test_ending_the_other_sign_ins_throws_the_other_browser_out(open_page: OpenPage) -> None:
    mine, other = open_page("/account"), open_page("/account")
    for page in (other, mine):
        _sign_in(page, "owner@halewind.example")
        expect(page.get_by_role("heading", name="My account")).to_be_visible()
    mine.reload()
    expect(mine.get_by_text("This one", exact=True)).to_be_visible()
    mine.get_by_role("button", name="End all others").click()
    mine.get_by_role("dialog").get_by_role("button", name="End all others").click()
    expect(mine.get_by_text("1 other sign-in ended")).to_be_visible()
    _at_the_gate(other)
    expect(mine.get_by_role("heading", name="My account")).to_be_visible()


@pytest.mark.parametrize(("scheme", "brightness"), [("light", range(200, 256)), ("dark", range(60))])
def test_the_theme_follows_the_system_in_light_and_dark(open_page: OpenPage, scheme: str, brightness: range) -> None:
    page = open_page(color_scheme=scheme)
    _at_the_gate(page)
    red, green, blue = (
        int(part)
        for part in re.findall(
            r"\d+", page.get_by_test_id("stApp").evaluate("e => getComputedStyle(e).backgroundColor")
        )[:3]
    )
    assert {red, green, blue} <= set(brightness)


def test_there_is_no_clutter_of_streamlit(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("button", name="Internal admin").click()
    _signed_in(page, "NEXA")
    for clutter in ("Deploy", "Rerun", "Clear cache", "Print", "Record screen"):
        expect(page.get_by_text(clutter, exact=True)).to_have_count(0)
    expect(page.get_by_test_id("stAppDeployButton")).to_have_count(0)


def test_a_click_on_a_row_opens_the_organization(open_page: OpenPage) -> None:
    page = open_page("/organizations?q=Quarrowby")
    page.get_by_role("button", name="Internal admin").click()
    table = page.get_by_test_id("stDataFrame")
    expect(table).to_be_visible()
    page.wait_for_timeout(1000)
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + 60, box["y"] + 52)
    expect(page.get_by_role("heading", name="Quarrowby Freight")).to_be_visible()
    assert urlsplit(page.url).path == "/organization" and "organization=quarrowby" in page.url


def test_the_audit_log_is_verified_with_a_button(open_page: OpenPage) -> None:
    page = open_page("/system")
    page.get_by_role("button", name="Internal admin").click()
    page.get_by_role("button", name="Verify every chain").click()
    expect(page.get_by_text("every link verifies")).to_be_visible(timeout=60_000)


@pytest.mark.parametrize("path", ["/", "/organizations", "/organization", "/system", "/account"])
@pytest.mark.parametrize("width", [1440, 400])
def test_no_screen_is_wider_than_its_window(open_page: OpenPage, path: str, width: int) -> None:
    page = open_page(path, width=width)
    page.get_by_role("button", name="Internal admin").click()
    expect(page.locator("h1").first).to_be_visible()
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.get_by_test_id("stMain").evaluate("e => e.scrollWidth <= e.clientWidth")
