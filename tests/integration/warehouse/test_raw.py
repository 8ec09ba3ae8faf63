"""Loading versions: twice, reordered, and with what PostgreSQL cannot hold."""

import random
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from warehouse import incoming, raw
from warehouse.engine import transaction
from warehouse.tables.raw import raw_table

T0 = datetime(2026, 5, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def load(
    engine: sa.Engine, rows: list[raw.Row], load_id: int, *, now: datetime = NOW, touch_all: bool = False
) -> tuple[tuple[int, int], list[raw.State]]:
    with transaction(engine) as connection:
        table = raw.ensure_table(connection, "acme", "things")
        versions = incoming.pack(rows, now)
        received = incoming.receive(connection, table, versions, load_id=load_id, touch_all=touch_all)
        read = incoming.distinct_records(connection)
        asked = [s for batch in raw.touched_states(connection, table, 2) for s in batch]
        incoming.touch(connection, [s.record_id for s in received.states])
        again = [s for batch in raw.touched_states(connection, table, 2) for s in batch]
    # What is handed back as a record's state is what the table says of it.
    assert sorted(_exact(received.states) + _exact(asked)) == sorted(_exact(again))
    return (read, received.new), again


def _exact(states: list[raw.State]) -> list[raw.State]:
    return [s._replace(record=s.record.encode() if isinstance(s.record, str) else s.record) for s in states]


def test_a_version_loaded_twice_is_there_once(warehouse: sa.Engine) -> None:
    rows: list[raw.Row] = [("1", T0, "upsert", b'{"a": 1}', None), ("2", T0, "upsert", b'{"a": 2}', None)]
    assert load(warehouse, rows, 1)[0] == (2, 2)
    assert load(warehouse, rows, 2) == ((2, 0), [])
    counts, states = load(warehouse, rows, 3, touch_all=True)
    assert counts == (2, 0)
    assert [s.record_id for s in states] == ["1", "2"]


def test_undated_versions_are_new_only_when_they_differ(warehouse: sa.Engine) -> None:
    later = [NOW + timedelta(days=d) for d in range(4)]
    assert load(warehouse, [("1", None, "upsert", b"[1]", None)], 1, now=later[0])[0][1] == 1
    assert load(warehouse, [("1", None, "upsert", b"[1]", None)], 2, now=later[1])[0][1] == 0
    assert load(warehouse, [("1", None, "upsert", b"[2]", None)], 3, now=later[2])[0][1] == 1
    _, states = load(warehouse, [("1", None, "upsert", b"[1]", None)], 4, now=later[3])
    assert [(s.record, s.version_at) for s in states] == [("[1]", later[3])]


def test_order_of_loading_does_not_matter(warehouse: sa.Engine, seed: int) -> None:
    rng = random.Random(seed)
    rows: list[raw.Row] = []
    for record in "abcde":
        for i in range(5):
            op = rng.choice(["upsert", "upsert", "delete", "delete", "merge"])
            payload = b'{"v": %d}' % i if op == "upsert" or rng.random() < 0.5 else b""
            rows.append((record, T0 + timedelta(hours=i), op, payload, f"into {i}" if op == "merge" else None))
    rng.shuffle(rows)
    for i in range(0, len(rows), 3):
        load(warehouse, rows[i : i + 3], i + 1)
    _, states = load(warehouse, rows, 99, touch_all=True)
    for state in states:
        mine = sorted((r for r in rows if r[0] == state.record_id), key=lambda r: r[1] or T0)
        newest, told = mine[-1], [r for r in mine if r[2] != "delete"]
        # Of what came after the last life, a merge says more than a delete.
        says = told[-1] if told and told[-1][2] == "merge" else newest
        assert (state.version_at, state.merged_into) == (says[1], says[4])
        assert state.is_deleted == (newest[2] != "upsert")
        assert state.deleted_at == (says[1] if state.is_deleted else None)
        payloads = [r[3].decode() for r in mine if r[3]]
        assert state.record == (payloads[-1] if payloads else None)


def test_what_postgres_cannot_hold_is_kept_byte_for_byte_and_stays_queryable(warehouse: sa.Engine) -> None:
    odd = {
        "nul": rb'{"name": "a\u0000b", "n": 1.10}',
        "escaped": rb'{"name": "a\\u0000b"}',
        "lone_high": rb'{"name": "\ud83d x"}',
        "lone_low": rb'{"name": "\ude00 x"}',
        "pair": rb'{"name": "\ud83d\ude00"}',
        "latin1": b'{"name": "caf\xe9"}',
    }
    load(warehouse, [(k, T0, "upsert", v, None) for k, v in odd.items()], 1)
    with warehouse.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT record_id, record ->> 'name', CAST(record AS text), record_bytes FROM raw.acme__things")
        ).all()
    names = {r[0]: r[1] for r in rows}
    assert names == {
        "nul": "a\ufffdb",
        "escaped": "a\\u0000b",
        "lone_high": "\ufffd x",
        "lone_low": "\ufffd x",
        "pair": "\U0001f600",
        "latin1": "caf\ufffd",
    }
    for key, text, exact in ((r[0], r[2], r[3]) for r in rows):
        assert (bytes(exact) if exact is not None else text.encode()) == odd[key]
    assert {r[0] for r in rows if r[3] is None} == {"escaped", "pair"}


def test_absent_keys_become_deletes_once(warehouse: sa.Engine) -> None:
    load(warehouse, [(k, T0, "upsert", b"{}", None) for k in "abc"], 1)
    for load_id, gone in ((2, 1), (3, 0)):
        with transaction(warehouse) as connection:
            table = raw.ensure_table(connection, "acme", "things")
            raw.receive_keys(connection, ["a", "c", "new"])
            assert raw.missing_keys(connection, table) == (["new"], [])
            assert raw.absent(connection, table) == ["b"][:gone]
            assert raw.delete_absent(connection, table, load_id, NOW) == gone
    with warehouse.connect() as connection:
        assert list(raw.live_ids(connection, raw_table("acme", "things"))) == ["a", "c"]


def test_what_hangs_on_a_gone_record_goes_with_it(warehouse: sa.Engine) -> None:
    member, gone = b'{"m": 1}', [("5", T0, "delete", b"", None), ("6", T0, "merge", b"", "7")]
    with transaction(warehouse) as connection:
        people = raw.ensure_table(connection, "acme", "people")
        some: list[raw.Row] = [(str(n), T0 - timedelta(days=9), "upsert", b"{}", None) for n in range(4, 9)]
        incoming.receive(connection, people, incoming.pack(some, NOW), load_id=1)
        incoming.receive(connection, people, incoming.pack(gone, NOW), load_id=3)
        back: list[raw.Row] = [("5", T0 + timedelta(days=1), "upsert", b"{}", None)]
        members = raw.ensure_table(connection, "acme", "things")
        held: list[raw.Row] = [(f"{place}-{n}", T0, "upsert", member, None) for n in range(4, 9) for place in "ab"]
        incoming.receive(connection, members, incoming.pack(held, NOW), load_id=2)
        connection.execute(sa.text("TRUNCATE touched"))

        def follow(loads: list[int], load_id: int) -> set[str]:
            raw.delete_gone_with(connection, members, people, loads, load_id=load_id, observed_at=NOW)
            query = "SELECT record_id FROM raw.acme__things WHERE op = 'delete' AND load_id = :load"
            return set(connection.scalars(sa.text(query), {"load": load_id}))

        assert follow([2], 4) == set()
        assert follow([1, 3], 5) == {"a-5", "b-5", "a-6", "b-6"}
        assert follow([1, 3], 6) == set()
        # Who came back is not gone; a member that is told of once more goes again, whenever its record went.
        incoming.receive(connection, people, incoming.pack(back, NOW), load_id=7)
        again: list[raw.Row] = [(one, NOW + timedelta(days=1), "upsert", member, None) for one in ("a-5", "a-6")]
        connection.execute(sa.text("TRUNCATE touched"))
        incoming.receive(connection, members, incoming.pack(again, NOW), load_id=8)
        connection.execute(sa.text("INSERT INTO touched VALUES ('a-5'), ('a-6') ON CONFLICT DO NOTHING"))
        assert follow([], 9) == {"a-6"}
