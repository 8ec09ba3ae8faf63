"""Versions that come twice, late, undated or in one batch: what is new, and whose state is known at once."""

import random
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from warehouse import incoming, raw
from warehouse.engine import transaction

T0 = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def upsert(id_: str, hours: int | None, value: int) -> raw.Row:
    return (id_, None if hours is None else T0 + timedelta(hours=hours), "upsert", b'{"v": %d}' % value, None)


def receive(connection: sa.Connection, rows: list[raw.Row], *, touch_all: bool = False) -> incoming.Received:
    table = raw.ensure_table(connection, "acme", "things")
    return incoming.receive(connection, table, incoming.pack(rows, NOW), load_id=1, touch_all=touch_all)


def touched(connection: sa.Connection) -> list[str]:
    return sorted(connection.scalars(sa.text("SELECT record_id FROM touched")))


def test_the_newest_of_new_versions_is_the_state_and_all_else_is_looked_up(warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        first = receive(connection, [upsert("a", 1, 1), upsert("b", 5, 1), upsert("c", 1, 1), upsert("d", 1, 1)])
        assert (first.new, {s.record_id for s in first.states}, first.known) == (4, {"a", "b", "c", "d"}, set())
        rows = [upsert("a", 2, 2), upsert("b", 4, 2), upsert("c", 1, 1), upsert("d", 1, 2), upsert("e", 1, 1)]
        second = receive(connection, rows)
        # a: newer; b: late; c: known; d: two of one moment; e: unheard of.
        assert second.new == 4
        assert {s.record_id: s.record for s in second.states} == {"a": b'{"v": 2}', "e": b'{"v": 1}'}
        assert second.known == {"a", "b", "c", "d"}
        assert touched(connection) == ["b", "d"]
        assert incoming.distinct_records(connection) == 5


def test_several_versions_in_one_batch_are_all_kept_and_looked_up(warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        rows = [upsert("a", 1, 1), upsert("a", 3, 3), upsert("a", 2, 2), upsert("a", 3, 3), upsert("b", 1, 1)]
        came = receive(connection, [*rows, ("b", T0 + timedelta(hours=2), "delete", b"", None)])
        assert came.new == 5
        assert came.states == []
        assert touched(connection) == ["a", "b"]
        states = {
            s.record_id: s
            for batch in raw.touched_states(connection, raw.ensure_table(connection, "acme", "things"), 9)
            for s in batch
        }
        assert states["a"].record == '{"v": 3}'
        assert states["b"].is_deleted


def test_undated_versions_are_compared_with_the_newest_also_across_batches(warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        assert receive(connection, [upsert("a", None, 1), upsert("a", None, 1)]).new == 1
        assert receive(connection, [upsert("a", None, 1)]).new == 0
        changed = receive(connection, [upsert("a", None, 2)])
        # Of one moment with the one before: which of them counts is for the order of versions to say.
        assert (changed.new, changed.states, touched(connection)) == (1, [], ["a"])
        assert receive(connection, [upsert("a", None, 1), upsert("a", None, 2)]).new == 0


def test_a_backfill_touches_what_it_receives(warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        receive(connection, [upsert("a", 1, 1)])
        came = receive(connection, [upsert("a", 1, 1), upsert("b", 1, 1)], touch_all=True)
        assert [s.record_id for s in came.states] == ["b"]
        assert touched(connection) == ["a"]


def test_batches_cut_anywhere_leave_the_same_versions_and_states(warehouse: sa.Engine, seed: int) -> None:
    rng = random.Random(seed)
    rows = [upsert(rng.choice("abcdef"), rng.randrange(6), rng.randrange(3)) for _ in range(60)]
    rows += [(i, T0 + timedelta(hours=rng.randrange(6)), "delete", b"", None) for i in rng.choices("abcdef", k=6)]
    rng.shuffle(rows)
    found = []
    for size, heard_of in ((len(rows), None), (7, None), (1, None), (len(rows), set()), (7, set()), (1, set[str]())):
        with transaction(warehouse) as connection:
            table = raw.ensure_table(connection, "acme", f"cut_{size}_{heard_of is None}".lower())
            known: dict[str, raw.State] = {}
            for at in range(0, len(rows), size):
                batch = rows[at : at + size]
                came = incoming.receive(connection, table, incoming.pack(batch, NOW), load_id=1, heard_of=heard_of)
                known.update({s.record_id: s for s in came.states})
            # As the job does it: what is looked up at the end takes the place of what was known before.
            known.update({s.record_id: s for b in raw.touched_states(connection, table, 9) for s in b})
            versions = connection.execute(
                sa.text(
                    f"SELECT record_id, version_at, op, CAST(record AS text) FROM {table.fullname} ORDER BY 1, 2, 3, 4"
                )
            ).all()
            states = sorted(s._replace(record=_text(s.record)) for s in known.values())
            read = incoming.distinct_records(connection)
        found.append((versions, states, read))
    assert all(one == found[0] for one in found)


def test_only_records_that_were_heard_of_are_looked_up(warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        table = raw.ensure_table(connection, "acme", "things")
        heard_of: set[str] = set()
        for rows, known in (([("a", 1), ("b", 1)], set()), ([("b", 1), ("c", 1)], {"b"}), ([("a", 2)], {"a"})):
            batch = incoming.pack([upsert(id_, hours, 1) for id_, hours in rows], NOW)
            came = incoming.receive(connection, table, batch, load_id=1, heard_of=heard_of)
            assert (came.known, {s.record_id for s in came.states}) == (known, {r[0] for r in rows} - ({"b"} & known))
        assert heard_of == {"a", "b", "c"}


def test_what_is_as_remembered_is_left_out_and_all_else_comes_out_the_same(warehouse: sa.Engine, seed: int) -> None:
    rng = random.Random(seed)

    def some() -> list[raw.Row]:
        hours = [None, None, None, 1, 2]
        return [upsert(rng.choice("abcdef"), rng.choice(hours), rng.randrange(3)) for _ in range(rng.randrange(1, 8))]

    before, batches = some(), [some() for _ in range(8)]
    found = []
    for remembers in (False, True):
        with transaction(warehouse) as connection:
            table = raw.ensure_table(connection, "acme", f"remembered_{remembers}".lower())
            incoming.receive(connection, table, incoming.pack(before, T0 - timedelta(days=1)), load_id=1)
        with transaction(warehouse) as connection:
            memory = incoming.Remembered(raw.newest_hashes(connection, table, 100)) if remembers else None
            came = [
                incoming.receive(connection, table, incoming.pack(batch, NOW, memory), load_id=2) for batch in batches
            ]
            read = incoming.distinct_records(connection) + (len(memory.same) if memory else 0)
            query = f"SELECT record_id, version_at, load_id, content_hash FROM {table.fullname} ORDER BY 1, 2, 3, 4"
            rows = connection.execute(sa.text(query)).all()
            states = [(one.new, sorted(s.record_id for s in one.states)) for one in came]
            found.append((states, touched(connection), rows, read))
    assert found[0] == found[1]


def test_hashes_of_a_table_that_is_too_large_are_not_remembered(warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        receive(connection, [upsert("a", 1, 1), upsert("a", 2, 2), upsert("b", 1, 1)])
        table = raw.ensure_table(connection, "acme", "things")
        query = (
            f"SELECT record_id, content_hash FROM {table.fullname} WHERE record_id = 'b' OR version_at > :at ORDER BY 1"
        )
        newest = connection.execute(sa.text(query), {"at": T0 + timedelta(hours=1)}).all()
        assert sorted(raw.newest_hashes(connection, table, 3).items()) == sorted(map(tuple, newest))
        assert [id_ for id_, _ in newest] == ["a", "b"]
        assert raw.newest_hashes(connection, table, 2) == {}


def _text(record: str | bytes | None) -> str:
    return record.decode() if isinstance(record, bytes) else record or ""
