"""`python -m nexa_core`: what an operator does from a terminal."""

from __future__ import annotations

from pathlib import Path

import psycopg

from tests.databases import TestDatabase
from tests.processes import KEYS, holding, run
from tests.worlds import World


def test_every_command_explains_itself() -> None:
    said = run("nexa_core", "--help").stdout
    for command in ("migrate", "seed", "create-admin", "verify-audit", "check", "database-url"):
        assert command in said
        assert run("nexa_core", command, "--help").returncode == 0
    assert run("nexa_core", "create-admin").returncode == 2


def test_the_database_url_opens_the_database(data_dir: Path) -> None:
    with holding(data_dir):
        url = run("nexa_core", "database-url", NEXA_DATA_DIR=str(data_dir)).stdout.strip()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_user, current_database()").fetchone() == ("postgres", "nexa")
    assert run("nexa_core", "database-url", DATABASE_URL="postgresql://a@b/c").stdout == "postgresql://a@b/c\n"


def test_migrate_can_be_repeated(database: TestDatabase) -> None:
    done = run("nexa_core", "migrate", DATABASE_URL=database.superuser_url)
    assert done.returncode == 0
    assert "The database is at migration" in done.stdout


def test_check_and_verify_audit_say_what_they_find(database: TestDatabase, world: World) -> None:
    organization = world.organization("Northwind")
    world.person("ada@northwind.example", organization, role="owner")
    for command in ("check", "verify-audit"):
        done = run("nexa_core", command, DATABASE_URL=database.superuser_url)
        assert done.returncode == 0, done.stdout + done.stderr
    with database.superuser() as connection:
        connection.execute("UPDATE audit_logs SET action = 'user.signed_in'")
        connection.execute("ALTER TABLE users DISABLE ROW LEVEL SECURITY")
        next_month = "to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month', 'YYYY_MM')"
        (month,) = connection.execute(f"SELECT 'usage_events_' || {next_month}".encode()).fetchone() or ("",)
        connection.execute(f"DROP TABLE {month}".encode())
    broken = run("nexa_core", "check", DATABASE_URL=database.superuser_url)
    assert (broken.returncode, "NOT OK" in broken.stdout) == (1, True)
    assert f"Months without a partition: {month};" in broken.stdout
    tampered = run("nexa_core", "verify-audit", DATABASE_URL=database.superuser_url)
    assert tampered.returncode == 1
    assert "Northwind, link 1, entry" in tampered.stdout
    assert "chains with" in tampered.stdout and "NOT intact." in tampered.stdout
    assert "No key seals the chains here" in tampered.stdout


def test_create_admin_prints_a_link(database: TestDatabase) -> None:
    environment = {"DATABASE_URL": database.superuser_url, "NEXA_SECRET_KEYS": KEYS}
    done = run("nexa_core", "create-admin", "ada@nexa.example", **environment)
    assert done.returncode == 0, done.stderr
    assert "http://localhost:8501/" in done.stdout
    assert "ada@nexa.example" in done.stdout
    refused = run("nexa_core", "create-admin", "no address", **environment)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
