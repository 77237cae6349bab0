"""Logs: one line an event, the context on it, and no secret in it."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from procrastinate.exceptions import ConnectorException

from nexa_core import logs
from nexa_core.config import settings

CANARY = "canary-4f9d1c7be2"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.fixture(autouse=True)
def _as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXA_LOG_FORMAT", "json")
    settings.cache_clear()
    logs.configure()


def test_an_event_is_one_line_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    with structlog.contextvars.bound_contextvars(request_id="r1", actor="ada"):
        logs.logger("web").info("request", duration_ms=3)
    (line,) = lines(capsys)
    assert (line["event"], line["request_id"], line["actor"], line["duration_ms"]) == ("request", "r1", "ada", 3)
    assert line["logger"] == "nexa.web"


@pytest.mark.parametrize(
    "fields",
    [
        {"password": CANARY},
        {"values": {"refresh_token": CANARY}},
        {"headers": [{"Cookie": f"nexa={CANARY}"}]},
        {"detail": f"password={CANARY}&x=1"},
        {"url": f"postgresql://nexa:{CANARY}@db/nexa"},
        {"hash": f"$argon2id$v=19$m=19456,t=2,p=1${CANARY}"},
        {"bearer": f"eyJhbGciOiJIUzI1NiJ9.{CANARY}.{CANARY}"},
    ],
)
def test_secrets_never_reach_a_log(capsys: pytest.CaptureFixture[str], fields: dict[str, object]) -> None:
    logs.configure()
    logs.logger().info("event", **fields)
    assert CANARY not in (said := capsys.readouterr().err)
    assert logs.HIDDEN in said


def test_a_queue_that_lost_its_database_says_so_in_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    for error in (ConnectorException(), ValueError("another fault")):
        try:
            raise error
        except Exception:
            logging.getLogger("procrastinate.worker").exception("Main coroutine error")
    lost, other = lines(capsys)
    assert lost["reason"] == "the database cannot be reached" and "exception" not in lost
    assert "another fault" in json.dumps(other["exception"])


def test_a_traceback_hides_secrets_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    try:
        local = f"a local value: {CANARY}"
        assert local
        raise ValueError(f"no login with password={CANARY}")
    except ValueError:
        logs.logger().exception("failed")
    said = capsys.readouterr().err
    assert CANARY not in said
    assert "ValueError" in said
    assert len(said.splitlines()) == 1


def test_libraries_log_through_the_same_door(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    logging.getLogger("uvicorn.error").warning("token=%s", CANARY)
    (line,) = lines(capsys)
    assert line["event"] == f"token={logs.HIDDEN}"
