"""Inviting people: a pasted list, a verdict for every line of it, and the mail that carries the link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, String, bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from nexa_core import notifications
from nexa_core.accounts import tokens
from nexa_core.accounts.models import User
from nexa_core.actions import Action
from nexa_core.actor import Actor
from nexa_core.config import settings
from nexa_core.db import entering, reading, recording
from nexa_core.errors import Conflict, Invalid
from nexa_core.organizations.addresses import Invitee, address_of, invitees
from nexa_core.organizations.models import Organization, OrganizationMembership
from nexa_core.organizations.reach import require_members_manage, require_rank
from nexa_core.organizations.seats import locked, seats_of

LIFETIME = dt.timedelta(days=7)
LONGEST_MESSAGE = 1000
#: What a line of a list can be found to be; only the first is sent.
VERDICTS = ("new", "invited", "asks to join", "member", "suspended", "over limit", "twice", "bad address")

#: The accounts there are, by address; what is not in it has none.
Accounts = Mapping[str, Any]
_M = OrganizationMembership


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would happen, or has happened, to one line of a list; ``sentence`` says it to a person."""

    line: int
    text: str
    email: str | None
    role: str
    verdict: str
    sentence: str
    invitation_id: UUID | None = None


def check_invitations(
    actor: Actor, *, organization_id: UUID, people: str | Sequence[Invitee], role: str = "member"
) -> tuple[Verdict, ...]:
    """Say for every line of a pasted list or CSV file what inviting it would do, and do nothing.

    A role named in a line goes before ``role``. Raises as ``invite`` does.
    """
    require_members_manage(actor, organization_id)
    lines = invitees(people)
    _require_roles(actor, organization_id, lines, role)
    known = accounts_of(actor, _addresses(lines))
    with reading(actor) as db:
        return tuple(_judge(db, db.get_one(Organization, organization_id), lines, role, known))


def invite(
    actor: Actor, *, organization_id: UUID, people: str | Sequence[Invitee], role: str = "member", message: str = ""
) -> tuple[Verdict, ...]:
    """Invite everybody of a list who can be; each gets a mail whose link is good for seven days, once.

    Says for every line what happened, as ``check_invitations`` said it would. Raises NotFound for a stranger's
    organization, Forbidden without MEMBERS_MANAGE (ORGANIZATIONS_MANAGE for another's) or for a role above one's own,
    Invalid for an unknown role, an empty list or one of over 500, Conflict for an organization that is not open.
    """
    require_members_manage(actor, organization_id)
    lines = invitees(people)
    if not lines:
        raise Invalid("Enter at least one e-mail address.", field="people")
    _require_roles(actor, organization_id, lines, role)
    message = message_of(message)
    for attempt in range(3):
        known = accounts_of(actor, _addresses(lines))  # of all at once, and while nobody waits for the organization
        try:
            with recording(actor, Action.INVITATION_SENT) as db:
                organization = locked(db, organization_id)
                verdicts = _judge(db, organization, lines, role, known)
                return tuple(
                    replace(v, invitation_id=send(actor, db, organization, v.email, v.role, message, known))
                    if v.verdict == "new" and v.email
                    else v
                    for v in verdicts
                )
        except Conflict as conflict:  # somebody else made the same person a moment ago: now they are found
            if attempt == 2 or "account with this e-mail" not in conflict.sentence:
                raise
    raise AssertionError("unreachable")


def send(
    actor: Actor, db: Session, organization: Organization, email: str, role: str, message: str, known: Accounts
) -> UUID:
    """Write the pending person and membership, and the mail, in the caller's transaction."""
    account = known.get(email)
    user_id = account.id if account else uuid4()
    if account is None:
        # Until they say their name, the log and the lists call them by their address.
        db.execute(insert(User).values(id=user_id, email=email, status="pending", full_name=email))
    token = tokens.new_secret()
    values: dict[str, Any] = {
        "role": role, "status": "pending", "permissions": {}, "invited_by": actor.user_id, "invited_at": func.now(),
        "invitation_token": tokens.digest(token), "invitation_expires_at": func.now() + LIFETIME,
        "invitation_opened_at": None, "invitation_revoked_at": None, "invitation_by_mail": True,
        "invitation_message": message or None, "updated_at": func.now(),
    }  # fmt: skip
    membership_id = db.scalar(
        update(_M)  # an invitation that expired or was withdrawn is sent anew
        .where(_M.organization_id == organization.id, _M.user_id == user_id, _M.status == "pending")
        .values(values)
        .returning(_M.id)
    )
    if membership_id is None:
        membership_id = uuid4()
        db.execute(insert(_M).values(id=membership_id, organization_id=organization.id, user_id=user_id, **values))
    mail(actor, db, organization, email, role, message, token)
    return membership_id


def link_of(token: str) -> str:
    """The address an invitation's mail leads to."""
    return f"{settings().public_url}/invitation?token={token}"


def _require_roles(actor: Actor, organization_id: UUID, lines: Sequence[Invitee], role: str) -> None:
    for wanted in {role, *(line.role for line in lines if line.role)}:
        require_rank(actor, organization_id, wanted)


def require_open(organization: Organization, role: str) -> None:
    first_owner = organization.status == "pending" and role == "owner"
    if organization.status != "active" and not first_owner:
        raise Conflict(f"{organization.name} is {organization.status}, so nobody can be invited to it now.")


def _judge(
    db: Session, organization: Organization, lines: Sequence[Invitee], role: str, known: Accounts
) -> list[Verdict]:
    """A verdict per line, in order; open invitations hold a seat against the lines that follow."""
    require_open(organization, "owner" if {line.role or role for line in lines} == {"owner"} else role)
    memberships = {
        row.email: row
        for row in db.execute(
            select(
                User.email,
                _M.status,
                _M.invitation_revoked_at,
                _M.requested_at,
                (_M.invitation_expires_at <= func.now()).label("over"),
            )
            .join(User, User.id == _M.user_id)
            .where(_M.organization_id == organization.id)
        )
    }
    seats = seats_of(db, organization)
    waiting = sum(_is_open(row) for row in memberships.values())
    left = None if seats.limit is None else seats.limit - seats.taken - waiting
    seen: set[str] = set()
    verdicts: list[Verdict] = []
    for line in lines:
        try:
            email = address_of(line.text)
        except Invalid as bad:
            verdicts.append(Verdict(line.line, line.text[:320], None, line.role or role, "bad address", bad.sentence))
            continue
        verdict, sentence = _verdict(
            memberships.get(email), known.get(email), left, organization.name, is_twice=email in seen
        )
        seen.add(email)
        left = left - 1 if left is not None and verdict == "new" else left
        verdicts.append(Verdict(line.line, line.text[:320], email, line.role or role, verdict, sentence))
    return verdicts


def _verdict(membership: Any, account: Any, left: int | None, name: str, *, is_twice: bool) -> tuple[str, str]:
    if is_twice:
        return "twice", "This address is in the list already."
    if membership is not None and membership.status == "active":
        return "member", f"Belongs to {name} already."
    if membership is not None and membership.status == "suspended":
        return "suspended", "The membership is suspended; resume it instead."
    if membership is not None and _asks_to_join(membership):
        return "asks to join", "Asks to join already; let them in instead, on the tab Domains."
    if membership is not None and _is_open(membership):
        return "invited", "Is invited already; send that invitation again instead."
    if account is not None and (account.deleted_at is not None or account.status not in ("active", "pending")):
        return "bad address", "This address cannot be used at NEXA at the moment."
    if left is not None and left <= 0:
        return "over limit", "Every seat is taken or promised; withdraw an invitation or free a seat first."
    return "new", "Gets an invitation."


def _asks_to_join(membership: Any) -> bool:
    return membership.status == "pending" and membership.requested_at is not None


def _is_open(membership: Any) -> bool:
    if membership.status != "pending" or _asks_to_join(membership):
        return False
    return membership.invitation_revoked_at is None and not membership.over


def accounts_of(actor: Actor, emails: Iterable[str]) -> Accounts:
    """Who has these addresses, in whatever organization; for the decision only, never for the screen."""
    wanted = func.any(bindparam("emails", [*emails], type_=ARRAY(String)))
    with entering(actor.origin) as db:
        found = db.execute(select(User.email, User.id, User.status, User.deleted_at).where(User.email == wanted))
        return {row.email: row for row in found}


def _addresses(lines: Sequence[Invitee]) -> set[str]:
    """Those of the lines that are addresses."""
    found = set()
    for line in lines:
        with suppress(Invalid):
            found.add(address_of(line.text))
    return found


def mail(
    actor: Actor, db: Session, organization: Organization, email: str, role: str, message: str, token: str
) -> None:
    who = _one_line(actor.full_name or actor.email) or "Somebody"
    where = _one_line(organization.name)
    until = (dt.datetime.now(dt.UTC) + LIFETIME).strftime("%-d %B %Y")
    said = f"\n\n{who} writes:\n\n" + "\n".join(f"> {line}" for line in message.splitlines()) if message else ""
    notifications.send_mail(
        db,
        recipient=email,
        subject=f"You are invited to {where[:150]} on NEXA",
        body=(
            f"Hello,\n\n{who} invites you to {where} on NEXA, with the role {role}.{said}\n\n"
            f"This link leads to the invitation. It is for {email} alone, works once, and is good until {until}. "
            "If you did not expect it, ignore it: nothing happens by itself."
        ),
        link=link_of(token),
        organization_id=organization.id,
    )


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()


def message_of(text: str) -> str:
    text = "\n".join("".join(c for c in line if c.isprintable() or c == "\t") for line in text.strip().splitlines())
    if len(text) > LONGEST_MESSAGE:
        raise Invalid(f"A message has at most {LONGEST_MESSAGE:,} characters.", field="message")
    return text
