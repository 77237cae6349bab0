"""/share/<token>: what a visitor without an account sees. Plain HTML from here: no script, no socket, no sign-in.

The guard lets this path through and gives its answers headers of their own (see ``headers.visitor_headers``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from nexa_core import architecture_sessions, logs
from nexa_core.api.exchange import Exchange
from nexa_core.api.threads import in_thread
from nexa_core.architecture_sessions import PasscodeNeeded, Section, Shared
from nexa_core.errors import NexaError, NotFound

PREFIX: Final = "/share"
COOKIE: Final = "nexa_share"
#: More than the longest comment takes with every character escaped.
MOST_BYTES: Final = 65_536
_log = logs.logger("share")

Serve = Callable[[Request], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    """All of /share; a path below it that is none of these leads to the page that says so."""
    made: list[BaseRoute] = [
        Route(f"{PREFIX}/{{token}}", _served(_page), methods=["GET"]),
        Route(f"{PREFIX}/{{token}}/unlock", _served(_unlock), methods=["POST"]),
        Route(f"{PREFIX}/{{token}}/answer", _served(_answer), methods=["POST"]),
        Route(f"{PREFIX}/{{token}}/style.css", _served(_style), methods=["GET"]),
        Route(f"{PREFIX}/{{token}}/icon.svg", _served(_icon), methods=["GET"]),
        Route(f"{PREFIX}/{{token}}/logo", _served(_picture), methods=["GET"], name="logo"),
        Route(f"{PREFIX}/{{token}}/drawing/{{digest}}", _served(_picture), methods=["GET"], name="drawing"),
        Route(f"{PREFIX}/{{token}}/image/{{digest}}", _served(_picture), methods=["GET"], name="image"),
    ]
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [*made, Route(f"{PREFIX}/{{rest:path}}", _nothing, methods=methods)]


async def _page(request: Request) -> Response:
    thanks = request.query_params.get("thanks") == "1"
    shared = await in_thread(
        architecture_sessions.visit, _origin(request), token=_token(request), key=_key(request), count=not thanks
    )
    return _shown(request, shared, thanks=thanks)


async def _unlock(request: Request) -> Response:
    form = await _form(request)
    key = await in_thread(
        architecture_sessions.unlock, _origin(request), token=_token(request), passcode=form.get("passcode", "")
    )
    answer = RedirectResponse(_base(request), 303)
    # Lax, because the link is followed from a mail. Sent to this link's own paths only.
    answer.set_cookie(COOKIE, key, path=_base(request), httponly=True, samesite="lax")
    return answer


async def _answer(request: Request) -> Response:
    form = await _form(request)
    given = {name: form.get(name, "") for name in ("kind", "page", "part", "digest", "name", "email", "comment")}
    try:
        await in_thread(
            architecture_sessions.respond, _origin(request), token=_token(request), key=_key(request),
            form_key=form.get("form_key", ""), **given,
        )  # fmt: skip
    except (PasscodeNeeded, NotFound):
        raise
    except NexaError as error:  # the page again, with what was typed
        shared = await in_thread(
            architecture_sessions.visit, _origin(request), token=_token(request), key=_key(request), count=False
        )
        return _shown(request, shared, status=error.status, problem=error.sentence, draft=given)
    return RedirectResponse(f"{_base(request)}?thanks=1", 303)


async def _style(request: Request) -> Response:
    style = _templates.get_template("shared.css").render(accent=await _accent(request))
    return Response(style, media_type="text/css")


async def _icon(request: Request) -> Response:
    """A square in the organization's color, so that the browser asks nothing else of this server for an icon."""
    square = f'<rect width="32" height="32" rx="8" fill="{await _accent(request)}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{square}</svg>'
    return Response(svg, media_type="image/svg+xml")


async def _accent(request: Request) -> str:
    try:
        shared = await in_thread(
            architecture_sessions.visit, _origin(request), token=_token(request), key=_key(request), count=False
        )
    except PasscodeNeeded as needed:
        return needed.branding.accent
    return shared.branding.accent


async def _picture(request: Request) -> Response:
    kind = request.scope["route"].name
    media_type, content = await in_thread(
        architecture_sessions.picture, _origin(request), token=_token(request), key=_key(request), kind=kind,
        digest=request.path_params.get("digest", ""),
    )  # fmt: skip
    return Response(content, media_type=media_type)


async def _nothing(_request: Request) -> Response:
    return _html("gone.html", 404, sentence="There is nothing at this address.", base="")


def _served(serve: Serve) -> Serve:
    """What goes wrong as a page, too."""

    async def answer(request: Request) -> Response:
        try:
            return await serve(request)
        except PasscodeNeeded as needed:
            return _html(
                "locked.html", 401, branding=needed.branding, sentence=needed.sentence, base=_base(request), problem=""
            )
        except NexaError as error:
            if error.status in (401, 429) and request.method == "POST":
                return await _locked(request, error)
            return _html("gone.html", error.status, sentence=error.sentence, base="")
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception:
            incident = str(Exchange.of(request.scope).origin.request_id)
            _log.exception("incident", incident=incident, route="share")
            sentence = f"Something went wrong on our side. Quote incident {incident} when you report it."
            return _html("gone.html", 500, sentence=sentence, base="")

    return answer


async def _locked(request: Request, error: NexaError) -> Response:
    """The form of the passcode once more, with what was wrong."""
    try:
        await in_thread(architecture_sessions.visit, _origin(request), token=_token(request), count=False)
    except PasscodeNeeded as needed:
        return _html(
            "locked.html", error.status, branding=needed.branding, sentence=needed.sentence, base=_base(request),
            problem=error.sentence,
        )  # fmt: skip
    except NexaError:
        pass
    return _html("gone.html", error.status, sentence=error.sentence, base="")


def _shown(
    request: Request,
    shared: Shared,
    *,
    status: int = 200,
    thanks: bool = False,
    problem: str = "",
    draft: dict[str, str] | None = None,
) -> Response:
    return _html(
        "shared.html", status, shared=shared, pages=shared.pages, titles=architecture_sessions.PAGE_TITLES,
        effort=architecture_sessions.estimate(shared.documents.get("loe_objects"), shared.documents.get("sow_objects")),
        base=_base(request), thanks=thanks, problem=problem, draft=draft,
    )  # fmt: skip


def _html(name: str, status: int, **values: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(name).render(**values), status)


async def _form(request: Request) -> dict[str, str]:
    """A small urlencoded form; anything else is an empty one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return {}
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _base(request: Request) -> str:
    return f"{PREFIX}/{_token(request)}"


def _key(request: Request) -> str | None:
    return request.cookies.get(COOKIE)


def _origin(request: Request) -> Any:
    return Exchange.of(request.scope).origin


def _moment(at: dt.datetime, zone: str) -> str:
    try:
        local = at.astimezone(ZoneInfo(zone))
    except (ValueError, KeyError, OSError):
        zone, local = "UTC", at.astimezone(dt.UTC)
    return f"{local.day} {local:%B %Y, %H:%M} ({zone})"


def _anchor(section: Section) -> str:
    return f"{section.page}-{section.part}"


def _amount(minor: int, currency: str) -> str:
    return f"{architecture_sessions.money(minor, currency):,}"


def _hours(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(
    moment=_moment,
    anchor=_anchor,
    amount=_amount,
    hours=_hours,
    prose=lambda text: Markup(architecture_sessions.to_html(text)),  # noqa: S704  the parser escapes all HTML
    drawing=lambda section: architecture_sessions.diagram_digest(section.data["text"]),
)
