"""Who may do what with the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.audit import Filters
from tests.promises.matrix_rows import (
    ADMIN,
    LOG,
    LOOKING,
    MANAGE,
    PLATFORM,
    REASON,
    Expect,
    Place,
    Route,
    Row,
    admins,
    here,
    in_the_log,
    platform,
)


def _only_ones_own_log(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    if where != "own" and who not in PLATFORM:
        assert found == ()


def _entries(stage: Any, who: str, where: str, place: Place) -> set[UUID]:
    """What an actor finds of an organization's log: the whole of it, or nothing of a stranger's."""
    if where != "own" and who not in ADMIN:
        return set()
    found: set[UUID] = stage.ids("SELECT id FROM audit_logs WHERE organization_id = %s", place.organization)
    return found


def _all_entries(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    entries = _entries(stage, who, where, place)
    assert {one.id for one in found.items} == entries and len(found.items) == len(entries)


def _counted(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    assert sum(bar.entries for bar in found.bars) == len(_entries(stage, who, where, place))


def _all_written(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    written = {json.loads(line).get("id") for line in b"".join(found).splitlines()} - {None}
    entries = {str(one) for one in _entries(stage, who, where, place)}
    assert entries <= written and len(written - entries) <= 1, "the export itself is the one entry more"


def _own_chain(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    chains = stage.ids("SELECT chain_id FROM audit_heads")
    mine = {place.organization} if who not in ADMIN else chains
    if where == "own":
        assert {one.chain_id for one in found} == mine


def _own_totals(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    if where == "own":
        all_of_them = len(stage.ids("SELECT chain_id FROM audit_heads"))
        assert found.chains == (all_of_them if who in ADMIN else 1)


def _of_it(found_by: frozenset[str] = LOG) -> Expect:
    """A verb about one entry, or about an organization's log: a stranger's is not there."""

    def expect(who: str, where: str) -> str:
        if who not in LOG:
            return "forbidden"
        if where != "own" and who not in ADMIN:
            return "hidden"
        return "may" if who in found_by else "forbidden"

    return expect


def _putting_back(who: str, where: str) -> str:
    """The entry is a change of plan; who looks with somebody else's eyes is stopped before anything is looked for."""
    return "forbidden" if who in LOOKING else _of_it(ADMIN)(who, where)


def _somebody_elses(who: str, where: str) -> str:
    """A saved view is its maker's to change."""
    return "hidden" if who in MANAGE else "forbidden"


def _log(verb: Callable[..., Any], **more: Any) -> Callable[[Actor, Place], Any]:
    return lambda actor, place: verb(actor, filters=Filters(organization=place.organization), **more)


VERBS: dict[str, Row] = {
    "audit.recent": Row(here(audit.recent), expect=in_the_log(), check=_only_ones_own_log),
    "audit.verify": Row(lambda a, _: audit.verify(a), expect=in_the_log()),
    "audit.find": Row(_log(audit.find, limit=200), expect=in_the_log(), check=_all_entries),
    "audit.activity": Row(_log(audit.activity), expect=in_the_log(), check=_counted),
    "audit.names_in": Row(_log(audit.names_in), expect=in_the_log()),
    "audit.timeline": Row(
        lambda a, p: audit.timeline(a, "organization", p.organization, limit=200), expect=in_the_log()
    ),
    "audit.people_named": platform(lambda a, _: audit.people_named(a, text="first"), LOG),
    "audit.organizations_named": platform(lambda a, _: audit.organizations_named(a, text="o"), LOG),
    "audit.entry": Row(lambda a, p: audit.entry(a, entry_id=p.entry), expect=_of_it()),
    "audit.whole_value": Row(
        lambda a, p: audit.whole_value(a, entry_id=p.entry, path=("plan_type",), after=True), expect=_of_it()
    ),
    "audit.plan": Row(lambda a, p: audit.plan(a, entry_id=p.entry), expect=_of_it()),
    "audit.apply": Row(lambda a, p: audit.apply(a, entry_id=p.entry, reason=REASON), expect=_putting_back),
    "audit.export_entries": Row(
        lambda a, p: tuple(
            audit.export_entries(
                a, file_format="ndjson", only=audit.ExportFilter(organization_id=p.organization), reason=REASON
            )
        ),
        expect=_of_it(MANAGE), check=_all_written,
    ),
    "audit.chain_states": platform(lambda a, _: audit.chain_states(a), LOG, _own_chain),
    "audit.chain_totals": platform(lambda a, _: audit.chain_totals(a), LOG, _own_totals),
    "audit.staff_access": Row(here(audit.staff_access), expect=_of_it()),
    "audit.retention": Row(here(audit.retention), expect=_of_it()),
    "audit.retentions": platform(lambda a, _: audit.retentions(a)),
    "audit.set_retention": admins(here(audit.set_retention, keep_months=24, reason=REASON)),
    "audit.hold": admins(here(audit.hold, reason=REASON)),
    "audit.release": admins(here(audit.release, reason=REASON)),
    "audit.expire_old_entries": platform(lambda a, _: audit.expire_old_entries(a)),
    "audit.seal_heads": platform(lambda a, _: audit.seal_heads(a)),
    "audit.verify_due": platform(lambda a, _: audit.verify_due(a)),
    "audit.saved_views": platform(lambda a, _: audit.saved_views(a), LOG),
    "audit.save_view": platform(lambda a, _: audit.save_view(a, name="Staff", filters=Filters(staff=True)), MANAGE),
    "audit.share_view": Row(
        lambda a, p: audit.share_view(a, view_id=p.view, is_shared=True), expect=_somebody_elses
    ),
    "audit.remove_view": Row(lambda a, p: audit.remove_view(a, view_id=p.view), expect=_somebody_elses),
}  # fmt: skip


def _file(form: str) -> Callable[[Place], str]:
    return lambda place: f"/audit/export.{form}?organization={place.organization}&reason=asked"


ROUTES: dict[str, Route] = {
    "GET /audit/export.ndjson": Route("audit.export_entries", _file("ndjson")),
    "GET /audit/export.csv": Route("audit.export_entries", _file("csv")),
    "GET /audit/keys": Route("audit.chain_states", lambda _: "/audit/keys"),
    "GET /audit/verify_audit_export.py": Route("audit.chain_states", lambda _: "/audit/verify_audit_export.py"),
}
