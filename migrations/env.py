"""How Alembic reaches the database: on the connection start-up hands over, or on one of its own from the settings.

Everything is made as nexa_owner, in one transaction: a migration that fails leaves nothing behind.
"""

from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from nexa_core import schema, startup
from nexa_core.mapping import metadata

PARTITIONS = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"


def run(connection: Connection) -> None:
    """Run what Alembic was asked for."""
    connection.execute(text("SET LOCAL ROLE nexa_owner"))
    partitions = set(connection.execute(text(PARTITIONS)).scalars())

    def is_mapped(name: str | None, kind: str, _parents: Any) -> bool:
        """Months of a partitioned table come and go without a migration."""
        return not (kind == "table" and name in partitions)

    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=is_mapped,
        compare_type=True,
        compare_server_default=False,  # '{}'::jsonb and '{}' are the same default, spelled differently
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.execute(text("SELECT to_regclass('public.alembic_version') IS NOT NULL")).scalar():
            # The program itself asks whether the schema is the one it was written for.
            connection.execute(text("GRANT SELECT ON alembic_version TO nexa_app"))


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    with schema.owner_connection(startup.open_database(print).owner_url) as own:
        run(own)
        own.commit()
