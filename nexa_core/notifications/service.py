"""Mail: written into the outbox by the transaction that wants it, carried out by a job, blanked once it has left."""

from __future__ import annotations

import json
import smtplib
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, func, insert, select, text, update
from sqlalchemy.orm import Session

from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.db import metering, reading
from nexa_core.errors import Invalid, NotFound, Unavailable
from nexa_core.notifications.models import OutboxMessage
from nexa_core.notifications.smtp import MailServer, compose, describe
from nexa_core.permissions import Permission

_ENQUEUE = text("SELECT nexa.enqueue('deliver_mail', CAST(:arguments AS jsonb))")
#: What the outbox holds of a mail that has not left; its own columns are not for the platform's people to read.
_CONTENT = text("SELECT recipient, subject, body, link FROM nexa.waiting_mail(:id)")
_MOST_AT_ONCE = 200


def send_mail(
    db: Session,
    *,
    recipient: str,
    subject: str,
    body: str,
    link: str | None = None,
    organization_id: UUID | None = None,
) -> UUID:
    """Put a mail into the outbox, and its delivery into the queue, in the caller's transaction.

    ``db`` comes from a writable door; if its transaction is rolled back, nothing is sent. Raises Invalid for an
    address or subject that could smuggle in a header.
    """
    for name, value in (("recipient", recipient), ("subject", subject)):
        if not value.strip() or len(value) > 255 or not value.isprintable():
            raise Invalid("A mail needs one line of at most 255 characters here.", field=name)
    local, at, domain = recipient.rpartition("@")
    if not (local and at and domain) or set(recipient) & set(' ,;<>()[]:\\"'):
        raise Invalid("This is not one e-mail address.", field="recipient")
    message_id = uuid4()
    db.execute(
        insert(OutboxMessage).values(
            id=message_id, organization_id=organization_id, recipient=recipient, subject=subject, body=body, link=link
        )
    )
    db.execute(_ENQUEUE, {"arguments": json.dumps({"message_id": str(message_id)})})
    return message_id


def deliver(actor: Actor, *, message_id: UUID) -> bool:
    """Send one waiting mail now; whether it left by this call.

    Without NEXA_SMTP_URL it goes on waiting, and so it does while another delivery of it is under way. Raises
    Forbidden without SYSTEM_READ, NotFound, and Unavailable when the mail server does not take it (the mail keeps the
    count and what went wrong).
    """
    actor.require(Permission.SYSTEM_READ)
    if not (smtp_url := settings().smtp_url):
        return False
    server = MailServer.of(smtp_url)
    # The outbox is not audited (the event that wrote the mail is), so the door that names no action is the right one.
    with metering(actor) as db:
        # Counted before it is sent, for good: whatever happens after, the mail is not taken for one nobody tried.
        counted = update(OutboxMessage).where(_is(message_id), OutboxMessage.sent_at.is_(None))
        attempt = counted.values(attempts=OutboxMessage.attempts + 1).returning(OutboxMessage.id)
        if db.scalar(attempt) is None:
            if db.scalar(select(OutboxMessage.id).where(_is(message_id))) is None:
                raise NotFound("There is no such mail.")
            return False
    with metering(actor) as db:
        mine = select(OutboxMessage.id).where(_is(message_id), OutboxMessage.sent_at.is_(None))
        if db.scalar(mine.with_for_update(skip_locked=True)) is None:  # another delivery has it
            return False
        failure = _send(server, message_id, db.execute(_CONTENT, {"id": message_id}).one())
        sent = {"sent_at": func.now(), "body": None, "link": None, "last_error": None}
        db.execute(update(OutboxMessage).where(_is(message_id)).values({"last_error": failure} if failure else sent))
    if failure:
        raise Unavailable(f"The mail did not leave. {failure}")
    return True


def _is(message_id: UUID) -> ColumnElement[bool]:
    return OutboxMessage.id == message_id


def _send(server: MailServer, message_id: UUID, mail: Row[Any]) -> str | None:
    """Hand the mail to the server; what went wrong, or nothing."""
    try:
        server.send(
            compose(
                sender=settings().mail_from,
                recipient=mail.recipient,
                subject=mail.subject,
                body=mail.body or "",
                link=mail.link,
                message_id=str(message_id),
            )
        )
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return describe(error)
    return None


def waiting_mail(actor: Actor) -> tuple[UUID, ...]:
    """Mails nobody has tried to send for a minute: written while no mail server was configured, the oldest first."""
    actor.require(Permission.SYSTEM_READ)
    if not settings().smtp_url:
        return ()
    untried = (
        select(OutboxMessage.id)
        .where(OutboxMessage.sent_at.is_(None), OutboxMessage.attempts == 0)
        .where(OutboxMessage.created_at < func.now() - text("interval '1 minute'"))
        .order_by(OutboxMessage.created_at)
        .limit(_MOST_AT_ONCE)
    )
    with reading(actor) as db:
        return tuple(db.scalars(untried))
