"""Failed sign-ins, counted before any hash is computed, and the timed lock they lead to.

An attempt is claimed by one conditional UPDATE; without a claim no password is looked at, so no number of parallel
guesses buys more hashes than the limit. Addresses nobody has are claimed, counted and locked in the same statements.
A lock lasts 1 minute, then 2, 4, 8 and at most 15; it is never permanent, and a success forgets it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import ceil
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from nexa_core import audit
from nexa_core.accounts import networks
from nexa_core.actions import Action
from nexa_core.actor import Origin
from nexa_core.config import settings
from nexa_core.db import entering, fetched
from nexa_core.errors import LimitExceeded, NexaError, Unauthenticated

SHORTEST_LOCK_MINUTES = 1
LONGEST_LOCK_MINUTES = 15
WRONG = "The e-mail address or the password is not right."


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claimed attempt: the right to look at one password."""

    address_hash: str
    user_id: UUID | None
    organization_id: UUID | None
    email: str
    full_name: str
    status: str | None
    password_hash: str | None

    @property
    def may_enter(self) -> bool:
        """An active person with an active membership in an active organization."""
        return self.status == "active" and self.organization_id is not None


# An attempt is free while fewer than the limit are counted, or when the lock they led to is over. The minute without
# a lock covers a process that died between its claim and the lock.
_FREE = """
    coalesce(t.locked_until, '-infinity') <= now()
    AND (t.failed_login_attempts < :allowed
         OR coalesce(t.last_failed_login_at, '-infinity') <= now() - interval '1 minute')
"""
_COUNTED = "CASE WHEN t.failed_login_attempts < :allowed THEN t.failed_login_attempts + 1 ELSE 1 END"

_CLAIM = text(f"""
    WITH person AS (
        SELECT id, email, full_name, status, password_hash, locked_until FROM users
        WHERE email = :address AND deleted_at IS NULL AND status <> 'deleted'
    ), known AS (
        UPDATE users t SET failed_login_attempts = {_COUNTED}, last_failed_login_at = now()
        WHERE t.id = (SELECT id FROM person) AND {_FREE}
        RETURNING t.id
    ), unknown AS (
        INSERT INTO unknown_sign_ins AS t (address_hash, failed_login_attempts, last_failed_login_at)
        SELECT :address_hash, 1, now() WHERE NOT EXISTS (SELECT FROM person)
        ON CONFLICT (address_hash) DO UPDATE SET failed_login_attempts = {_COUNTED}, last_failed_login_at = now()
        WHERE {_FREE}
        RETURNING t.address_hash
    )
    SELECT EXISTS (SELECT FROM known) OR EXISTS (SELECT FROM unknown) AS claimed,
           p.id AS user_id, p.email, p.full_name, p.status, p.password_hash,
           (SELECT m.organization_id FROM organization_members m
            WHERE m.user_id = p.id AND m.organization_status = 'active'
            ORDER BY m.last_active_at DESC NULLS LAST, m.organization_name LIMIT 1) AS organization_id,
           extract(epoch FROM coalesce(p.locked_until, u.locked_until) - now()) AS wait
    FROM (VALUES (1)) one(row)
    LEFT JOIN person p ON true
    LEFT JOIN unknown_sign_ins u ON p.id IS NULL AND u.address_hash = :address_hash
""")

_LOCK = """
    UPDATE {table} t SET lock_count = t.lock_count + 1,
        locked_until = now() + make_interval(
            mins => least(:longest, :shortest * CAST(power(2, least(t.lock_count, 10)) AS integer)))
    WHERE t.{key} = :key AND t.failed_login_attempts >= :allowed AND coalesce(t.locked_until, '-infinity') <= now()
    RETURNING extract(epoch FROM t.locked_until - now()) AS wait
"""
_LOCK_KNOWN = text(_LOCK.format(table="users", key="id"))
_LOCK_UNKNOWN = text(_LOCK.format(table="unknown_sign_ins", key="address_hash"))

_SUCCEED = text("""
    UPDATE users SET failed_login_attempts = 0, lock_count = 0, locked_until = NULL,
        last_login_at = now(), last_login_ip = CAST(:ip_address AS inet), login_count = login_count + 1,
        password_hash = :new_hash
    WHERE id = :user_id AND status = 'active' AND deleted_at IS NULL
      AND password_hash IS NOT DISTINCT FROM CAST(:old_hash AS varchar)
    RETURNING id
""")


def normalised(email: str) -> str:
    """The spelling an address is stored in."""
    return email.strip().lower().replace("\x00", "")[:320]


def digest_of(address: str) -> str:
    """What stands for an address nobody has, in the count and in the audit log."""
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()


def claim(origin: Origin, email: str) -> Attempt:
    """Count an attempt and earn the right to look at its password.

    Raises LimitExceeded while the address is locked, and while the network it comes from has failed too often.
    """
    address = normalised(email).encode("utf-8", "replace").decode()
    address_hash = digest_of(address)
    values = {"address": address, "address_hash": address_hash, "allowed": settings().failed_sign_ins}
    with entering(origin, durable=False) as db:
        networks.spend(db, origin.ip_address)
        (found,) = fetched(db, _CLAIM, values)
    if not found.claimed:
        raise _locked(found.wait)
    return Attempt(
        address_hash=address_hash,
        user_id=found.user_id,
        organization_id=found.organization_id,
        email=found.email or "",
        full_name=found.full_name or "",
        status=found.status,
        password_hash=found.password_hash,
    )


def failed(origin: Origin, attempt: Attempt) -> NexaError:
    """Note that a claimed attempt failed, lock the address when it was the last one allowed; the error to raise."""
    values = {"allowed": settings().failed_sign_ins, "shortest": SHORTEST_LOCK_MINUTES, "longest": LONGEST_LOCK_MINUTES}
    noted = {} if attempt.user_id else {"address_sha256": attempt.address_hash}
    with entering(origin, Action.USER_LOCKED, organization_id=attempt.organization_id) as db:
        audit.note(db, "user", attempt.user_id, noted, action=Action.USER_SIGN_IN_FAILED)
        if attempt.user_id:
            wait = db.execute(_LOCK_KNOWN, values | {"key": attempt.user_id}).scalar()
        else:
            wait = db.execute(_LOCK_UNKNOWN, values | {"key": attempt.address_hash}).scalar()
            if wait is not None:
                audit.note(db, "user", None, noted, action=Action.USER_LOCKED)
    return Unauthenticated(WRONG) if wait is None else _locked(wait)


def succeed(db: Session, attempt: Attempt, *, ip_address: str | None, new_hash: str | None) -> None:
    """Forget the failures and count the sign-in; raises Unauthenticated when the account changed in the meantime."""
    values = {
        "user_id": attempt.user_id,
        "ip_address": ip_address,
        "old_hash": attempt.password_hash,
        "new_hash": new_hash or attempt.password_hash,
    }
    if not fetched(db, _SUCCEED, values):
        raise Unauthenticated(WRONG)
    networks.give_back(db, ip_address)


def _locked(wait: float | None) -> LimitExceeded:
    seconds = max(1, ceil(wait)) if wait is not None else 60 * SHORTEST_LOCK_MINUTES
    minutes = ceil(seconds / 60)
    return LimitExceeded(
        f"Too many failed sign-ins with this address. Try again in {minutes} minute{'s' if minutes > 1 else ''}.",
        retry_after=seconds,
    )
