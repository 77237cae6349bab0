"""Mail leaves with its transaction, once, as plain text, through a real SMTP server; without one it waits."""

from __future__ import annotations

import email
import email.policy
import socket
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from nexa_core import accounts, notifications, usage
from nexa_core.actor import Actor, Origin
from nexa_core.config import settings
from nexa_core.db import entering
from nexa_core.errors import Conflict, Forbidden, Invalid, Misconfigured, NotFound, Unavailable
from nexa_core.notifications import smtp
from nexa_core.notifications.smtp import MailServer
from nexa_core.usage import UsageEvent
from tests.nexa_core.usage.conftest import Customer

LINK = "http://localhost:8501/set-password?token=" + "x" * 43


class Postbox:
    """A mail server's inside: what it took, and whether it takes anything."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.refusal: str | None = None

    async def handle_DATA(self, _server, _session, envelope) -> str:
        if self.refusal:
            return self.refusal
        self.taken.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A real SMTP server that asks for a name and a password."""
    box = Postbox()

    def check(_server, _session, _envelope, _mechanism, login) -> AuthResult:
        good = isinstance(login, LoginPassword) and (login.login, login.password) == (b"nexa", b"p@ss:word")
        return AuthResult(success=good)

    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), authenticator=check, auth_require_tls=False, auth_required=True
    )
    controller.start()
    box.port = controller.port
    yield box
    controller.stop()


def use(monkeypatch, url: str) -> None:
    monkeypatch.setenv("NEXA_SMTP_URL", url)
    monkeypatch.setenv("NEXA_MAIL_FROM", "NEXA <no-reply@nexa.example>")
    settings.cache_clear()


@pytest.fixture
def delivering(postbox, monkeypatch) -> Postbox:
    use(monkeypatch, f"smtp://nexa:p%40ss%3Aword@127.0.0.1:{postbox.port}")
    return postbox


def put(**values) -> object:
    message = {
        "recipient": "ada@northwind.example",
        "subject": "Welcome",
        "body": "Hello Ada,\n\nthis way:",
        "link": LINK,
        **values,
    }
    with entering(Origin()) as db:
        return notifications.send_mail(db, **message)


def row(database) -> tuple:
    with database.superuser() as connection:
        return connection.execute(
            "SELECT body, link, sent_at IS NOT NULL, attempts, last_error FROM outbox_messages"
        ).fetchone()


def queued(database) -> list[tuple]:
    with database.superuser() as connection:
        return connection.execute("SELECT task_name, args FROM procrastinate.procrastinate_jobs").fetchall()


def test_a_mail_is_delivered_once_and_then_blanked(database, delivering):
    message_id = put(subject="Grüße aus NEXA", body="Hello Ada,\n\nthis way to your harbour – four windows:")
    assert notifications.deliver(Actor.system(), message_id=message_id)
    assert not notifications.deliver(Actor.system(), message_id=message_id)
    [mail] = delivering.taken
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        "ada@northwind.example", "NEXA <no-reply@nexa.example>", "Grüße aus NEXA"
    )  # fmt: skip
    assert mail.get_content_type() == "text/plain"
    assert LINK in mail.get_content()
    assert "four windows" in mail.get_content()
    assert mail["Message-ID"] == f"<{message_id}@nexa.example>"
    assert row(database) == (None, None, True, 1, None)


def test_a_mail_and_its_job_appear_only_with_the_transaction_that_wants_them(database):
    with pytest.raises(Conflict), entering(Origin()) as db:
        notifications.send_mail(db, recipient="a@x.example", subject="Hello", body="never")
        raise Conflict("changed my mind")
    assert row(database) is None
    assert queued(database) == []
    message_id = put()
    assert queued(database) == [("deliver_mail", {"message_id": str(message_id)})]


@pytest.mark.parametrize("field", ["recipient", "subject"])
@pytest.mark.parametrize(
    "smuggled", ["a@x.example\r\nBcc: eve@evil.example", "a@x.example\nX: y", "a@x.example\x00", "", " ", "x" * 260]
)
def test_a_header_cannot_be_smuggled_in(database, field, smuggled):
    with pytest.raises(Invalid) as invalid:
        put(**{field: smuggled})
    assert invalid.value.field == field
    assert row(database) is None


@pytest.mark.parametrize(
    "recipient", ["a@x.example, eve@evil.example", "<a@x.example>", "Ada a@x.example", "nobody", "@x", "a@"]
)
def test_a_mail_goes_to_one_address(database, recipient):
    with pytest.raises(Invalid):
        put(recipient=recipient)


def test_without_a_mail_server_the_mail_waits_and_its_link_works(database, world):
    world.person("ada@northwind.example", world.organization("Northwind"), "owner")
    accounts.request_password_reset(Origin(), email="ada@northwind.example")
    with database.superuser() as connection:
        message_id, link = connection.execute("SELECT id, link FROM outbox_messages").fetchone()
    assert not notifications.deliver(Actor.system(), message_id=message_id)
    assert row(database)[2:] == (False, 0, None)
    assert notifications.waiting_mail(Actor.system()) == ()
    accounts.set_password(Origin(), token=link.partition("token=")[2], password="four windows over the harbour")


def test_what_waited_is_found_when_a_mail_server_is_named_later(database, monkeypatch, postbox):
    message_id = put()
    use(monkeypatch, f"smtp://nexa:p%40ss%3Aword@127.0.0.1:{postbox.port}")
    assert notifications.waiting_mail(Actor.system()) == ()  # its own job has its turn first
    with database.superuser() as connection:
        connection.execute("UPDATE outbox_messages SET created_at = now() - interval '2 minutes'")
    assert notifications.waiting_mail(Actor.system()) == (message_id,)


def test_a_refusal_is_counted_and_told_without_the_mails_words(database, delivering):
    delivering.refusal = f"554 I will not take {LINK}"
    message_id = put()
    for attempt in (1, 2):
        with pytest.raises(Unavailable):
            notifications.deliver(Actor.system(), message_id=message_id)
        body, link, sent, attempts, error = row(database)
        assert (sent, attempts) == (False, attempt)
        assert body
        assert link == LINK
        assert "554" in error
        assert "token" not in error
    delivering.refusal = None
    assert notifications.deliver(Actor.system(), message_id=message_id)
    assert row(database) == (None, None, True, 3, None)


@pytest.mark.parametrize(
    "url",
    [
        "smtp://nexa:wrong@127.0.0.1:{port}",
        "smtp://127.0.0.1:{port}",
        "smtp://127.0.0.1:{closed}",
        "smtp://127.0.0.1:{port}?starttls=1",
        "smtps://127.0.0.1:{port}",
    ],
)
def test_a_server_that_cannot_be_used_leaves_the_mail_waiting(database, postbox, monkeypatch, url):
    monkeypatch.setattr(smtp, "_TIMEOUT_SECONDS", 2)
    use(monkeypatch, url.format(port=postbox.port, closed=free_port()))
    with pytest.raises(Unavailable) as unavailable:
        notifications.deliver(Actor.system(), message_id=put())
    assert "wrong" not in unavailable.value.sentence
    assert row(database)[2:4] == (False, 1)
    assert postbox.taken == []


def test_a_mail_that_left_but_could_not_be_marked_is_not_swept_out_again_for_ever(database, delivering):
    message_id = put()
    with database.superuser() as connection:
        connection.execute("UPDATE outbox_messages SET created_at = now() - interval '2 minutes'")
        connection.execute("ALTER TABLE outbox_messages ADD CONSTRAINT broken CHECK (sent_at IS NULL)")
    with pytest.raises(Conflict):
        notifications.deliver(Actor.system(), message_id=message_id)
    assert len(delivering.taken) == 1
    assert notifications.waiting_mail(Actor.system()) == ()


def test_two_deliveries_at_once_send_one_mail(database, delivering):
    from concurrent.futures import ThreadPoolExecutor

    message_id = put()
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda _: notifications.deliver(Actor.system(), message_id=message_id), range(8)))
    assert sum(sent) == 1
    assert len(delivering.taken) == 1


def test_only_the_platform_may_deliver_and_only_what_exists(database, world, delivering):
    from uuid import uuid4

    northwind = world.organization("Northwind")
    actor = world.actor(world.person("ada@northwind.example", northwind, "owner"), northwind)
    for verb in (lambda: notifications.deliver(actor, message_id=uuid4()), lambda: notifications.waiting_mail(actor)):
        with pytest.raises(Forbidden):
            verb()
    with pytest.raises(NotFound):
        notifications.deliver(Actor.system(), message_id=uuid4())


def test_who_wants_no_mail_about_limits_gets_none(world, delivering):
    customer = Customer(world, usage_limits={"monthly_credits": 100})
    settings_of = {"quiet": {"usage": False}, "loud": {"usage": True}, "else": {"product": False}, "odd": {"usage": 0}}
    for name, wanted in settings_of.items():
        world.person(f"{name}@northwind.example", customer.id, role="billing", notification_settings=wanted)
    usage.record(customer.actor, [UsageEvent("ai_call", "a", 90)])
    assert usage.raise_alerts(Actor.system()) == 1
    with world.database.superuser() as connection:
        for (message_id,) in connection.execute("SELECT id FROM outbox_messages").fetchall():
            notifications.deliver(Actor.system(), message_id=message_id)
    told = {mail["To"].partition("@")[0] for mail in delivering.taken}
    assert told == {"owner", "loud", "else", "odd"}


def test_a_mail_servers_address_is_read_as_written():
    assert MailServer.of("smtp://host").port == 25
    assert MailServer.of("smtp://host?starttls=1").port == 587
    assert MailServer.of("smtps://u%40x:p%3A@host:2465") == MailServer("host", 2465, True, False, "u@x", "p:")
    assert MailServer.of("smtp://nexa:p@host:587").starttls, "as the README writes it"
    assert not MailServer.of("smtp://host:587?starttls=0").starttls
    for url in ("http://host", "smtp://", "host:25", "smtp://host:port"):
        with pytest.raises(Misconfigured):
            MailServer.of(url)


@pytest.mark.parametrize("host", ["mail.example", "192.0.2.7:25", "mail.example:587?starttls=0"])
def test_a_password_goes_in_clear_to_no_other_machine(host):
    with pytest.raises(Misconfigured, match="in clear"):
        MailServer.of(f"smtp://nexa:secret@{host}")
    for here in ("localhost", "127.0.0.1:25", "[::1]:2525"):
        assert not MailServer.of(f"smtp://nexa:secret@{here}").starttls
