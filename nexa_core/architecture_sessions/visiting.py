"""A shared session as its visitor sees it: somebody without an account who holds a token, and reaches nothing else.

Every call names the token; what it does not open does not exist. The database shows a visitor one living link, its
revision and of this the chosen pages, by functions the entry role may call and no table it may read.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session as Database

from nexa_core import audit
from nexa_core.accounts import passwords
from nexa_core.actions import Action
from nexa_core.actor import Origin
from nexa_core.architecture_sessions import diagrams
from nexa_core.architecture_sessions.contents import Branding
from nexa_core.architecture_sessions.sections import Section, sections
from nexa_core.architecture_sessions.share_links import hash_of
from nexa_core.config import settings
from nexa_core.db import entering
from nexa_core.errors import Conflict, Invalid, LimitExceeded, NotFound, Unauthenticated, Unavailable

#: Wrong passcodes before a link is locked for a minute, then 2, 4, 8 and at most 15.
ATTEMPTS: Final = 5
LONGEST_COMMENT: Final = 5_000
#: Answers one link takes, so that a link that leaked cannot fill a database.
MOST_ANSWERS: Final = 500
GONE: Final = "This link leads nowhere: it has expired, was revoked, or was never given out."

_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}")
_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")


class PasscodeNeeded(Unauthenticated):
    """The link is there and wants its passcode first; all that is told is whose it is."""

    def __init__(self, branding: Branding) -> None:
        super().__init__("This page is protected with a passcode. The person who sent you the link knows it.")
        self.branding = branding


class NotDrawn(Unavailable):
    """A diagram that nobody has drawn yet: drawing takes seconds, so whoever asked decides where to wait."""

    def __init__(self) -> None:
        super().__init__("This diagram is not drawn yet. Please try again in a moment.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to a section of this link before."""

    kind: str
    name: str
    comment: str | None
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Shared:
    """What the visitor sees. ``answers`` are by page and part; ``form_key`` goes into every form of the page."""

    link_id: UUID
    title: str
    client: str | None
    revision: int
    revised_at: dt.datetime
    expires_at: dt.datetime
    time_zone: str
    branding: Branding
    pages: tuple[str, ...]
    documents: Mapping[str, Any]
    sections: tuple[Section, ...]
    answers: Mapping[tuple[str, str], tuple[Answer, ...]]
    form_key: str


def visit(origin: Origin, *, token: str, key: str | None = None, count: bool = True) -> Shared:
    """Open a shared session. ``key`` is what :func:`unlock` gave; a view is counted, and noted in the audit log.

    Raises NotFound for a token that opens nothing (any more), PasscodeNeeded for one that is protected.
    """
    with entering(origin) as db:
        shared = _opened(db, token, key)
        organization = _organization(db, token)
    if count:
        with entering(origin, Action.SHARE_VIEWED, organization_id=organization) as db:
            db.execute(
                text("UPDATE share_links SET view_count = view_count + 1, last_viewed_at = now() WHERE id = :id"),
                {"id": shared.link_id},
            )
            audit.note(db, "share_link", shared.link_id, {"title": shared.title, "revision": shared.revision})
    return shared


def unlock(origin: Origin, *, token: str, passcode: str) -> str:
    """The key that opens a protected link for this browser.

    Raises NotFound as ``visit`` does, Unauthenticated for a wrong passcode, LimitExceeded after too many: an attempt is
    counted before the passcode is looked at, so that parallel guesses buy no more of them.
    """
    with entering(origin) as db:
        row = _row(db, token)
        protected = db.execute(_PROTECTED, {"token": hash_of(token)}).scalar()
        if not protected:
            return ""
        claimed = db.execute(_CLAIM, {"token": hash_of(token), "allowed": ATTEMPTS}).scalar()
    if claimed is None:
        raise LimitExceeded("Too many wrong passcodes. Please wait some minutes and try again.", retry_after=60)
    if passwords.verify(passcode.strip()[:1_000], claimed):
        with entering(origin) as db:
            db.execute(_SUCCEED, {"token": hash_of(token)})
        return _key_of(row.link_id, claimed)
    with entering(origin, Action.SHARE_PASSCODE_FAILED, organization_id=row.organization_id) as db:
        audit.note(db, "share_link", row.link_id, {})
        wait = db.execute(_LOCK, {"token": hash_of(token), "allowed": ATTEMPTS}).scalar()
    if wait is not None:
        minutes = max(1, ceil(wait / 60))
        sentence = f"Too many wrong passcodes. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        raise LimitExceeded(sentence, retry_after=ceil(wait))
    raise Unauthenticated("This is not the passcode of this link.")


def respond(
    origin: Origin,
    *,
    token: str,
    key: str | None,
    form_key: str,
    kind: str,
    page: str,
    part: str,
    digest: str,
    name: str,
    email: str,
    comment: str = "",
) -> None:
    """Approve or comment a section; ``digest`` is the content the visitor had in front of them.

    Raises as ``visit``, Invalid naming the field, Conflict when the section does not have this content, and
    Unauthenticated for a form that no page of this link made.
    """
    with entering(origin) as db:
        shared = _opened(db, token, key)
        organization = _organization(db, token)
    if not hmac.compare_digest(form_key.encode(), shared.form_key.encode()):
        raise Unauthenticated("This form did not come from this page. Please reload it and try again.")
    section = next((section for section in shared.sections if (section.page, section.part) == (page, part)), None)
    if section is None:
        raise NotFound("There is no such section on this page.")
    if section.digest != digest:
        raise Conflict("This section has another content by now. Please reload the page and read it again.")
    answer = _answer(kind, name, email, comment) | {
        "page": page, "part": part, "title": section.title[:255], "content_digest": digest,
    }  # fmt: skip
    if sum(len(answers) for answers in shared.answers.values()) >= MOST_ANSWERS:
        raise LimitExceeded("This link takes no more answers. Please write to the person who sent it.")
    action = Action.SHARE_APPROVED if kind == "approval" else Action.SHARE_COMMENTED
    with entering(origin, action, organization_id=organization) as db:
        made = db.execute(_RESPOND, {"token": hash_of(token), "answer": json.dumps(answer)}).scalar()
        if made is None:
            raise NotFound(GONE)
        noted = {"name": answer["name"], "email": answer["email"], "section": section.title[:255]}
        audit.note(db, "share_link", shared.link_id, noted | {"page": page, "content_sha256": digest})


def picture(
    origin: Origin, *, token: str, key: str | None, kind: str, digest: str = "", draw: bool = True
) -> tuple[str, bytes]:
    """Media type and content of a picture on the shared page: a ``drawing``, an ``image`` or the ``logo``.

    Only what the shown sections themselves have; raises as ``visit``, NotFound, and with ``draw=False`` NotDrawn.
    """
    with entering(origin) as db:
        if kind == "logo":  # stands on the page that asks for the passcode too
            _row(db, token)
            return _stored(db, token, "logo", "")
        shared = _opened(db, token, key)
        if kind == "image":
            if not any(section.kind == "image" and section.data["digest"] == digest for section in shared.sections):
                raise NotFound("There is no such picture on this page.")
            return _stored(db, token, "image", digest)
        drawn = (section.data for section in shared.sections if section.kind == "diagram")
        text_of = {diagrams.digest_of(d["text"]): d["text"] for d in drawn if d["language"] == "mermaid"}
        if digest not in text_of:
            raise NotFound("There is no such diagram on this page.")
        if not diagrams.is_drawn(text_of[digest]):
            with contextlib.suppress(NotFound):
                diagrams.remember(text_of[digest], _stored(db, token, "drawing", digest)[1].decode())
    if not draw and not diagrams.is_drawn(text_of[digest]):
        raise NotDrawn
    svg = diagrams.draw(text_of[digest]).svg
    if svg is None:
        raise NotFound("This diagram cannot be drawn.")
    return "image/svg+xml", svg.encode()


_PROTECTED = text("SELECT is_protected FROM share_links WHERE token = :token")
_CLAIM = text("""
    UPDATE share_links SET last_failed_at = now(),
        failed_attempts = CASE WHEN failed_attempts < :allowed THEN failed_attempts + 1 ELSE 1 END
    WHERE token = :token AND coalesce(locked_until, '-infinity') <= now()
      AND (failed_attempts < :allowed OR coalesce(last_failed_at, '-infinity') <= now() - interval '1 minute')
    RETURNING passcode_hash
""")
_LOCK = text("""
    UPDATE share_links SET lock_count = lock_count + 1, locked_until = now() + make_interval(
        mins => least(15, CAST(power(2, least(lock_count, 10)) AS integer)))
    WHERE token = :token AND failed_attempts >= :allowed AND coalesce(locked_until, '-infinity') <= now()
    RETURNING extract(epoch FROM locked_until - now())
""")
_SUCCEED = text("UPDATE share_links SET failed_attempts = 0, lock_count = 0, locked_until = NULL WHERE token = :token")
_SHARED = text("SELECT * FROM nexa.shared_session(:token)")
_PASSCODE = text("SELECT passcode_hash FROM share_links WHERE token = :token")
_ORGANIZATION = text("SELECT organization_id FROM share_links WHERE token = :token")
_PICTURE = text("SELECT media_type, content FROM nexa.shared_picture(:token, :kind, :wanted)")
_RESPOND = text("SELECT nexa.answer_share(:token, CAST(:answer AS jsonb))")


def _row(db: Database, token: str) -> Any:
    row = db.execute(_SHARED, {"token": hash_of(token)}).one_or_none() if _TOKEN.fullmatch(token) else None
    if row is None:
        raise NotFound(GONE)
    return row


def _organization(db: Database, token: str) -> UUID:
    found: UUID = db.execute(_ORGANIZATION, {"token": hash_of(token)}).scalar_one()
    return found


def _opened(db: Database, token: str, key: str | None) -> Shared:
    row = _row(db, token)
    branding = Branding.of(row.organization_id, row.organization_name, row.logo_url, row.brand_colors)
    passcode_hash = db.execute(_PASSCODE, {"token": hash_of(token)}).scalar()
    if passcode_hash and not hmac.compare_digest((key or "").encode(), _key_of(row.link_id, passcode_hash).encode()):
        raise PasscodeNeeded(branding)
    pages = tuple(page for page in row.pages if isinstance(page, str))
    answers: dict[tuple[str, str], tuple[Answer, ...]] = {}
    for said in row.responses:
        at = dt.datetime.fromisoformat(said["created_at"])
        place = (said["page"], said["part"])
        answers[place] = (*answers.get(place, ()), Answer(said["kind"], said["name"], said["comment"], at))
    return Shared(
        link_id=row.link_id,
        title=row.title,
        client=row.client,
        revision=row.revision,
        revised_at=row.revised_at,
        expires_at=row.expires_at,
        time_zone=row.time_zone,
        branding=branding,
        pages=pages,
        documents=row.documents,
        sections=sections(row.documents, pages),
        answers=answers,
        form_key=_signed("share form", str(row.link_id)),
    )


def _stored(db: Database, token: str, kind: str, wanted: str) -> tuple[str, bytes]:
    found = db.execute(_PICTURE, {"token": hash_of(token), "kind": kind, "wanted": wanted}).first()
    if found is None:
        raise NotFound("There is no such picture.")
    return found.media_type, bytes(found.content)


def _answer(kind: str, name: str, email: str, comment: str) -> dict[str, str | None]:
    name, email, comment = name.strip(), email.strip().lower(), comment.strip().replace("\r\n", "\n")
    if kind not in ("approval", "comment"):
        raise Invalid("Approve the section or comment on it.", field="kind")
    if not 0 < len(name) <= 255:
        raise Invalid("Please give your name, of at most 255 characters.", field="name")
    if not _ADDRESS.fullmatch(email):
        raise Invalid("Please give your e-mail address.", field="email")
    if kind == "comment" and not comment:
        raise Invalid("Please write a comment.", field="comment")
    if len(comment) > LONGEST_COMMENT:
        raise Invalid(f"A comment has at most {LONGEST_COMMENT:,} characters.", field="comment")
    if any("\x00" in written for written in (name, email, comment)):
        raise Invalid("The text contains a character that cannot be stored.")
    return {"kind": kind, "name": name, "email": email, "comment": comment or None}


def _key_of(link_id: UUID, passcode_hash: str) -> str:
    """Opens this link as long as it has this passcode."""
    return _signed("share passcode", f"{link_id} {passcode_hash}")


def _signed(purpose: str, content: str) -> str:
    return hmac.new(settings().derived_secret(purpose).encode(), content.encode(), hashlib.sha256).hexdigest()
