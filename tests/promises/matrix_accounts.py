"""Who may do what with accounts: one's own, and everybody's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nexa_core import accounts
from nexa_core.actor import Actor
from tests.promises.matrix_rows import (
    ADMIN,
    REASON,
    Expect,
    Place,
    Route,
    Row,
    admins,
    expect_of_an_account,
    here,
    never,
    platform,
)

NAMES: dict[str, Any] = {
    "first_name": "Kim", "last_name": "", "timezone": "UTC", "locale": "en", "avatar_url": None,
    "notification_settings": {},
}  # fmt: skip


def _switching(who: str, where: str) -> str | None:
    if who in ("pending", "suspended"):
        return None
    if who == "anonymous":
        return "nobody"
    if who == "view-as":
        return "forbidden"
    return "may" if where == "own" and who != "ex-member" else "hidden"


def _account(verb: Callable[..., Any]) -> Row:
    more = {} if verb is accounts.unlock else {"reason": REASON}
    return admins(lambda actor, place: verb(actor, user_id=place.person, **more))


def _mine(call: Callable[[Actor, Place], Any], expect: Expect | None = None) -> Row:
    return Row(call, expect=expect or expect_of_an_account())


_LOOKING = expect_of_an_account(viewing="may")


def _everybody(stage: Any, who: str, where: str, place: Place, found: Any) -> None:
    people = stage.ids("SELECT id FROM users WHERE deleted_at IS NULL")
    assert {one.id for one in found.items} == people and len(found.items) == len(people)


def _viewing(who: str, where: str) -> str:
    """Of a deleted organization nobody is an active member."""
    return ("hidden" if where == "deleted" else "may") if who in ADMIN else "forbidden"


VERBS: dict[str, Row] = {
    "accounts.my_profile": _mine(lambda a, _: accounts.my_profile(a), _LOOKING),
    "accounts.update_profile": _mine(lambda a, _: accounts.update_profile(a, **NAMES)),
    "accounts.my_sign_ins": _mine(lambda a, _: accounts.my_sign_ins(a), _LOOKING),
    "accounts.my_organizations": _mine(lambda a, _: accounts.my_organizations(a), _LOOKING),
    "accounts.sign_out": _mine(lambda a, _: accounts.sign_out(a), _LOOKING),
    "accounts.end_other_sign_ins": _mine(lambda a, _: accounts.end_other_sign_ins(a)),
    "accounts.change_password": _mine(
        lambda a, _: accounts.change_password(a, current="not the one", new="a quiet walk along the harbour")
    ),
    "accounts.end_sign_in": Row(
        lambda a, p: accounts.end_sign_in(a, user_session_id=p.sign_in), expect=never("hidden", viewing="forbidden")
    ),
    "accounts.switch_organization": Row(here(accounts.switch_organization), expect=_switching),
    "accounts.unlock": _account(accounts.unlock),
    "accounts.suspend_user": _account(accounts.suspend_user),
    "accounts.resume_user": _account(accounts.resume_user),
    "accounts.end_sign_ins_of": _account(accounts.end_sign_ins_of),
    "accounts.end_sign_in_of": admins(
        lambda a, p: accounts.end_sign_in_of(a, user_id=p.person, user_session_id=p.sign_in, reason=REASON)
    ),
    "accounts.send_reset_link": admins(lambda a, p: accounts.send_reset_link(a, user_id=p.person)),
    "accounts.find_people": platform(lambda a, _: accounts.find_people(a, limit=200), check=_everybody),
    "accounts.person": admins(lambda a, p: accounts.person(a, user_id=p.person)),
    "accounts.delete_user": _account(accounts.delete_user),
    "accounts.restore_user": admins(lambda a, p: accounts.restore_user(a, user_id=p.gone, reason=REASON)),
    "accounts.export_person": _account(accounts.export_person),
    "accounts.plan_erasure": admins(lambda a, p: accounts.plan_erasure(a, user_id=p.person)),
    # Stopped at the last moment: its certificate is read after the commit, which the matrix undoes.
    "accounts.erase_person": admins(
        lambda a, p: accounts.erase_person(a, user_id=p.person, email=f"not.{p.email}", reason=REASON)
    ),
    "accounts.certificate": admins(lambda a, p: accounts.certificate(a, user_id=p.erased)),
    "accounts.view_as": Row(
        lambda a, p: accounts.view_as(a, user_id=p.person, organization_id=p.organization, reason=REASON),
        expect=_viewing,
    ),
    "accounts.expire_viewings": platform(lambda a, _: accounts.expire_viewings(a)),
    "accounts.stop_viewing": Row(
        lambda a, _: accounts.stop_viewing(a), expect=lambda _who, where: "ok" if where == "own" else None
    ),
}

ROUTES: dict[str, Route] = {
    "POST /auth/cookie": Route(public="the ticket is the proof"),
    "POST /auth/sign-out": Route(public="ends what the cookie names, if anything"),
    "POST /auth/token": Route(public="the password is the proof"),
    "POST /auth/refresh": Route(public="the refresh token is the proof"),
    "POST /auth/logout": Route("accounts.sign_out", lambda _: "/auth/logout"),
    "GET /me": Route("accounts.my_profile", lambda _: "/me"),
    "GET /people/{person_id}/export.zip": Route(
        "accounts.export_person", lambda place: f"/people/{place.person}/export.zip?reason=asked"
    ),
}
