"""What the verbs of accounts leave in the audit log."""

from __future__ import annotations

from uuid import UUID

from nexa_core import accounts, db
from nexa_core.actor import Actor
from tests.promises.audited_rows import (
    NEW_PASSWORD,
    ORIGIN,
    SAME_ORIGIN,
    SIGNED_IN,
    Case,
    EndpointCase,
    Stage,
    bearer,
    cookie,
    reads,
    ticket,
    tokens,
)
from tests.worlds import PASSWORD

DOMAIN = accounts
NO_VERBS = {
    "accounts.device_label",
    "accounts.hash_password",
}


def _demo_person(stage: Stage) -> None:
    stage.world.person("viewer@lumenfold.example", stage.world.organization("Lumenfold", is_demo=True), role="owner")


def _link(stage: Stage) -> str:
    with db.entering(ORIGIN) as transaction:
        link = accounts.recovery.new_link(transaction, user_id=stage.bob, organization_id=stage.northwind)
    return link.rpartition("=")[2]


def _profile(stage: Stage) -> object:
    return accounts.update_profile(
        stage.ada, first_name="Augusta", last_name="King", timezone="UTC", locale="en", avatar_url=None,
        notification_settings={},
    )  # fmt: skip


def _lock(stage: Stage) -> None:
    with stage.world.database.superuser() as connection, connection.transaction():
        stage.world.name_the_change(connection)
        connection.execute("UPDATE users SET locked_until = now() + interval '1 hour' WHERE id = %s", [stage.bob])


def _long_ended_sign_in(stage: Stage) -> None:
    living = stage.world.sign_in(stage.bob, stage.northwind)
    with stage.world.database.superuser() as connection, connection.transaction():
        stage.world.name_the_change(connection)
        connection.execute("UPDATE user_sessions SET expires_at = now() - interval '1 year' WHERE id = %s", [living])


def _signed_in_elsewhere(stage: Stage) -> UUID:
    return stage.world.sign_in(stage.bob, stage.northwind)


def _deleted(stage: Stage) -> None:
    accounts.delete_user(stage.root, user_id=stage.bob, reason="left")


def _erased(stage: Stage) -> None:
    accounts.erase_person(stage.root, user_id=stage.bob, email="bob@northwind.example", reason="asked to be")


def _viewing(stage: Stage) -> None:
    accounts.view_as(stage.root, user_id=stage.bob, organization_id=stage.northwind, reason="a ticket")


def _with_bobs_eyes(stage: Stage) -> Actor:
    """The admin while they look."""
    _viewing(stage)
    assert stage.root.user_session_id
    looking = accounts.actor_of_user_session(ORIGIN, user_session_id=stage.root.user_session_id)
    assert looking.viewing_as
    return looking


def _run_out(stage: Stage) -> None:
    """A viewing that the clock ended."""
    _viewing(stage)
    with stage.world.database.superuser() as connection, connection.transaction():
        stage.world.name_the_change(connection)
        connection.execute("UPDATE viewings SET started_at = now() - interval '1 hour', expires_at = now()")


CASES: dict[str, Case] = {
    "accounts.actor_of_access_token": Case(
        lambda s, pair: accounts.actor_of_access_token(ORIGIN, access_token=pair.access_token), (), tokens
    ),
    "accounts.actor_of_cookie": Case(lambda s, cookie: accounts.actor_of_cookie(ORIGIN, cookie=cookie), (), cookie),
    "accounts.actor_of_user_session": Case(
        lambda s, _: accounts.actor_of_user_session(ORIGIN, user_session_id=s.ada.user_session_id)  # type: ignore[arg-type]
    ),
    "accounts.living_user_sessions": Case(lambda s, _: accounts.living_user_sessions([s.ada.user_session_id])),  # type: ignore[list-item]
    "accounts.my_profile": Case(lambda s, _: accounts.my_profile(s.ada)),
    "accounts.my_organizations": Case(lambda s, _: accounts.my_organizations(s.ada)),
    "accounts.my_sign_ins": Case(lambda s, _: accounts.my_sign_ins(s.ada)),
    "accounts.sign_in": Case(lambda s, _: ticket(s)),
    "accounts.sign_in_as_demo": Case(
        lambda s, _: accounts.sign_in_as_demo(ORIGIN, email="viewer@lumenfold.example"), (), _demo_person
    ),
    "accounts.open_browser_sign_in": Case(
        lambda s, ticket: accounts.open_browser_sign_in(ORIGIN, ticket=ticket), (SIGNED_IN,), ticket
    ),
    "accounts.issue_tokens": Case(lambda s, _: tokens(s), (SIGNED_IN,)),
    "accounts.refresh_tokens": Case(
        lambda s, pair: accounts.refresh_tokens(ORIGIN, refresh_token=pair.refresh_token), (), tokens
    ),
    "accounts.sign_out": Case(lambda s, _: accounts.sign_out(s.ada), (("user.signed_out", "user_session"),)),
    "accounts.end_sign_in": Case(
        lambda s, other: accounts.end_sign_in(s.ada, user_session_id=other),
        (("sign_in.ended", "user_session"),),
        lambda s: s.world.sign_in(s.ada.user_id, s.northwind),  # type: ignore[arg-type]
    ),
    "accounts.end_other_sign_ins": Case(
        lambda s, _: accounts.end_other_sign_ins(s.ada),
        (("sign_in.ended", "user_session"),) * 2,
        lambda s: [s.world.sign_in(s.ada.user_id, s.northwind) for _ in range(2)],  # type: ignore[arg-type]
    ),
    "accounts.switch_organization": Case(
        lambda s, _: accounts.switch_organization(s.ada, organization_id=s.elsewhere),
        (("sign_in.switched", "user_session"),),
        lambda s: s.world.membership(s.ada.user_id, s.elsewhere),  # type: ignore[arg-type]
    ),
    "accounts.update_profile": Case(lambda s, _: _profile(s), (("user.profile_updated", "user"),)),
    "accounts.change_password": Case(
        lambda s, _: accounts.change_password(s.ada, current=PASSWORD, new=NEW_PASSWORD),
        (("user.password_changed", "user"),),
    ),
    "accounts.request_password_reset": Case(
        lambda s, _: accounts.request_password_reset(ORIGIN, email="bob@northwind.example"),
        (("user.password_reset_requested", "user"),),
    ),
    "accounts.set_password": Case(
        lambda s, token: accounts.set_password(ORIGIN, token=token, password=NEW_PASSWORD),
        (("user.password_reset", "user"),),
        _link,
    ),
    "accounts.unlock": Case(
        lambda s, _: accounts.unlock(s.root, user_id=s.bob), (("user.unlocked", "user"),), lambda s: _lock(s)
    ),
    "accounts.suspend_user": Case(
        lambda s, _: accounts.suspend_user(s.root, user_id=s.bob, reason="stolen"),
        (("user.suspended", "user"), ("user.suspended", "user_session")),
        lambda s: s.world.sign_in(s.bob, s.northwind),
    ),
    "accounts.resume_user": Case(
        lambda s, _: accounts.resume_user(s.root, user_id=s.bob, reason="found"),
        (("user.resumed", "user"),),
        lambda s: accounts.suspend_user(s.root, user_id=s.bob, reason="stolen"),
    ),
    "accounts.end_sign_ins_of": Case(
        lambda s, _: accounts.end_sign_ins_of(s.root, user_id=s.bob, reason="lost laptop"),
        (("sign_in.ended", "user_session"),),
        lambda s: s.world.sign_in(s.bob, s.northwind),
    ),
    "accounts.find_people": Case(lambda s, _: accounts.find_people(s.root, text="bob")),
    "accounts.person": Case(lambda s, _: accounts.person(s.root, user_id=s.bob)),
    "accounts.end_sign_in_of": Case(
        lambda s, living: accounts.end_sign_in_of(s.root, user_id=s.bob, user_session_id=living, reason="lost laptop"),
        (("sign_in.ended", "user_session"),),
        _signed_in_elsewhere,
    ),
    "accounts.send_reset_link": Case(
        lambda s, _: accounts.send_reset_link(s.root, user_id=s.bob), (("user.password_reset_requested", "user"),)
    ),
    "accounts.delete_user": Case(
        lambda s, _: _deleted(s),
        (("user.deleted", "user"), ("user.deleted", "user_session")),
        _signed_in_elsewhere,
    ),
    "accounts.restore_user": Case(
        lambda s, _: accounts.restore_user(s.root, user_id=s.bob, reason="back"),
        (("user.restored", "user"),),
        _deleted,
    ),
    "accounts.export_person": Case(
        lambda s, _: accounts.export_person(s.root, user_id=s.bob, reason="asked for it"), (("user.exported", "user"),)
    ),
    "accounts.plan_erasure": Case(lambda s, _: accounts.plan_erasure(s.root, user_id=s.bob)),
    # The account, both memberships, and in each of four chains (both organizations', the platform's, nobody's) one that
    # names what was erased there.
    "accounts.erase_person": Case(
        lambda s, _: _erased(s), (("user.erased", "user"),) * 5 + (("user.erased", "membership"),) * 2
    ),
    "accounts.certificate": Case(lambda s, _: accounts.certificate(s.root, user_id=s.bob), (), _erased),
    "accounts.view_as": Case(lambda s, _: _viewing(s), (("user.viewing_started", "user"),)),
    "accounts.stop_viewing": Case(
        lambda s, looking: accounts.stop_viewing(looking), (("user.viewing_ended", "user"),), _with_bobs_eyes
    ),
    "accounts.expire_viewings": Case(
        lambda s, _: accounts.expire_viewings(s.root), (("user.viewing_expired", "user"),), _run_out
    ),
    "accounts.create_admin": Case(
        lambda s, _: accounts.create_admin("new@nexa.example"),
        (("user.created", "user"), ("user.created", "membership")),
    ),
    "accounts.purge": Case(
        lambda s, _: accounts.purge(), (("sign_in.purged", "user_session"),), lambda s: _long_ended_sign_in(s)
    ),
}
STATEMENTS: dict[str, list[tuple[str, str]]] = {
    "users": [
        (
            "nexa_staff",  # nobody belongs nowhere: the membership has an entry of its own
            "WITH new AS (INSERT INTO users (email) VALUES ('new@northwind.example') RETURNING id)"
            " INSERT INTO organization_memberships (user_id, organization_id) SELECT id, %(org)s FROM new",
        ),
        ("nexa_staff", "UPDATE users SET full_name = 'Robert' WHERE id = %(bob)s"),
    ],
    "user_sessions": [
        (
            "nexa_entry",
            "INSERT INTO user_sessions (user_id, organization_id, session_token, expires_at)"
            " VALUES (%(me)s, %(org)s, 'x', 'infinity')",
        ),
        ("nexa_tenant", "UPDATE user_sessions SET revoked_at = now() WHERE user_id = %(me)s"),
        ("nexa_entry", "DELETE FROM user_sessions WHERE user_id = %(me)s"),
    ],
    "viewings": [
        (
            "nexa_staff",
            "INSERT INTO viewings (user_session_id, user_id, viewed_user_id, organization_id, reason, expires_at)"
            " VALUES (gen_random_uuid(), %(me)s, %(bob)s, %(org)s, 'to see', now())",
        ),
        ("nexa_staff", "UPDATE viewings SET ended_at = now()"),
    ],
}
ENDPOINTS: dict[str, EndpointCase] = {
    "GET /me": reads("/api/me"),
    "GET /people/{person_id}/export.zip": reads(
        "/api/people/{bob}/export.zip?reason=asked", ("user.exported", "user"), email="root@nexa.example"
    ),
    "POST /auth/cookie": EndpointCase(
        lambda client, stage, ticket: client.post("/api/auth/cookie", json={"ticket": ticket}, headers=SAME_ORIGIN),
        (SIGNED_IN,),
        ticket,
    ),
    "POST /auth/sign-out": EndpointCase(
        lambda client, stage, cookie: client.post(
            "/api/auth/sign-out", headers=SAME_ORIGIN | {"cookie": f"nexa={cookie}"}
        ),
        (("user.signed_out", "user_session"),),
        cookie,
    ),
    "POST /auth/token": EndpointCase(
        lambda client, stage, _: client.post(
            "/api/auth/token", json={"email": "ada@northwind.example", "password": PASSWORD}
        ),
        (SIGNED_IN,),
    ),
    "POST /auth/refresh": EndpointCase(
        lambda client, stage, pair: client.post("/api/auth/refresh", json={"refresh_token": pair.refresh_token}),
        (),
        tokens,
    ),
    "POST /auth/logout": EndpointCase(
        lambda client, stage, header: client.post("/api/auth/logout", headers=header),
        (("user.signed_out", "user_session"),),
        bearer,
    ),
}
