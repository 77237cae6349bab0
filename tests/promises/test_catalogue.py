"""What must be true of every table there will ever be, asked of PostgreSQL's own catalogue."""

from __future__ import annotations

import psycopg
import pytest

from nexa_core.actor import Actor
from nexa_core.mapping import metadata
from nexa_core.orm import sentence_of
from nexa_core.system import check
from tests.databases import TestDatabase
from tests.promises.two_tenants import TENANT_TABLES

OVERVIEW = {
    "users": {
        "id": "uuid",
        "email": "character varying(255)",
        "password_hash": "character varying(255)",
        "avatar_url": "character varying(500)",
        "profile_data": "jsonb",
        "notification_settings": "jsonb",
        "status": "user_status",
        "timezone": "character varying(64)",
        "locale": "character varying(35)",
        "deleted_at": "timestamp with time zone",
    },
    "user_sessions": {
        "session_token": "character varying(64)",
        "refresh_token": "character varying(64)",
        "expires_at": "timestamp with time zone",
        "ip_address": "inet",
        "user_agent": "text",
    },
    "organizations": {
        "id": "uuid",
        "name": "character varying(255)",
        "slug": "character varying(100)",
        "domain": "character varying(255)",
        "brand_colors": "jsonb",
        "address": "jsonb",
        "subscription_data": "jsonb",
        "usage_limits": "jsonb",
        "status": "organization_status",
    },
    "organization_memberships": {
        "user_id": "uuid",
        "organization_id": "uuid",
        "role": "membership_role",
        "permissions": "jsonb",
        "invited_by": "uuid",
        "invited_at": "timestamp with time zone",
        "invitation_token": "character varying(64)",
        "status": "membership_status",
    },
    "organization_domains": {
        "organization_id": "uuid",
        "domain": "character varying(255)",
        "auto_join_role": "membership_role",
        "verification_required": "boolean",
    },
    "ai_architecture_sessions": {
        "id": "integer",
        "uuid": "uuid",
        "user_id": "uuid",
        "organization_id": "uuid",
        "session_objects": "jsonb",
        "sow_objects": "jsonb",
        "loe_objects": "jsonb",
        "diagram_texts_json": "jsonb",
        "visual_assets_json": "jsonb",
        "session_type": "character varying(50)",
        "is_template": "boolean",
        "tags": "jsonb",
        "deleted_at": "timestamp with time zone",
    },
    "usage_events": {
        "organization_id": "uuid",
        "user_id": "uuid",
        "event_type": "character varying(50)",
        "event_data": "jsonb",
        "credits_consumed": "integer",
        "session_id": "integer",
    },
    "audit_logs": {
        "organization_id": "uuid",
        "user_id": "uuid",
        "action": "character varying(100)",
        "resource_type": "character varying(50)",
        "resource_id": "uuid",
        "old_values": "jsonb",
        "new_values": "jsonb",
        "ip_address": "inet",
        "user_agent": "text",
    },
}
ENUMS = {
    "user_status": "active,pending,suspended,deleted",
    "membership_role": "owner,admin,member,viewer,billing",
    "membership_status": "active,pending,suspended",
    "organization_status": "pending,active,suspended,deleted",
}


@pytest.mark.parametrize("table", OVERVIEW)
def test_the_overviews_columns_have_the_overviews_types(database: TestDatabase, table: str) -> None:
    with database.superuser() as connection:
        columns = dict(
            connection.execute(
                "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [table],
            ).fetchall()
        )
    assert {name: columns.get(name) for name in OVERVIEW[table]} == OVERVIEW[table]


def test_the_overviews_enums_and_views_are_there(database: TestDatabase) -> None:
    with database.superuser() as connection:
        enums = dict(
            connection.execute(
                "SELECT enumtypid::regtype::text, string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum"
                " WHERE enumtypid::regtype::text = ANY (%s) GROUP BY 1",
                [list(ENUMS)],
            ).fetchall()
        )
        views = connection.execute(
            "SELECT relname, reloptions FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
            " ORDER BY 1"
        ).fetchall()
    assert enums == ENUMS
    assert views == [
        ("active_user_sessions", ["security_invoker=true"]),
        ("organization_members", ["security_invoker=true"]),
    ]


def unprotected(connection: psycopg.Connection) -> list[str]:
    """Tenant tables whose rows are not kept apart by a forced policy."""
    return [
        name
        for (name,) in connection.execute(TENANT_TABLES).fetchall()
        if not connection.execute(
            "SELECT relrowsecurity AND relforcerowsecurity"
            " AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid) FROM pg_class c WHERE oid = %s::regclass",
            [name],
        ).fetchone()[0]  # type: ignore[index]
    ]


def test_every_table_of_an_organizations_data_is_protected(database: TestDatabase) -> None:
    with database.superuser() as connection:
        assert unprotected(connection) == []
        connection.execute("CREATE TABLE forgotten (organization_id uuid)")  # the control
        assert unprotected(connection) == ["forgotten"]
    findings = {finding.name: finding for finding in check(Actor.system())}
    assert not findings["row-level security"].ok
    assert "forgotten" in findings["row-level security"].sentence


def test_every_check_of_a_fresh_database_passes(database: TestDatabase) -> None:
    assert [finding for finding in check(Actor.system()) if not finding.ok] == []


def test_children_carry_their_parents_organization(database: TestDatabase) -> None:
    """A foreign key between two tenant tables contains organization_id: a key alone does not see row-level security."""
    with database.superuser() as connection:
        loose = connection.execute(
            f"""
            WITH tenant AS (SELECT c.oid FROM pg_class c WHERE c.relname IN ({TENANT_TABLES.replace("ORDER BY 1", "")})
                            AND c.relname NOT IN ('users', 'organizations')
                            AND c.relnamespace = 'public'::regnamespace)
            SELECT conrelid::regclass::text, conname FROM pg_constraint k
            WHERE contype = 'f' AND conrelid IN (SELECT oid FROM tenant) AND confrelid IN (SELECT oid FROM tenant)
              AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
                              AND a.attname = 'organization_id')""".encode()
        ).fetchall()
    assert loose == []


def test_no_temporary_table_stands_in_front_of_ours(database: TestDatabase) -> None:
    """PostgreSQL looks among the temporary tables first, unless a search path names them last."""
    with database.superuser() as connection:
        paths = connection.execute(
            "SELECT p.oid::regprocedure::text, setting FROM pg_proc p, unnest(p.proconfig) setting"
            " WHERE p.pronamespace = 'nexa'::regnamespace AND setting LIKE 'search_path=%'"
        ).fetchall()
        makers = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 'nexa\\_%' AND rolname <> 'nexa_owner'"
            " AND has_database_privilege(oid, current_database(), 'TEMPORARY')"
        ).fetchall()
    assert len(paths) > 40
    assert [name for name, path in paths if not path.endswith(", pg_temp")] == []
    assert makers == []


def test_powerful_functions_have_a_fixed_search_path_and_no_public_caller(database: TestDatabase) -> None:
    with database.superuser() as connection:
        functions = connection.execute(
            "SELECT p.oid::regprocedure::text, pg_get_userbyid(p.proowner), p.proconfig, p.prorettype::regtype::text,"
            " has_function_privilege('public', p.oid, 'EXECUTE') FROM pg_proc p"
            " WHERE p.prosecdef AND p.pronamespace = 'nexa'::regnamespace"
        ).fetchall()
    assert len(functions) >= 10
    for name, owner, configuration, returns, public in functions:
        assert owner in ("nexa_system", "nexa_owner"), name
        assert any(setting.startswith("search_path=") for setting in configuration or ()), name
        assert not public or returns == "trigger" or name == "nexa.demo_organizations()", name


def test_the_program_has_no_right_on_months_and_no_right_to_empty_a_table(database: TestDatabase) -> None:
    with database.superuser() as connection:
        rights = connection.execute(
            """SELECT c.relname, r.rolname FROM pg_class c, pg_roles r
               WHERE r.rolname IN ('nexa_app', 'nexa_tenant', 'nexa_staff', 'nexa_presenter', 'nexa_entry')
                 AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                 AND (c.relispartition AND has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE')
                      OR has_table_privilege(r.oid, c.oid, 'TRUNCATE, TRIGGER, REFERENCES'))"""
        ).fetchall()
    assert rights == []


def test_secrets_are_named_so_and_left_out_of_the_audit(database: TestDatabase) -> None:
    with database.superuser() as connection:
        audited = connection.execute(
            "SELECT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger WHERE tgname = 'audit_update'"
        ).fetchall()
        assert len(audited) >= 7
        for table, arguments in audited:
            secrets = connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                " AND attname ~ '(password|passcode|token|secret|hash)' AND atttypid <> 'timestamptz'::regtype",
                [table],
            ).fetchall()
            left_out = arguments.split("\\000")[3]
            for (column,) in secrets:
                assert column in left_out.strip("{}").split(","), f"{table}.{column}"


def test_every_rule_a_person_can_break_has_a_sentence(database: TestDatabase) -> None:
    mapped = set(metadata.tables)
    with database.superuser() as connection:
        constraints = connection.execute(
            "SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0"
            " AND connamespace = 'public'::regnamespace AND conparentid = 0"
        ).fetchall()
    internal = {"user_sessions_kind_check", "one_time_tokens_purpose_check"}  # values only NEXA itself writes
    missing = [
        name for name, table in constraints if table in mapped and name not in internal and not sentence_of(name)
    ]
    assert missing == []


def test_tests_run_as_the_program_not_as_a_superuser(database: TestDatabase) -> None:
    with database.app() as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper, rolbypassrls, rolinherit FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == ("nexa_app", False, False, False)
