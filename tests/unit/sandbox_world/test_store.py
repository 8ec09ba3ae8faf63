"""The store's indexes stay right through every kind of write."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.store import Store

START = datetime(2025, 1, 1, tzinfo=UTC)
END = START + timedelta(days=800)


def _write(store: Store, chance: random.Random, number: int, at: datetime) -> None:
    live = [r.id for r in store.live("things")]
    archived = [r.id for r in store.archived("things")]
    verb = chance.choice(("create", "update", "update", "archive", "restore", "delete", "merge"))
    if verb == "create" or len(live) < 3:
        store.create("things", str(number), at, {chance.choice("abc"): "1"})
    elif verb == "update":
        store.update("things", chance.choice(live), at, {chance.choice("cdef"): "2"})
    elif verb == "archive":
        store.archive("things", chance.choice(live), at)
    elif verb == "restore" and archived:
        store.restore("things", chance.choice(archived), at)
    elif verb == "delete":
        store.delete("things", chance.choice(live), at)
    elif verb == "merge":
        loser, winner = chance.sample(live, 2)
        store.merge("things", loser, winner, at)


@pytest.mark.parametrize("archiving_modifies", [False, True])
def test_what_was_modified_when_is_found_after_any_writes(seed: int, archiving_modifies: bool) -> None:  # noqa: FBT001
    chance = random.Random(seed)
    store = Store("any", archiving_modifies=archiving_modifies)
    at = START
    for number in range(300):
        if number == 40:
            store.index()
        at += timedelta(hours=chance.choice((0, 1, 30)))
        _write(store, chance, number, at)
    expected = sorted((r.modified_at, r.id) for r in store.records["things"].values())
    assert [(r.modified_at, r.id) for r in store.modified("things", START, END)] == expected
    held = {name for record in store.records["things"].values() for name in record.fields}
    assert held <= store.names["things"] <= set("abcdef")
