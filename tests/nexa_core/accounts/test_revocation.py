"""However a sign-in ends, the next request is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from nexa_core import accounts
from nexa_core.actor import Actor, Origin
from nexa_core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated

PASSWORD = "correct horse battery staple"
NEW_PASSWORD = "four windows over the harbour"
FROM = Origin(
    ip_address="203.0.113.7", user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
)
EMAIL = "ada@northwind.example"


@dataclass
class Stage:
    """Ada, signed in with two browsers and a program; an internal admin; everything a revocation needs."""

    database: object
    world: object
    ada: UUID
    northwind: UUID
    admin: Actor
    cookie: str
    other_cookie: str
    pair: accounts.TokenPair

    @property
    def actor(self) -> Actor:
        return accounts.actor_of_cookie(FROM, cookie=self.cookie)

    @property
    def other(self) -> UUID:
        user_session_id = accounts.actor_of_cookie(FROM, cookie=self.other_cookie).user_session_id
        assert user_session_id
        return user_session_id

    def change(self, statement: str, *values: object) -> None:
        with self.database.superuser() as connection, connection.transaction():
            self.world.name_the_change(connection)
            connection.execute(statement, values)


def sign_in(email: str = EMAIL, password: str = PASSWORD) -> str:
    ticket = accounts.sign_in(FROM, email=email, password=password).ticket
    return accounts.open_browser_sign_in(FROM, ticket=ticket).cookie


def alive(stage: Stage) -> tuple[bool, bool, bool, int]:
    """Whether the first cookie, the second and the access token stand for anybody, and how many the watcher sees."""

    def stands(ask: Callable[[], Actor]) -> bool:
        try:
            return bool(ask())
        except Unauthenticated:
            return False

    with stage.database.superuser() as connection:
        everyone = [
            row[0] for row in connection.execute("SELECT id FROM user_sessions WHERE user_id = %s", [stage.ada])
        ]
    return (
        stands(lambda: accounts.actor_of_cookie(FROM, cookie=stage.cookie)),
        stands(lambda: accounts.actor_of_cookie(FROM, cookie=stage.other_cookie)),
        stands(lambda: accounts.actor_of_access_token(FROM, access_token=stage.pair.access_token)),
        len(accounts.living_user_sessions([*everyone, uuid4()])),
    )


@pytest.fixture
def stage(database, world) -> Stage:
    northwind = world.organization("Northwind")
    world.person("owner@northwind.example", northwind, "owner")
    ada = world.person(EMAIL, northwind, "admin")
    nexa = world.organization("NEXA", is_platform=True)
    admin = world.person("root@nexa.example", nexa, "owner")
    pair = accounts.issue_tokens(FROM, email=EMAIL, password=PASSWORD)
    staged = Stage(database, world, ada, northwind, world.actor(admin, nexa), sign_in(), sign_in(), pair)
    assert alive(staged) == (True, True, True, 3)
    return staged


def _link(database) -> str:
    with database.superuser() as connection:
        return connection.execute("SELECT link FROM outbox_messages ORDER BY created_at DESC LIMIT 1").fetchone()[0]


def _reset(stage: Stage) -> None:
    accounts.request_password_reset(FROM, email=EMAIL)
    accounts.set_password(FROM, token=_link(stage.database).partition("token=")[2], password=NEW_PASSWORD)


DELETE_PERSON = "UPDATE users SET deleted_at = now(), status = 'deleted' WHERE id = %s"
SUSPEND_MEMBERSHIP = "UPDATE organization_memberships SET status = 'suspended' WHERE user_id = %s"
DELETE_MEMBERSHIP = "DELETE FROM organization_memberships WHERE user_id = %s AND organization_id = %s"
SUSPEND_ORGANIZATION = "UPDATE organizations SET status = 'suspended' WHERE id = %s"
EVERYTHING = (False, False, False, 0)
ENDS: dict[str, tuple[Callable[[Stage], object], tuple[bool, bool, bool, int]]] = {
    "sign-out": (lambda s: accounts.sign_out(s.actor), (False, True, True, 2)),
    "ending one": (lambda s: accounts.end_sign_in(s.actor, user_session_id=s.other), (True, False, True, 2)),
    "ending the others": (lambda s: accounts.end_other_sign_ins(s.actor), (True, False, False, 1)),
    "password change": (
        lambda s: accounts.change_password(s.actor, current=PASSWORD, new=NEW_PASSWORD),
        (True, False, False, 1),
    ),
    "password reset": (_reset, EVERYTHING),
    "suspension of the person": (lambda s: accounts.suspend_user(s.admin, user_id=s.ada, reason="left"), EVERYTHING),
    "an admin": (lambda s: accounts.end_sign_ins_of(s.admin, user_id=s.ada, reason="lost laptop"), EVERYTHING),
    "deletion of the person": (lambda s: s.change(DELETE_PERSON, s.ada), EVERYTHING),
    "suspension of the membership": (lambda s: s.change(SUSPEND_MEMBERSHIP, s.ada), EVERYTHING),
    "removal from the organization": (
        lambda s: (
            s.world.membership(s.ada, s.admin.organization_id),
            s.change(DELETE_MEMBERSHIP, s.ada, s.northwind),
        ),
        EVERYTHING,
    ),
    "suspension of the organization": (lambda s: s.change(SUSPEND_ORGANIZATION, s.northwind), EVERYTHING),
    "expiry": (lambda s: s.change("UPDATE user_sessions SET expires_at = now() WHERE user_id = %s", s.ada), EVERYTHING),
}


@pytest.mark.parametrize("how", ENDS)
def test_a_sign_in_that_ended_is_refused_at_the_next_request(stage, how):
    end, left = ENDS[how]
    end(stage)
    assert alive(stage) == left


def test_a_ticket_under_way_does_not_survive_a_new_password(stage):
    ticket = accounts.sign_in(FROM, email=EMAIL, password=PASSWORD).ticket
    accounts.change_password(stage.actor, current=PASSWORD, new=NEW_PASSWORD)
    with pytest.raises(Unauthenticated):
        accounts.open_browser_sign_in(FROM, ticket=ticket)


def test_a_resumed_person_signs_in_anew(stage):
    accounts.suspend_user(stage.admin, user_id=stage.ada, reason="under review")
    accounts.resume_user(stage.admin, user_id=stage.ada, reason="cleared")
    assert alive(stage) == EVERYTHING
    assert accounts.actor_of_cookie(FROM, cookie=sign_in()).user_id == stage.ada
    with stage.database.superuser() as connection:
        audited = connection.execute(
            "SELECT action, reason, user_id FROM audit_logs WHERE resource_type = 'user' AND action LIKE 'user.%%d'"
            " AND resource_id = %s AND reason IS NOT NULL ORDER BY created_at",
            [stage.ada],
        ).fetchall()
    assert audited == [
        ("user.suspended", "under review", stage.admin.user_id),
        ("user.resumed", "cleared", stage.admin.user_id),
    ]


def test_only_the_platforms_admins_touch_somebody_elses_account(stage):
    for verb in (accounts.suspend_user, accounts.resume_user, accounts.end_sign_ins_of):
        with pytest.raises(Forbidden):
            verb(stage.actor, user_id=stage.admin.user_id, reason="because")
    with pytest.raises(Forbidden):
        accounts.unlock(stage.actor, user_id=stage.admin.user_id)
    with pytest.raises(Conflict):
        accounts.suspend_user(stage.admin, user_id=stage.admin.user_id, reason="oops")
    with pytest.raises(Invalid):
        accounts.suspend_user(stage.admin, user_id=stage.ada, reason=" ")
    with pytest.raises(NotFound):
        accounts.suspend_user(stage.admin, user_id=uuid4(), reason="gone")


def test_nobody_ends_the_sign_in_of_somebody_else(stage):
    theirs = stage.world.sign_in(stage.admin.user_id, stage.admin.organization_id)
    for actor in (stage.actor, stage.admin):
        mine = accounts.actor_of_cookie(FROM, cookie=stage.other_cookie).user_session_id
        other = theirs if actor is not stage.admin else mine
        with pytest.raises(NotFound):
            accounts.end_sign_in(actor, user_session_id=other)


def test_my_sign_ins_say_what_where_and_when_with_the_current_one_first(stage):
    first, *others = accounts.my_sign_ins(stage.actor)
    assert (first.is_current, first.device, first.ip_address) == (True, "Firefox on Linux", "203.0.113.7")
    assert len(others) == 2
    assert not any(other.is_current for other in others)
    assert {other.kind for other in others} == {"browser", "api"}


def test_switching_takes_the_sign_in_to_another_organization_of_the_person_only(stage):
    contoso = stage.world.organization("Contoso")
    stage.world.person("owner@contoso.example", contoso, "owner")
    with pytest.raises(NotFound):
        accounts.switch_organization(stage.actor, organization_id=contoso)
    stage.world.membership(stage.ada, contoso, "viewer")
    assert [(m.organization_slug, m.role, m.is_current) for m in accounts.my_organizations(stage.actor)] == [
        ("contoso", "viewer", False),
        ("northwind", "admin", True),
    ]
    accounts.switch_organization(stage.actor, organization_id=contoso)
    assert (stage.actor.organization_id, stage.actor.role) == (contoso, "viewer")
    assert accounts.actor_of_cookie(FROM, cookie=stage.other_cookie).organization_id == stage.northwind


def test_last_seen_is_written_once_a_minute(stage):
    def seen() -> object:
        with stage.database.superuser() as connection:
            return connection.execute(
                "SELECT last_seen_at FROM user_sessions WHERE id = %s", [stage.actor.user_session_id]
            ).fetchone()

    before = seen()
    assert seen() == before
    stage.change("UPDATE user_sessions SET last_seen_at = now() - interval '2 minutes'")
    assert seen() > before


def test_the_watcher_asks_once_for_any_number_of_sign_ins(stage):
    assert accounts.living_user_sessions([]) == set()
    assert accounts.living_user_sessions(iter([stage.actor.user_session_id])) == {stage.actor.user_session_id}


def test_unlocking_lets_somebody_in_at_once(stage):
    for _ in range(5):
        with pytest.raises(Exception, match=r"sign-ins|not right"):
            accounts.sign_in(FROM, email=EMAIL, password="wrong")
    accounts.unlock(stage.admin, user_id=stage.ada)
    assert sign_in()
    with stage.database.superuser() as connection:
        audited = connection.execute(
            "SELECT user_id, resource_id FROM audit_logs WHERE action = 'user.unlocked'"
        ).fetchall()
    assert audited == [(stage.admin.user_id, stage.ada)]


def test_purging_takes_what_is_over_and_leaves_what_lives(stage):
    accounts.refresh_tokens(FROM, refresh_token=stage.pair.refresh_token)
    accounts.sign_out(accounts.actor_of_cookie(FROM, cookie=stage.other_cookie))
    stage.change("UPDATE user_sessions SET revoked_at = now() - interval '91 days' WHERE revoked_at IS NOT NULL")
    stage.change("UPDATE one_time_tokens SET expires_at = now() - interval '2 days'")
    stage.change("INSERT INTO unknown_sign_ins VALUES ('old', 1, now() - interval '2 days'), ('new', 1, now())")
    assert accounts.purge() == 4
    assert accounts.purge() == 0
    with stage.database.superuser() as connection:
        left = connection.execute(
            "SELECT (SELECT count(*) FROM user_sessions), (SELECT count(*) FROM spent_refresh_tokens),"
            " (SELECT count(*) FROM one_time_tokens), (SELECT array_agg(address_hash) FROM unknown_sign_ins)"
        ).fetchone()
    assert left == (2, 1, 0, ["new"])
