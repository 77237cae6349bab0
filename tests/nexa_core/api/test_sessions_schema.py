"""Every operation of /api/sessions keeps to its own description, whatever is sent to it."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from nexa_core import accounts
from nexa_core.actor import Origin
from tests.nexa_core.api.conftest import PASSWORD, Served

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
]


@pytest.fixture
def described(server: Served, people: dict[str, Any]) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/api/openapi.json").include(path_regex="^/api/sessions")


schema = schemathesis.pytest.from_fixture("described")


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_operation_answers_as_it_is_described(case: Any, server: Served) -> None:
    token = accounts.issue_tokens(Origin(), email="ada@northwind.example", password=PASSWORD).access_token
    case.call_and_validate(checks=CHECKS, headers={"authorization": f"Bearer {token}", "connection": "close"})
