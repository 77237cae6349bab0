"""/api/organizations: the verbs of the screens, with the sentences of the screens."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.nexa_core.api.conftest import Served

Person = dict[str, Any]


@pytest.fixture
def ada(server: Served, people: Person) -> Any:
    with server.client(server.sign_in("ada@northwind.example")) as client:
        yield client


def test_an_owner_reads_their_organization_its_members_and_no_other(ada: Any, people: Person) -> None:
    one = ada.get(f"/api/organizations/{people['northwind']}").json()
    assert (one["slug"], one["members"]) == ("northwind", 2)
    members = ada.get(f"/api/organizations/{people['northwind']}/members?role=owner").json()
    assert [member["email"] for member in members] == ["ada@northwind.example"]
    assert "audit.read" in members[0]["permissions"] and "password" not in str(members)
    for path in ("", "/members", "/invitations"):
        for stranger in (people["contoso"], uuid4()):
            answer = ada.get(f"/api/organizations/{stranger}{path}")
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert ada.get("/api/organizations").status_code == 403
    assert ada.get("/api/organizations/northwind").status_code == 404


def test_an_admin_pages_through_everything(server: Served, people: Person) -> None:
    with server.client(server.sign_in("root@nexa.example")) as root:
        first = root.get("/api/organizations?limit=1").json()
        second = root.get(f"/api/organizations?limit=1&after={first['next_cursor']}").json()
        assert [page["items"][0]["name"] for page in (first, second)] == ["Contoso", "Northwind"]
        assert second["next_cursor"] is None
        assert root.get("/api/organizations?limit=0").status_code == 422
        assert root.get("/api/organizations?colour=red").status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"text": "contos"}, ["Contoso"]),
        ({"plan": "starter", "status": "active"}, ["Contoso"]),
        ({"subscription_status": "past_due"}, ["Contoso"]),
        ({"account_manager_id": "root"}, ["Northwind"]),
        ({"over_limit": "true"}, []),
        ({"without_owner": "true"}, ["Orphan"]),
        ({"demo": "true"}, ["Contoso"]),
        ({"demo": "false"}, ["Northwind", "Orphan"]),
    ],
)
def test_the_list_is_narrowed_as_on_the_screen_and_in_the_file(
    server: Served, people: Person, world: Any, database: Any, query: dict[str, str], found: list[str]
) -> None:
    world.organization("Orphan", plan="free")
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        connection.execute(
            "UPDATE organizations SET account_manager_id = %s WHERE name = 'Northwind'", [people["root"]]
        )
        connection.execute(
            "UPDATE organizations SET plan_type = 'starter', subscription_status = 'past_due', is_demo = true"
            " WHERE name = 'Contoso'"
        )
    asked = {name: str(people.get(value, value)) for name, value in query.items()}
    with server.client(server.sign_in("root@nexa.example")) as root:
        listed = root.get("/api/organizations", params=asked)
        assert listed.status_code == 200, listed.text
        assert [one["name"] for one in listed.json()["items"]] == found
        lines = root.get("/api/organizations/export.csv", params=asked).text.splitlines()[1:]
        assert [line.split(",")[0] for line in lines] == found


def test_many_are_invited_with_a_verdict_each_after_a_dry_run(ada: Any, people: Person) -> None:
    path = f"/api/organizations/{people['northwind']}/invitations"
    body = {"invitations": [{"email": "kim@x.example", "role": "viewer"}, {"email": "ben@northwind.example"}]}
    tried = ada.post(path, json={**body, "dry_run": True}).json()
    assert [line["verdict"] for line in tried] == ["new", "member"]
    assert ada.get(path).json() == []
    done = ada.post(path, json=body).json()
    assert [line["verdict"] for line in done] == ["new", "member"] and "token" not in str(done)
    (listed,) = ada.get(path).json()
    assert (listed["email"], listed["role"], listed["state"]) == ("kim@x.example", "viewer", "sent")
    one = f"{path}/{listed['id']}"
    assert ada.post(f"{one}/resend").json()["state"] == "sent"
    assert ada.post(f"{one}/revoke").json()["state"] == "revoked"
    again = ada.post(f"{one}/revoke")
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "This invitation was withdrawn already. Invite the person anew.",
    )
    assert [line["state"] for line in ada.get(f"{path}?state=revoked").json()] == ["revoked"]


def test_who_asks_to_be_let_in_is_no_invitation(ada: Any, people: Person, world: Any, database: Any) -> None:
    asks = world.person("asks@northwind.example", people["northwind"], membership_status="pending")
    with database.superuser() as connection, connection.transaction():
        world.name_the_change(connection)
        row = connection.execute(
            "UPDATE organization_memberships SET requested_at = now() WHERE user_id = %s RETURNING id", [asks]
        ).fetchone()
    path = f"/api/organizations/{people['northwind']}/invitations"
    for verb in ("resend", "revoke"):
        answer = ada.post(f"{path}/{row[0]}/{verb}")
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    (verdict,) = ada.post(path, json={"invitations": [{"email": "asks@northwind.example"}]}).json()
    assert (verdict["verdict"], verdict["sentence"]) == (
        "asks to join",
        "Asks to join already; let them in instead, on the tab Domains.",
    )
    members = ada.get(f"/api/organizations/{people['northwind']}/members").json()
    assert {one["email"]: one["asks_to_join"] for one in members} == {
        "ada@northwind.example": False, "ben@northwind.example": False, "asks@northwind.example": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"invitations": []}, 422),
        ({"invitations": [{"email": "kim@x.example", "role": "emperor"}]}, 422),
        ({"invitations": [{"email": "kim@x.example", "status": "active"}]}, 422),
        ({"invitations": [{"email": "kim@x.example"}], "organization_id": str(uuid4())}, 422),
        ({"invitations": [{"email": "k@x.example"}] * 501}, 422),
        ({"invitations": [{"email": "kim@x.example"}], "message": "x" * 1001}, 422),
        ({"invitations": [{"email": "a\x00b@x.example"}]}, 400),
        ({"invitations": "kim@x.example"}, 422),
    ],
)
def test_what_cannot_be_asked_is_a_problem_and_invites_nobody(
    ada: Any, people: Person, body: dict[str, Any], status: int
) -> None:
    path = f"/api/organizations/{people['northwind']}/invitations"
    answer = ada.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"].endswith(".")
    assert ada.get(path).json() == []


def test_the_document_describes_it(ada: Any) -> None:
    paths = ada.get("/api/openapi.json").json()["paths"]
    one = "/api/organizations/{organization_id}"
    assert {path for path in paths if path.startswith("/api/organizations")} >= {
        "/api/organizations",
        one,
        f"{one}/members",
        f"{one}/invitations",
        f"{one}/invitations/{{invitation_id}}/resend",
        f"{one}/invitations/{{invitation_id}}/revoke",
    }
