"""/api/me: who the caller is and what they may do."""

from __future__ import annotations

from uuid import UUID

from nexa_core.actor import Actor
from nexa_core.api.endpoint import Body, get


class Person(Body):
    id: UUID | None
    email: str
    full_name: str
    timezone: str
    locale: str


class Belonging(Body):
    id: UUID | None
    name: str
    slug: str


class Me(Body):
    user: Person
    organization: Belonging
    role: str | None
    permissions: list[str]


@get("/me", "Who I am, where, and what I may do")
def me(actor: Actor) -> Me:
    return Me(
        user=Person(
            id=actor.user_id, email=actor.email, full_name=actor.full_name, timezone=actor.timezone, locale=actor.locale
        ),
        organization=Belonging(id=actor.organization_id, name=actor.organization_name, slug=actor.organization_slug),
        role=actor.role,
        permissions=sorted(permission.value for permission in actor.permissions),
    )


ENDPOINTS = (me,)
