"""Archives: a stretch of a chain written to a file before it may expire, with a signed record of the file's digest."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import os
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from nexa_core.actor import Actor
from nexa_core.audit.export import ExportFilter, File
from nexa_core.audit.models import AuditArchive
from nexa_core.audit.seals import archive_text, sign
from nexa_core.config import settings
from nexa_core.db import metering, reading
from nexa_core.errors import Unavailable


def make(actor: Actor, *, chain_id: UUID, upto: int) -> None:
    """Write a chain from where it begins up to this link to NEXA_AUDIT_ARCHIVE, and record it; once is enough.

    Raises Unavailable when the file cannot be written, or does not read back as it was written.
    """
    with reading(actor) as db:
        first, last_hash = db.execute(_ENDS, {"chain": chain_id, "upto": upto}).one()
        known = db.get(AuditArchive, (chain_id, upto))
        location = f"{chain_id}/{first}-{upto}.ndjson.gz"
        place = settings().archive_dir / location
        if known is not None and _digest_of(place) == known.digest:
            return
        if known is not None:
            raise Unavailable(f"The archive {place} is not the one that was recorded; put it back.")
        digest = _write(place, File(db, "ndjson"), chain_id, upto)
    if _digest_of(place) != digest:
        raise Unavailable(f"The archive {place} does not read back as it was written.")
    record = AuditArchive(
        chain_id=chain_id,
        first_sequence=first,
        last_sequence=upto,
        last_hash=bytes(last_hash),
        digest=digest,
        location=location,
        archived_at=dt.datetime.now(dt.UTC),
        kid=next(iter(settings().seal_keys)),
    )
    record.signature = sign(archive_text(record))
    with metering(actor) as db:
        db.add(record)


_ENDS = text("""
    SELECT (SELECT min(sequence) FROM audit_chain WHERE chain_id = :chain), hash
    FROM audit_chain WHERE chain_id = :chain AND sequence = :upto
""")


def _write(place: Path, file: File, chain_id: UUID, upto: int) -> bytes:
    """Beside its place first, so that a crash leaves no half archive under the name of a whole one."""
    beside = place.with_suffix(".part")
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=6, mtime=0) as packed:
                for piece in file.write([chain_id], ExportFilter(organization_id=chain_id), upto=upto):
                    packed.write(piece)
            target.flush()
            os.fsync(target.fileno())
        with beside.open("rb") as written:
            digest = hashlib.file_digest(written, "sha256")
        beside.replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise Unavailable(f"The archive {place} cannot be written ({error.strerror}).") from error
    return digest.digest()


def _digest_of(place: Path) -> bytes | None:
    try:
        with place.open("rb") as written:
            return hashlib.file_digest(written, "sha256").digest()
    except OSError:
        return None
