"""Whatever goes wrong, a person reads a sentence and a reference, and the log has the rest under the same reference."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import structlog
from streamlit.testing.v1 import AppTest

from nexa_core import organizations
from nexa_core.architecture_sessions import ReasonNeeded
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NexaError, NotFound, Unavailable
from pages._ui import errors
from tests.pages.conftest import Shell
from tests.worlds import World

SECRET = "postgresql://nexa:hunter2@db.internal/nexa"


@pytest.fixture
def signed_in(world: World, shell: Shell) -> AppTest:
    organization = world.organization()
    return shell(world.sign_in(world.person("ada@northwind.example", organization, role="owner"), organization))


def _reference(sentence: str) -> str:
    found = re.search(r"Reference ([0-9a-f]{8})", sentence)
    assert found, sentence
    return found[1]


def test_an_unexpected_error_is_a_sentence_with_the_reference_that_is_logged(
    signed_in: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"cannot reach {SECRET}")

    monkeypatch.setattr(organizations, "summary", broken)
    with structlog.testing.capture_logs() as lines:
        app = signed_in.run()
    assert not app.exception
    assert len(app.error) == 1 and "Something went wrong on our side" in app.error[0].value
    words = app.error[0].value
    assert (
        words.startswith("Something went wrong on our side") and "hunter2" not in words and "RuntimeError" not in words
    )
    logged = [line for line in lines if line["event"] == "unexpected"]
    assert [line["incident"] for line in logged] == [_reference(app.error[0].value)]
    assert isinstance(logged[0]["exc_info"], RuntimeError)


@pytest.mark.parametrize("kind", [Invalid, Forbidden, NotFound, Conflict, LimitExceeded, Unavailable, NexaError])
def test_a_refusal_is_its_own_sentence_with_what_to_do_next(
    signed_in: AppTest, monkeypatch: pytest.MonkeyPatch, kind: type[NexaError]
) -> None:
    def refuse(*_: object) -> None:
        raise kind("The kettle is *empty*.")

    monkeypatch.setattr(organizations, "summary", refuse)
    with structlog.testing.capture_logs() as lines:
        app = signed_in.run()
    assert not app.exception
    (box,) = [*app.error, *app.warning]
    words = box.value.replace("\\", "")
    assert "The kettle is *empty*." in words and "\\*empty" in box.value, "shown literally, not as Markdown"
    assert len(words) > len("The kettle is *empty*. Reference 12345678") + 10
    assert box.icon.startswith(":material/")
    assert [line["incident"] for line in lines if line["event"] == "refused"] == [_reference(box.value)]


def test_who_is_asked_for_a_reason_is_not_sent_to_somebody_else(
    signed_in: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ReasonNeeded("Say why you open it.")

    monkeypatch.setattr(organizations, "summary", refuse)
    (box,) = signed_in.run().warning
    assert "Say why you open it" in box.value and "Ask an owner" not in box.value


def test_the_reference_is_the_request_id_of_the_audit_log(signed_in: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def refuse(actor: object) -> None:
        seen.append(str(actor.origin.request_id))  # type: ignore[attr-defined]
        raise NotFound("There is no such thing.")

    monkeypatch.setattr(organizations, "summary", refuse)
    app = signed_in.run()
    assert _reference(app.warning[0].value) == seen[0][:8]


def test_a_database_that_is_away_is_a_sentence_even_before_anybody_is_known(
    signed_in: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("The database cannot be reached.")

    monkeypatch.setattr("pages._ui.gate.accounts.actor_of_user_session", away)
    app = signed_in.run()
    assert not app.exception and not app.title
    assert "The database cannot be reached" in app.error[0].value


def test_a_callback_that_fails_is_shown_by_the_same_hand() -> None:
    def script() -> None:
        import streamlit as st

        from nexa_core.errors import Conflict
        from pages._ui import errors

        st.session_state["shown"] = errors.show(Conflict("Somebody else was faster."))

    app = AppTest.from_function(script).run()
    assert app.session_state["shown"] is True
    assert "Somebody else was faster" in app.warning[0].value


def test_streamlit_is_told_to_show_no_error_of_its_own() -> None:
    wiring = (Path(errors.__file__).parents[2] / "app.py").read_text()
    assert "on_script_error" in wiring
