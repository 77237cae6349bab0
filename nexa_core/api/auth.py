"""/api/auth: the cookie of a browser and the tokens of a program."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import Response

from nexa_core import accounts
from nexa_core.actor import Actor, Origin
from nexa_core.api.cookie import clear_cookie, set_cookie
from nexa_core.api.endpoint import Body, post
from nexa_core.api.exchange import Exchange
from nexa_core.errors import Unauthenticated

_Secret = Annotated[str, Field(min_length=1, max_length=512)]


class Ticket(Body):
    ticket: _Secret


class Credentials(Body):
    email: Annotated[str, Field(min_length=1, max_length=255)]
    password: Annotated[str, Field(min_length=1, max_length=1024)]
    organization: Annotated[str, Field(max_length=100)] | None = None


class Refresh(Body):
    refresh_token: _Secret


class Tokens(Body):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the scheme, no secret
    expires_in: int


@post("/auth/cookie", "Turn a sign-in ticket into the browser's cookie", status=204)
def cookie(exchange: Exchange, body: Ticket) -> Response:
    """The sign-in that the browser held before ends: its other tabs must not go on as somebody else."""
    opened = accounts.open_browser_sign_in(exchange.origin, ticket=body.ticket)
    _end(exchange)
    response = Response(status_code=204)
    set_cookie(response, opened.cookie, opened.expires_at)
    return response


@post("/auth/sign-out", "End the browser's sign-in and clear its cookie", status=204)
def sign_out(exchange: Exchange) -> Response:
    _end(exchange)
    response = Response(status_code=204)
    clear_cookie(response)
    return response


@post("/auth/token", "Tokens for a program, from an address and a password")
def token(origin: Origin, body: Credentials) -> Tokens:
    pair = accounts.issue_tokens(origin, email=body.email, password=body.password, organization=body.organization)
    return _tokens(pair)


@post("/auth/refresh", "New tokens for a refresh token, which is then spent")
def refresh(origin: Origin, body: Refresh) -> Tokens:
    return _tokens(accounts.refresh_tokens(origin, refresh_token=body.refresh_token))


@post("/auth/logout", "End the sign-in that the access token belongs to", status=204)
def logout(actor: Actor) -> None:
    accounts.sign_out(actor)


def _tokens(pair: accounts.TokenPair) -> Tokens:
    return Tokens(access_token=pair.access_token, refresh_token=pair.refresh_token, expires_in=pair.expires_in)


def _end(exchange: Exchange) -> None:
    """End the sign-in of the cookie that came with the request, if it still lives."""
    if exchange.cookie is None:
        return
    try:
        exchange.actor = accounts.actor_of_cookie(exchange.origin, cookie=exchange.cookie)
    except Unauthenticated:
        return
    accounts.sign_out(exchange.actor)


ENDPOINTS = (cookie, sign_out, token, refresh, logout)
