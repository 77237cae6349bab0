"""An export is whole, streamed, narrowed as asked, recorded, and verifies outside of NEXA."""

from __future__ import annotations

import ast
import csv
import gzip
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from starlette.requests import ClientDisconnect

from nexa_core import audit, db, organizations
from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin
from nexa_core.api import streaming
from nexa_core.api.streaming import Written
from nexa_core.audit import ExportFilter
from nexa_core.audit import export as export_module
from nexa_core.errors import Forbidden, Invalid, LimitExceeded, NotFound
from tests.databases import TestDatabase
from tests.outsider import SCRIPT, carry_away, faults, seal_key, verifier
from tests.worlds import World

__all__ = ["seal_key"]

AWKWARD = [
    '=HYPERLINK("https://evil.example","x")',
    "'quoted'",
    "-2+3",
    'a\nnew line, "quotes", a tab\t and a \\ backslash',
    "<script>alert(1)</script> **bold** $\\LaTeX$ ünï¢ødé 𝔘 \x7f \u2028",
    "@sum",
    "a" * 100_000,
]


def history(actor: Actor, length: int) -> None:
    for number in range(length):
        organizations.rename(replace(actor, origin=Origin(ip_address="203.0.113.7")), name=f"Northwind {number}")


def awkward_history(actor: Actor) -> None:
    """Entries that hold what files and spreadsheets trip over, in values, reasons and agents."""
    for text in AWKWARD:
        asking = replace(actor, origin=Origin(ip_address="2001:db8::1", user_agent=text[:500]))
        with db.recording(asking, Action.ORGANIZATION_UPDATED, reason=text[:1000]) as transaction:
            values = {
                "text": text,
                "numbers": [1, -0.5, 1.10, 1e30, 12345678901234567890],
                "b": {"bb": None, "a": True},
            }
            audit.note(transaction, "organization", actor.organization_id, values)


@pytest.mark.parametrize("file_format", ["ndjson", "csv"])
def test_an_export_verifies_and_is_recorded_in_itself(
    ada: Actor, tmp_path: Path, seal_key: str, file_format: str
) -> None:
    history(ada, 5)
    awkward_history(ada)
    audit.seal_heads(Actor.system())
    history(ada, 3)
    path = carry_away(ada, tmp_path, file_format=file_format)
    assert faults(path) == []
    module = verifier()
    found = module.Verifier().read(str(path))
    (chain,) = found.chains.values()
    assert (chain.name, len(chain.seals)) == ("Northwind 2", 1)
    assert chain.entries == chain.head[0] > 15
    assert audit.recent(ada)[0].sentence == "Ada exported the audit log of Northwind 2"
    assert '"format": "' + file_format + '"' in path.read_text() or file_format == "csv"


def test_the_script_says_so_by_itself(ada: Actor, tmp_path: Path, seal_key: str) -> None:
    history(ada, 3)
    audit.seal_heads(Actor.system())
    path = carry_away(ada, tmp_path)
    packed = tmp_path / "packed.ndjson.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    (key,) = audit.seal_keys()

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([sys.executable, "-I", str(SCRIPT), *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    assert run(str(packed), "--key", key.argument, "--kept", str(path))[0] == 0
    code, said = run(str(path))
    assert code == 0 and "keys that are in the export itself" in said
    assert run(str(path), "--key", "s1:" + "A" * 43)[0] == 1
    forged = tmp_path / "forged.ndjson"
    forged.write_text(path.read_text().replace("Northwind 1", "Northwind X"))
    code, said = run(str(forged), "--key", key.argument)
    assert code == 1 and "values, address or reason were changed" in said and "line " in said
    assert run(str(tmp_path / "nothing.ndjson"))[0] in (1, 2)


def test_the_script_needs_the_standard_library_and_cryptography_only() -> None:
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_a_cell_is_never_a_formula(ada: Actor, tmp_path: Path) -> None:
    awkward_history(ada)
    path = carry_away(ada, tmp_path, file_format="csv")
    with path.open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)


def test_a_filter_narrows_and_what_is_left_still_verifies(ada: Actor, root: Actor, tmp_path: Path) -> None:
    history(ada, 3)
    organizations.suspend(root, organization_id=ada.organization_id, reason="unpaid")
    organizations.resume(root, organization_id=ada.organization_id, reason="paid")
    history(ada, 2)

    def actions(only: ExportFilter, file_format: str = "ndjson") -> list[str]:
        path = carry_away(ada, tmp_path, only=only, file_format=file_format)
        assert faults(path) == []
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file)) if file_format == "csv" else [json.loads(line) for line in file]
        return [row["action"] for row in rows if row["record"] == "entry"]

    assert actions(ExportFilter(action="organization.renamed")) == ["organization.renamed"] * 5
    by_staff = ["organization.suspended", "organization.resumed"]
    assert actions(ExportFilter(staff_only=True)) == actions(ExportFilter(staff_only=True), "csv") == by_staff
    assert actions(ExportFilter(user_id=root.user_id)) == by_staff
    assert actions(ExportFilter(request_id=root.origin.request_id)) == by_staff
    assert actions(ExportFilter(resource_type="nothing")) == []
    when = audit.recent(ada, limit=1)[0].at
    assert actions(ExportFilter(since=when)) == ["audit.exported"] * 2
    assert "organization.suspended" in actions(ExportFilter(until=when))


def test_the_screens_filters_export_what_the_screen_shows(
    world: World, ada: Actor, root: Actor, tmp_path: Path
) -> None:
    assert ada.organization_id and ada.user_id
    history(ada, 3)
    ben = world.person("ben@northwind.example", ada.organization_id)
    organizations.suspend(root, organization_id=ada.organization_id, reason="unpaid")
    organizations.resume(root, organization_id=ada.organization_id, reason="paid")
    membership = next(m.id for m in organizations.members(ada, organization_id=ada.organization_id) if m.user_id == ben)
    from_here = replace(ada, origin=Origin(ip_address="203.0.113.7"))
    organizations.change_role(from_here, membership_id=membership, organization_id=ada.organization_id, role="viewer")
    request = str(from_here.origin.request_id)
    organizations.rename(ada, name='The "North"')
    for words in (
        {"text": '"north"'},
        {"person": str(root.user_id)},
        {"address": "203.0.113.7"},
        {"request": request},
        {"request": request[:8]},
        {"text": "VIEW%"},
        {"text": "view"},
        {"about": f"user:{ben}"},
        {"about": f"membership:{membership}"},
        {"about": f"organization:{ada.organization_id}", "action": "organization.suspended"},
        {"staff": "1"},
    ):
        filters = audit.Filters.parse(words)
        found = audit.find(ada, filters=filters, limit=200).items
        shown = {str(entry.id) for entry in found if entry.action != "audit.exported"}
        path = carry_away(ada, tmp_path, only=ExportFilter.of(filters))
        assert faults(path) == []
        rows = [row for row in map(json.loads, path.read_text().splitlines()) if row["record"] == "entry"]
        written = {row["id"] for row in rows if row["action"] != "audit.exported"}  # which holds what was looked for
        assert written == shown and bool(shown) is (words != {"text": "VIEW%"}), words


def test_an_action_there_is_not_is_refused_and_not_found_nowhere(ada: Actor) -> None:
    with pytest.raises(Invalid, match="There is no action"):
        audit.export_entries(ada, file_format="csv", only=ExportFilter(action="organization.plan_chnaged"))
    with pytest.raises(Invalid, match="no IP address"):
        audit.export_entries(ada, file_format="csv", only=ExportFilter(address="here"))


def test_nobody_exports_anothers_log(world: World, ada: Actor, root: Actor, tmp_path: Path) -> None:
    history(ada, 2)
    contoso = world.organization("Contoso")
    eve = world.actor(world.person("eve@contoso.example", contoso, role="owner"), contoso)
    member = world.actor(world.person("ben@contoso.example", contoso, role="member"), contoso)
    with pytest.raises(NotFound):
        audit.export_entries(eve, file_format="ndjson", only=ExportFilter(organization_id=ada.organization_id))
    with pytest.raises(Forbidden):
        audit.export_entries(member, file_format="ndjson")
    for only in (ExportFilter(), ExportFilter(user_id=ada.user_id), ExportFilter(resource_id=ada.organization_id)):
        text = carry_away(eve, tmp_path, only=only).read_text()
        assert "Northwind" not in text
        assert all(record.get("chain") == str(contoso) for record in map(json.loads, text.splitlines()[1:-1])), (
            "nor their chains, heads or seals"
        )
    everything = carry_away(root, tmp_path).read_text()
    assert "Northwind" in everything and "Contoso" in everything
    assert faults(tmp_path / "export-3.ndjson") == []


def test_what_cannot_be_exported_is_refused_before_it_begins(ada: Actor, root: Actor, world: World) -> None:
    with pytest.raises(Invalid):
        audit.export_entries(ada, file_format="xlsx")
    with pytest.raises(NotFound):
        audit.export_entries(
            root, file_format="csv", only=ExportFilter(organization_id=root.user_id), reason="asked for"
        )
    others = []
    for number in range(export_module.AT_ONCE):
        other = world.organization(f"Other {number}")
        others.append(world.actor(world.person(f"owner@other{number}.example", other, role="owner"), other))
    running = audit.export_entries(ada, file_format="csv")
    with pytest.raises(LimitExceeded):
        audit.export_entries(ada, file_format="csv")
    also = audit.export_entries(others[0], file_format="csv")  # an organization that exports keeps nobody else from it
    with pytest.raises(LimitExceeded):
        audit.export_entries(others[1], file_format="csv")
    running.close()  # a reader who leaves
    assert list(audit.export_entries(ada, file_format="csv"))
    also.close()


def stall(answer: Written, pieces_taken: int) -> None:
    """Serve an answer to a reader who takes some messages, and then no more; this thread may have a loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(anyio.run, _stalled, answer, pieces_taken).result()


async def _stalled(answer: Written, pieces_taken: int) -> None:
    left = pieces_taken

    async def send(_message: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            await anyio.sleep_forever()

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    with anyio.fail_after(20), pytest.raises(ClientDisconnect):
        await answer(scope, anyio.sleep_forever, send)


@pytest.mark.parametrize("pieces_taken", [0, 2])
def test_a_reader_who_stalls_is_let_go(ada: Actor, monkeypatch: pytest.MonkeyPatch, pieces_taken: int) -> None:
    history(ada, 3)
    monkeypatch.setattr(streaming, "IDLE_SECONDS", 0.2)
    answer = Written(audit.export_entries(ada, file_format="csv"), media_type="text/csv", headers={})
    stall(answer, pieces_taken)
    assert export_module._slots.taken == 0
    assert list(audit.export_entries(ada, file_format="csv")), "and nothing is held any more"


def test_a_reader_who_takes_for_ever_is_let_go(ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST_SECONDS", 0.2)
    answer = Written(audit.export_entries(ada, file_format="csv"), media_type="text/csv", headers={})
    stall(answer, 1)
    assert export_module._slots.taken == 0


def test_a_long_chain_is_written_stretch_by_stretch(
    database: TestDatabase, ada: Actor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "STRETCH", 3)
    history(ada, 20)
    path = carry_away(ada, tmp_path)
    assert faults(path) == []
    assert faults(carry_away(ada, tmp_path, only=ExportFilter(action="organization.renamed"))) == []


def test_a_file_that_was_cut_or_changed_is_noticed(ada: Actor, tmp_path: Path) -> None:
    history(ada, 3)
    lines = carry_away(ada, tmp_path).read_text().splitlines(keepends=True)
    for name, changed in {
        "without its end": lines[:-1],
        "without a line": [*lines[:4], *lines[5:]],
        "with a line twice": [*lines[:4], lines[4], *lines[4:]],
        "with two swapped": [*lines[:3], lines[4], lines[3], *lines[5:]],
        "with half a line": [*lines[:-1], lines[-1][:20]],
        "with something after": [*lines, lines[3]],
        "empty": [],
    }.items():
        path = tmp_path / "changed.ndjson"
        path.write_text("".join(changed))
        assert faults(path), name
