"""What the messages of public connectors come to: records by key with the newest winning, state, deletes, merges."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from benchmarks.public import KINDS, PEERS, Loader, Peer, configured, selected

AT = "2026-06-01T12:00:00.000Z"
MOMENT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def peer(package: str) -> Peer:
    return next(each for each in PEERS if each.package == package)


def loaded(package: str, *runs: Iterable[Mapping[str, Any] | str]) -> Loader:
    loader = Loader(peer(package))
    for run in runs:
        loader.load([line if isinstance(line, str) else json.dumps(line) for line in run])
    return loader


def contact(id_: str, **more: Any) -> dict[str, Any]:
    return {"type": "RECORD", "stream": "contacts", "record": {"id": id_, "updatedAt": AT, **more}}


SCHEMA = {"type": "SCHEMA", "stream": "contacts", "key_properties": ["id"], "schema": {}}


def test_singer_records_are_upserted_by_the_declared_key() -> None:
    first = [SCHEMA, contact("1", properties={"email": "a"}), contact("2", properties={"email": "b"})]
    second: list[Mapping[str, Any] | str] = [
        SCHEMA,
        contact("1", properties={"email": "c"}),
        {"type": "STATE", "value": {"bookmarks": 1}},
        '{"cut',
    ]
    loader = loaded("meltano-tap-hubspot", first, second)
    hoard = loader.hoards()["contacts"]
    assert {id_: [row.values for row in rows] for id_, rows in hoard.records.items()} == {
        "1": [{"email": "c"}],
        "2": [{"email": "b"}],
    }
    assert {row.modified for rows in hoard.records.values() for row in rows} == {MOMENT}
    assert (loader.rows, loader.state, loader.done) == (3, {"bookmarks": 1}, set())


def test_a_key_that_does_not_tell_records_apart_gives_doubles() -> None:
    schema = SCHEMA | {"key_properties": ["id", "updatedAt"]}
    again = contact("1")
    again["record"]["updatedAt"] = "2026-06-01T12:00:01Z"
    hoard = loaded("meltano-tap-hubspot", [schema, contact("1"), again]).hoards()["contacts"]
    assert {id_: len(rows) for id_, rows in hoard.records.items()} == {"1": 2}


def airbyte(stream: str, **data: Any) -> dict[str, Any]:
    return {"type": "RECORD", "record": {"stream": stream, "data": data}}


def state(name: str, value: int) -> dict[str, Any]:
    return {
        "type": "STATE",
        "state": {"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": {"at": value}}},
    }


def status(name: str, word: str) -> dict[str, Any]:
    told = {"stream_descriptor": {"name": name}, "status": word}
    return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "stream_status": told}}


def test_airbyte_states_are_kept_by_stream_and_streams_say_when_they_are_done() -> None:
    first = [state("deals", 1), state("contacts", 1), status("contacts", "COMPLETE"), status("deals", "INCOMPLETE")]
    loader = loaded("airbyte-source-hubspot", first, [state("deals", 2), status("deals", "COMPLETE")])
    assert loader.done == {"deals"}
    assert [(s["stream"]["stream_descriptor"]["name"], s["stream"]["stream_state"]["at"]) for s in loader.state] == [
        ("deals", 2),
        ("contacts", 1),
    ]


def test_an_archived_deal_is_gone_and_a_survivor_names_whom_it_absorbed() -> None:
    rows = [
        airbyte("deals", id="1", properties_dealname="x", archived=False),
        airbyte("deals_archived", id="1", properties_dealname="x", archived=True),
        airbyte("contacts", id="7", properties_hs_merged_object_ids="8;9", properties_hs_calculated_merged_vids="10:5"),
    ]
    hoards = loaded("airbyte-source-hubspot", rows).hoards()
    assert [row.is_gone for row in hoards["deals"].records["1"]] == [True]
    assert hoards["contacts"].absorbed == {"8", "9", "10"}


@pytest.mark.parametrize("flag", [True, "true", False, "false"])
def test_salesforce_says_what_is_deleted(flag: Any) -> None:
    rows = [airbyte("Lead", Id="00Q", SystemModstamp="2026-06-01T12:00:00.000+0000", IsDeleted=flag)]
    (row,) = loaded("airbyte-source-salesforce", rows).hoards()["Lead"].records["00Q"]
    assert (row.is_gone, row.modified) == (flag in {True, "true"}, MOMENT)


def test_every_peer_brings_every_compared_kind() -> None:
    assert {each.package: set(each.streams.values()) for each in PEERS} == {
        each.package: set(KINDS[each.vendor]) for each in PEERS
    }


def test_catalogs() -> None:
    discovered = {
        "streams": [
            {
                "tap_stream_id": name,
                "metadata": [
                    {"breadcrumb": [], "metadata": {"valid-replication-keys": ["SystemModstamp"]}},
                    {"breadcrumb": ["properties", "Id"], "metadata": {"inclusion": "automatic"}},
                    {"breadcrumb": ["properties", "Blob"], "metadata": {"inclusion": "unsupported"}},
                ],
            }
            for name in ("Lead", "Order")
        ]
    }
    streams = selected(discovered, ["Lead"])["streams"]
    assert [[entry["metadata"]["selected"] for entry in stream["metadata"]] for stream in streams] == [
        [True, True, False],
        [False, True, False],
    ]
    assert streams[0]["metadata"][0]["metadata"]["replication-key"] == "SystemModstamp"
    catalog = configured(peer("airbyte-source-hubspot"), ["deals", "deals_archived"])
    assert [stream["cursor_field"] for stream in catalog["streams"]] == [["updatedAt"], ["archivedAt"]]
