"""Incremental equals full, order of arrival does not matter, and ids survive: on random histories that collide a lot."""

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies

from tests.support.random_history import RandomHistory
from tests.support.staging_rows import BUILT, StagingRows, contents, empty
from tests.support.staging_rows import settings as build_settings
from transforms.build import build

few = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], print_blob=True
)
# A low cap, so that addresses and domains go above and below it often.
SETTINGS = build_settings(shared_value_cap=4)


@few
@given(seed=strategies.integers(0, 2**32), batches=strategies.lists(strategies.integers(1, 40), min_size=1, max_size=4))
def test_incremental_builds_end_where_a_full_build_ends(warehouse: sa.Engine, seed: int, batches: list[int]) -> None:
    history = RandomHistory(seed)
    with warehouse.begin() as connection:
        empty(connection)
        rows = StagingRows(connection)
        for _ in range(60):
            history.change(rows)
        build(connection, SETTINGS, full=False)
    for size in batches:
        with warehouse.begin() as connection:
            rows = StagingRows(connection)
            for _ in range(size):
                history.change(rows)
            build(connection, SETTINGS, full=False)
    with warehouse.begin() as connection:
        incremental = contents(connection)
        build(connection, SETTINGS, full=True)
        full = contents(connection)
    assert incremental["marts.customer_journey"], "the history made no journey: the test would show nothing"
    for table in BUILT:
        assert incremental[table] == full[table], table
