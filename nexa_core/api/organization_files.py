"""/api/organizations: the list as a file, and uploaded logos."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints
from uuid import UUID

from pydantic import create_model
from starlette.responses import Response

from nexa_core import organizations
from nexa_core.actor import Actor
from nexa_core.api import downloads
from nexa_core.api.endpoint import Body, get

_TYPES = get_type_hints(organizations.Filter)
#: The members of the filter, which are named there alone.
_MEMBERS: dict[str, Any] = {one.name: (_TYPES[one.name], one.default) for one in fields(organizations.Filter)}
_Filters: Any = create_model("_Filters", __base__=Body, **_MEMBERS)


class Listed(_Filters):
    """The filters of the list, and its order."""

    sort: str = "name"

    def filter(self) -> organizations.Filter:
        return organizations.Filter(**self.model_dump(include=set(_MEMBERS)))


@get("/organizations/export.csv", "The organizations a filter shows, as CSV")
def csv(actor: Actor, query: Listed) -> Response:
    file = organizations.export(actor, wanted=query.filter(), sort=query.sort, form="csv")
    return downloads.read(file, "organizations.csv")


@get("/organizations/export.xlsx", "The organizations a filter shows, as XLSX")
def xlsx(actor: Actor, query: Listed) -> Response:
    file = organizations.export(actor, wanted=query.filter(), sort=query.sort, form="xlsx")
    return downloads.read(file, "organizations.xlsx")


@get("/organizations/{organization_id}/logo/{digest}", "An uploaded logo")
def logo(actor: Actor, organization_id: UUID, digest: str) -> Response:
    found = organizations.logo(actor, organization_id=organization_id, digest=digest)
    return Response(found.content, media_type=found.media_type)


ENDPOINTS = (csv, xlsx, logo)
