"""When a sign-in ends, the next request is refused the open WebSocket is cut, and nobody takes over what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from nexa_core import accounts, db
from nexa_core.actor import Origin
from tests.nexa_core.api.conftest import PASSWORD
from tests.waiting import until


def _sign_out(cookie: str, people: Any, world: Any, server: Any) -> None:
    accounts.sign_out(accounts.actor_of_cookie(Origin(), cookie=cookie))


def _sign_out_in_the_browser(cookie: str, people: Any, world: Any, server: Any) -> None:
    with server.client(cookie) as client:
        assert client.post("/api/auth/sign-out").status_code == 204


def _change_the_password_elsewhere(cookie: str, people: Any, world: Any, server: Any) -> None:
    elsewhere = accounts.actor_of_cookie(Origin(), cookie=server.sign_in("ada@northwind.example"))
    accounts.change_password(elsewhere, current=PASSWORD, new="another quiet walk by the sea")


def _end_from_my_account(cookie: str, people: Any, world: Any, server: Any) -> None:
    elsewhere = accounts.actor_of_cookie(Origin(), cookie=server.sign_in("ada@northwind.example"))
    assert accounts.end_other_sign_ins(elsewhere) == 1


def _suspend_the_person(cookie: str, people: Any, world: Any, server: Any) -> None:
    accounts.suspend_user(world.actor(people["root"], people["platform"]), user_id=people["ada"], reason="a test")


def _revoke_as_admin(cookie: str, people: Any, world: Any, server: Any) -> None:
    root = world.actor(people["root"], people["platform"])
    assert accounts.end_sign_ins_of(root, user_id=people["ada"], reason="a test") == 1


def _change_behind_our_back(*statements: str) -> Callable[..., None]:
    """What another process, or somebody with psql, may do."""

    def change(cookie: str, people: Any, world: Any, server: Any) -> None:
        with world.database.superuser() as connection, connection.transaction():
            world.name_the_change(connection)
            for statement in statements:
                connection.execute(statement.encode(), people)

    return change


ENDINGS = {
    "sign-out": _sign_out,
    "sign-out in the browser": _sign_out_in_the_browser,
    "password change": _change_the_password_elsewhere,
    "ended from my account": _end_from_my_account,
    "suspension": _suspend_the_person,
    "admin revocation": _revoke_as_admin,
    "membership removal": _change_behind_our_back(
        "INSERT INTO organization_memberships (user_id, organization_id, role, status)"
        " VALUES (%(ada)s, %(contoso)s, 'member', 'active')",
        "UPDATE organization_memberships SET role = 'owner' WHERE user_id = %(ben)s",
        "DELETE FROM organization_memberships WHERE user_id = %(ada)s AND organization_id = %(northwind)s",
    ),
    "membership suspension": _change_behind_our_back(
        "UPDATE organization_memberships SET role = 'owner' WHERE user_id = %(ben)s",
        "UPDATE organization_memberships SET status = 'suspended' WHERE user_id = %(ada)s",
    ),
    "suspension of the organization": _change_behind_our_back(
        "UPDATE organizations SET status = 'suspended' WHERE id = %(northwind)s"
    ),
    "expiry": _change_behind_our_back(
        "UPDATE user_sessions SET expires_at = now() - interval '1 second' WHERE user_id = %(ada)s"
    ),
}


@pytest.mark.parametrize("how", ENDINGS)
def test_the_end_of_a_sign_in_is_felt_at_once(server: Any, people: Any, world: Any, how: str) -> None:
    cookie, bystander = server.sign_in("ada@northwind.example"), server.sign_in("eve@contoso.example")
    with (
        server.tab(cookie) as tab,
        server.tab(bystander) as other,
        server.tab() as stranger,
        server.client(cookie) as client,
    ):
        secret, session_id = tab.rerun().shown("secret"), tab.session_id
        assert client.get("/api/me").status_code == 200
        time.sleep(1)  # several rounds of the watcher
        assert [each.is_open() for each in (tab, other, stranger)] == [True, True, True]

        ENDINGS[how](cookie, people, world, server)
        ended = time.monotonic()

        assert client.get("/api/me").status_code == 401  # at once: every request asks the database
        assert client.get("/media/x").status_code == 401
        tab.wait_for_end()
        print(f"\n{how}: the WebSocket was closed {time.monotonic() - ended:.2f} s later")
        assert tab.close_code == 4401
        assert [each.is_open() for each in (other, stranger)] == [True, True]
    with server.tab(cookie, resume=session_id) as again:
        assert again.rerun().shown("sign-in") == "None"
        assert again.session_id != session_id
        assert secret not in again.screen


def test_the_application_hears_nothing_more_from_a_socket_that_was_cut(server: Any, people: Any) -> None:
    from streamlit.runtime import Runtime

    cookie = server.sign_in("ada@northwind.example")
    with server.tab(cookie) as tab:
        session_id = tab.rerun().session_id
        assert Runtime.instance().is_active_session(session_id)
        _sign_out(cookie, people, None, server)
        tab.wait_for_end()
        until(lambda: not Runtime.instance().is_active_session(session_id))  # the browser may hear of it first


def test_a_socket_opened_before_signing_in_stays_nobodys(server: Any, people: Any) -> None:
    with server.tab() as tab:
        assert tab.rerun().shown("sign-in") == "None"
        server.sign_in("ada@northwind.example")
        time.sleep(1)
        assert tab.rerun().shown("sign-in") == "None"


def test_signing_in_anew_ends_the_sign_in_it_replaces(server: Any, people: Any) -> None:
    ada = server.sign_in("ada@northwind.example")
    ticket = accounts.sign_in(Origin(), email="eve@contoso.example", password=PASSWORD).ticket
    with server.tab(ada) as tab, server.client(ada) as client:
        tab.rerun()
        assert client.post("/api/auth/cookie", json={"ticket": ticket}).status_code == 204
        tab.wait_for_end()
    with server.client(ada) as client:
        assert client.get("/api/me").status_code == 401


@pytest.mark.parametrize("state", ["live", "disconnected"])
@pytest.mark.parametrize("victim", ["ada@northwind.example", None])
def test_a_stolen_streamlit_session_id_is_worth_nothing(
    server: Any, people: Any, state: str, victim: str | None
) -> None:
    """25 thefts each of four kinds, by somebody signed in, by a stranger, and by the victim's own second sign-in."""
    thieves = [server.sign_in("eve@contoso.example"), None, server.sign_in("ada@northwind.example"), "not-a-cookie"]
    takeovers, thefts = 0, 0
    cookie = server.sign_in(victim) if victim else None
    for thief in thieves:
        for _ in range(7):
            with ExitStack() as stack:
                tab = stack.enter_context(server.tab(cookie)).rerun()
                secret, session_id = tab.shown("secret"), tab.session_id
                assert secret
                if state == "disconnected":
                    stack.close()
                with server.tab(thief, resume=session_id) as stolen:
                    stolen.rerun()
                    thefts += 1
                    takeovers += stolen.session_id == session_id or secret in stolen.screen
                if state == "live":
                    assert tab.is_open()
    print(f"\n{takeovers} takeovers in {thefts} thefts of a {state} session of {victim or 'a stranger'}")
    assert (takeovers, thefts) == (0, 28)


def test_the_own_tab_resumes_its_session_after_a_dropped_connection(server: Any, people: Any) -> None:
    """The control of the thefts: the very same request by the same sign-in does resume."""
    cookie = server.sign_in("ada@northwind.example")
    with server.tab(cookie) as tab:
        secret, session_id = tab.rerun().shown("secret"), tab.session_id
    with server.tab(cookie, resume=session_id) as again:
        assert again.rerun().session_id == session_id
        assert again.shown("secret") == secret


def test_an_outage_of_the_database_closes_no_socket_and_hides_in_no_500(
    server: Any, people: Any, database: Any
) -> None:
    cookie = server.sign_in("ada@northwind.example")
    with server.tab(cookie) as tab, server.client(cookie) as client:
        session_id = tab.rerun().session_id
        db.configure("postgresql://nexa_app@127.0.0.1:1/nowhere")
        try:
            for path in ("/api/me", "/media/x"):
                answer = client.get(path)
                assert answer.status_code == 503, answer.text
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["retry-after"]
                assert answer.json()["detail"].endswith(".")
            assert client.get("/").status_code == 200
            assert client.get("/api/healthz").status_code == 200
            with pytest.raises(InvalidStatus) as refused, server.tab(cookie, resume=session_id):
                pass  # a browser tries again; letting it in as a stranger would show the sign-in page
            assert refused.value.response.status_code == 503
            time.sleep(1.5)
            assert tab.is_open()
        finally:
            database.configure()
        assert client.get("/api/me").status_code == 200
        assert tab.is_open()
        _sign_out(cookie, people, None, server)
        tab.wait_for_end()
        assert tab.close_code == 4401
