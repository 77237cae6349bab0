"""Every operation of /api/sessions keeps to its own description, whatever is sent to it."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
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


def test_every_operation_answers_as_it_is_described(server: Served, people: dict[str, Any]) -> None:
    described = schemathesis.openapi.from_url(f"{server.url}/api/openapi.json").include(path_regex="^/api/sessions")
    token = accounts.issue_tokens(Origin(), email="ada@northwind.example", password=PASSWORD).access_token
    with server.client(origin="", authorization=f"Bearer {token}") as ada:
        made = ada.post("/api/sessions", json={"title": "Platform review"}).json()
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 15
    for operation in operations:
        for mode in GenerationMode:
            _hold(operation, mode, made["uuid"], token)


def _hold(operation: Any, mode: GenerationMode, known: str, token: str) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def holds(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and "uuid" in case.path_parameters:
            case.path_parameters["uuid"] = known  # what is there answers otherwise than what is not
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})

    holds()
