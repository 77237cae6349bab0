"""/api/people: what an internal admin hands to a person who asks for their data."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from nexa_core import accounts
from nexa_core.actor import Actor
from nexa_core.api import downloads
from nexa_core.api.endpoint import Body, get


class Why(Body):
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


@get("/people/{person_id}/export.zip", "Everything about a person, as JSON files with an index")
def export(actor: Actor, person_id: UUID, query: Why) -> Response:
    content = accounts.export_person(actor, user_id=person_id, reason=query.reason)
    return downloads.whole(content, f"person-{str(person_id)[:8]}.zip")


ENDPOINTS = (export,)
