"""The warehouse in force, brought to this version's schema."""

import sqlalchemy as sa

from warehouse import migrate
from warehouse.engine import connect


def open_warehouse() -> sa.Engine:
    """An engine of the warehouse in force (see `warehouse.engine.warehouse_url`), migrated.

    Raises:
        ConfigurationError, WarehouseError: it is not a PostgreSQL URL, or cannot be reached.
    """
    engine = connect()
    migrate.upgrade(engine)
    return engine
