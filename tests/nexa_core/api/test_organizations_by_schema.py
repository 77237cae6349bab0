"""/api/organizations against its own description: whatever is sent, no failure, no answer of another form, no way in
without a sign-in."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

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

from nexa_core import accounts, api, db
from nexa_core.actor import Origin
from nexa_core.api.openapi import document
from tests.databases import Cluster, TestDatabase
from tests.worlds import PASSWORD, World

EXAMPLES = 12
CHECKS: list[CheckFunction] = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, ignored_auth,
]  # fmt: skip


@pytest.fixture(scope="module")
def asking(cluster: Cluster) -> Iterator[tuple[str, UUID]]:
    """An internal admin's token, so that most of what is sent gets through to the verbs, and an organization."""
    database = TestDatabase(cluster, cluster.create(cluster.template))
    database.configure()
    world = World(database)
    nexa, northwind = world.organization("NEXA", is_platform=True), world.organization("Northwind", plan="enterprise")
    world.person("root@nexa.example", nexa, role="owner")
    world.person("ada@northwind.example", northwind, role="owner")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NEXA_ALLOWED_HOSTS", "testserver")  # as schemathesis calls an application in memory
        yield accounts.issue_tokens(Origin(), email="root@nexa.example", password=PASSWORD).access_token, northwind
    db.dispose()
    cluster.drop(database.name)


schema = schemathesis.openapi.from_dict(document(api.endpoints()))
schema.app = Starlette(routes=api.routes(), middleware=[Middleware(api.Guard)])


@schema.include(path_regex="^/api/organizations").parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_as_described(case: Case, asking: tuple[str, UUID]) -> None:
    token, northwind = asking
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})
    if "organization_id" in case.path_parameters:  # once more of one there is
        case.path_parameters["organization_id"] = str(northwind)
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})
