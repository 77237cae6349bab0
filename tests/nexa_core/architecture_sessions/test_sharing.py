"""Share links: what a token opens, what it never opens, and what a client's approval is bound to."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

from nexa_core import architecture_sessions as sessions
from nexa_core import audit
from nexa_core.actor import Actor, Origin
from nexa_core.architecture_sessions import diagrams
from nexa_core.architecture_sessions.sections import digest_of
from nexa_core.errors import Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unauthenticated
from tests.databases import TestDatabase
from tests.nexa_core.architecture_sessions.documents import FLOW, documents
from tests.worlds import World

HERE = Origin(ip_address="198.51.100.9", user_agent="a client's browser")


@pytest.fixture
def people(world: World) -> dict[str, Actor]:
    northwind, contoso = world.organization("Northwind"), world.organization("Contoso")
    made = {}
    for name, organization, role in (
        ("ada", northwind, "owner"), ("vic", northwind, "viewer"), ("eve", contoso, "owner"),
    ):  # fmt: skip
        made[name] = world.actor(world.person(f"{name}@{organization}.example", organization, role=role), organization)
    return made


@pytest.fixture
def ada(people: dict[str, Actor]) -> Actor:
    return people["ada"]


@pytest.fixture
def uuid(ada: Actor) -> UUID:
    return sessions.create(ada, title="Portal for Fabrikam", client="Fabrikam", documents=documents()).uuid


def token_of(made: sessions.NewShareLink) -> str:
    return made.address.rpartition("/")[2]


@pytest.fixture
def token(ada: Actor, uuid: UUID) -> str:
    return token_of(sessions.share(ada, uuid=uuid))


def test_who_types_while_a_session_is_shared_is_in_nobodys_way(
    ada: Actor, uuid: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typed_meanwhile(_shown: object) -> None:
        sessions.save(ada, uuid=uuid, version=None, documents={"sow_objects": {"sections": []}})

    monkeypatch.setattr(import_module("nexa_core.architecture_sessions.share_links"), "require_ready", typed_meanwhile)
    made = sessions.share(ada, uuid=uuid)
    assert sessions.visit(HERE, token=token_of(made)).documents == documents()
    assert sessions.get(ada, uuid=uuid).documents["sow_objects"] == {"sections": []}


def test_what_is_shared_is_drawn_ahead_of_its_visitors(ada: Actor, uuid: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(sessions.share(ada, uuid=uuid))
    monkeypatch.setattr(diagrams, "_memory", diagrams._Memory())  # another process's
    monkeypatch.setattr(diagrams._pen, "draw", lambda _text: pytest.fail("a visitor waited for a drawing"))
    digest = sessions.diagram_digest(FLOW)
    media_type, _ = sessions.picture(HERE, token=token, key=None, kind="drawing", digest=digest)
    assert media_type == "image/svg+xml"


def test_a_link_shows_its_revision_whatever_is_written_afterwards(ada: Actor, uuid: UUID, token: str) -> None:
    before = sessions.visit(HERE, token=token)
    view = sessions.get(ada, uuid=uuid)
    sow = documents()["sow_objects"]
    sow["sections"][0]["markdown"] = "Rewritten."
    sessions.save(ada, uuid=uuid, version=view.version, documents={"sow_objects": sow})
    after = sessions.visit(HERE, token=token)
    assert after.documents == before.documents == documents()
    assert after.revision == before.revision < sessions.get(ada, uuid=uuid).revision


def test_only_the_chosen_pages_leave_the_database(ada: Actor, uuid: UUID) -> None:
    token = token_of(sessions.share(ada, uuid=uuid, pages=["sow"]))
    shared = sessions.visit(HERE, token=token)
    assert shared.pages == ("sow",)
    assert set(shared.documents) == {"sow_objects"}
    assert "Sign in with a passkey" not in repr(shared), "a title of the structuring page came along"
    with pytest.raises(NotFound):
        sessions.picture(HERE, token=token, key=None, kind="drawing", digest=sessions.diagram_digest("flowchart LR"))
    section = shared.sections[0]
    with pytest.raises(NotFound):
        _respond(token, shared, page="loe", part="effort", digest=section.digest)


def test_the_token_is_kept_as_a_hash_alone(database: TestDatabase, token: str) -> None:
    assert len(token) >= 43
    with database.superuser() as connection:
        stored = connection.execute("SELECT l::text FROM share_links l").fetchone()
        noted = connection.execute("SELECT string_agg(l::text, ' ') FROM audit_logs l").fetchone()
    assert stored is not None
    assert noted is not None
    assert token not in stored[0]
    assert token not in noted[0]


def _as_superuser(database: TestDatabase, statement: str) -> None:
    with database.superuser() as connection, connection.transaction():
        World.name_the_change(connection)
        connection.execute(statement.encode())


def test_a_link_that_ended_leads_nowhere(database: TestDatabase, ada: Actor, uuid: UUID, token: str) -> None:
    """Each end in turn, taken back in between: the control is that the link opens again."""
    ends = [
        ("UPDATE share_links SET revoked_at = now()", "UPDATE share_links SET revoked_at = NULL"),
        ("UPDATE share_links SET expires_at = now()", "UPDATE share_links SET expires_at = now() + interval '1 hour'"),
        *[
            (f"UPDATE ai_architecture_sessions SET {column} = now()",
             f"UPDATE ai_architecture_sessions SET {column} = NULL")
            for column in ("deleted_at", "purged_at")
        ],
        ("UPDATE organizations SET status = 'suspended' WHERE name = 'Northwind'",
         "UPDATE organizations SET status = 'active' WHERE name = 'Northwind'"),
    ]  # fmt: skip
    shared = sessions.visit(HERE, token=token)
    for end, undo in ends:
        _as_superuser(database, end)
        for reach in (
            lambda: sessions.visit(HERE, token=token),
            lambda: sessions.unlock(HERE, token=token, passcode="anything"),
            lambda: _respond(token, shared),
            lambda: sessions.picture(HERE, token=token, key=None, kind="logo"),
        ):
            with pytest.raises(NotFound):
                reach()
        _as_superuser(database, undo)
        assert sessions.visit(HERE, token=token).title == shared.title, undo
    sessions.revoke_share(ada, link_id=shared.link_id)
    sessions.revoke_share(ada, link_id=shared.link_id)
    with pytest.raises(NotFound):
        sessions.visit(HERE, token=token)
    assert sessions.share_links(ada, uuid=uuid) == ()
    assert [link.state for link in sessions.share_links(ada, uuid=uuid, state=None)] == ["revoked"]


def test_what_is_no_token_leads_nowhere(database: TestDatabase) -> None:
    for guess in ("", "x", "a" * 43, "%00", "../" * 9, "é" * 43, "a" * 10_000):
        with pytest.raises(NotFound):
            sessions.visit(HERE, token=guess)


def test_another_organization_neither_shares_nor_sees_nor_revokes(
    people: dict[str, Actor], ada: Actor, uuid: UUID, token: str
) -> None:
    eve = people["eve"]
    link = sessions.share_links(ada)[0]
    with pytest.raises(NotFound):
        sessions.share(eve, uuid=uuid)
    with pytest.raises(NotFound):
        sessions.revoke_share(eve, link_id=link.id)
    with pytest.raises(NotFound):
        sessions.share_responses(eve, uuid=uuid)
    with pytest.raises(NotFound):
        sessions.share_links(eve, uuid=uuid)
    assert sessions.share_links(eve) == ()
    assert sessions.visit(HERE, token=token).title == "Portal for Fabrikam"


def test_a_viewer_reads_the_links_and_makes_none(people: dict[str, Actor], uuid: UUID, token: str) -> None:
    vic = people["vic"]
    link = sessions.share_links(vic)[0]
    for refused in (lambda: sessions.share(vic, uuid=uuid), lambda: sessions.revoke_share(vic, link_id=link.id)):
        with pytest.raises(Forbidden):
            refused()


def test_a_link_that_makes_no_sense_is_refused(ada: Actor, uuid: UUID) -> None:
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"pages": []}, "pages"), ({"pages": ["audit"]}, "pages"), ({"days": 0}, "days"), ({"days": 366}, "days"),
        ({"days": True}, "days"), ({"passcode": "12345"}, "passcode"), ({"label": "x" * 256}, "label"),
    ]  # fmt: skip
    for wrong, field in wrongs:
        with pytest.raises(Invalid) as refused:
            sessions.share(ada, uuid=uuid, **wrong)
        assert refused.value.field == field


def test_the_log_says_which_session_was_shared(ada: Actor, uuid: UUID, token: str) -> None:
    sessions.revoke_share(ada, link_id=sessions.share_links(ada, uuid=uuid)[0].id)
    told = [entry.sentence for entry in audit.find(ada).items]
    who = told[0].partition(" revoked")[0]
    assert f"{who} revoked a link to the session Portal for Fabrikam" in told
    assert f"{who} shared the session Portal for Fabrikam by link" in told


def test_views_are_counted_and_noted(database: TestDatabase, ada: Actor, uuid: UUID, token: str) -> None:
    sessions.visit(HERE, token=token)
    sessions.visit(HERE, token=token)
    sessions.visit(HERE, token=token, count=False)
    link = sessions.share_links(ada, uuid=uuid)[0]
    assert (link.view_count, link.last_viewed_at is not None) == (2, True)
    with database.superuser() as connection:
        noted = connection.execute(
            "SELECT count(*), min(host(ip_address)), bool_and(organization_id = %s) FROM audit_logs"
            " WHERE action = 'share_link.viewed'",
            [ada.organization_id],
        ).fetchone()
    assert noted == (2, HERE.ip_address, True)


def test_a_passcode_stands_before_the_page_and_a_key_is_for_its_link_alone(ada: Actor, uuid: UUID) -> None:
    token, other = (token_of(sessions.share(ada, uuid=uuid, passcode=code)) for code in ("open sesame", "another one"))
    with pytest.raises(sessions.PasscodeNeeded) as asked:
        sessions.visit(HERE, token=token)
    assert asked.value.branding.name == "Northwind"
    assert "Fabrikam" not in repr(vars(asked.value)), "what is protected was told"
    with pytest.raises(Unauthenticated):
        sessions.unlock(HERE, token=token, passcode="open sesame!")
    key = sessions.unlock(HERE, token=token, passcode="open sesame")
    assert sessions.visit(HERE, token=token, key=key).title == "Portal for Fabrikam"
    with pytest.raises(sessions.PasscodeNeeded):
        sessions.visit(HERE, token=other, key=key)
    with pytest.raises(sessions.PasscodeNeeded):
        sessions.picture(HERE, token=token, key=None, kind="image", digest="0" * 64)


def test_parallel_guesses_buy_no_more_than_the_attempts(database: TestDatabase, ada: Actor, uuid: UUID) -> None:
    token = token_of(sessions.share(ada, uuid=uuid, passcode="open sesame"))
    outcomes: list[str] = []
    lock = threading.Lock()

    def guess(number: int) -> None:
        try:
            sessions.unlock(HERE, token=token, passcode=f"guess {number}")
        except (Unauthenticated, LimitExceeded) as error:
            with lock:
                outcomes.append(type(error).__name__)

    from nexa_core.accounts import passwords

    before = passwords.VERIFICATIONS.labels("argon2id")._value.get()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(24)))
    assert passwords.VERIFICATIONS.labels("argon2id")._value.get() - before == 5
    assert len(outcomes) == 24
    with pytest.raises(LimitExceeded):  # the right one waits too
        sessions.unlock(HERE, token=token, passcode="open sesame")
    _as_superuser(
        database, "UPDATE share_links SET locked_until = now(), last_failed_at = now() - interval '2 minutes'"
    )
    assert sessions.unlock(HERE, token=token, passcode="open sesame")


def _respond(token: str, shared: sessions.Shared, **given: Any) -> None:
    section = next((s for s in shared.sections if s.part == given.get("part", "sec-1")), shared.sections[0])
    said = {
        "kind": "approval", "page": section.page, "part": section.part, "digest": section.digest,
        "name": "Cleo Client", "email": "Cleo@fabrikam.example", "form_key": shared.form_key, "key": None, **given,
    }  # fmt: skip
    sessions.respond(HERE, token=token, **said)


@pytest.mark.parametrize("bound_to", ["digest", "stored"])
def test_an_approval_is_bound_to_the_titles_of_other_parts_that_it_shows(
    database: TestDatabase, ada: Actor, uuid: UUID, token: str, bound_to: str
) -> None:
    """``stored`` is what approvals were bound to before: where nothing that is shown has changed they still hold."""
    shared = sessions.visit(HERE, token=token)
    for part in ("milestones", "deliverables"):
        _respond(token, shared, part=part)
        section = next(section for section in shared.sections if section.part == part)
        stored = digest_of(documents()["sow_objects"][part])
        if bound_to == "stored":
            _as_superuser(database, f"UPDATE share_responses SET content_digest = '{stored}' WHERE part = '{part}'")
        assert section.digest != stored

    def changed() -> dict[str, bool]:
        return {one.part: one.changed for one in sessions.share_responses(ada, uuid=uuid)}

    def rename(path: tuple[str, ...], title: str) -> None:
        sessions.save(ada, uuid=uuid, version=None, changes=[sessions.Edit((*path, "title"), title)])

    deliverable, requirement = ("sow_objects", "deliverables", "dlv-1"), ("session_objects", "objects", "req-1")
    rename(("session_objects", "objects", "cmp-2"), "Shown to nobody")
    assert changed() == {"milestones": False, "deliverables": False}
    rename(requirement, "Sign in with a password")
    assert changed() == {"milestones": False, "deliverables": True}
    rename(requirement, "Sign in with a passkey")
    rename(deliverable, "Portal application and its operation")
    assert changed() == {"milestones": True, "deliverables": True}


def test_an_approval_is_bound_to_the_content_and_says_when_that_has_changed(ada: Actor, uuid: UUID, token: str) -> None:
    shared = sessions.visit(HERE, token=token)
    _respond(token, shared)
    _respond(token, shared, part="deliverables", kind="comment", comment="What about\r\nmobile?")
    comment, approval = sessions.share_responses(ada, uuid=uuid)
    assert (approval.kind, approval.title, approval.name, approval.email, approval.changed) == (
        "approval", "Scope", "Cleo Client", "cleo@fabrikam.example", False,
    )  # fmt: skip
    assert (comment.comment, comment.changed) == ("What about\nmobile?", False)
    view = sessions.get(ada, uuid=uuid)
    sow = documents()["sow_objects"]
    sow["sections"][0]["markdown"] += " And more."
    sessions.save(ada, uuid=uuid, version=view.version, documents={"sow_objects": sow})
    comment, approval = sessions.share_responses(ada, uuid=uuid)
    assert (approval.changed, comment.changed) == (True, False)
    link = sessions.share_links(ada, uuid=uuid)[0]
    assert (link.approvals, link.comments) == (1, 1)
    answers = sessions.visit(HERE, token=token).answers
    assert [answer.name for answer in answers["sow", "sec-1"]] == ["Cleo Client"]
    assert "cleo@fabrikam.example" not in repr(answers), "visitors do not read each other's addresses"


def test_an_answer_that_is_none_is_refused(ada: Actor, uuid: UUID, token: str) -> None:
    wrongs: list[tuple[dict[str, Any], type[Exception]]] = [
        ({"form_key": "0" * 64}, Unauthenticated), ({"form_key": "é"}, Unauthenticated),
        ({"digest": "0" * 64}, Conflict),
        ({"part": "sec-9", "page": "sow"}, NotFound), ({"kind": "reject"}, Invalid), ({"name": " "}, Invalid),
        ({"email": "cleo"}, Invalid), ({"kind": "comment"}, Invalid), ({"comment": "x" * 5_001}, Invalid),
        ({"name": "a\x00b"}, Invalid),
    ]  # fmt: skip
    shared = sessions.visit(HERE, token=token)
    for wrong, error in wrongs:
        with pytest.raises(error):
            _respond(token, shared, **wrong)
    assert sessions.share_responses(ada, uuid=uuid) == ()


def test_an_organization_that_insists_shares_only_what_is_ready(ada: Actor, uuid: UUID) -> None:
    bad = documents()["sow_objects"]
    bad["deliverables"][0]["acceptance_criteria"] = []
    view = sessions.get(ada, uuid=uuid)
    sessions.save(ada, uuid=uuid, version=view.version, documents={"sow_objects": bad})
    assert sessions.check_readiness(ada, uuid=uuid).blocked is None
    assert sessions.check_readiness(ada, uuid=uuid).warns
    sessions.share(ada, uuid=uuid)
    sessions.set_readiness_gate(ada, gate="block")
    with pytest.raises(Conflict, match="acceptance criteria"):
        sessions.share(ada, uuid=uuid)
    sessions.set_readiness_gate(ada, gate="off")
    assert not sessions.check_readiness(ada, uuid=uuid).warns
    with pytest.raises(Invalid):
        sessions.set_readiness_gate(ada, gate="maybe")


def test_the_entry_role_reads_no_table_of_sessions(database: TestDatabase, token: str) -> None:
    """A visitor's transaction has functions and nothing else; the control is that it has these."""
    with database.superuser() as connection:
        rights = connection.execute(
            "SELECT c FROM unnest(ARRAY['ai_architecture_sessions', 'session_revisions', 'session_images',"
            " 'session_drawings', 'share_responses', 'organization_logos']) c"
            " WHERE has_any_column_privilege('nexa_entry', c, 'SELECT, INSERT, UPDATE')"
        ).fetchall()
        callable_ = connection.execute(
            "SELECT has_function_privilege('nexa_entry', 'nexa.shared_session(text)', 'EXECUTE'),"
            " has_function_privilege('nexa_tenant', 'nexa.shared_session(text)', 'EXECUTE'),"
            " has_function_privilege('nexa_entry', 'nexa.living_share(text)', 'EXECUTE')"
        ).fetchone()
    assert rights == []
    assert callable_ == (True, False, False)
