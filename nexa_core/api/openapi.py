"""The OpenAPI 3.1 document, written from the declarations that serve the requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.responses import Response

from nexa_core.api.endpoint import PREFIX, Endpoint

_REFERENCE = "#/components/schemas/{model}"
_TEXT = {"type": "string"}
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for a person"},
        "instance": {"type": "string", "description": "The request id, as urn:uuid:"},
        "field": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
        "explanation": {"type": "object"},
        "incident": {"type": "string"},
        "current_version": {"type": "integer", "description": "What is saved now, where a version was stale"},
        "conflicts": {"type": "array", "items": {"type": "object"}, "description": "Both sides of each value"},
    },
}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document as JSON-ready data."""
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = []
    for endpoint in endpoints:
        if "body" in endpoint.parameters:
            wanted.append((_key(endpoint), "validation", TypeAdapter(endpoint.parameters["body"])))
        if _is_json(endpoint):
            wanted.append((_key(endpoint), "serialization", TypeAdapter(endpoint.answer)))
    found, shared = TypeAdapter.json_schemas(wanted, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = paths.setdefault(PREFIX + re.sub(r":\w+}", "}", endpoint.path), {})
        path[endpoint.method.lower()] = _operation(endpoint, found)
    return {
        "openapi": "3.1.0",
        "info": {"title": "NEXA", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {**shared.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _key(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def _status(endpoint: Endpoint) -> int:
    """What an endpoint answers when all is well; one that has nothing to say answers 204."""
    return 204 if endpoint.answer is type(None) else endpoint.status


def _is_json(endpoint: Endpoint) -> bool:
    return endpoint.status != 204 and endpoint.answer is not Response and endpoint.answer is not type(None)


def _operation(endpoint: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": endpoint.summary}
    if _is_json(endpoint):
        success["content"] = {"application/json": {"schema": schemas[(_key(endpoint), "serialization")]}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation: dict[str, Any] = {
        "operationId": endpoint.function.__name__,
        "summary": endpoint.summary,
        "parameters": [*_parameters(endpoint)],
        "responses": {str(_status(endpoint)): success, "default": {"description": "A problem", "content": problem}},
    }
    if "body" in endpoint.parameters:
        schema = schemas[(_key(endpoint), "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if endpoint.needs_sign_in:
        operation["security"] = [{"bearer": []}]
    return operation


def _parameters(endpoint: Endpoint) -> Sequence[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": TypeAdapter(kind).json_schema()}
        for name, kind in endpoint.path_parameters.items()
    ]
    found += [
        {"name": header.name, "in": "header", "required": True, "description": header.meaning, "schema": _TEXT}
        for header in endpoint.headers.values()
    ]
    if "query" in endpoint.parameters:
        schema = endpoint.parameters["query"].model_json_schema()
        required = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": property_}
            for name, property_ in schema["properties"].items()
        ]
    return found
