"""Alembic's environment: runs on the connection that `warehouse.migrate` hands over, or on the warehouse in force."""

from alembic import context

from warehouse.engine import connect
from warehouse.migrate import compared, declared
from warehouse.tables import metadata


def _run(connection: object) -> None:
    context.configure(
        connection=connection,  # type: ignore[arg-type]
        target_metadata=metadata,
        version_table_schema="ops",
        include_schemas=True,
        include_name=compared,  # type: ignore[arg-type]
        include_object=declared,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with connect().begin() as own:
        _run(own)
