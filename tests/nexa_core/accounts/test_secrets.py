"""Secrets stay where they are needed: never in the audit log, never in a log, never in clear in the database."""

from __future__ import annotations

import contextlib
import logging
from uuid import UUID

import pytest

from nexa_core import accounts, logs
from nexa_core.accounts import tokens
from nexa_core.actor import Origin
from nexa_core.errors import NexaError

PASSWORD = "canary one sings at dawn"
SECOND = "canary two sings at noon"
THIRD = "canary three sings at dusk"
WRONG = "canary four was never right"
EMAIL = "ada@northwind.example"
STRANGER = "canary.stranger@elsewhere.example"
FROM = Origin(ip_address="203.0.113.7", user_agent="tests")


def _everything(database, world) -> list[str]:
    """Call every verb that touches a secret; the secrets, in clear and as they are stored."""
    ada = world.person(EMAIL, world.organization("Northwind"), "owner", password=PASSWORD)
    secrets = [PASSWORD, SECOND, THIRD, WRONG, STRANGER]

    def hashes() -> None:
        with database.superuser() as connection:
            secrets.extend(
                row[0] for row in connection.execute("SELECT password_hash FROM users WHERE password_hash <> ''")
            )

    hashes()
    for email in (EMAIL, STRANGER):
        for _ in range(2 if email == EMAIL else 6):
            with contextlib.suppress(NexaError):
                accounts.sign_in(FROM, email=email, password=WRONG)
        accounts.request_password_reset(FROM, email=email)
    ticket = accounts.sign_in(FROM, email=EMAIL, password=PASSWORD).ticket
    cookie = accounts.open_browser_sign_in(FROM, ticket=ticket).cookie
    actor = accounts.actor_of_cookie(FROM, cookie=cookie)
    first = accounts.issue_tokens(FROM, email=EMAIL, password=PASSWORD)
    second = accounts.refresh_tokens(FROM, refresh_token=first.refresh_token)
    with contextlib.suppress(NexaError):
        accounts.refresh_tokens(FROM, refresh_token=first.refresh_token)
    with contextlib.suppress(NexaError):
        accounts.change_password(actor, current=WRONG, new=SECOND)
    accounts.change_password(actor, current=PASSWORD, new=SECOND)
    hashes()
    accounts.request_password_reset(FROM, email=EMAIL)
    with database.superuser() as connection:
        links = connection.execute(
            "SELECT link FROM outbox_messages WHERE link IS NOT NULL ORDER BY created_at"
        ).fetchall()
    mailed = [link.partition("token=")[2] for (link,) in links]
    accounts.set_password(FROM, token=mailed[-1], password=THIRD)
    hashes()
    admin_link = accounts.create_admin("root@nexa.example").partition("token=")[2]
    clear = [ticket, cookie, first.access_token, first.refresh_token, second.access_token, second.refresh_token]
    clear += [*mailed, admin_link]
    secrets += clear + [tokens.digest(secret) for secret in clear]
    assert isinstance(ada, UUID)
    return secrets


def _found(secrets: list[str], text: str) -> list[str]:
    return [secret[:12] for secret in secrets if secret in text]


def test_no_secret_reaches_the_audit_log(database, world):
    secrets = _everything(database, world)
    with database.superuser() as connection:
        log = "\n".join(row[0] for row in connection.execute("SELECT to_jsonb(audit_logs)::text FROM audit_logs"))
        actions = {row[0] for row in connection.execute("SELECT action FROM audit_logs")}
    assert {
        "user.signed_in", "user.sign_in_failed", "user.locked", "user.password_changed", "user.password_reset",
        "user.password_reset_requested", "sign_in.refresh_reused",
    } <= actions  # fmt: skip
    assert _found(secrets, log) == []
    assert _found(["northwind"], log) == ["northwind"]  # the search itself finds what is there


def test_no_secret_reaches_a_log_whatever_its_level(database, world, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = _everything(database, world)
    assert _found(secrets, caplog.text) == []


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_reaches_a_log_when_the_database_refuses_what_holds_one(database, world, capsys, monkeypatch, form):
    from nexa_core.config import settings

    secrets = _everything(database, world)
    monkeypatch.setenv("NEXA_LOG_FORMAT", form)
    settings.cache_clear()
    kept = logging.getLogger().handlers[:]
    logs.configure()
    try:
        with database.superuser() as connection:
            connection.execute(
                "ALTER TABLE one_time_tokens ADD CONSTRAINT broken CHECK (purpose = 'nothing') NOT VALID"
            )
            connection.execute("ALTER TABLE users ADD CONSTRAINT broken CHECK (password_hash IS NULL) NOT VALID")
        from sqlalchemy import text

        from nexa_core.db import entering

        stored = secrets[5]
        for statement in ("UPDATE users SET password_hash = :v", "SELECT CAST(:v AS integer)", "SELECT nowhere(:v)"):
            try:
                with entering(FROM) as db:
                    db.execute(text(statement), {"v": stored})
            except Exception:
                logs.logger("nexa.tests").exception("refused")
        for verb in (
            lambda: accounts.sign_in(FROM, email=EMAIL, password=THIRD),
            lambda: accounts.request_password_reset(FROM, email=EMAIL),
        ):
            try:
                verb()
            except Exception:
                logs.logger("nexa.tests").exception("refused")
        written = capsys.readouterr().err
    finally:
        logging.getLogger().handlers = kept
    assert written.count("refused") >= 4
    assert _found(secrets, written) == []


def test_no_secret_is_stored_in_clear(database, world):
    secrets = [
        s for s in _everything(database, world) if len(s) != 64 and not s.startswith("$argon2") and s != STRANGER
    ]
    with database.superuser() as connection:
        tables = [row[0] for row in connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace IN"
            " ('public'::regnamespace, 'procrastinate'::regnamespace) AND c.oid::regclass::text <> 'outbox_messages'"
        )]  # fmt: skip
        stored = {
            name: "\n".join(row[0] for row in connection.execute(f"SELECT to_jsonb(t)::text FROM {name} t"))
            for name in tables
        }
    assert {name: found for name in stored if (found := _found(secrets, stored[name]))} == {}
