"""/api/audit: the log as a file that an outsider can verify, and the keys it is verified with."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from nexa_core import audit
from nexa_core.actor import Actor
from nexa_core.api import downloads
from nexa_core.api.endpoint import Body, get
from nexa_core.config import ROOT
from nexa_core.permissions import Permission


class Wanted(Body):
    """Which entries; all without any. ``organization`` is an id, ``until`` exclusive, ``request`` an id or its first
    eight digits, ``about`` such as ``user:`` and an id. Of the platform's people a
    ``reason`` is asked, which the customers read.
    """

    organization: UUID | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    action: str | None = Field(None, max_length=100)
    user: UUID | None = None
    resource_type: str | None = Field(None, max_length=50)
    resource: UUID | None = None
    request: str | None = Field(None, max_length=36)
    address: str | None = Field(None, max_length=50)
    text: str | None = Field(None, max_length=200)
    about: str | None = Field(None, max_length=90)
    staff_only: bool = False
    staff_kind: str | None = Field(None, max_length=20)
    reason: str | None = Field(None, max_length=500)


class Keys(Body):
    """Public Ed25519 keys by their id, in URL-safe base 64; the first seals."""

    keys: dict[str, str]


@get("/audit/export.ndjson", "The audit log, one JSON object a line, with what proves it")
def export_ndjson(actor: Actor, query: Wanted) -> Response:
    return _file(actor, "ndjson", query)


@get("/audit/export.csv", "The audit log as CSV, with what proves it")
def export_csv(actor: Actor, query: Wanted) -> Response:
    return _file(actor, "csv", query)


@get("/audit/keys", "The public keys that the audit log's seals are verified with")
def keys(actor: Actor) -> Keys:
    actor.require(Permission.STAFF_ACCESS_READ)
    return Keys(keys={key.kid: key.key for key in audit.seal_keys()})


@get("/audit/verify_audit_export.py", "The program with which an outsider verifies an export, offline")
def script(actor: Actor) -> Response:
    actor.require(Permission.STAFF_ACCESS_READ)
    path = ROOT / "docs" / "verify_audit_export.py"
    return downloads.whole(path.read_bytes(), path.name)


def only_of(query: Wanted) -> audit.ExportFilter:
    """Which entries a query asks for. Raises Invalid, naming the member, for what cannot be looked for."""
    given = query.model_dump(exclude={"user", "staff_only", "staff_kind", "reason"})
    filters = audit.Filters.parse({**given, "person": query.user, "staff": query.staff_only})
    return audit.ExportFilter.of(filters, staff_kind=query.staff_kind)


def _file(actor: Actor, file_format: str, query: Wanted) -> Response:
    pieces = audit.export_entries(actor, file_format=file_format, only=only_of(query), reason=query.reason)
    return downloads.written(pieces, f"nexa-audit-{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}.{file_format}")


ENDPOINTS = (export_ndjson, export_csv, keys, script)
