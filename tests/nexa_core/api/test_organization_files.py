"""/api/organizations: the list as a file and logos, for whoever may have them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from PIL import Image

from nexa_core import organizations

FILES = ("/api/organizations/export.csv", "/api/organizations/export.xlsx")


def test_the_files_are_for_who_may_browse(server: Any, people: dict[str, Any]) -> None:
    for path in FILES:
        with server.client() as client:
            assert client.get(path).status_code == 401
        with server.client(server.sign_in("ada@northwind.example")) as client:
            assert client.get(path).status_code == 403
        with server.client(server.sign_in("root@nexa.example")) as client:
            answer = client.get(path, params={"text": "contoso", "sort": "newest", "demo": "false"})
            assert answer.status_code == 200, answer.text
            assert "attachment" in answer.headers["content-disposition"]
            assert answer.headers["cache-control"] == "no-store"
            if path.endswith("csv"):
                assert [line.split(",")[0] for line in answer.text.splitlines()] == ["\ufeffName", "Contoso"]
            else:
                assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_a_filter_that_cannot_be_is_a_clear_refusal(server: Any, people: dict[str, Any]) -> None:
    with server.client(server.sign_in("root@nexa.example")) as client:
        for query in ({"status": "gone"}, {"sort": "x"}, {"account_manager_id": "nobody"}, {"demo": "perhaps"},
                      {"is_platform": "true"}):  # fmt: skip
            answer = client.get(FILES[0], params=query)
            assert answer.status_code == 422, query
            assert answer.headers["content-type"].startswith("application/problem+json")


def test_a_logo_is_for_its_own_people_and_runs_nothing(server: Any, people: dict[str, Any], world: Any) -> None:
    sink = io.BytesIO()
    Image.new("RGB", (9, 9), "teal").save(sink, "PNG")
    ada = world.actor(people["ada"], people["northwind"])
    address = organizations.store_logo(ada, organization_id=people["northwind"], content=sink.getvalue())
    with server.client() as client:
        assert client.get(address).status_code == 401
    for email, status in (("ben@northwind.example", 200), ("root@nexa.example", 200), ("eve@contoso.example", 404)):
        with server.client(server.sign_in(email)) as client:
            answer = client.get(address)
            assert answer.status_code == status, email
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "object-src 'none'" in answer.headers["content-security-policy"]
            assert client.get(address[:-1] + "x").status_code == 404
