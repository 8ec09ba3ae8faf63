"""Figures are what their parts give, to the last digit, on random histories that collide a lot."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies

from pipeline.lineage import MARTS
from pipeline.lineage.walk import explain_rows
from tests.support.random_history import RandomHistory
from tests.support.staging_rows import StagingRows, empty
from tests.support.staging_rows import settings as build_settings
from transforms.build import build

few = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
SETTINGS = build_settings(shared_value_cap=4, group_size_cap=3)


@few
@given(seed=strategies.integers(0, 2**32))
def test_parts_add_up(warehouse: sa.Engine, seed: int) -> None:
    history = RandomHistory(seed)
    with warehouse.begin() as connection:
        empty(connection)
        rows = StagingRows(connection)
        for _ in range(120):
            history.change(rows)
        build(connection, SETTINGS, full=False)
    walked = {mart: explain_rows(warehouse, SETTINGS, mart, "true", parts=0) for mart in MARTS}
    assert all(walked[mart] for mart in ("marts.customer_journey", "marts.person_journey"))
    wrong = [(mart, f) for mart in MARTS for each in walked[mart] for f in each.figures if not f.adds_up]
    assert wrong == []


# One history may have no open deal or no cost: as many as it takes, until each figure has been made of something.
@pytest.mark.slow
def test_every_figure_is_made_of_something(warehouse: sa.Engine) -> None:
    wanted = {f"{mart}.{m.column}" for mart, lineage in MARTS.items() for m in lineage.measures}
    for seed in range(40):
        history = RandomHistory(seed)
        with warehouse.begin() as connection:
            empty(connection)
            rows = StagingRows(connection)
            for _ in range(200):
                history.change(rows)
            build(connection, SETTINGS, full=True)
        for mart in MARTS:
            for each in explain_rows(warehouse, SETTINGS, mart, "true", parts=0):
                assert all(f.adds_up for f in each.figures)
                wanted -= {f"{mart}.{f.column}" for f in each.figures if f.value}
        if not wanted:
            return
    assert wanted == set()
