"""The first build of a warehouse takes the indexes off what it fills, and nobody is any the worse for it."""

import sqlalchemy as sa

from tests.support.staging_rows import StagingRows, at, settings
from transforms.build import build

_INDEXES = sa.text(
    "SELECT indexrelid::bigint AS oid, pg_get_indexdef(indexrelid) AS definition FROM pg_index"
    " WHERE indrelid = 'marts.customer_journey'::regclass"
)


def indexes(connection: sa.Connection) -> dict[str, int]:
    """Definition of each index of marts.customer_journey -> its oid, which tells whether it was made anew."""
    return {row.definition: row.oid for row in connection.execute(_INDEXES)}


def put_a_visit(connection: sa.Connection) -> None:
    staging = StagingRows(connection)
    staging.put("person", "hubspot:contacts:1")
    staging.put(
        "touch", "hubspot:events:1", type="page_visit", occurred_at=at(1), person_source_id="hubspot:contacts:1"
    )


def events(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.text("SELECT count(*) FROM marts.customer_journey WHERE is_touchpoint")) or 0)


def test_indexes_are_made_anew_for_an_empty_table_alone(warehouse: sa.Engine) -> None:
    seen = []
    for _ in range(3):
        with warehouse.begin() as connection:
            seen.append(indexes(connection))
            put_a_visit(connection)
            build(connection, settings(), full=True)
            assert events(connection) == 1
    assert seen[0].keys() == seen[1].keys()
    made_anew = {d for d, oid in seen[0].items() if seen[1][d] != oid}
    assert made_anew == {d for d in seen[0] if "UNIQUE" not in d} != set()
    assert seen[2] == seen[1]


def test_a_build_does_not_wait_for_somebody_who_reads(warehouse: sa.Engine) -> None:
    with warehouse.connect() as reader, warehouse.begin() as connection:
        assert events(reader) == 0  # and the reader's transaction stays open
        before = indexes(connection)
        put_a_visit(connection)
        connection.execute(sa.text("SET LOCAL statement_timeout = '60s'"))
        build(connection, settings(), full=True)
        assert events(connection) == 1
        assert indexes(connection) == before


def test_a_role_that_may_only_write_builds_with_the_indexes_in_place(warehouse: sa.Engine) -> None:
    with warehouse.connect() as connection, connection.begin() as transaction:
        before = indexes(connection)
        put_a_visit(connection)
        connection.execute(sa.text("CREATE ROLE writer"))
        for schema in ("staging", "core", "marts", "ops"):
            connection.execute(sa.text(f"GRANT USAGE ON SCHEMA {schema} TO writer"))
            connection.execute(
                sa.text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO writer")
            )
        connection.execute(sa.text("SET LOCAL ROLE writer"))
        build(connection, settings(), full=True)
        assert events(connection) == 1
        assert indexes(connection) == before
        transaction.rollback()
