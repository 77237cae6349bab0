"""Exports of a session: PDF, DOCX of the statement of work, XLSX of the effort, JSON of everything; each billed once.

The key of an export's usage event names session, revision, form and options. What was exported once may be exported
again for ever at no cost; a revision that goes out is closed, so that its number means this content from then on.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args
from uuid import UUID

from sqlalchemy import select, text

from nexa_core import audit
from nexa_core.actions import Action
from nexa_core.actor import Actor, Scope
from nexa_core.architecture_sessions import printing, spreadsheet, transfer, word
from nexa_core.architecture_sessions.contents import Content, content, fixed
from nexa_core.architecture_sessions.drawings import keep_drawings
from nexa_core.architecture_sessions.foreign import parts, words
from nexa_core.architecture_sessions.going_out import require_ready
from nexa_core.architecture_sessions.models import SessionImage
from nexa_core.architecture_sessions.printing import Picture
from nexa_core.architecture_sessions.sections import PAGES
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid
from nexa_core.usage import UsageEvent, charge

Form = Literal["pdf", "docx", "xlsx", "json"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
MEDIA_TYPES: Final[Mapping[Form, str]] = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file to download. ``billed`` says whether this was the export that was counted, or a repeat of it."""

    name: str
    media_type: str
    content: bytes
    revision: int
    digest: str
    billed: bool


def export(
    actor: Actor, *, uuid: UUID, form: str, revision: int | None = None, pages: Sequence[str] = PAGES
) -> ExportedFile:
    """One revision of a session as a file, the newest without a number; ``pages`` choose what a PDF has.

    Recorded as a ``<form>_export`` usage event in the transaction that notes it, once for each revision and options: a
    repeat costs nothing. A hard limit refuses before anything is drawn. Raises as ``content``, Invalid for a form or
    pages there are not, Conflict where the organization lets nothing out that is not ready, LimitExceeded.
    """
    kind = next((known for known in FORMS if known == form), None)
    if kind is None:
        raise Invalid("A session is exported as PDF, DOCX, XLSX or JSON.", field="form")
    actor.require_own_eyes()
    chosen = tuple(page for page in PAGES if page in pages)
    if not chosen or set(pages) - set(PAGES):
        raise Invalid("Choose among the pages structuring, sow, loe and visuals.", field="pages")
    if kind != "pdf":
        chosen = PAGES
    shown = content(actor, uuid=uuid, revision=revision)
    if actor.scope is not Scope.PRESENTER:  # who shows the demo world spends nothing and changes nothing in it
        _require_affordable(actor, shown, kind, chosen)
        shown = fixed(actor, uuid=uuid, revision=revision)  # before drawing: others may go on typing meanwhile
    if kind != "json":  # one's own data is nobody's to hold back
        require_ready(shown)
    made = _MAKERS[kind](actor, shown, chosen)
    billed = _recorded(actor, shown, kind, chosen, len(made))
    return ExportedFile(file_name(shown, kind), MEDIA_TYPES[kind], made, shown.revision, shown.digest, billed)


def file_name(shown: Content, form: Form) -> str:
    """What the file is called: letters of the title that every system takes, the revision, the form."""
    plain = unicodedata.normalize("NFKD", shown.title).encode("ascii", "ignore").decode()
    words_of = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:60] or "session"
    return f"{words_of}-r{shown.revision}.{form}"


class _Undone(Exception):
    """Ends a trial without leaving anything."""


def _require_affordable(actor: Actor, shown: Content, form: Form, pages: Sequence[str]) -> None:
    """Try the charge and take it back: the definition of the limit stays the one of the charge."""
    try:
        with recording(actor, Action.SESSION_EXPORTED) as db:
            charge(db, actor, _event(shown, form, pages), organization_id=shown.organization_id)
            raise _Undone
    except _Undone:
        pass


def _recorded(actor: Actor, shown: Content, form: Form, pages: Sequence[str], size: int) -> bool:
    """Note the export and bill it unless it was billed before, in one transaction; whether it was billed now."""
    noted: dict[str, Any] = {"form": form, "revision": shown.revision, "sha256": shown.digest, "bytes": size}
    if actor.scope is Scope.PRESENTER:
        with recording(actor, Action.SESSION_EXPORTED) as db:
            audit.note(db, "session", shown.uuid, noted, organization_id=shown.organization_id)
        return False
    with recording(actor, Action.SESSION_EXPORTED) as db:
        done = charge(db, actor, _event(shown, form, pages), organization_id=shown.organization_id)
        audit.note(
            db, "session", shown.uuid, noted | {"billed": done.inserted > 0}, organization_id=shown.organization_id
        )
    return done.inserted > 0


def _event(shown: Content, form: Form, pages: Sequence[str]) -> UsageEvent:
    """The same for every repeat, so that it is one event: nothing in it but what names the export.

    What it costs says the catalogue of event types: one's own data as JSON is free.
    """
    options = hashlib.sha256(json.dumps(list(pages)).encode()).hexdigest()[:16]
    return UsageEvent(
        event_type=f"{form}_export",
        idempotency_key=f"{form}_export:{shown.uuid}:{shown.revision}:{options}",
        session_id=shown.session_id,
        event_data={"revision": shown.revision, "pages": list(pages)},
    )


def _pdf(actor: Actor, shown: Content, pages: Sequence[str]) -> bytes:
    if "visuals" in pages:
        keep_drawings(actor, shown)
    return printing.pdf(shown, pages=pages, pictures=_pictures(actor, shown), logo=_logo(actor, shown))


_MAKERS: Final[Mapping[Form, Callable[[Actor, Content, Sequence[str]], bytes]]] = {
    "pdf": _pdf,
    "docx": lambda _actor, shown, _pages: word.docx(shown),
    "xlsx": lambda _actor, shown, _pages: spreadsheet.xlsx(shown),
    "json": lambda _actor, shown, _pages: transfer.written([shown]),
}


def _pictures(actor: Actor, shown: Content) -> dict[str, Picture]:
    """The stored pictures a content shows, by digest."""
    wanted = {
        words(part, "digest")
        for part in parts(shown.documents.get("visual_assets_json"), "assets")
        if words(part, "kind") == "image"
    }
    if not wanted:
        return {}
    with reading(actor) as db:
        found = db.scalars(
            select(SessionImage).where(
                SessionImage.organization_id == shown.organization_id, SessionImage.digest.in_(wanted)
            )
        ).all()
    return {image.digest: Picture(image.media_type, image.content, image.width, image.height) for image in found}


_LOGO = text(
    "SELECT media_type, content FROM organization_logos WHERE organization_id = :organization AND digest = :digest"
)


def _logo(actor: Actor, shown: Content) -> Picture | None:
    """The organization's uploaded logo."""
    if shown.branding.logo is None:
        return None
    with reading(actor) as db:
        values = {"organization": shown.organization_id, "digest": shown.branding.logo}
        row = db.execute(_LOGO, values).one_or_none()
    return Picture(row.media_type, bytes(row.content)) if row else None
