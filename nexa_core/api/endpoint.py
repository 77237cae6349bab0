"""How an endpoint is declared: a small function whose signature says what it needs, and from which OpenAPI is written.

    @get("/organizations/{organization_id}", "One organization")
    def one(actor: Actor, organization_id: UUID) -> OrganizationView:
        return organizations.get(actor, organization_id=organization_id)

A parameter of type Actor asks for a sign-in, Origin for where the request comes from, Exchange for all the guard knows,
Reply for the headers of the answer; ``Annotated[str | None, Header("If-Match", "...")]`` is a header of the request;
``body`` is a pydantic model read from JSON, ``query`` one read from the query string; the others come from the path.
The function runs in a thread and may block; what it returns is served as JSON, None as 204, a Response as it is.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import UnionType
from typing import Any, ClassVar, Final, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from nexa_core import accounts, logs
from nexa_core.actor import Actor, Origin
from nexa_core.api.bodies import MAX_BYTES, BodyError, parse_json, read_bytes
from nexa_core.api.exchange import Exchange
from nexa_core.api.problems import REALM, Problem, incident, problem_of
from nexa_core.api.threads import in_drawing_thread, in_thread
from nexa_core.errors import Forbidden, NexaError, Unauthenticated

PREFIX: Final = "/api"
_log = logs.logger("api")


class Body(BaseModel):
    """A request body or query: unknown members are refused, so that a typing mistake is not silently ignored."""

    model_config = ConfigDict(extra="forbid")
    most_bytes: ClassVar[int] = MAX_BYTES

    @classmethod
    def read(cls, raw: bytes) -> Body:
        """The body from what was sent; raises BodyError and ValidationError."""
        return cls.model_validate(parse_json(raw))


@dataclass(slots=True)
class Reply:
    """What an endpoint says beside its answer."""

    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Header:
    """A header of the request that an endpoint reads, beside the type of the parameter."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Endpoint:
    """One declared endpoint."""

    method: str
    path: str
    summary: str
    function: Callable[..., Any]
    status: int
    parameters: dict[str, Any]
    answer: Any
    draws: bool = False  # may draw diagrams, unless its query says draw=false

    @property
    def needs_sign_in(self) -> bool:
        return Actor in self.parameters.values()

    @property
    def path_parameters(self) -> dict[str, Any]:
        ours = (Actor, Origin, Exchange, Request, Reply)
        found = {n: t for n, t in self.parameters.items() if n not in ("body", "query") and t not in ours}
        return {n: t for n, t in found.items() if n not in self.headers}

    @property
    def headers(self) -> dict[str, Header]:
        """The headers it reads, by parameter."""
        found = {n: getattr(t, "__metadata__", ()) for n, t in self.parameters.items()}
        return {n: known[0] for n, known in found.items() if known and isinstance(known[0], Header)}

    def route(self) -> Route:
        made = Route(self.path, self._serve, methods=[self.method], name=self.function.__name__)
        if made.methods and self.needs_sign_in and self.answer is Response:
            made.methods.discard("HEAD")  # a file is made to be fetched: that it was is noted, and may be billed
        return made

    async def _serve(self, request: Request) -> Response:
        exchange = Exchange.of(request.scope)
        exchange.route = PREFIX + self.path
        try:
            values = {**_path_values(self, request), **await self._read(request)}
            draws = self.draws and getattr(values.get("query"), "draw", True)
            return await (in_drawing_thread if draws else in_thread)(self._call, request, exchange, values)
        except NexaError as error:
            return _challenged(problem_of(error, exchange.origin.request_id), request)
        except BodyError as error:
            return Problem(error.status, error.sentence, exchange.origin.request_id)
        except ValidationError as error:
            return _invalid(error, exchange)
        except ClientDisconnect:
            return Problem(400, "The request ended before its body did.", exchange.origin.request_id)
        except Exception:
            _log.exception("incident", incident=str(exchange.origin.request_id), route=exchange.route)
            return incident(exchange.origin.request_id)

    async def _read(self, request: Request) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if "body" in self.parameters:
            kind: type[Body] = self.parameters["body"]
            values["body"] = kind.read(await read_bytes(request, kind.most_bytes))
        if "query" in self.parameters:
            values["query"] = self.parameters["query"].model_validate(_query(request.query_params))
        return values

    def _call(self, request: Request, exchange: Exchange, values: dict[str, Any]) -> Response:
        """In a thread: who is it, what does the verb say, and its answer as JSON."""
        reply = Reply()
        for name, kind in self.parameters.items():
            if kind is Actor:
                exchange.actor = values[name] = authenticated(request, exchange)
            elif kind is Origin:
                values[name] = exchange.origin
            elif kind is Exchange:
                values[name] = exchange
            elif kind is Request:
                values[name] = request
            elif kind is Reply:
                values[name] = reply
        values |= {name: request.headers.get(header.name) for name, header in self.headers.items()}
        result = self.function(**values)
        if isinstance(result, Response):
            return result
        if result is None:
            return Response(status_code=204)
        written = _adapter(self.answer).dump_json(result)
        return Response(written, self.status, reply.headers, media_type="application/json")


def get(path: str, summary: str, *, draws: bool = False) -> Callable[[Callable[..., Any]], Endpoint]:
    return _endpoint("GET", path, summary, 200, draws)


def post(
    path: str, summary: str, *, status: int = 200, draws: bool = False
) -> Callable[[Callable[..., Any]], Endpoint]:
    return _endpoint("POST", path, summary, status, draws)


def put(path: str, summary: str) -> Callable[[Callable[..., Any]], Endpoint]:
    return _endpoint("PUT", path, summary, 200)


def patch(path: str, summary: str) -> Callable[[Callable[..., Any]], Endpoint]:
    return _endpoint("PATCH", path, summary, 200)


def delete(path: str, summary: str) -> Callable[[Callable[..., Any]], Endpoint]:
    return _endpoint("DELETE", path, summary, 204)


def authenticated(request: Request, exchange: Exchange) -> Actor:
    """Who asks: the bearer of an API key or a JWT, or else of the cookie, whose writes the guard has checked."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Send the access token as: Authorization: Bearer <token>.")
        if token.strip().startswith(accounts.KEY_MARK):
            return accounts.actor_of_api_key(exchange.origin, key=token.strip())
        return accounts.actor_of_access_token(exchange.origin, access_token=token.strip())
    if exchange.cookie is not None:
        # A link on a foreign page brings the cookie along. What is read so may be noted and billed: a file is.
        if request.headers.get("sec-fetch-site") == "cross-site":
            raise Forbidden("This link was followed from another website. Please open it from NEXA itself.")
        return accounts.actor_of_cookie(exchange.origin, cookie=exchange.cookie)
    raise Unauthenticated("Please sign in first.")


@lru_cache(maxsize=1024)
def _adapter(answer: Any) -> TypeAdapter[Any]:
    """Building one costs more than most answers do."""
    return TypeAdapter(answer)


def _endpoint(
    method: str, path: str, summary: str, status: int, draws: bool = False
) -> Callable[[Callable[..., Any]], Endpoint]:
    def declare(function: Callable[..., Any]) -> Endpoint:
        hints = get_type_hints(function, include_extras=True)
        answer = _answer(hints.pop("return"))
        parameters = {name: hints[name] for name in inspect.signature(function).parameters}
        return Endpoint(method, path, summary, function, status, parameters, answer, draws)

    return declare


def _answer(returned: Any) -> Any:
    """What the annotation says besides Response, which an endpoint may return in its place."""
    members = [member for member in get_args(returned) if member is not Response]
    return members[0] if isinstance(returned, UnionType) and len(members) == 1 else returned


def _path_values(endpoint: Endpoint, request: Request) -> dict[str, Any]:
    """What the path names, converted; a path that cannot be, such as a mistyped UUID, leads nowhere."""
    values: dict[str, Any] = {}
    for name, kind in endpoint.path_parameters.items():
        try:
            values[name] = _adapter(kind).validate_python(request.path_params[name])
        except ValidationError:
            raise BodyError(404, f"There is nothing at {request.url.path!r}.") from None
    return values


def _query(parameters: ImmutableMultiDict[str, str]) -> dict[str, Any]:
    for name, value in parameters.multi_items():
        if "\x00" in name or "\x00" in value:
            raise BodyError(400, "The query contains a NUL character.")
        if len(parameters.getlist(name)) > 1:
            raise BodyError(400, f"The query names {name[:100]!r} twice.")
    return dict(parameters)


def _invalid(error: ValidationError, exchange: Exchange) -> Problem:
    faults = [
        {"field": ".".join(str(part) for part in fault["loc"]), "message": fault["msg"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)[:20]
    ]
    first = faults[0]
    sentence = f"{first['field'] or 'The body'}: {first['message']}."
    return Problem(
        422, sentence, exchange.origin.request_id, kind="invalid", title="Invalid input",
        field=first["field"] or None, errors=faults,
    )  # fmt: skip


def _challenged(problem: Problem, request: Request) -> Problem:
    if problem.status_code == 401 and "authorization" in request.headers:
        problem.headers["www-authenticate"] = f'{REALM}, error="invalid_token"'
    return problem
