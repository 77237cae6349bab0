"""Who may do what before there is an actor: for every verb that takes an origin, what stands for the sign-in.

Whoever has made the proof up is refused; whoever has it is let in where it leads, and not where that is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from nexa_core import accounts as A  # noqa: N812  as in the tables of the domains
from nexa_core import architecture_sessions as S  # noqa: N812
from nexa_core import organizations as O  # noqa: N812
from nexa_core.actor import Origin
from tests.promises.matrix_rows import Place
from tests.worlds import PASSWORD

NAMES = {"first_name": "Kim", "last_name": "Lee", "password": "an entirely new phrase to remember"}
MADE_UP = "made-up"
ORIGIN = Origin(ip_address="203.0.113.7", user_agent="tests")
EVERYWHERE = {"own": "ok", "other": "ok", "deleted": "ok"}


def _living(deleted: str) -> dict[str, str]:
    return {"own": "ok", "other": "ok", "deleted": deleted}


@dataclass(frozen=True)
class Public:
    """``stranger`` calls the verb with a proof that was made up, and gets ``strangers``; ``bearer`` with that of a
    place, and gets what ``bearers`` says there. Without one, the proof is told in the tests that are named."""

    proof: str
    stranger: Callable[[], Any]
    strangers: str
    bearer: Callable[[Place], Any] | None = None
    bearers: Mapping[str, str] = field(default_factory=dict)
    elsewhere: str = ""


PUBLIC: dict[str, Public] = {
    "accounts.sign_in": Public(
        "the password",
        lambda: A.sign_in(ORIGIN, email="nobody@actors.example", password=MADE_UP), "nobody",
        lambda p: A.sign_in(ORIGIN, email=p.email, password=PASSWORD), _living("nobody"),
    ),
    "accounts.issue_tokens": Public(
        "the password",
        lambda: A.issue_tokens(ORIGIN, email="nobody@actors.example", password=MADE_UP), "nobody",
        lambda p: A.issue_tokens(ORIGIN, email=p.email, password=PASSWORD), _living("nobody"),
    ),
    "accounts.sign_in_as_demo": Public(
        "demo mode, and an address of the demo world",
        lambda: A.sign_in_as_demo(ORIGIN, email="nobody@actors.example"), "hidden",
        lambda p: A.sign_in_as_demo(ORIGIN, email=p.email), dict.fromkeys(EVERYWHERE, "hidden"),
    ),
    "accounts.actor_of_user_session": Public(
        "the identifier that the guard alone hands on",
        lambda: A.actor_of_user_session(ORIGIN, user_session_id=uuid4()), "nobody",
        lambda p: A.actor_of_user_session(ORIGIN, user_session_id=p.sign_in), _living("nobody"),
    ),
    "accounts.actor_of_cookie": Public(
        "the cookie", lambda: A.actor_of_cookie(ORIGIN, cookie=MADE_UP), "nobody",
        elsewhere="tests/nexa_core/accounts/test_tokens.py",
    ),
    "accounts.actor_of_access_token": Public(
        "the access token", lambda: A.actor_of_access_token(ORIGIN, access_token=MADE_UP), "nobody",
        elsewhere="tests/nexa_core/accounts/test_tokens.py",
    ),
    "accounts.actor_of_api_key": Public(
        "the key", lambda: A.actor_of_api_key(ORIGIN, key=MADE_UP), "nobody",
        elsewhere="tests/nexa_core/organizations/test_api_keys.py",
    ),
    "accounts.open_browser_sign_in": Public(
        "the ticket", lambda: A.open_browser_sign_in(ORIGIN, ticket=MADE_UP), "nobody",
        elsewhere="tests/nexa_core/accounts/test_tokens.py",
    ),
    "accounts.refresh_tokens": Public(
        "the refresh token", lambda: A.refresh_tokens(ORIGIN, refresh_token=MADE_UP), "nobody",
        elsewhere="tests/nexa_core/accounts/test_tokens.py",
    ),
    "accounts.set_password": Public(
        "the link", lambda: A.set_password(ORIGIN, token=MADE_UP, password=NAMES["password"]), "invalid",
        elsewhere="tests/nexa_core/accounts/test_passwords.py",
    ),
    # What only sends a mail answers everybody alike: whether there is somebody is not for whoever asks.
    "accounts.request_password_reset": Public(
        "none: it tells nothing", lambda: A.request_password_reset(ORIGIN, email="nobody@actors.example"), "ok",
        lambda p: A.request_password_reset(ORIGIN, email=p.email), EVERYWHERE,
    ),
    "organizations.request_domain_join": Public(
        "none: it tells nothing", lambda: O.request_domain_join(ORIGIN, email="nobody@nowhere.example"), "ok",
        lambda p: O.request_domain_join(ORIGIN, email=f"new@{p.email.partition('@')[2]}"), EVERYWHERE,
    ),
    "organizations.domain_invitation": Public(
        "the mailed link", lambda: O.domain_invitation(ORIGIN, token=MADE_UP), "invalid",
        lambda p: O.domain_invitation(ORIGIN, token=p.joining), _living("invalid"),
    ),
    "organizations.join_by_domain": Public(
        "the mailed link", lambda: O.join_by_domain(ORIGIN, token=MADE_UP, **NAMES), "invalid",
        lambda p: O.join_by_domain(ORIGIN, token=p.joining, **NAMES), _living("invalid"),
    ),
    "organizations.open_invitation": Public(
        "the link", lambda: O.open_invitation(ORIGIN, token=MADE_UP), "invalid",
        lambda p: O.open_invitation(ORIGIN, token=p.token), _living("invalid"),
    ),
    "organizations.accept_invitation_with_password": Public(
        "the link", lambda: O.accept_invitation_with_password(ORIGIN, token=MADE_UP, **NAMES), "invalid",
        lambda p: O.accept_invitation_with_password(ORIGIN, token=p.token, **NAMES), _living("invalid"),
    ),
    "architecture_sessions.visit": Public(
        "the share link", lambda: S.visit(ORIGIN, token=MADE_UP), "hidden",
        elsewhere="tests/nexa_core/architecture_sessions/test_sharing.py",
    ),
    "architecture_sessions.unlock": Public(
        "the share link and its passcode", lambda: S.unlock(ORIGIN, token=MADE_UP, passcode="x"), "hidden",
        elsewhere="tests/nexa_core/architecture_sessions/test_sharing.py",
    ),
    "architecture_sessions.picture": Public(
        "the share link", lambda: S.picture(ORIGIN, token=MADE_UP, key=None, kind="logo"), "hidden",
        elsewhere="tests/nexa_core/architecture_sessions/test_sharing.py",
    ),
    "architecture_sessions.respond": Public(
        "the share link",
        lambda: S.respond(
            ORIGIN, token=MADE_UP, key=None, form_key="x", kind="approval", page="sow", part="", digest="", name="Kim",
            email="kim@x.example",
        ), "hidden", elsewhere="tests/nexa_core/architecture_sessions/test_sharing.py",
    ),
}  # fmt: skip
