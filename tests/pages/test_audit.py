"""The audit log in a real Chromium: find, read and put back as a person does it; and values shown harmless."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import Page, expect
from streamlit.testing.v1 import AppTest

from nexa_core.api.audit import Wanted, only_of
from nexa_core.api.identity import header_value
from nexa_core.audit import ExportFilter, Filters
from nexa_core.embedded import EmbeddedServer
from nexa_core.errors import Invalid
from pages._ui import menu
from pages._ui.audit import address, words
from tests.pages.conftest import Shell
from tests.pages.test_gate import _open
from tests.pages.visits import visits
from tests.promises.audited_verbs import CASES
from tests.serving import Served
from tests.worlds import World

A_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
Come = Callable[..., Page]
NASTY = {
    "html": "<img src=x onerror='window.hit=1'><script>window.hit=2</script><b>bold</b>",
    "markdown": "**strong** [link](javascript:window.hit=3) ![image](http://203.0.113.9/x.png) :red[red] # heading",
    "latex": "$\\frac{1}{2}$ $$\\int_0^1 x$$",
    "lines": "one\n# two\n<h1>three</h1>",
}


def database(served: Served) -> psycopg.Connection:
    return psycopg.connect(EmbeddedServer(served.data_dir).url(), autocommit=True)


@pytest.fixture
def come(browser: Any, served: Served) -> Iterator[Come]:
    """``come(path, email)``: somebody signed in at an address."""
    with visits(browser, served) as visit:

        def make(path: str = "/audit", email: str = "admin@nexa.example") -> Page:
            page = visit(email, path, width=1280, height=900)
            expect(page.get_by_role("heading", name="Audit log")).to_be_visible()
            return page

        yield make


def _filters(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def _entries(page: Page) -> Any:
    return page.get_by_test_id("stExpander").locator("summary")


def test_a_person_is_found_by_typing_becomes_a_chip_and_is_taken_away_again(come: Come) -> None:
    page = come()
    page.get_by_role("button", name="Person", exact=True).click()
    page.get_by_label("Name or e-mail address").press_sequentially("admin@nexa", delay=30)
    page.get_by_test_id("stPopoverBody").get_by_role("button", name=re.compile("admin@nexa.example")).click()
    chip = page.get_by_role("button", name=re.compile("^By "))
    expect(chip).to_be_visible()
    assert set(_filters(page)) == {"person"}
    page.reload()
    expect(chip).to_be_visible()
    page.get_by_role("button", name=re.compile("^By ")).click()
    expect(chip).to_have_count(0)
    assert _filters(page) == {}


def test_what_the_screen_exports_the_export_understands() -> None:
    one = str(uuid4())
    given = {
        "person": one, "action": "organization.renamed", "resource_type": "user", "resource": one, "organization": one,
        "address": "203.0.113.7", "text": "a&b", "request": "1a2b3c4d", "since": "2026-11-22T14:03:00Z",
        "until": "2026-11-23T14:03:00Z", "staff": "1", "about": f"user:{one}",
    }  # fmt: skip
    assert set(given) == set(Filters.names())
    filters = Filters.parse(given)
    query = dict(parse_qsl(urlsplit(address.export(filters, "csv")).query))
    assert only_of(Wanted.model_validate(query)) == ExportFilter.of(filters)
    with pytest.raises(Invalid):
        only_of(Wanted(action="organization.plan_chnaged"))


def test_the_platforms_people_say_why_before_they_export(world: World, shell: Shell) -> None:
    northwind, platform = world.organization(plan="starter"), world.organization("NEXA", is_platform=True)
    owner = world.person("ada@northwind.example", northwind, role="owner")
    admin = world.person("root@nexa.example", platform, role="owner")

    def links(app: AppTest) -> list[tuple[bool, str]]:
        found = [one.proto for one in app.get("link_button")]
        return [(one.disabled, one.url) for one in found if one.label.startswith("Export")]

    for path in (menu.AUDIT.path, menu.AUDIT_PROOF.path):
        theirs = links(_open(shell(world.sign_in(owner, northwind)), path))
        assert len(theirs) == 2 and not any(disabled for disabled, _ in theirs)
        app = _open(shell(world.sign_in(admin, platform)), path)
        assert all(disabled for disabled, _ in links(app))
        next(one for one in app.text_input if one.label == "Reason for exporting").input("Ticket 7").run()
        assert links(app) and all(not disabled and "reason=Ticket+7" in url for disabled, url in links(app))


def test_a_click_on_an_entry_filters_by_its_request(come: Come) -> None:
    page = come()
    page.get_by_test_id("stMenuButton").get_by_role("button").first.click()
    page.get_by_text("The same request").click()
    expect(page.get_by_role("button", name=re.compile("^Request "))).to_be_visible()
    expect(_entries(page)).to_have_count(1)


def test_the_histogram_is_brushed_and_the_range_is_a_chip(served: Served, come: Come) -> None:
    page = come("/audit?text=")
    bars = page.locator(".stPlotlyChart .nsewdrag").first
    expect(page.locator(".stPlotlyChart .bars .point").first).to_be_visible()
    box = bars.bounding_box()
    assert box
    page.mouse.move(box["x"] + 3, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 40, steps=6)
    page.mouse.up()
    expect(page.get_by_role("button", name=re.compile(r", \d\d:\d\d to "))).to_be_visible()
    assert set(_filters(page)) == {"since", "until"}


def test_a_change_is_previewed_put_back_and_logged(served: Served, come: Come) -> None:
    page = come("/audit?action=organization.updated")
    _entries(page).first.click()
    page.get_by_role("button", name="Put this back").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Put back to")).to_be_visible()
    dialog.get_by_role("button", name="Put it back").click()
    expect(dialog.get_by_text("Please give a reason")).to_be_visible()
    dialog.get_by_label("Reason").fill("The customer stays")
    dialog.get_by_label("Reason").press("Tab")
    dialog.get_by_role("button", name="Put it back").click()
    expect(page.get_by_text("It is as it was before").first).to_be_visible()
    page.goto(served.url + "/audit?action=audit.undone")
    line = _entries(page).first
    expect(line).to_contain_text("back to")
    expect(line).to_contain_text("The customer stays")
    assert not A_UUID.search(page.locator("section.main, [data-testid=stMain]").first.inner_text())


def test_an_entry_leads_to_its_session(served: Served, come: Come) -> None:
    with database(served) as connection:
        uuid, title = connection.execute(
            "SELECT s.uuid, s.title FROM audit_logs a"
            " JOIN ai_architecture_sessions s ON s.uuid::text = a.resource_id::text"
            " WHERE a.resource_type = 'session' AND s.deleted_at IS NULL ORDER BY a.created_at DESC LIMIT 1"
        ).fetchone() or ("", "")
    page = come(f"/audit?resource={uuid}")
    _entries(page).first.click()
    page.get_by_role("link", name=re.compile("^Open the session")).first.click()
    page.get_by_label("Reason").fill("Following an entry")
    page.get_by_role("button", name="Open the session").click()
    expect(page.get_by_role("heading", name=title, level=1)).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["session"] == [str(uuid)]


def test_filters_are_kept_under_a_name_and_come_back(come: Come) -> None:
    page = come("/audit?staff=1&action=organization.suspended")
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_label("Keep these filters as").fill("Suspensions by us")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_text("is saved")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_role("button", name="Clear all")).to_have_count(0)
    page.get_by_role("button", name="Views", exact=True).click()
    page.get_by_role("button", name="Suspensions by us").click()
    expect(page.get_by_role("button", name="Clear all")).to_be_visible()
    assert _filters(page) == {"staff": "1", "action": "organization.suspended"}


def test_html_markdown_latex_and_a_megabyte_are_shown_harmless_and_fast(served: Served, come: Come) -> None:
    with database(served) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO audit_logs (organization_id, action, resource_type, resource_id, old_values, new_values,"
            " reason, user_agent, request_id, actor_scope) SELECT id, 'organization.updated', 'organization', id,"
            " %s, %s, %s, %s, %s, 'staff' FROM organizations WHERE is_platform",
            [
                psycopg.types.json.Jsonb({"name": "x", "address": {"note": ""}, **dict.fromkeys(NASTY, "before")}),
                psycopg.types.json.Jsonb({"name": NASTY["html"], "address": {"note": "<b>$x$</b> " * 95_000}, **NASTY}),
                NASTY["markdown"],
                NASTY["html"],
                request := uuid4(),
            ],
        )
    page = come(f"/audit?request={request}")
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    _entries(page).first.click()
    show = page.get_by_role("button", name=re.compile("Show all 1,"))
    expect(show).to_be_visible()
    main = page.get_by_test_id("stMain")
    for shown in ("<img src=x", "**strong** [link](javascript", "$\\frac{1}{2}$"):
        expect(main).to_contain_text(shown)
    began = time.monotonic()
    show.click()
    expect(page.get_by_role("dialog").get_by_text("1,045,000 characters")).to_be_visible()
    assert time.monotonic() - began < 20, "shown at all, not a measure of how fast"
    assert page.evaluate("window.hit") is None
    assert page.locator(".katex, [data-testid=stMain] b:has-text('bold'), img[src='x']").count() == 0
    assert not [url for url in asked if "203.0.113.9" in url]


def test_a_customers_owner_reads_their_own_log_only(served: Served, come: Come) -> None:
    page = come(email="owner@lumenfold.example")
    expect(page.get_by_role("button", name="Organization", exact=True)).to_have_count(0)
    expect(_entries(page).first).to_be_visible()
    with database(served) as connection:
        other = connection.execute("SELECT id FROM organizations WHERE is_platform").fetchone()
    assert other
    page.goto(f"{served.url}/audit?about=organization:{other[0]}")
    expect(page.get_by_text("No entry fits")).to_be_visible()


def test_every_kind_of_thing_in_the_log_can_be_filtered_by() -> None:
    kinds = {kind for case in CASES.values() for _, kind in case.entries}
    assert kinds <= set(words.RESOURCES)


def test_an_address_that_names_nonsense_says_so_and_shows_the_log(world: World, shell: Shell) -> None:
    northwind = world.organization("Northwind", plan="starter")
    ada = world.person("ada@northwind.example", northwind, role="owner")
    app = shell(world.sign_in(ada, northwind))
    app.query_params["person"] = "somebody"
    _open(app, menu.AUDIT.path)
    assert not app.exception
    assert "is no identifier" in app.error[0].value
    assert app.expander


def test_a_member_is_refused_the_log(world: World, shell: Shell) -> None:
    northwind = world.organization("Northwind", plan="starter")
    world.person("ada@northwind.example", northwind, role="owner")
    bob = world.person("bob@northwind.example", northwind)
    app = _open(shell(world.sign_in(bob, northwind)), menu.AUDIT.path)
    assert "does not include “Read the audit log”" in app.warning[0].value and not app.expander


def test_an_organizations_own_page_can_show_its_history(world: World, shell: Shell, tmp_path: Path) -> None:
    """The tab, drawn within the frame that every screen has."""
    northwind = world.organization("Northwind", plan="starter")
    ada = world.person("ada@northwind.example", northwind, role="owner")
    (tmp_path / "tab.py").write_text(
        "from nexa_core import organizations\nfrom pages._ui import gate, navigation\n"
        "from pages._ui.organization import audit\n"
        "with gate.entered() as actor:\n    navigation.for_actor(actor)\n"
        "    audit.draw(actor, organizations.current(actor))\n"
    )
    app = AppTest.from_file(str(tmp_path / "tab.py"), default_timeout=30)
    app.user = {"sign_in": header_value(world.sign_in(ada, northwind))}
    app.run()
    assert not app.exception and not app.error
    assert len(app.expander) >= 1 and "created" in app.expander[0].label + app.expander[-1].label
