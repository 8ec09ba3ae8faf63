"""The same nights twice, in another order, and killed at random points: equal warehouses."""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from multiprocessing.synchronize import Event
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import URL

from pipeline.windows import Interval
from sandbox.serve import running_sandbox
from tests.support.nights import contents, credentials, differences, night, sync_all, unhurried
from warehouse.engine import connect

PEOPLE = 150


@pytest.fixture
def box(seed: int) -> Iterator[Any]:
    with running_sandbox(seed=seed, people=PEOPLE) as running:
        unhurried(running)
        yield running


@pytest.fixture
def another(make_warehouse: Callable[[], sa.Engine]) -> sa.Engine:
    return make_warehouse()


def run_night(url: URL, keys: dict[str, dict[str, str]], begun: Event) -> None:
    """Runs in a process of its own, to be killed."""
    engine = connect(url)
    begun.set()
    night(engine, keys)
    engine.dispose()


@pytest.mark.slow
def test_nights_run_twice_end_like_nights_run_once(box: Any, warehouse: sa.Engine, another: sa.Engine) -> None:
    keys = credentials(box)
    for _ in range(2):
        night(warehouse, keys)
        night(another, keys)
        night(another, keys)
        box.advance(1)
    night(warehouse, keys)
    night(another, keys)
    assert differences(contents(warehouse), contents(another)) == []


@pytest.mark.slow
def test_windows_in_another_order_end_like_windows_in_order(
    box: Any, seed: int, warehouse: sa.Engine, another: sa.Engine
) -> None:
    rng = random.Random(seed)
    keys = credentials(box)
    end = datetime.fromisoformat(box.today)
    edges = [
        *(end - timedelta(days=d) for d in (400, 30, 3)),  # the world is a year old
        end + timedelta(days=1),
    ]
    windows = [Interval(a, b) for a, b in pairwise(edges)]
    for window in windows:
        sync_all(warehouse, keys, backfill=window)
    night(warehouse, keys)
    rng.shuffle(windows)
    for window in [*windows, rng.choice(windows)]:
        sync_all(another, keys, backfill=window, rng=rng)
    night(another, keys)
    assert differences(contents(warehouse), contents(another)) == []


@pytest.mark.slow
def test_nights_that_are_killed_end_like_nights_that_are_not(
    box: Any, seed: int, warehouse: sa.Engine, another: sa.Engine
) -> None:
    rng = random.Random(seed)
    keys = credentials(box)
    context = multiprocessing.get_context("forkserver")
    # Their import takes seconds, and would be most of what is killed.
    context.set_forkserver_preload(["great_expectations", "tests.support.nights"])
    kills = 0

    def run(engine: sa.Engine, longest: float | None) -> tuple[bool, float]:
        """Whether the night ended in that many seconds, being killed otherwise, and how long it ran."""
        begun = context.Event()
        process = context.Process(target=run_night, args=(engine.url, keys, begun))
        process.start()
        assert begun.wait(60)
        since = time.monotonic()
        process.join(longest)
        seconds = time.monotonic() - since
        if has_ended := not process.is_alive():
            assert process.exitcode == 0
        process.kill()
        process.join()
        return has_ended, seconds

    for _ in range(2):
        _, length = run(warehouse, None)
        for _ in range(3):
            has_ended, _ = run(another, rng.uniform(0.05, 0.9) * length)
            kills += not has_ended
        night(another, keys)
        box.advance(1)
    assert kills >= 1, "no run was killed: the test proved nothing"
    assert differences(contents(warehouse), contents(another)) == []
