"""The COPY statements of an export: one stretch of one chain, an entry a line, written by PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Iterable

from nexa_core.audit.filters import BY_STAFF, STAFF_DID

#: Name in the file, and where it comes from: c is the link, a its entry, p the link before.
_FIELDS = {
    "chain": "c.chain_id",
    "sequence": "c.sequence",
    "at": "a.created_at",
    "action": "a.action",
    "user_id": "a.user_id",
    "resource_type": "a.resource_type",
    "resource_id": "a.resource_id",
    "old_values": "a.old_values",
    "new_values": "a.new_values",
    "reason": "a.reason",
    "ip_address": "host(a.ip_address)",
    "user_agent": "a.user_agent",
    "actor_scope": "a.actor_scope",
    "organization_id": "a.organization_id",
    "request_id": "a.request_id",
    "id": "a.id",
    "salt": "encode(a.salt, 'hex')",
    "digest": "encode(c.digest, 'hex')",
    "hash": "encode(c.hash, 'hex')",
}
_TEXT = ("action", "resource_type", "old_values", "new_values", "reason", "user_agent", "actor_scope")
#: What a CSV file's columns are; the last ones are of seals and other records.
COLUMNS = ("record", *_FIELDS, "previous", "kid", "signature", "note")

# As JSON writes it, without its quotation marks: as the screen looks for it.
_LOOKED_FOR = "lower(left(right(to_jsonb(%(text)s::text)::text, -1), -1))"
_CONDITIONS = {
    "since": "a.created_at >= %(since)s",
    "until": "a.created_at < %(until)s",
    "action": "a.action = %(action)s",
    "user_id": "a.user_id = %(user_id)s",
    "resource_type": "a.resource_type = %(resource_type)s",
    "resource_id": "a.resource_id = %(resource_id)s",
    "request_id": "a.request_id = %(request_id)s",
    "request": "left(a.request_id::text, 8) = %(request)s",
    "address": "a.ip_address = %(address)s::inet",
    "text": f"(strpos(lower(a.old_values::text), {_LOOKED_FOR}) > 0"
    f" OR strpos(lower(a.new_values::text), {_LOOKED_FOR}) > 0)",
    "about_person": "(a.user_id = %(about_person)s OR a.resource_id = %(about_person)s OR a.resource_id IN"
    " (SELECT id FROM organization_memberships WHERE user_id = %(about_person)s))",
    "about_thing": "a.resource_id = %(about_thing)s",
    "staff_only": BY_STAFF,
    **{f"staff_{kind}": did for kind, did in STAFF_DID.items()},
}
_NOBODY = "'00000000-0000-0000-0000-000000000000'"

# A whole stretch keeps the links whose entries are gone: the verifier says so. A filtered one says with each entry
# what its link follows, since the entry before may not be in the file.
_STRETCH = f"""
    WITH c AS MATERIALIZED (
        SELECT * FROM audit_chain WHERE chain_id = %(chain)s AND sequence BETWEEN %(low)s AND %(high)s
    ), a AS (
        SELECT * FROM audit_logs WHERE organization_id = %(chain)s
            AND created_at BETWEEN (SELECT min(logged_at) FROM c) AND (SELECT max(logged_at) FROM c)
        UNION ALL
        SELECT * FROM audit_logs WHERE organization_id IS NULL AND %(chain)s = {_NOBODY}
            AND created_at BETWEEN (SELECT min(logged_at) FROM c) AND (SELECT max(logged_at) FROM c)
    )
    SELECT {{fields}} FROM c {{join}} JOIN a ON a.id = c.audit_log_id AND a.created_at = c.logged_at {{where}}
    ORDER BY c.sequence
"""
_BEFORE = "LEFT JOIN audit_chain p ON p.chain_id = c.chain_id AND p.sequence = c.sequence - 1"


def where(names: Iterable[str]) -> str:
    """The condition that these filters make."""
    return " AND ".join(_CONDITIONS[name] for name in names)


def ndjson(filtered: str | None) -> str:
    """One JSON object a line. JSON text holds no control character, so that neither quoting nor delimiter occurs."""
    named = {"record": "'entry'", **_FIELDS} | ({"previous": "encode(p.hash, 'hex')"} if filtered else {})
    stretch = _stretch(", ".join(f"{source} AS {name}" for name, source in named.items()), filtered)
    as_it_is = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"
    return f"COPY (SELECT row_to_json(e)::text FROM ({stretch}) e) TO STDOUT ({as_it_is})"


def csv(filtered: str | None) -> str:
    """The same as rows of COLUMNS. Nothing is an empty cell; an empty text, or one that a spreadsheet would take for a
    formula, begins with an apostrophe that the verifier takes off again."""
    cells = {name: _guarded(f"{source}::text") if name in _TEXT else source for name, source in _FIELDS.items()}
    named = {"record": "'entry'", **cells, "previous": "encode(p.hash, 'hex')" if filtered else "NULL"}
    fields = ", ".join(f"{named.get(name, 'NULL')} AS {name}" for name in COLUMNS)
    return f"COPY ({_stretch(fields, filtered)}) TO STDOUT (FORMAT csv)"


def _stretch(fields: str, filtered: str | None) -> str:
    if filtered is None:
        return _STRETCH.format(fields=fields, join="LEFT", where="")
    return _STRETCH.format(fields=fields, join=f"{_BEFORE} INNER", where=f"WHERE {filtered}")


def _guarded(cell: str) -> str:
    signs = "'', '=', '+', '-', '@', E'\\t', E'\\r', E'\\''"
    return f"CASE WHEN left({cell}, 1) IN ({signs}) THEN E'\\'' || ({cell}) ELSE {cell} END"
