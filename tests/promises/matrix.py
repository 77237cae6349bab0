"""Who may do what, where: a row for every verb that takes an actor and for every route; a missing one turns it red.

A new verb gets a row in the VERBS of its domain's table, ``matrix_<domain>.py``, a new route one in its ROUTES that
names its verb: it has to answer as the verb does. A new domain gets a table, and its line in DOMAINS. A verb that takes
an origin, not an actor, gets a row in the PUBLIC of ``matrix_public.py``.
"""

from __future__ import annotations

from types import ModuleType

from nexa_core import accounts, architecture_sessions, audit, billing, organizations, system, usage
from nexa_core.billing import reports
from tests.promises import (
    matrix_accounts,
    matrix_architecture_sessions,
    matrix_audit,
    matrix_billing,
    matrix_organizations,
    matrix_reports,
    matrix_session_files,
    matrix_system,
    matrix_usage,
)
from tests.promises.matrix_rows import Route, Row

#: Whose verbs have to be in which table.
DOMAINS: dict[ModuleType, ModuleType] = {
    accounts: matrix_accounts,
    architecture_sessions: matrix_architecture_sessions,
    audit: matrix_audit,
    billing: matrix_billing,
    organizations: matrix_organizations,
    reports: matrix_reports,
    system: matrix_system,
    usage: matrix_usage,
}

VERBS: dict[str, Row] = {verb: row for table in DOMAINS.values() for verb, row in table.VERBS.items()}
ROUTES: dict[str, Route] = {name: route for table in DOMAINS.values() for name, route in table.ROUTES.items()}
# What goes out of sessions and comes in has a table of its own beside that of the domain.
VERBS |= matrix_session_files.VERBS
ROUTES |= matrix_session_files.ROUTES
