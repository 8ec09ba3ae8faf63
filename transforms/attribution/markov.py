"""The Markov model of attribution: how much less would be won without a channel.

Paths are walks on a chain of order one from `start` over channels to `won` or `lost`. A channel's removal effect is the part of
the chance to win that is lost when every step to it leads to `lost` instead; shares are the effects over their sum. The chances
are solved exactly, as linear equations, not by walking at random. Source: Anderl, Becker, von Wangenheim, Schumann 2016,
Mapping the customer journey; paths that were lost are included.
"""

from collections.abc import Mapping
from typing import NamedTuple

START, WON, LOST = "(start)", "(won)", "(lost)"

Steps = Mapping[tuple[str, str], int]
"""(from, to) -> how often paths took the step."""


class Effect(NamedTuple):
    """removal: the part of all wins that would be lost without it, 0 to 1. share: its part of the sum of all removals."""

    removal: float
    share: float


def removal_effects(steps: Steps) -> dict[str, Effect]:
    """Removal effect and share of each state but start, won and lost, in alphabetical order; all 0 where nothing was won."""
    names = sorted({name for step in steps for name in step} - {START, WON, LOST})
    chance = _chance_to_win(steps, names, without=None)
    removals = {name: 1 - _chance_to_win(steps, names, without=name) / chance if chance else 0.0 for name in names}
    total = sum(removals.values())
    return {name: Effect(removal, removal / total if total else 0.0) for name, removal in removals.items()}


def _chance_to_win(steps: Steps, names: list[str], *, without: str | None) -> float:
    """The chance to come from start to won, where steps to `without` lead to lost."""
    # Half a second, which no other command need wait for.
    from scipy.sparse import csc_array, eye_array  # noqa: PLC0415
    from scipy.sparse.linalg import spsolve  # noqa: PLC0415

    states = [START, *(name for name in names if name != without)]
    place = {name: number for number, name in enumerate(states)}
    leaving = dict.fromkeys(states, 0)
    for (origin, _), count in steps.items():
        if origin in leaving:
            leaving[origin] += count
    rows, columns, chances = [], [], []
    won = [0.0] * len(states)
    for (origin, to), count in sorted(steps.items()):
        if origin not in place:
            continue
        if to == WON:
            won[place[origin]] += count / leaving[origin]
        elif to in place:
            rows.append(place[origin])
            columns.append(place[to])
            chances.append(count / leaving[origin])
    among = csc_array((chances, (rows, columns)), shape=(len(states), len(states)))
    return float(spsolve((eye_array(len(states), format="csc") - among).tocsc(), won)[0])
