"""The world the matrix is played in: an organization for every place, with one of everything a row may be about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from nexa_core import accounts
from nexa_core.accounts import tokens
from nexa_core.actor import Actor, Origin, Scope, Standing
from tests.databases import TestDatabase
from tests.promises.matrix_rows import Place
from tests.worlds import World

ROLES = {"viewer": "viewer", "billing": "billing", "member": "member", "admin": "admin", "owner": "owner"}
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@dataclass
class Stage:
    """Nothing that is done on it stays: the test undoes every commit."""

    database: TestDatabase
    resolver: str
    actors: dict[str, Actor] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def place(self, who: str, where: str) -> Place:
        """The organization an actor means by a place: the platform's people are at home in the platform's."""
        at_platform = where == "own" and who in ("account manager", "internal admin")
        return self.places["platform" if at_platform else where]

    def ids(self, query: str, *values: object) -> set[UUID]:
        """The first column of a query, read as superuser: what there is, whoever may see it."""
        with self.database.superuser() as connection:
            return {row[0] for row in connection.execute(query.encode(), values).fetchall()}


def build(database: TestDatabase, resolver: str) -> Stage:
    world, stage = World(database), Stage(database, resolver)
    nexa = world.organization("NEXA", is_platform=True, plan="enterprise")
    homes = {"platform": nexa}
    for name, where in (("Northwind", "own"), ("Contoso", "other"), ("Tailspin", "deleted"), ("Fabrikam", "away")):
        homes[where] = world.organization(name, plan="enterprise")
    for where, organization in homes.items():
        stage.places[where] = _place(world, organization, where, nexa)
    for who, role in ROLES.items():
        _actor(stage, world, who, homes["own"], role)
    _actor(stage, world, "pending", homes["own"], "member", membership_status="pending")
    _actor(stage, world, "suspended", homes["own"], "member", membership_status="suspended")
    _actor(stage, world, "ex-member", homes["away"], "member")
    _actor(stage, world, "account manager", nexa, "billing")
    _actor(stage, world, "internal admin", nexa, "owner")
    _looking(stage, world, nexa, homes["own"])
    stage.actors["anonymous"] = Actor(
        None, homes["own"], None, Scope.TENANT, frozenset(), Standing(signed_in=False, membership_status=None)
    )
    _change(database, "UPDATE organizations SET status = 'deleted', deleted_at = now() WHERE id = %s", homes["deleted"])
    return stage


def _change(database: TestDatabase, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """One statement as superuser, named to the audit log; what it returned, if it returns."""
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        done = connection.execute(statement.encode(), values)
        return done.fetchall() if done.description else []


def _place(world: World, organization: UUID, where: str, nexa: UUID) -> Place:
    domain, token, database = f"{where}.example", tokens.new_secret(), world.database
    first = world.person(f"first@{domain}", organization, role="owner")
    world.person(f"second@{domain}", organization, role="owner")
    viewer = world.person(f"tim@{domain}", organization, role="viewer")
    world.person(f"sue@{domain}", organization, role="viewer", membership_status="suspended")
    world.person(f"ina@{domain}", organization, role="viewer", membership_status="pending", status="pending")
    world.person(f"ask@{domain}", organization, role="viewer", membership_status="pending")
    gone = world.person(f"gone@{domain}", organization, role="viewer")
    _change(database, "UPDATE users SET status = 'deleted', deleted_at = now() WHERE id = %s", gone)
    erased = world.person(f"erased@{domain}", organization, role="viewer")
    accounts.erase_person(Actor.system(), user_id=erased, email=f"erased@{domain}", reason="the matrix asks")
    _change(
        database,
        "UPDATE organization_memberships m SET invited_at = now(), joined_at = NULL, invitation_token = %s,"
        " invitation_expires_at = now() + interval '7 days' FROM users u WHERE u.id = m.user_id AND u.email = %s",
        tokens.digest(token), f"ina@{domain}",
    )  # fmt: skip
    _change(
        database,
        "UPDATE organization_memberships m SET requested_at = now(), joined_at = NULL FROM users u"
        " WHERE u.id = m.user_id AND u.email = %s",
        f"ask@{domain}",
    )
    batch, before = uuid4(), {"kind": "plan", "changed": 1, "request": str(uuid4())}
    with database.superuser() as connection, connection.transaction():
        connection.execute(
            "SELECT set_config('nexa.action', 'organization.plan_changed', true),"
            " set_config('nexa.request', %s, true)", [str(batch)]
        )  # fmt: skip
        connection.execute("UPDATE organizations SET plan_type = 'professional' WHERE id = %s", [organization])
        connection.execute("SELECT nexa.audit_note('batch', %s, %s, %s::jsonb, 'organizations.changed')",
                           [batch, nexa, str(before).replace("'", '"')])  # fmt: skip
        row = connection.execute("SELECT slug FROM organizations WHERE id = %s", [organization]).fetchone()
        entry = connection.execute("SELECT id FROM audit_logs WHERE request_id = %s AND resource_id = %s",
                                   [batch, organization]).fetchone()  # fmt: skip
        found = dict(
            connection.execute(
                "SELECT split_part(u.email, '@', 1), m.id FROM organization_memberships m"
                " JOIN users u ON u.id = m.user_id WHERE m.organization_id = %s",
                [organization],
            ).fetchall()
        )
    assert row and entry
    claim = (
        "INSERT INTO organization_domains (organization_id, domain, verification_token, verified_at)"
        " VALUES (%s, %s, 'x', {}) RETURNING id"
    )
    claimed = _change(database, claim.format("NULL"), organization, f"claimed-{domain}")[0][0]
    proven = _change(database, claim.format("now()"), organization, domain)[0][0]
    _change(database, "UPDATE organization_domains SET auto_join_enabled = true WHERE id = %s", proven)
    joining = tokens.new_secret()
    _change(
        database,
        "INSERT INTO domain_sign_ups (token, organization_id, domain, email, expires_at)"
        " VALUES (%s, %s, %s, %s, now() + interval '1 day')",
        tokens.digest(joining), organization, domain, f"new@{domain}",
    )  # fmt: skip
    reviewed = world.session(organization, viewer)
    event = _change(
        database,
        "INSERT INTO usage_events (organization_id, event_type, credits_consumed, idempotency_key)"
        " VALUES (%s, 'ai_call', 7, 'matrix') RETURNING id",
        organization,
    )[0][0]
    view = _change(
        database,
        "INSERT INTO audit_views (organization_id, user_id, name, filters) VALUES (%s, %s, 'Mine', '{\"staff\": true}')"
        " RETURNING id",
        organization, first,
    )[0][0]  # fmt: skip
    logo = hashlib.sha256(PICTURE).hexdigest()
    _change(
        database,
        "INSERT INTO organization_logos (organization_id, digest, media_type, content)"
        " VALUES (%s, %s, 'image/svg+xml', %s)",
        organization, logo, PICTURE,
    )  # fmt: skip
    return Place(
        organization=organization, slug=row[0], owner=found["first"], viewer=found["tim"], paused=found["sue"],
        invitation=found["ina"], token=token, joining=joining, waiting=found["ask"], person=viewer,
        email=f"tim@{domain}", sign_in=world.sign_in(viewer, organization), gone=gone, erased=erased, domain=claimed,
        proven=proven, architecture_session=reviewed, event=event, entry=entry[0], view=view, batch=batch, logo=logo,
    )  # fmt: skip


def _actor(stage: Stage, world: World, who: str, organization: UUID, role: str, **values: Any) -> None:
    person = world.person(f"{who.replace(' ', '.')}@actors.example", organization, role=role, **values)
    stage.cookies[who] = tokens.new_secret()
    sign_in = world.sign_in(person, organization, tokens.digest(stage.cookies[who]))
    stage.actors[who] = world.actor(person, organization, user_session_id=sign_in)


def _looking(stage: Stage, world: World, nexa: UUID, customer: UUID) -> None:
    """An internal admin in the middle of viewing a customer as its owner."""
    _actor(stage, world, "view-as", nexa, "admin")
    admin = stage.actors["view-as"]
    accounts.view_as(admin, user_id=_owner(stage, customer), organization_id=customer, reason="the matrix looks")
    assert admin.user_session_id
    stage.actors["view-as"] = accounts.actor_of_user_session(Origin(), user_session_id=admin.user_session_id)


def _owner(stage: Stage, organization: UUID) -> UUID:
    (owner,) = stage.ids(
        "SELECT m.user_id FROM organization_memberships m JOIN users u ON u.id = m.user_id"
        " WHERE m.organization_id = %s AND u.email = 'first@own.example'",
        organization,
    )
    return owner
