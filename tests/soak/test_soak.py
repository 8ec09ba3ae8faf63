"""Completeness under fire: a moving world, all faults, a kill each night; at the end nothing is missing, double or stale.

Size: SMARKETING_SOAK_PEOPLE (20000), SMARKETING_SOAK_NIGHTS (30), SMARKETING_SOAK_MINUTES (180: no night starts later),
SMARKETING_SOAK_FAULTS (all); SMARKETING_TEST_SEED repeats a run's world and faults.
"""

import logging
import os
import random
import time
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from sandbox.faults import switch
from sandbox.serve import running_sandbox
from tests.support.nights import credentials, unhurried
from tests.support.soak import Soak, states, unsettled
from tests.support.truth import record_disagreements

CHECKED_EACH_NIGHT = 2_000
"""Up to so many people, every night is compared; of larger worlds every fifth, since comparing takes as long as loading."""


def setting(name: str, default: str) -> str:
    return os.environ.get(f"SMARKETING_SOAK_{name}", default)


@pytest.mark.soak
def test_nothing_is_lost_doubled_or_stale_after_nights_of_faults_and_kills(
    seed: int, make_warehouse: Callable[[], sa.Engine]
) -> None:
    people, nights, minutes = (
        int(setting(*each)) for each in (("PEOPLE", "20000"), ("NIGHTS", "30"), ("MINUTES", "180"))
    )
    started = time.monotonic()
    engine = make_warehouse()
    with running_sandbox(seed=seed, people=people) as box:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it tells of each connection that a fault closes
        unhurried(box)
        switch(box.context.faults, setting("FAULTS", "all"), seed=seed)
        faults = box.context.faults.switched()
        soak = Soak(box, engine, credentials(box), random.Random(seed))
        for number in range(nights):
            if time.monotonic() - started > 60 * minutes:
                break
            checks = people <= CHECKED_EACH_NIGHT or number % 5 == 4
            box.advance(1)
            before = states(box.world) if checks else {}
            began = soak.night()
            print(f"night {number + 1}: {time.monotonic() - started:.0f} s, {soak.tally.kills} runs killed", flush=True)  # noqa: T201
            if checks:
                with engine.connect() as connection:
                    found = record_disagreements(box.world, connection, unsettled(box.world, before, began))
                assert found == [], f"night {number + 1}, seed {seed}: {len(found)} records\n" + "\n".join(found[:40])
        soak.last_night()
        found = soak.disagreements()
        tally = soak.tally
        struck = {name: fault.struck for name, fault in faults.items() if fault.struck}
        print(  # noqa: T201
            f"\nseed {seed}, {people} people, {tally.nights} nights, {tally.kills} runs killed\n"
            f"requests {box.context.log.total}, retries {tally.retries}, failed runs of a stream {tally.failed.total()}\n"
            + "".join(f"    {times} x {error}\n" for error, times in tally.failed.most_common())
            + f"rows read {tally.rows} in {tally.seconds:.0f} s: {tally.rows / max(tally.seconds, 1):.0f} a second\n"
            f"faults struck {sum(struck.values())}: {struck}\n"
            f"missing, double, stale, undetected: {len(found)}"
        )
        assert found == [], f"seed {seed}: {len(found)} records and links\n" + "\n".join(found[:40])
        assert tally.kills > 0
        assert struck, "no fault struck: the run proved nothing"
