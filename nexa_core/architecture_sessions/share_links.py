"""Share links as the organization's people see them: make one, list them all, revoke, read what clients answered."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, insert, literal_column, select, text
from sqlalchemy.orm import Session as Database

from nexa_core.accounts import passwords
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.architecture_sessions.contents import content, fixed
from nexa_core.architecture_sessions.drawings import keep_drawings
from nexa_core.architecture_sessions.going_out import require_ready
from nexa_core.architecture_sessions.history import documents_of
from nexa_core.architecture_sessions.models import ArchitectureSession
from nexa_core.architecture_sessions.reach import head
from nexa_core.architecture_sessions.sections import PAGES, Section, sections
from nexa_core.architecture_sessions.share_models import ShareLink, ShareResponse
from nexa_core.config import settings
from nexa_core.db import reading, recording
from nexa_core.errors import Invalid, NotFound
from nexa_core.permissions import Permission

DAYS: Final = 7
LONGEST_DAYS: Final = 365
TOKEN_BYTES: Final = 32
SHORTEST_PASSCODE, LONGEST_PASSCODE = 6, 200
#: Seconds after which no more diagrams are drawn ahead: what is left is drawn when it is looked at.
QUICK: Final = 5.0
#: Links one list shows.
MOST: Final = 500

State = Literal["active", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class ShareLinkView:
    """A link, without what opens it: the token is known only to who made it, at that moment."""

    id: UUID
    session_uuid: UUID
    session_title: str
    revision: int
    pages: tuple[str, ...]
    label: str
    is_protected: bool
    state: State
    created_by: str
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None
    view_count: int
    last_viewed_at: dt.datetime | None
    locked_until: dt.datetime | None
    approvals: int
    comments: int


@dataclass(frozen=True, slots=True)
class NewShareLink:
    """A link that was just made. ``address`` is shown once and stored nowhere."""

    link: ShareLinkView
    address: str


@dataclass(frozen=True, slots=True)
class ShareResponseView:
    """What a client said to one section. ``changed`` says whether the session has another content there by now."""

    id: UUID
    link_id: UUID
    label: str
    revision: int
    kind: str
    page: str
    part: str
    title: str
    name: str
    email: str
    comment: str | None
    created_at: dt.datetime
    changed: bool


def share(
    actor: Actor,
    *,
    uuid: UUID,
    pages: Sequence[str] = PAGES,
    days: int = DAYS,
    passcode: str | None = None,
    label: str = "",
    revision: int | None = None,
) -> NewShareLink:
    """Make a link that shows the chosen pages of one revision, the newest without a number, for some days.

    What is shown stays as it is now, whatever is written afterwards. Raises Forbidden without SESSIONS_WRITE, NotFound
    for a session or revision out of reach, Invalid naming the field, and Conflict for a session in the trash or, where
    the organization wants it so, one that is not ready.
    """
    actor.require(Permission.SESSIONS_WRITE)
    chosen = _pages(pages)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST_DAYS:
        raise Invalid(f"A link lives for 1 to {LONGEST_DAYS} days.", field="days")
    label = label.strip()
    if len(label) > 255 or "\x00" in label:
        raise Invalid("Who a link is for has at most 255 characters.", field="label")
    passcode_hash = _hashed(passcode)
    shown = fixed(actor, uuid=uuid, revision=revision)
    require_ready(shown)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with recording(actor, Action.SHARE_CREATED) as db:
        link_id = db.execute(
            insert(ShareLink)
            .values(
                organization_id=shown.organization_id,
                session_id=shown.session_id,
                revision=shown.revision,
                token=hash_of(token),
                passcode_hash=passcode_hash,
                pages=list(chosen),
                label=label or None,
                created_by=actor.user_id,
                expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=days),
            )
            .returning(ShareLink.id)
        ).scalar_one()
        made = _view(db.execute(_listed().where(ShareLink.id == link_id)).one())
    if "visuals" in chosen:
        keep_drawings(actor, shown, seconds=QUICK)
    return NewShareLink(made, f"{settings().public_url.rstrip('/')}/share/{token}")


def share_links(actor: Actor, *, uuid: UUID | None = None, state: State | None = "active") -> tuple[ShareLinkView, ...]:
    """The links of one session, or of the whole organization, newest first; at most ``MOST``.

    Raises Forbidden without SESSIONS_READ; for one session as ``get``.
    """
    actor.require(Permission.SESSIONS_READ)
    listed = _listed().order_by(ShareLink.created_at.desc(), ShareLink.id).limit(MOST)
    if uuid is not None:
        listed = listed.where(ArchitectureSession.uuid == uuid)
    else:
        listed = listed.where(ShareLink.organization_id == actor.organization_id)
    if state == "active":
        listed = listed.where(ShareLink.revoked_at.is_(None), ShareLink.expires_at > func.now())
    elif state == "expired":
        listed = listed.where(ShareLink.revoked_at.is_(None), ShareLink.expires_at <= func.now())
    elif state == "revoked":
        listed = listed.where(ShareLink.revoked_at.is_not(None))
    with reading(actor) as db:
        if uuid is not None:
            head(db, actor, uuid)
        return tuple(_view(row) for row in db.execute(listed))


def revoke_share(actor: Actor, *, link_id: UUID) -> None:
    """End a link at once; a second time changes nothing. Raises Forbidden without SESSIONS_WRITE, and NotFound."""
    actor.require(Permission.SESSIONS_WRITE)
    with recording(actor, Action.SHARE_REVOKED) as db:
        link = db.execute(select(ShareLink.id, ShareLink.revoked_at).where(ShareLink.id == link_id)).one_or_none()
        if link is None:
            raise NotFound("There is no such link.")
        db.execute(
            text("UPDATE share_links SET revoked_at = now() WHERE id = :id AND revoked_at IS NULL"), {"id": link_id}
        )


def share_responses(actor: Actor, *, uuid: UUID) -> tuple[ShareResponseView, ...]:
    """What clients approved and commented of a session, newest first, each with whether it has changed since.

    Raises as ``content``.
    """
    now = content(actor, uuid=uuid)
    sections_now = _by_place(now.documents)
    sections_then: dict[int, Mapping[tuple[str, str], Section]] = {}

    def has_changed(db: Database, said: ShareResponse, revision: int) -> bool:
        section = sections_now.get((said.page, said.part))
        if section is None or said.content_digest not in (section.digest, section.stored):
            return True
        if said.content_digest == section.digest:
            return False
        # Bound to what was stored alone: whether the titles beside it are the same says the revision that was shown.
        if revision not in sections_then:
            sections_then[revision] = _by_place(documents_of(db, now.session_id, revision))
        then = sections_then[revision].get((said.page, said.part))
        return then is None or then.digest != section.digest

    found = (
        select(ShareResponse, ShareLink.label, ShareLink.revision)
        .join(ShareLink, ShareLink.id == ShareResponse.share_link_id)
        .where(ShareLink.session_id == now.session_id, ShareResponse.organization_id == now.organization_id)
        .order_by(ShareResponse.created_at.desc(), ShareResponse.id)
        .limit(MOST)
    )
    with reading(actor) as db:
        return tuple(
            ShareResponseView(
                id=said.id,
                link_id=said.share_link_id,
                label=label or "",
                revision=revision,
                kind=said.kind,
                page=said.page,
                part=said.part,
                title=said.title,
                name=said.name,
                email=said.email,
                comment=said.comment,
                created_at=said.created_at,
                changed=has_changed(db, said, revision),
            )
            for said, label, revision in db.execute(found).all()
        )


def _by_place(documents: Mapping[str, Any]) -> dict[tuple[str, str], Section]:
    return {(section.page, section.part): section for section in sections(documents)}


def hash_of(token: str) -> str:
    """What a token is stored and looked for as."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _pages(pages: Iterable[str]) -> tuple[str, ...]:
    chosen = set(pages)
    if unknown := chosen - set(PAGES):
        raise Invalid(f"There is no page “{min(unknown)[:40]}”.", field="pages")
    if not chosen:
        raise Invalid("Choose at least one page to share.", field="pages")
    return tuple(page for page in PAGES if page in chosen)


def _hashed(passcode: str | None) -> str | None:
    if passcode is None or not (passcode := passcode.strip()):
        return None
    if not SHORTEST_PASSCODE <= len(passcode) <= LONGEST_PASSCODE:
        raise Invalid(f"A passcode has {SHORTEST_PASSCODE} to {LONGEST_PASSCODE} characters.", field="passcode")
    return passwords.hash_password(passcode)


def _listed() -> Any:
    said = (
        select(func.count())
        .where(ShareResponse.organization_id == ShareLink.organization_id, ShareResponse.share_link_id == ShareLink.id)
        .correlate(ShareLink)
    )
    approvals = said.where(ShareResponse.kind == "approval").scalar_subquery()
    comments = said.where(ShareResponse.kind == "comment").scalar_subquery()
    maker: ColumnElement[str] = literal_column("(SELECT full_name FROM users WHERE users.id = share_links.created_by)")
    return select(
        ShareLink.id, ShareLink.revision, ShareLink.pages, ShareLink.label, ShareLink.is_protected,
        ShareLink.created_at, ShareLink.expires_at, ShareLink.revoked_at, ShareLink.view_count,
        ShareLink.last_viewed_at, ShareLink.locked_until, ArchitectureSession.uuid, ArchitectureSession.title,
        func.now().label("now"), approvals.label("approvals"), comments.label("comments"), maker.label("maker"),
    ).join(
        ArchitectureSession,
        (ArchitectureSession.organization_id == ShareLink.organization_id)
        & (ArchitectureSession.id == ShareLink.session_id),
    )  # fmt: skip


def _view(row: Row[Any]) -> ShareLinkView:
    state: State = "revoked" if row.revoked_at else "expired" if row.expires_at <= row.now else "active"
    return ShareLinkView(
        id=row.id,
        session_uuid=row.uuid,
        session_title=row.title,
        revision=row.revision,
        pages=tuple(page for page in row.pages if isinstance(page, str)),
        label=row.label or "",
        is_protected=row.is_protected,
        state=state,
        created_by=row.maker or "",
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        view_count=row.view_count,
        last_viewed_at=row.last_viewed_at,
        locked_until=row.locked_until if row.locked_until and row.locked_until > row.now else None,
        approvals=row.approvals,
        comments=row.comments,
    )
