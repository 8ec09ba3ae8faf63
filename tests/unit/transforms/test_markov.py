"""Removal effects: the published vector, and the same chances by walking on until nothing moves."""

from collections import Counter
from decimal import Decimal
from random import Random

import pytest

from transforms.attribution.markov import LOST, START, WON, Effect, Steps, removal_effects
from transforms.marts.markov_attribution import apportion


def steps_of(paths: list[tuple[list[str], str]]) -> Steps:
    return Counter(step for names, end in paths for step in zip([START, *names], [*names, end], strict=True))


def test_the_published_vector() -> None:
    paths = [(["c1", "c2", "c3"], WON), (["c1"], LOST), (["c2", "c3"], LOST)]
    effects = removal_effects(steps_of(paths))
    assert {name: (round(e.removal, 9), round(e.share, 9)) for name, e in effects.items()} == {
        "c1": (0.5, 0.2),
        "c2": (1.0, 0.4),
        "c3": (1.0, 0.4),
    }


def test_nothing_won_nothing_shared() -> None:
    assert removal_effects({}) == {}
    assert removal_effects(steps_of([(["c1", "c1"], LOST)])) == {"c1": Effect(0.0, 0.0)}


def test_the_chances_are_those_of_a_long_walk(seed: int) -> None:
    random = Random(seed)
    names = [f"c{n}" for n in range(6)]
    paths = [
        ([random.choice(names) for _ in range(random.randrange(1, 9))], random.choice((WON, LOST))) for _ in range(80)
    ]
    steps = steps_of([*paths, (names, WON)])
    whole = _walked(steps, without=None)
    for name, effect in removal_effects(steps).items():
        assert effect.removal == pytest.approx(1 - _walked(steps, without=name) / whole, abs=1e-9)


def _walked(steps: Steps, without: str | None) -> float:
    """What has come to won after very many steps, from all of it at start."""
    leaving: Counter[str] = Counter()
    for (origin, _), count in steps.items():
        leaving[origin] += count
    here, won = {START: 1.0}, 0.0
    while sum(here.values()) > 1e-13:
        there: Counter[str] = Counter()
        for (origin, to), count in steps.items():
            part = here.get(origin, 0.0) * count / leaving[origin]
            if to == WON:
                won += part
            elif to not in (LOST, without):
                there[to] += part  # type: ignore[assignment] # a Counter counts fractions as well
        here = dict(there)
    return won


def test_totals_are_shared_to_the_last_cent(seed: int) -> None:
    random = Random(seed)
    for _ in range(200):
        parts = [random.random() for _ in range(random.randrange(1, 9))]
        effects = {f"c{n}": Effect(part, part / sum(parts)) for n, part in enumerate(parts)}
        total = Decimal(random.randrange(-(10**6), 10**12)) / 100
        shared = apportion(total, effects, Decimal("0.01"))
        assert sum(shared.values()) == total
        assert all(value == round(value, 2) for value in shared.values())
    assert apportion(Decimal(5), {"c1": Effect(0.0, 0.0)}, Decimal("0.01")) == {"c1": 0}
