"""A load's work tables: made when first needed, gone with the transaction."""

import sqlalchemy as sa

from warehouse import work_tables
from warehouse.engine import transaction


def there(connection: sa.Connection) -> set[str]:
    return set(connection.scalars(sa.text("SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'")))


def test_a_table_is_made_when_needed_once_and_goes_with_its_transaction(warehouse: sa.Engine) -> None:
    for _ in range(2):  # the second time on the same connection of the pool
        with transaction(warehouse) as connection:
            assert not work_tables.has(connection, "touched")
            work_tables.need(connection, "touched", "incoming")
            connection.execute(sa.text("INSERT INTO touched VALUES ('a')"))
            work_tables.need(connection, "touched", "live_key")
            assert there(connection) == {"touched", "incoming", "live_key"}
            assert connection.scalar(sa.text("SELECT count(*) FROM touched")) == 1
            assert not work_tables.has(connection, "arriving")


def test_what_was_rolled_back_is_made_again(warehouse: sa.Engine) -> None:
    with warehouse.connect() as connection, connection.begin() as under_way:
        work_tables.need(connection, "touched")
        under_way.rollback()
    with transaction(warehouse) as connection:
        assert not work_tables.has(connection, "touched")
        work_tables.need(connection, "touched")
        assert there(connection) == {"touched"}
