"""Bringing a warehouse's schema to this version, from nothing or from any earlier one."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from warehouse import locks
from warehouse.engine import transaction
from warehouse.tables import SCHEMAS

MIGRATIONS = Path(__file__).parent / "migrations"


def compared(name: str | None, type_: str, parent: dict[str, str | None]) -> bool:
    """What Alembic compares with the metadata: our schemas; in `raw` nothing, since streams make their own tables."""
    if type_ == "schema":
        return name in SCHEMAS and name != "raw"
    return parent.get("schema_name") in SCHEMAS and parent.get("schema_name") != "raw" and name != "alembic_version"


def declared(item: object, _name: str | None, type_: str, _reflected: bool, _other: object) -> bool:  # noqa: FBT001 - Alembic's
    """What of the metadata Alembic compares: not `raw` tables, which are declared on first use."""
    return not (type_ == "table" and isinstance(item, sa.Table) and item.schema == "raw")


def upgrade(engine: sa.Engine) -> str:
    """Apply what is missing, in one transaction; returns the revision in force. Does nothing on a warehouse that is up to date."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    head = ScriptDirectory.from_config(config).get_current_head() or ""
    with transaction(engine) as connection:
        locks.lock(connection, "ddl")
        if _revision(connection) == head:
            return head
        for schema in SCHEMAS:
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return head


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table_schema": "ops"}).get_current_revision()
