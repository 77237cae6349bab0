"""POST /api/usage/events against its own description, with an API key: whatever is sent, no failure and no surprise."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette
from starlette.middleware import Middleware

from nexa_core import api, db, organizations, usage
from nexa_core.actor import Actor
from nexa_core.api.openapi import document
from tests.databases import Cluster, TestDatabase
from tests.worlds import World

CHECKS: list[CheckFunction] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, ignored_auth,
]  # fmt: skip


@pytest.fixture(scope="module")
def key(cluster: Cluster) -> Iterator[str]:
    database = TestDatabase(cluster, cluster.create(cluster.template))
    database.configure()
    world = World(database)
    northwind = world.organization("Northwind")
    ada = world.actor(world.person("ada@northwind.example", northwind, role="owner"), northwind)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NEXA_ALLOWED_HOSTS", "testserver")  # as schemathesis calls an application in memory
        yield organizations.create_api_key(ada, organization_id=northwind, name="Schema").secret
    assert usage.prove(Actor.system()).differences == 0
    db.dispose()
    cluster.drop(database.name)


schema = schemathesis.openapi.from_dict(document(api.endpoints()))
schema.app = Starlette(routes=api.routes(), middleware=[Middleware(api.Guard)])


@schema.include(path_regex="^/api/usage/events$").parametrize()
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_as_described(case: Case, key: str) -> None:
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {key}"})
