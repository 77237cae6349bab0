"""What the verbs of notifications leave in the audit log."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from nexa_core import db, notifications
from tests.promises.audited_rows import Case, Stage

DOMAIN = notifications


def _mail(stage: Stage) -> UUID:
    with db.metering(stage.ada) as transaction:
        return _send(transaction, stage)


def _send(transaction: Any, stage: Stage) -> UUID:
    return notifications.send_mail(
        transaction, recipient="bob@northwind.example", subject="Hello", body="Bob", organization_id=stage.northwind
    )


def _send_by_itself(stage: Stage) -> None:
    with db.metering(stage.ada) as transaction:
        _send(transaction, stage)


CASES: dict[str, Case] = {
    "notifications.send_mail": Case(lambda s, _: _send_by_itself(s)),
    "notifications.deliver": Case(lambda s, mail: notifications.deliver(s.root, message_id=mail), (), _mail),
    "notifications.waiting_mail": Case(lambda s, _: notifications.waiting_mail(s.root)),
}
