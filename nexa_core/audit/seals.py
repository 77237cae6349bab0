"""Seals: the heads of the chains, signed each hour with a key that is not in the database.

Whoever can rewrite a whole chain, head included, cannot sign it. A seal that was carried out of the database, in an
export, shows the rewriting even after the seals in the database are gone.
"""

from __future__ import annotations

import datetime as dt
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.audit.models import AuditArchive, AuditSeal
from nexa_core.config import settings
from nexa_core.db import metering, reading
from nexa_core.logs import logger
from nexa_core.permissions import Permission

#: The chain of what belongs to no organization.
NO_ORGANIZATION = UUID(int=0)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# The heads that moved since their last seal, and whether they go on from it: the sealed link is still the one that was
# sealed, or has expired since.
_GROWN = text("""
    SELECT h.chain_id, h.sequence, h.hash, s.signature,
           s.sequence IS NULL OR coalesce(c.hash = s.hash, s.sequence <= expired.upto, false) AS goes_on
    FROM audit_heads h
    LEFT JOIN LATERAL (SELECT * FROM audit_seals s WHERE s.chain_id = h.chain_id
                       ORDER BY s.sequence DESC LIMIT 1) s ON true
    LEFT JOIN audit_chain c ON c.chain_id = s.chain_id AND c.sequence = s.sequence
    LEFT JOIN LATERAL (SELECT max(a.last_sequence) AS upto FROM audit_archives a
                       WHERE a.chain_id = h.chain_id AND a.expired_at IS NOT NULL) expired ON true
    WHERE h.sequence <> coalesce(s.sequence, 0)
""")


@dataclass(frozen=True, slots=True)
class SealKey:
    """A public key, in URL-safe base 64."""

    kid: str
    key: str

    @property
    def argument(self) -> str:
        """As the offline verifier takes it."""
        return f"{self.kid}:{self.key}"


def seal_keys() -> tuple[SealKey, ...]:
    """The public halves of NEXA_SEAL_KEY, the one that signs first; nothing secret."""
    return tuple(
        SealKey(kid, urlsafe_b64encode(_private(secret).public_key().public_bytes_raw()).decode().rstrip("="))
        for kid, secret in settings().seal_keys.items()
    )


def seal_heads(actor: Actor) -> int:
    """Sign the head of every chain that has grown since its last seal; how many that were, 0 without a key.

    A chain that does not go on from its last seal is left alone: nothing rewritten gets a signature. Raises Forbidden
    without SYSTEM_READ.
    """
    actor.require(Permission.SYSTEM_READ)
    if not settings().seal_keys:
        return 0
    now = dt.datetime.now(dt.UTC)
    with reading(actor) as db:
        grown = db.execute(_GROWN).all()
    for row in grown:
        if not row.goes_on:
            logger("nexa.audit").error("chain_not_sealed", chain_id=str(row.chain_id), sequence=row.sequence)
    seals = [_seal(row.chain_id, row.sequence, row.hash, now, row.signature) for row in grown if row.goes_on]
    if seals:
        with metering(actor) as db:
            db.execute(insert(AuditSeal), seals)
    return len(seals)


def sign(covered: bytes) -> bytes:
    """The signature of the first key of NEXA_SEAL_KEY."""
    return _private(next(iter(settings().seal_keys.values()))).sign(covered)


def archive_text(archive: AuditArchive) -> bytes:
    """What the signature of an archive, and so of the stub it becomes, covers."""
    return _text(
        "nexa audit archive",
        str(archive.chain_id),
        archive.first_sequence,
        archive.last_sequence,
        archive.last_hash.hex(),
        archive.digest.hex(),
        _micros(archive.archived_at),
        archive.kid,
    )


def signature_faults(db: Session, chain_id: UUID) -> Iterator[tuple[int, str]]:
    """Seals and stubs of a chain that NEXA did not sign, and seals that are missing between others, by sequence.

    Says nothing where no key is set: then nothing can be checked.
    """
    if not settings().seal_keys:
        return
    previous: bytes | None = None
    for seal in db.scalars(select(AuditSeal).where(AuditSeal.chain_id == chain_id).order_by(AuditSeal.sequence)):
        covered = _seal_text(seal.chain_id, seal.sequence, seal.hash, seal.sealed_at, seal.previous, seal.kid)
        if not _is_signed(covered, seal.kid, seal.signature):
            yield seal.sequence, "the seal was not made with a key of NEXA's"
        elif seal.previous != previous:
            yield seal.sequence, "a seal is missing before this one"
        previous = seal.signature
    stubs = select(AuditArchive).where(AuditArchive.chain_id == chain_id, AuditArchive.expired_at.is_not(None))
    for stub in db.scalars(stubs.order_by(AuditArchive.last_sequence)):
        if not _is_signed(archive_text(stub), stub.kid, stub.signature):
            yield stub.last_sequence, "the stub of what expired was not made with a key of NEXA's"


def _seal(chain_id: UUID, sequence: int, hashed: bytes, at: dt.datetime, previous: bytes | None) -> dict[str, object]:
    kid = next(iter(settings().seal_keys))
    return {
        "chain_id": chain_id,
        "sequence": sequence,
        "hash": hashed,
        "sealed_at": at,
        "previous": previous,
        "kid": kid,
        "signature": sign(_seal_text(chain_id, sequence, hashed, at, previous, kid)),
    }


def _seal_text(
    chain_id: UUID, sequence: int, hashed: bytes, at: dt.datetime, previous: bytes | None, kid: str
) -> bytes:
    before = previous.hex() if previous is not None else None
    return _text("nexa audit seal", str(chain_id), sequence, hashed.hex(), _micros(at), before, kid)


def _text(*parts: str | int | None) -> bytes:
    return json.dumps(parts, ensure_ascii=False).encode()


def _micros(at: dt.datetime) -> int:
    return (at - _EPOCH) // dt.timedelta(microseconds=1)


@lru_cache(maxsize=16)
def _private(secret: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret)


def _is_signed(covered: bytes, kid: str, signature: bytes) -> bool:
    secret = settings().seal_keys.get(kid)
    if secret is None:
        return False
    try:
        _private(secret).public_key().verify(signature, covered)
    except InvalidSignature:
        return False
    return True
