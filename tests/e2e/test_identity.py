"""Who is who, against the truth of a world large enough for namesakes, shared mailboxes and typing errors."""

from typing import Any

import sqlalchemy as sa

from sandbox.serve import running_sandbox
from tests.support.built_truth import decidable_pairs, identity_score
from tests.support.nights import credentials, night, unhurried
from tests.support.truth import settle

PEOPLE = 1500
FEW = 2


def test_people_are_told_apart_and_together(module_seed: int, module_warehouse: sa.Engine) -> None:
    """Nobody is taken for somebody else, and what evidence can decide is decided: the rest is for a person to say."""
    with running_sandbox(seed=module_seed, people=PEOPLE) as box:
        score, decidable = _scored(box, module_warehouse)
    missed = score.missed & decidable
    recall = 1 - len(missed) / len(decidable)
    print(  # noqa: T201
        f"precision {score.precision:.4f} over {score.pairs} pairs; recall {recall:.4f} of {len(decidable)} that evidence ties, "
        f"{score.recall:.4f} of all"
    )
    assert score.precision >= 0.999, sorted(score.wrong)[:20]
    assert recall >= 0.99, sorted(missed)[:20]
    assert len(decidable) > PEOPLE / 3


def _scored(box: Any, engine: sa.Engine) -> Any:
    unhurried(box)
    settle(box)
    night(engine, credentials(box))
    with engine.connect() as connection:
        return identity_score(box.world, connection), decidable_pairs(box.world)
