"""Every verb of every domain, called once, and the entries it leaves: the tables of all domains as one.

A new domain writes a table of its own (``audited_rows`` says how) and is named in ``TABLES``. A verb that only reads
leaves no entry, and its table says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from tests.promises import (
    audited_accounts,
    audited_api_keys,
    audited_architecture_sessions,
    audited_audit,
    audited_billing,
    audited_domains,
    audited_members,
    audited_notifications,
    audited_organizations,
    audited_reports,
    audited_session_files,
    audited_system,
    audited_usage,
)
from tests.promises.audited_rows import Case, EndpointCase

TABLES: tuple[ModuleType, ...] = (
    audited_accounts,
    audited_api_keys,
    audited_architecture_sessions,
    audited_audit,
    audited_billing,
    audited_domains,
    audited_members,
    audited_notifications,
    audited_organizations,
    audited_reports,
    audited_session_files,
    audited_system,
    audited_usage,
)


def _together(name: str) -> dict[str, Any]:
    """What the tables hold under a name; nothing may stand in two of them."""
    together: dict[str, Any] = {}
    for table in TABLES:
        own = getattr(table, name, {})
        assert not together.keys() & own.keys(), f"{table.__name__} says again what another table says"
        together |= own
    return together


CASES: dict[str, Case] = _together("CASES")
ENDPOINTS: dict[str, EndpointCase] = _together("ENDPOINTS")
STATEMENTS: dict[str, list[tuple[str, str]]] = _together("STATEMENTS")
BEFORE: dict[str, str] = _together("BEFORE")
SYNONYMS: dict[str, str] = _together("SYNONYMS")
NO_VERBS: set[str] = set().union(*(getattr(table, "NO_VERBS", ()) for table in TABLES))


def verbs() -> set[str]:
    """Every function of every domain's front door."""
    return {
        f"{domain.__name__.rpartition('.')[2]}.{name}"
        for domain in {table.DOMAIN for table in TABLES if hasattr(table, "DOMAIN")}
        for name in _front_door(domain)
        if inspect.isfunction(getattr(domain, name))
    }


def _front_door(domain: ModuleType) -> Iterable[str]:
    return getattr(domain, "__all__", ())
