"""Invitations: whom a list may invite, what a link is good for, and who may use it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from nexa_core import accounts, audit, organizations
from nexa_core.actor import Origin
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated
from nexa_core.organizations import inviting
from tests.databases import TestDatabase
from tests.nexa_core.organizations.conftest import Cast
from tests.worlds import PASSWORD, World

TokenOf = Callable[[str], str]
NEW = "kim@northwind.example"
GOOD = "a quiet walk along the harbour"


def invited(cast: Cast, email: str = NEW, role: str = "member") -> UUID:
    (verdict,) = organizations.invite(cast.ada, organization_id=cast.northwind, people=email, role=role)
    assert verdict.verdict == "new" and verdict.invitation_id
    return verdict.invitation_id


def state_of(cast: Cast, email: str = NEW) -> str:
    return {i.email: i.state for i in organizations.invitations(cast.ada, organization_id=cast.northwind)}[email]


def accept(token: str, password: str = GOOD) -> organizations.Joined:
    return organizations.accept_invitation_with_password(
        Origin(), token=token, first_name="Kim", last_name="Nguyen", password=password
    )


def change(database: TestDatabase, statement: str, *values: object) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(statement.encode(), values)


def test_a_list_is_judged_line_by_line_and_the_dry_run_sends_nothing(
    database: TestDatabase, world: World, cast: Cast
) -> None:
    world.person("sue@northwind.example", cast.northwind, membership_status="suspended")
    invited(cast, "ina@northwind.example")
    change(database, "UPDATE organizations SET usage_limits = '{\"seats\": 7}' WHERE id = %s", cast.northwind)
    text = """email;role
    Kim <KIM@northwind.example>;viewer
    ben@northwind.example, sue@northwind.example
    ina@northwind.example
    kim@northwind.example
    not an address
    lee@bücher.example
    one.too.many@northwind.example"""
    verdicts = organizations.check_invitations(cast.ada, organization_id=cast.northwind, people=text)
    assert [(v.line, v.email, v.role, v.verdict) for v in verdicts] == [
        (2, "kim@northwind.example", "viewer", "new"),
        (3, "ben@northwind.example", "member", "member"),
        (3, "sue@northwind.example", "member", "suspended"),
        (4, "ina@northwind.example", "member", "invited"),
        (5, "kim@northwind.example", "member", "twice"),
        (6, None, "member", "bad address"),
        (7, "lee@xn--bcher-kva.example", "member", "new"),
        (8, "one.too.many@northwind.example", "member", "over limit"),
    ]
    assert len(organizations.invitations(cast.ada, organization_id=cast.northwind)) == 1, "a dry run"
    done = organizations.invite(cast.ada, organization_id=cast.northwind, people=text, message="Welcome!")
    assert [v.verdict for v in done] == [v.verdict for v in verdicts]
    assert [v.email for v in done if v.invitation_id] == ["kim@northwind.example", "lee@xn--bcher-kva.example"]
    assert len(organizations.invitations(cast.ada, organization_id=cast.northwind, state="sent")) == 3


def test_a_long_list_asks_for_all_accounts_at_once_and_before_it_locks_anybody_out(
    cast: Cast, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.person("gone@contoso.example", cast.contoso, status="suspended")
    people = "\n".join(
        [*(f"p{n}@new.example" for n in range(20)), "gone@contoso.example", "no address", cast.eve.email]
    )
    opened: list[str] = []

    def counted(name: str, door: Any) -> Any:
        return lambda *given, **more: opened.append(name) or door(*given, **more)

    for name in ("entering", "reading", "recording"):
        monkeypatch.setattr(inviting, name, counted(name, getattr(inviting, name)))
    tried = organizations.check_invitations(cast.ada, organization_id=cast.northwind, people=people)
    assert opened == ["entering", "reading"]
    opened.clear()
    done = organizations.invite(cast.ada, organization_id=cast.northwind, people=people)
    assert opened == ["entering", "recording"]
    assert [v.verdict for v in tried] == [v.verdict for v in done] == ["new"] * 20 + ["bad address"] * 2 + ["new"]
    assert len({v.invitation_id for v in done} - {None}) == 21


def test_a_token_is_256_bits_of_which_only_the_sha256_is_kept(
    database: TestDatabase, cast: Cast, token_of: TokenOf
) -> None:
    invitation = invited(cast)
    token = token_of(NEW)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    with database.superuser() as connection:
        row = connection.execute(
            "SELECT invitation_token FROM organization_memberships WHERE id = %s", [invitation]
        ).fetchone()
        assert row == (hashlib.sha256(token.encode()).hexdigest(),)
        logged = connection.execute("SELECT string_agg(l::text, '') FROM audit_logs l").fetchone()
    assert logged and token not in logged[0] and hashlib.sha256(token.encode()).hexdigest() not in logged[0]


def log_earlier(database: TestDatabase, **interval: int) -> None:
    """Time passes for whoever asks the log when something was done last."""
    with database.superuser() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE audit_logs SET created_at = created_at - %s", [dt.timedelta(**interval)])


def test_looking_consumes_nothing_and_accepting_works_once(cast: Cast, token_of: TokenOf) -> None:
    invited(cast)
    token = token_of(NEW)
    for _ in range(3):
        offer = organizations.open_invitation(Origin(), token=token)
    assert (offer.organization_name, offer.email, offer.role) == ("Northwind", NEW, "member")
    assert offer.needs_password and state_of(cast) == "opened"
    assert accept(token).organization_slug == "northwind"
    assert state_of(cast) == "accepted"
    assert accounts.sign_in(Origin(), email=NEW, password=GOOD).full_name == "Kim Nguyen"
    for again in (lambda: accept(token), lambda: organizations.open_invitation(Origin(), token=token)):
        with pytest.raises(Invalid, match="used or withdrawn"):
            again()


def test_a_link_ends_with_its_week_its_withdrawal_and_its_successor(
    database: TestDatabase, cast: Cast, token_of: TokenOf
) -> None:
    invitation = invited(cast)
    first = token_of(NEW)
    organizations.resend_invitation(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
    second = token_of(NEW)
    link = organizations.copy_invitation_link(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
    third = link.partition("token=")[2]
    assert len({first, second, third}) == 3 and "/invitation?token=" in link
    for old in (first, second, "", "x" * 5000, "\ud800"):
        with pytest.raises(Invalid, match="used or withdrawn"):
            organizations.open_invitation(Origin(), token=old)
    change(database, "UPDATE organization_memberships SET invitation_expires_at = now() WHERE id = %s", invitation)
    with pytest.raises(Invalid, match=r"has expired\. Ask Ada"):
        accept(third)
    assert state_of(cast) == "expired"
    log_earlier(database, minutes=1)
    organizations.resend_invitation(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
    organizations.revoke_invitation(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
    assert state_of(cast) == "revoked"
    with pytest.raises(Invalid, match="used or withdrawn"):
        accept(token_of(NEW))
    assert NEW not in [m.email for m in organizations.members(cast.ada, organization_id=cast.northwind)]
    for verb in (organizations.resend_invitation, organizations.revoke_invitation):
        with pytest.raises(Conflict, match="withdrawn already"):
            verb(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
    assert invited(cast, role="viewer") == invitation, "invited anew, with another role"
    assert accept(token_of(NEW)).role == "viewer"


def test_the_log_tells_the_story_of_an_invitation(cast: Cast, token_of: TokenOf) -> None:
    invitation = invited(cast)
    organizations.open_invitation(Origin(), token=token_of(NEW))
    organizations.resend_invitation(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
    told = [entry.sentence for entry in audit.recent(cast.ada)]
    assert f"Ada invited {NEW} to Northwind" in told
    assert f"{NEW} opened the invitation to Northwind" in told
    assert f"Ada invited {NEW} to Northwind once more" in told
    accept(token_of(NEW))
    assert "Kim Nguyen accepted the invitation to Northwind" in [entry.sentence for entry in audit.recent(cast.ada)]


def test_an_invitation_is_bound_to_its_role(cast: Cast) -> None:
    invitation = invited(cast)
    with pytest.raises(Conflict, match="bound to its role"):
        organizations.change_role(cast.ada, membership_id=invitation, organization_id=cast.northwind, role="admin")


def test_somebody_elses_link_names_both_and_takes_neither(cast: Cast, token_of: TokenOf) -> None:
    invited(cast)
    with pytest.raises(Forbidden, match=rf"is for {NEW}, and you are signed in as eve@contoso\.example"):
        organizations.accept_invitation(cast.eve, token=token_of(NEW))
    assert state_of(cast) in ("sent", "opened")
    assert accept(token_of(NEW)).email == NEW


def test_a_person_with_an_account_joins_signed_in_and_never_with_a_new_password(cast: Cast, token_of: TokenOf) -> None:
    invited(cast, cast.eve.email, "viewer")
    token = token_of(cast.eve.email)
    with pytest.raises(Conflict, match="Sign in, then open"):
        accept(token, "an attacker's very own password")
    accounts.sign_in(Origin(), email=cast.eve.email, password=PASSWORD)
    joined = organizations.accept_invitation(cast.eve, token=token)
    assert (joined.organization_id, joined.role) == (cast.northwind, "viewer")


def test_nobody_else_claims_the_pending_person(cast: Cast, token_of: TokenOf, database: TestDatabase) -> None:
    """Two organizations invite the same new person: each link leads to its own organization only."""
    invited(cast)
    mine = token_of(NEW)
    (other,) = organizations.invite(cast.eve, organization_id=cast.contoso, people=NEW)
    link = organizations.copy_invitation_link(
        cast.eve, organization_id=cast.contoso, invitation_id=other.invitation_id or cast.contoso
    )
    accounts.request_password_reset(Origin(), email=NEW)
    with database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM one_time_tokens").fetchone() == (0,)
    with pytest.raises(Unauthenticated):
        accounts.sign_in(Origin(), email=NEW, password="")
    accept(link.partition("token=")[2])
    assert state_of(cast) == "sent", "Northwind's invitation is untouched"
    with pytest.raises(Conflict, match="Sign in, then open"):
        accept(mine)


@pytest.mark.parametrize(("by_mail", "verified"), [(True, True), (False, False)])
def test_only_a_mailed_link_verifies_the_address(
    database: TestDatabase, cast: Cast, token_of: TokenOf, by_mail: bool, verified: bool
) -> None:
    invitation = invited(cast)
    copied = organizations.copy_invitation_link(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
    token = copied.partition("token=")[2]
    if by_mail:
        organizations.resend_invitation(cast.ada, organization_id=cast.northwind, invitation_id=invitation)
        token = token_of(NEW)
    accept(token)
    with database.superuser() as connection:
        row = connection.execute("SELECT email_verified_at IS NOT NULL FROM users WHERE email = %s", [NEW]).fetchone()
    assert row == (verified,)


LOST = {
    "suspended in the organization": "UPDATE organization_memberships SET status = 'suspended' WHERE user_id = %s",
    "no longer allowed to": "UPDATE organization_memberships SET role = 'member' WHERE user_id = %s",
    "below the role offered": "UPDATE organization_memberships SET permissions ="
    ' \'{"deny": ["usage.read"]}\' WHERE user_id = %s',
    "account suspended": "UPDATE users SET status = 'suspended' WHERE id = %s",
    "removed": "WITH home AS (INSERT INTO organization_memberships (user_id, organization_id, status) SELECT u.id,"
    " o.id, 'active' FROM users u, organizations o WHERE u.email = 'adm@northwind.example' AND o.slug = 'contoso')"
    " DELETE FROM organization_memberships m USING organizations o WHERE o.id = m.organization_id"
    " AND o.slug = 'northwind' AND m.user_id = %s",
}


@pytest.mark.parametrize("how", LOST)
def test_an_inviter_who_lost_the_right_invites_nobody(
    database: TestDatabase, cast: Cast, token_of: TokenOf, how: str
) -> None:
    organizations.invite(cast.adm, organization_id=cast.northwind, people=NEW, role="admin")
    change(database, LOST[how], cast.adm.user_id)
    with pytest.raises(Forbidden, match="may no longer invite to Northwind with the role admin"):
        accept(token_of(NEW))
    assert state_of(cast) == "sent"


@pytest.mark.parametrize("status", ["suspended", "deleted"])
def test_a_closed_organization_takes_nobody(database: TestDatabase, cast: Cast, token_of: TokenOf, status: str) -> None:
    invited(cast)
    change(database, "UPDATE organizations SET status = %s::organization_status WHERE id = %s", status, cast.northwind)
    with pytest.raises((Conflict, Invalid), match=r"suspended|used or withdrawn"):
        accept(token_of(NEW))
    with pytest.raises(Conflict, match="nobody can be invited"):
        organizations.invite(cast.root, organization_id=cast.northwind, people="lee@northwind.example")


def test_who_may_invite_whom(cast: Cast) -> None:
    with pytest.raises(Forbidden, match="rights that you do not have"):
        organizations.invite(cast.adm, organization_id=cast.northwind, people=NEW, role="owner")
    with pytest.raises(Forbidden, match="rights that you do not have"):
        organizations.invite(cast.adm, organization_id=cast.northwind, people=f"{NEW},owner")
    with pytest.raises(Forbidden):
        organizations.invite(cast.ben, organization_id=cast.northwind, people=NEW)
    with pytest.raises(NotFound):
        organizations.invite(cast.eve, organization_id=cast.northwind, people=NEW)
    with pytest.raises(NotFound):
        organizations.revoke_invitation(cast.eve, organization_id=cast.contoso, invitation_id=invited(cast))


@pytest.mark.parametrize(
    "address",
    [
        "a@b", "@northwind.example", "kim@", "kim", "kim@northwind@example", "k\x00im@northwind.example",
        "k\ud800im@northwind.example", "kím@northwind.example", "kim@-northwind.example", "kim@192.168.1.1",
        "kim..nguyen@northwind.example", f"{'k' * 65}@northwind.example", f"kim@{'n' * 64}.example", "<b>@x.example",
        "kim@" + ".".join(["n" * 60] * 5), "kim nguyen@northwind.example",
    ],
)  # fmt: skip
def test_a_bad_address_is_a_sentence(cast: Cast, address: str) -> None:
    person = organizations.Invitee(1, address)
    (verdict,) = organizations.invite(cast.ada, organization_id=cast.northwind, people=[person])
    assert (verdict.verdict, verdict.email) == ("bad address", None)
    assert verdict.sentence.endswith((".", "in it.", "example.com."))


def test_twins_of_an_address_are_one_person(cast: Cast) -> None:
    nfc, nfd = "kim@caf\u00e9.example", "kim@cafe\u0301.example"
    verdicts = organizations.check_invitations(
        cast.ada, organization_id=cast.northwind, people=f"{nfc}\n{nfd}\nKIM@CAFÉ.example"
    )
    assert [v.verdict for v in verdicts] == ["new", "twice", "twice"]


def test_a_message_and_a_name_smuggle_nothing_into_the_mail(database: TestDatabase, world: World, cast: Cast) -> None:
    change(database, "UPDATE organizations SET name = E'Evil\\r\\nBcc: x@y.example' WHERE id = %s", cast.northwind)
    organizations.invite(
        cast.ada, organization_id=cast.northwind, people=NEW, message="Hi\x00\ud800 there\n.\nSubject: no"
    )
    with database.superuser() as connection:
        row = connection.execute("SELECT subject, body FROM outbox_messages").fetchone()
    assert row and "\n" not in row[0] and "> Hi there\n> .\n> Subject: no" in row[1]
    with pytest.raises(Invalid, match="at most 1,000 characters"):
        organizations.invite(cast.ada, organization_id=cast.northwind, people="lee@x.example", message="x" * 1001)


def test_an_invitation_is_sent_again_after_a_minute_and_ten_times_a_day(database: TestDatabase, cast: Cast) -> None:
    def resend() -> None:
        organizations.resend_invitation(cast.ada, organization_id=cast.northwind, invitation_id=invitation)

    invitation = invited(cast)
    for _ in range(10):
        resend()
        with pytest.raises(LimitExceeded, match="a moment ago") as waits:
            resend()
        assert 1 <= (waits.value.retry_after or 0) <= 60
        log_earlier(database, minutes=1)
    with pytest.raises(LimitExceeded, match="10 times today"):
        resend()
    with database.superuser() as connection:
        assert connection.execute("SELECT count(*) FROM outbox_messages").fetchone() == (11,)
    log_earlier(database, days=1)
    resend()
