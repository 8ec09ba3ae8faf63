"""Incremental equals full, order of arrival does not matter, and ids survive: on random histories that collide a lot."""

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies

from tests.support.random_history import RandomHistory
from tests.support.staging_rows import BUILT, StagingRows, assert_a_full_build_changes_nothing, contents, empty
from tests.support.staging_rows import rows as rows_of
from tests.support.staging_rows import settings as build_settings
from transforms.build import build
from warehouse.tables import metadata, staging

few = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
fewer = settings(few, max_examples=4)
# A low cap, so that addresses and domains go above and below it often.
SETTINGS = build_settings(shared_value_cap=4, group_size_cap=3)


def assert_same_as_full(connection: sa.Connection) -> None:
    journey = metadata.tables["marts.customer_journey"]
    assert connection.scalar(sa.select(sa.exists(sa.select(journey)))), "no journey: the test would show nothing"
    assert_a_full_build_changes_nothing(connection, SETTINGS)


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
            for _ in range(size // 8):
                history.decide(connection)
            build(connection, SETTINGS, full=False)
    with warehouse.begin() as connection:
        assert_same_as_full(connection)


@fewer
@given(seed=strategies.integers(0, 2**32))
def test_a_change_of_any_one_column_reaches_all_that_is_made_of_it(warehouse: sa.Engine, seed: int) -> None:
    history = RandomHistory(seed, size=4)
    with warehouse.begin() as connection:
        empty(connection)
        rows = StagingRows(connection)
        for _ in range(300):
            history.change(rows)
        build(connection, SETTINGS, full=True)
        history.nudge(rows)
        build(connection, SETTINGS, full=False)
        assert_same_as_full(connection)


@few
@given(seed=strategies.integers(0, 2**32))
def test_order_of_arrival_does_not_matter(warehouse: sa.Engine, seed: int) -> None:
    history = RandomHistory(seed)
    with warehouse.begin() as connection:
        empty(connection)
        rows = StagingRows(connection)
        for _ in range(90):
            history.change(rows)
        build(connection, SETTINGS, full=True)
        expected = contents(connection)
        final = [
            (entity, dict(row))
            for entity, table in staging.ENTITIES.items()
            for row in connection.execute(sa.select(table)).mappings()
        ]
        empty(connection)
        history.random.shuffle(final)
        for start in range(0, len(final), 25):
            for entity, row in final[start : start + 25]:
                rows.put(entity, **row)
            build(connection, SETTINGS, full=False)
        assert expected["marts.customer_journey"], "the history made no journey: the test would show nothing"
        arrived = contents(connection)
    for table in BUILT:
        assert arrived[table] == expected[table], table


@fewer
@given(seed=strategies.integers(0, 2**32))
def test_any_id_ever_given_leads_to_the_person_who_has_the_record_now(warehouse: sa.Engine, seed: int) -> None:
    history = RandomHistory(seed)
    given_ids: dict[str, set[object]] = {}
    with warehouse.begin() as connection:
        empty(connection)
        rows = StagingRows(connection)
        for _ in range(3):
            for _ in range(40):
                history.change(rows)
            build(connection, SETTINGS, full=False)
            links = {r["source_id"]: r["person_id"] for r in rows_of(connection, "core.identity_link", "1")}
            for person in rows_of(connection, "core.person", "1"):
                given_ids.setdefault(person["anchor_source_id"], set()).add(person["person_id"])
        aliases = {r["alias_id"]: r["person_id"] for r in rows_of(connection, "core.person_alias", "1")}
    assert links, "the history made no person: the test would show nothing"
    for anchor_id, ids in given_ids.items():
        assert len(ids) == 1
        if anchor_id in links:
            assert {aliases[i] for i in ids} == {links[anchor_id]}
