"""The list as a file: exactly what the filter shows, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import zipfile
from xml.etree import ElementTree

import pytest

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.errors import Forbidden, Invalid
from nexa_core.organizations import Filter
from nexa_core.organizations.export import neutral
from tests.databases import TestDatabase
from tests.worlds import World

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://evil")')


def lines(actor: Actor, wanted: Filter | None = None, sort: str = "name") -> list[dict[str, str]]:
    with organizations.export(actor, wanted=wanted or Filter(), sort=sort) as file:
        return list(csv.DictReader(io.StringIO(file.read().decode("utf-8-sig"), newline="")))


def sheet(actor: Actor, wanted: Filter | None = None) -> tuple[list[str], str]:
    """The first column's texts, and the raw sheet."""
    with organizations.export(actor, wanted=wanted or Filter(), form="xlsx") as file:
        book = zipfile.ZipFile(io.BytesIO(file.read()))
    raw = book.read("xl/worksheets/sheet1.xml").decode()
    space = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    rows = ElementTree.fromstring(raw).findall(".//x:row", space)
    return ["".join(row.find("x:c", space).itertext()) for row in rows[1:]], raw  # type: ignore[union-attr]


@pytest.mark.parametrize("wanted", [Filter(), Filter(text="o"), Filter(plan="starter"), Filter(demo=True),
                                    Filter(status="deleted"), Filter(without_owner=True)])  # fmt: skip
@pytest.mark.parametrize("sort", ["name", "newest"])
def test_a_file_holds_exactly_what_the_list_shows(
    world: World, platform: dict[str, Actor], customers: dict[str, Actor], wanted: Filter, sort: str
) -> None:
    world.organization("Orphan", plan="free")
    for actor in (platform["root"], platform["presenter"]):
        shown = [row.name for row in organizations.browse(actor, wanted=wanted, sort=sort, limit=200).items]
        assert [line["Name"] for line in lines(actor, wanted, sort)] == shown
        if sort == "name":
            assert sheet(actor, wanted)[0] == shown


@pytest.mark.parametrize("name", FORMULAS, ids=ascii)
def test_no_cell_is_a_formula(world: World, root: Actor, name: str) -> None:
    assert str(neutral(name)).startswith("'")
    world.organization(name, slug="evil", tax_id=name.strip(), domain=name.strip())
    (line,) = lines(root)
    assert all(not (cell and cell.lstrip()[:1] in "=+-@＝") for cell in line.values())
    names, raw = sheet(root)
    assert "<f>" not in raw and names[0].replace("_x000D_", "").strip() == name.strip()


def test_figures_stay_figures_and_harmless_text_stays_itself() -> None:
    assert [neutral(value) for value in (-3, 0, "a-b", "x=1", "", None)] == [-3, 0, "a-b", "x=1", "", None]


def test_who_may_not_browse_exports_nothing_and_an_export_is_in_the_log(
    database: TestDatabase, platform: dict[str, Actor], customers: dict[str, Actor]
) -> None:
    with pytest.raises(Forbidden):
        organizations.export(customers["Northwind"], wanted=Filter())
    with pytest.raises(Invalid):
        organizations.export(platform["root"], wanted=Filter(), sort="colour")
    lines(platform["manager"])
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT user_id, new_values FROM audit_logs WHERE action = 'organizations.exported'"
        ).fetchone()
    assert row == (platform["manager"].user_id, {"organizations": 3, "form": "csv"})


def test_a_long_list_comes_whole(database: TestDatabase, root: Actor) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(
            "INSERT INTO organizations (name, slug) SELECT 'Customer ' || n, 'c-' || n FROM generate_series(1, 1234) n"
        )
    assert len(lines(root)) == len(sheet(root)[0]) == 1234
