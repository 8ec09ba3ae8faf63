"""One small world for the tests that only look; one running sandbox for the tests of the control endpoint."""

from collections.abc import Iterator

import pytest

from sandbox.serve import Sandbox, running_sandbox
from sandbox.world import World

SEED = 20_260_601


@pytest.fixture(scope="session")
def world() -> World:
    """1,500 people; read-only."""
    return World(SEED, 1_500)


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """40 people behind the four apps; tests may act on it."""
    with running_sandbox(seed=SEED, people=40) as running:
        yield running
