"""The schema from nothing, and that the migrations say the same as the table metadata."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from warehouse import migrate
from warehouse.tables import SCHEMAS, metadata


def test_migrations_and_metadata_agree(warehouse: sa.Engine) -> None:
    options = {
        "include_schemas": True,
        "include_name": migrate.compared,
        "include_object": migrate.declared,
        "version_table_schema": "ops",
        "compare_type": True,
    }
    with warehouse.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    assert found == []


def test_migrating_again_changes_nothing(warehouse: sa.Engine) -> None:
    assert migrate.upgrade(warehouse) == migrate.upgrade(warehouse)


def test_every_table_and_column_has_a_comment_and_a_place() -> None:
    assert {t.schema for t in metadata.tables.values()} <= set(SCHEMAS)
    for table in metadata.tables.values():
        assert table.comment, table.fullname
        assert "distribution" in table.info, table.fullname
        for column in table.columns:
            assert column.comment, f"{table.fullname}.{column.name}"
        assert not table.foreign_keys, f"{table.fullname}: no foreign keys between distributed tables"
        if place := table.info["distribution"]:
            assert place in table.primary_key.columns, f"{table.fullname}: {place} must be in the key"


def test_comments_reach_the_database(warehouse: sa.Engine) -> None:
    with warehouse.connect() as connection:
        comment = connection.scalar(sa.text("SELECT col_description('marts.customer_journey'::regclass, 1)"))
    assert comment == metadata.tables["marts.customer_journey"].columns[0].comment
