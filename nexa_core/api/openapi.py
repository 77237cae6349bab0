"""The OpenAPI 3.1 document, written from the declarations that serve the requests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.responses import Response

from nexa_core.api.endpoint import PREFIX, Endpoint

_REFERENCE = "#/components/schemas/{model}"
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
    },
}


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole document as JSON-ready data."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for endpoint in endpoints:
        models += [(endpoint.parameters["body"], "validation")] if "body" in endpoint.parameters else []
        models += [(endpoint.answer, "serialization")] if _is_model(endpoint.answer) else []
    names, schemas = models_json_schema(models, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = paths.setdefault(PREFIX + re.sub(r":\w+}", "}", endpoint.path), {})
        path[endpoint.method.lower()] = _operation(endpoint, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "NEXA", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(endpoint: Endpoint, names: dict[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": endpoint.summary}
    if (schema := _answer(endpoint, names)) is not None:
        success["content"] = {"application/json": {"schema": schema}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation: dict[str, Any] = {
        "operationId": endpoint.function.__name__,
        "summary": endpoint.summary,
        "parameters": [*_parameters(endpoint)],
        "responses": {str(endpoint.status): success, "default": {"description": "A problem", "content": problem}},
    }
    if "body" in endpoint.parameters:
        schema = names[(endpoint.parameters["body"], "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if endpoint.needs_sign_in:
        operation["security"] = [{"bearer": []}]
    return operation


def _parameters(endpoint: Endpoint) -> Sequence[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": TypeAdapter(kind).json_schema()}
        for name, kind in endpoint.path_parameters.items()
    ]
    if "query" in endpoint.parameters:
        schema = endpoint.parameters["query"].model_json_schema()
        required = schema.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": property_}
            for name, property_ in schema["properties"].items()
        ]
    return found


def _answer(endpoint: Endpoint, names: dict[Any, Any]) -> dict[str, Any] | None:
    if _is_model(endpoint.answer):
        schema: dict[str, Any] = names[(endpoint.answer, "serialization")]
        return schema
    if endpoint.status == 204 or endpoint.answer is Response:
        return None
    return TypeAdapter(endpoint.answer).json_schema(mode="serialization", ref_template=_REFERENCE)


def _is_model(answer: Any) -> bool:
    return isinstance(answer, type) and issubclass(answer, BaseModel)
