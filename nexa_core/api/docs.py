"""/api/docs: the description of the API as a page, without a script or anything from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid #8884; border-radius: .5rem; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; } summary code { font-weight: 600; }
b { display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace; }
pre { overflow: auto; background: #8881; padding: .75rem; border-radius: .5rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .25rem .5rem .25rem 0; vertical-align: top; }
h3 { margin: .75rem 0 .25rem; font-size: 1rem; }
"""
_INTRODUCTION = """
<p>Sign in with <code>POST /api/auth/token</code> and send <code>Authorization: Bearer &lt;token&gt;</code>. Errors are
<code>application/problem+json</code> (RFC 9457). For programs there is <a href="/api/openapi.json">the same as
OpenAPI&nbsp;3.1</a>.</p>
"""


def page(document: Mapping[str, Any]) -> str:
    """The OpenAPI document as HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>NEXA API</title><style>{_STYLE}</style></head><body><h1>NEXA API</h1>{_INTRODUCTION}"
        f"{''.join(_groups(document))}<h2 id='schemas'>Schemas</h2>{''.join(_schemas(document))}</body></html>"
    )


def _groups(document: Mapping[str, Any]) -> Iterator[str]:
    """The operations by what they are about: the first word of their path."""
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        about = path.split("/")[2].partition(".")[0]
        for method, operation in operations.items():
            groups.setdefault(about, []).append(_operation(method, path, operation))
    for about in sorted(groups):
        yield f"<h2>{escape(about)}</h2>{''.join(groups[about])}"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"<summary><b>{method.upper()}</b> <code>{escape(path)}</code> {escape(operation['summary'])}</summary>"]
    if not operation.get("security"):
        parts.append("<p>Needs no sign-in.</p>")
    if operation["parameters"]:
        parts.append("<h3>Parameters</h3><table>")
        parts += [_parameter(parameter) for parameter in operation["parameters"]]
        parts.append("</table>")
    if body := operation.get("requestBody"):
        parts.append(f"<h3>Body</h3>{_schema(body['content']['application/json']['schema'])}")
    for status, response in operation["responses"].items():
        if status != "default":
            content = response.get("content", {}).get("application/json")
            parts.append(f"<h3>Answer {escape(status)}</h3>{_schema(content['schema']) if content else ''}")
    return f"<details>{''.join(parts)}</details>"


def _parameter(parameter: Mapping[str, Any]) -> str:
    need = "required" if parameter["required"] else "optional"
    said = parameter.get("description") or json.dumps(
        {key: value for key, value in parameter["schema"].items() if key != "title"}, ensure_ascii=False
    )
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}, {need}</td>"
        f"<td>{escape(said)}</td></tr>"
    )


def _schema(schema: Mapping[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        return f"<p><a href='#{escape(name)}'>{escape(name)}</a></p>"
    return f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"


def _schemas(document: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        shown = escape(json.dumps(schema, indent=2, ensure_ascii=False))
        yield f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary><pre>{shown}</pre></details>"
