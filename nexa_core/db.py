"""The doors to the database: the only ways to a connection, each with a role and a context for one transaction.

``reading`` sees, ``recording`` changes what is audited, ``metering`` appends usage, ``entering`` serves what happens
before there is an actor. Role and context are set in the same round trip that begins the transaction and end with it,
so a pooled connection carries nothing over, and PgBouncer in transaction mode works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import psycopg
from psycopg import pq, sql
from psycopg.rows import namedtuple_row
from pydantic_core import to_json
from sqlalchemy import ClauseElement, Compiled, Connection, Engine, create_engine, event, exc
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from nexa_core.actions import Action
from nexa_core.actor import Actor, Origin, Scope
from nexa_core.errors import Conflict, Invalid, NexaError, NotFound, Unavailable
from nexa_core.orm import sentence_of

T = TypeVar("T")
_ROLES = {Scope.TENANT: "nexa_tenant", Scope.STAFF: "nexa_staff", Scope.PRESENTER: "nexa_presenter"}
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]
_engines: dict[str, Engine] = {}


def configure(url: str, *, read_url: str | None = None, pool_size: int = 10, max_overflow: int = 10) -> None:
    """Name the database (and a replica for ``reading``); replaces what was configured before.

    ``url`` may be ``postgresql://`` or ``postgres://`` as libpq writes it. ``max_overflow`` connections beyond the pool
    are opened under load and closed after it.
    """
    dispose()
    _engines["primary"] = _engine(url, pool_size, max_overflow)
    _engines["replica"] = _engine(read_url, pool_size, max_overflow) if read_url else _engines["primary"]


def dispose() -> None:
    """Close every pooled connection."""
    for engine in _engines.values():
        engine.dispose()
    _engines.clear()


def is_configured() -> bool:
    """Whether there is a database to ask."""
    return "primary" in _engines


def url() -> str:
    """Where the doors lead, password included: for what needs a connection of its own, as the queue's worker does."""
    return _engine_named("primary").url.render_as_string(hide_password=False).replace("+psycopg", "", 1)


def pool_status() -> dict[str, int]:
    """Connections in use and allowed, for the metrics."""
    pool = _engine_named("primary").pool
    return {"in_use": pool.checkedout(), "size": pool.size()}  # type: ignore[attr-defined]


@contextmanager
def reading(actor: Actor) -> Iterator[Session]:
    """A READ ONLY transaction that sees what the actor's scope may see."""
    with _transaction("replica", "BEGIN READ ONLY", _ROLES[actor.scope], _context(actor)) as db:
        yield db


@contextmanager
def recording(actor: Actor, action: Action, *, reason: str | None = None) -> Iterator[Session]:
    """The only writable transaction for audited data: its changes are logged as ``action``, by this actor.

    Commits at the end of the block and rolls everything back, audit included, when the block raises. Closed to an
    actor who looks with somebody else's eyes: raises Forbidden.
    """
    actor.require_own_eyes()
    with _transaction("primary", "BEGIN", _ROLES[actor.scope], _context(actor, action, reason)) as db:
        yield db


@contextmanager
def metering(actor: Actor, *, snapshot: bool = False) -> Iterator[Session]:
    """Append usage. No action is named, so the database refuses any change to audited data in it.

    Closed, as ``recording`` is, to who looks with somebody else's eyes. With ``snapshot`` all its statements see the
    same moment: for comparing sums while others go on counting.
    """
    actor.require_own_eyes()
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ" if snapshot else "BEGIN"
    with _transaction("primary", begin, _ROLES[actor.scope], _context(actor)) as db:
        yield db


@contextmanager
def entering(
    origin: Origin,
    action: Action | None = None,
    *,
    user_id: UUID | None = None,
    organization_id: UUID | None = None,
    reason: str | None = None,
    durable: bool = True,
) -> Iterator[Session]:
    """What happens before there is an actor: sign-in, refresh, invitation, share link.

    The only door that reads secrets; without an action it cannot change what is audited. ``durable=False`` does not
    wait for the disk: for a step whose loss with a crashed server only means that the person starts over.
    """
    context = _settings(origin, "entry", user_id, organization_id, action, reason)
    begin = "BEGIN" if durable else "BEGIN; SET LOCAL synchronous_commit = off"
    with _transaction("primary", begin, "nexa_entry", context) as db:
        yield db


def fetched(db: Session, statement: ClauseElement, parameters: Mapping[str, object]) -> list[Any]:
    """The rows of a statement that is asked many times a second, as named tuples, in the session's own transaction.

    The statement is compiled once for its life and goes to the driver: what SQLAlchemy adds to each execution costs as
    much as the answer. So it converts nothing: values and parameters are what psycopg makes of PostgreSQL's types.
    """
    compiled = _compiled(statement)
    cursor = psycopg.Cursor(_driver_of(db.connection()), row_factory=namedtuple_row)
    cursor.execute(compiled.string.encode(), compiled.construct_params(dict(parameters)))
    return cursor.fetchall() if cursor.description else []


def fetched_one(db: Session, statement: ClauseElement, parameters: Mapping[str, object]) -> Any:
    """The first row of :func:`fetched`, or None."""
    return next(iter(fetched(db, statement, parameters)), None)


def asked(function: str, **arguments: object) -> list[Any]:
    """What a function of the database answers before there is an actor, as named tuples; ``arguments`` by their names.

    One message is one transaction: it begins, becomes nexa_entry, reads and ends in a single round trip. For what every
    request asks; the function, because PostgreSQL keeps the plan of what stands in one and of no other text.
    """
    given = ", ".join(f"{name} => {_literal(str(value))}" for name, value in arguments.items() if value is not None)
    return _at_once(f"SET TRANSACTION READ ONLY; SET LOCAL ROLE nexa_entry; SELECT * FROM {function}({given})")


def recorded(actor: Actor, action: Action, function: str, **arguments: object) -> list[Any]:
    """What a function of the database answers that changes what is audited: all of ``recording`` in one message.

    Committed when this answers, as a whole or not at all. For what is written every few seconds. The function's first
    argument is ``nexa.opened()``, and it has to bear being called twice: where the server's end cut its answer off, it
    is asked again. Raises as ``recording``.
    """
    actor.require_own_eyes()
    given = {name: value for name, value in arguments.items() if value is not None}
    named = "".join(f", {name} => %({name})s" for name in given)
    context = to_json(_context(actor, action)).decode()
    return _at_once(
        f"SELECT * FROM {function}(nexa.opened(%(nexa_role)s, %(nexa_context)s){named})",
        {"nexa_role": _ROLES[actor.scope], "nexa_context": context, **given},
    )


def _at_once(question: str, parameters: Mapping[str, object] | None = None) -> list[Any]:
    """The last rows of a message of its own, which PostgreSQL makes one transaction."""

    def ask(connection: psycopg.Connection) -> list[Any]:
        cursor = psycopg.Cursor(connection, row_factory=namedtuple_row)
        cursor.execute(question.encode(), parameters)
        while cursor.nextset():
            pass
        return cursor.fetchall()

    with _sentences():
        connection, rows = _connected(_engine_named("primary"), ask)
        connection.close()
        return rows


@lru_cache(maxsize=256)
def _compiled(statement: ClauseElement) -> Compiled:
    return statement.compile(dialect=_DIALECT)


def _context(actor: Actor, action: Action | None = None, reason: str | None = None) -> dict[str, str]:
    return _settings(actor.origin, actor.scope.value, actor.user_id, actor.organization_id, action, reason)


def _settings(
    origin: Origin,
    scope: str,
    person: UUID | None,
    organization: UUID | None,
    action: Action | None,
    reason: str | None,
) -> dict[str, str]:
    """The transaction's context by its names; a header may hold anything, a text of PostgreSQL no NUL or surrogates."""
    settings = {
        "organization": str(organization or ""),
        "person": str(person or ""),
        "scope": scope,
        "request": str(origin.request_id),
        "action": action.value if action else "",
        "reason": reason or "",
        "address": origin.ip_address or "",
        "agent": origin.user_agent or "",
    }
    return {name: _storable(value) for name, value in settings.items() if value}


def _storable(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


@lru_cache(maxsize=4096)
def _literal(value: str) -> str:
    return sql.quote(_storable(value))


@contextmanager
def _transaction(engine_name: str, begin: str, role: str, context: Mapping[str, str]) -> Iterator[Session]:
    # Literals, because a message of several statements takes no parameters.
    settings = ", ".join(f"set_config('nexa.{name}', {_literal(value)}, true)" for name, value in context.items())
    opening = f"{begin}; SET LOCAL ROLE {role}; SELECT {settings}"
    with _sentences(), _opened(_engine_named(engine_name), opening) as db:
        yield db


@contextmanager
def _opened(engine: Engine, opening: str) -> Iterator[Session]:
    """A session on a connection whose transaction has begun with ``opening``.

    The engine is in driver autocommit, so BEGIN travels with the context in one message, and COMMIT goes past the
    session, which has nothing left to do after its flush.
    """
    connection, _ = _connected(engine, lambda driver: _send(driver, opening))
    try:
        with Session(bind=connection, expire_on_commit=False) as db:
            try:
                yield db
                db.flush()
                _send(_driver_of(connection), "COMMIT")
            except BaseException:
                db.rollback()
                raise
    finally:
        connection.close()


def _connected(engine: Engine, first: Callable[[psycopg.Connection], T]) -> tuple[Connection, T]:
    """A pooled connection, and what ``first`` had of it; the caller closes it."""
    connection = engine.connect()
    try:
        try:
            return connection, first(_driver_of(connection))
        except psycopg.OperationalError as error:
            if not _is_lost(error):
                raise
            # The server went away under the pool: nothing has happened yet, so a fresh connection may try again, and
            # what else waits in the pool is as dead as this one.
            connection.invalidate()
            connection.close()
            engine.dispose()
            connection = engine.connect()
            return connection, first(_driver_of(connection))
    except BaseException:
        connection.close()
        raise


def _is_lost(error: psycopg.Error) -> bool:
    """Whether the server went away, by its own word (PostgreSQL's appendix A, classes 08 and 57P) or without one."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))


def _driver_of(connection: Connection) -> psycopg.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _send(connection: psycopg.Connection, statements: str) -> None:
    """Several statements in one message; libpq's own call, because a cursor would cost as much as the round trip."""
    result = connection.pgconn.exec_(statements.encode())
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        # What the server says has a code; what has none is libpq, saying that the server is gone.
        if connection.pgconn.status == pq.ConnStatus.BAD or not result.error_field(pq.DiagnosticField.SQLSTATE):
            raise psycopg.OperationalError("the connection is lost")
        raise psycopg.errors.error_from_result(result, encoding=connection.info.encoding)


def _engine_named(name: str) -> Engine:
    if name not in _engines:
        raise RuntimeError("The database is not configured: call nexa_core.startup.prepare() or db.configure() first.")
    return _engines[name]


def _engine(url: str, pool_size: int, max_overflow: int) -> Engine:
    scheme, _, rest = url.partition("://")
    engine = create_engine(
        f"postgresql+psycopg://{rest}" if scheme in ("postgresql", "postgres") else url,
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=10,
        pool_use_lifo=True,  # the connection that was used last has its statements and their rows still at hand
        hide_parameters=True,  # an error must not print a token into the log
        connect_args={"connect_timeout": 5, "application_name": "nexa"},
    )
    event.listen(engine, "connect", _become_nexa_app)
    return engine


def _become_nexa_app(connection: psycopg.Connection, _entry: ConnectionPoolEntry) -> None:
    """A login that is not nexa_app (an owner or a superuser) gives up what it holds before anything else."""
    if connection.info.user != "nexa_app":
        connection.autocommit = True
        connection.execute("SET ROLE nexa_app")


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what the database says into what a person can read."""
    try:
        yield
    except NexaError:
        raise
    except exc.NoResultFound as missing:
        raise NotFound("There is no such thing here.") from missing
    except exc.TimeoutError as busy:
        raise Unavailable("NEXA is very busy just now. Please try again in a moment.") from busy
    except exc.DBAPIError as error:
        raise _sentence_for(error.orig) or error from error
    except psycopg.Error as error:
        raise _sentence_for(error) or error from error
    except UnicodeEncodeError as error:
        raise Invalid("The text contains a character that cannot be stored.") from error


def _sentence_for(error: BaseException | None) -> NexaError | None:
    """The sentence for a database error; None for one that only a mistake of ours can cause."""
    if not isinstance(error, psycopg.Error):
        return None
    constraint = error.diag.constraint_name
    match error:
        case psycopg.errors.UniqueViolation():
            return Conflict(sentence_of(constraint) or "There is one like this already.")
        case psycopg.errors.CheckViolation():
            return Conflict(sentence_of(constraint) or "A value is outside of what is allowed.")
        case psycopg.errors.ForeignKeyViolation():
            return Conflict(sentence_of(constraint) or "It refers to something that does not exist any more.")
        case (
            psycopg.errors.DeadlockDetected()
            | psycopg.errors.SerializationFailure()
            | psycopg.errors.LockNotAvailable()
        ):
            return Conflict("Somebody changed this at the same moment. Please try again.")
        case psycopg.DataError():
            return Invalid("A value has a form that cannot be stored.")
        case psycopg.errors.ProgramLimitExceeded():  # the server is there: a value does not fit
            return Invalid("This is larger than can be stored.")
        case psycopg.errors.ReadOnlySqlTransaction() | psycopg.errors.QueryCanceled():
            return None
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return _unreachable()
        case psycopg.DatabaseError() if error.sqlstate is None:  # libpq's own word: the server is gone
            return _unreachable()
    return None


def _unreachable() -> Unavailable:
    return Unavailable("The database cannot be reached just now. Nothing was lost; please try again in a moment.")
