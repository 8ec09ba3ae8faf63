"""Records that are gone for good are noticed in the same night, whatever was made meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from connectors.base.model import Stream
from connectors.salesforce.connector import Salesforce
from sandbox.serve import running_sandbox
from tests.support.nights import credentials, sync_all

pytestmark = pytest.mark.slow


@pytest.fixture
def box(seed: int) -> Iterator[Any]:
    with running_sandbox(seed=seed, people=30, history_days=60) as running:
        yield running


def _deleted(engine: sa.Engine, stream: str) -> dict[str, bool]:
    query = "SELECT source_id, is_deleted FROM staging.person WHERE source_stream = :stream"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query), {"stream": stream}).all()
    return {key.rpartition(":")[2]: gone for key, gone in rows}


def _merged(engine: sa.Engine, stream: str, id_: str) -> tuple[bool, str | None]:
    query = (
        "SELECT is_deleted, merged_into_source_id FROM staging.person WHERE source_stream = :stream AND source_id = :id"
    )
    with engine.connect() as connection:
        parameters = {"stream": stream, "id": f"{'salesforce' if stream == 'lead' else 'hubspot'}:{stream}:{id_}"}
        is_deleted, into = connection.execute(sa.text(query), parameters).one()
    return is_deleted, into and into.rpartition(":")[2]


LEAD = {"LastName": "Hard", "Company": "Hard", "Status": "Open - Not Contacted"}
KINDS = pytest.mark.parametrize(
    ("vendor", "kind", "stream", "fields"),
    [
        ("salesforce", "Lead", "lead", LEAD),
        ("hubspot", "contacts", "contacts", {"lastname": "Hard"}),
    ],
)


@KINDS
def test_what_was_made_in_the_minutes_held_back_does_not_hide_what_is_gone(
    box: Any, warehouse: sa.Engine, vendor: str, kind: str, stream: str, fields: dict[str, Any]
) -> None:
    keys = {vendor: credentials(box)[vendor]}
    first, second = (box.world.act(vendor, "create", kind, None, fields) for _ in range(2))
    box.advance(0.02)
    sync_all(warehouse, keys, only=[stream])
    assert {_deleted(warehouse, stream)[id_] for id_ in (first, second)} == {False}
    for night, gone in enumerate((first, second)):
        box.world.act(vendor, "delete", kind, gone)
        for _ in range(3):
            box.world.act(vendor, "create", kind, None, fields)
        box.advance(0.001)  # less than Salesforce's windows hold back
        sync_all(warehouse, keys, only=[stream])
        assert _deleted(warehouse, stream)[gone], f"night {night}"
        box.advance(0.02)


def test_what_a_list_leaves_out_and_the_vendor_gives_by_id_is_not_deleted(
    box: Any, warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"salesforce": credentials(box)["salesforce"]}
    for _ in range(2):  # however few of the world's own are not converted
        box.world.act("salesforce", "create", "Lead", None, LEAD)
    box.advance(0.02)
    sync_all(warehouse, keys, only=["lead"])
    live = {id_ for id_, gone in _deleted(warehouse, "lead").items() if not gone}
    left_out = min(live)
    read_keys = Salesforce.read_keys

    def keys_but_one(connector: Salesforce, stream: Stream) -> Iterator[list[str]]:
        for ids in read_keys(connector, stream):
            yield [id_ for id_ in ids if id_ != left_out]

    monkeypatch.setattr(Salesforce, "read_keys", keys_but_one)
    monkeypatch.setattr(Salesforce, "count", lambda *_: len(live) - 1)
    box.advance(0.02)
    sync_all(warehouse, keys, only=["lead"])
    assert {id_ for id_, gone in _deleted(warehouse, "lead").items() if not gone} == live


@KINDS
def test_what_was_merged_after_the_windows_end_is_no_plain_delete(
    box: Any, warehouse: sa.Engine, vendor: str, kind: str, stream: str, fields: dict[str, Any]
) -> None:
    """The list of ids lacks the loser before any window shows the merge, whose date is earlier than that of the list."""
    keys = {vendor: credentials(box)[vendor]}
    loser, winner = (box.world.act(vendor, "create", kind, None, fields) for _ in range(2))
    box.advance(0.02)
    sync_all(warehouse, keys, only=[stream])
    box.context.faults.switch("hubspot.search_lag")
    winner = box.world.act(vendor, "merge", kind, loser, {"into": winner}) or winner
    for days in (0.001, 0.02, 0.1):  # at first less than Salesforce's windows hold back, and HubSpot's index lags
        box.advance(days)
        sync_all(warehouse, keys, only=[stream])
        assert _merged(warehouse, stream, loser) == (True, winner), f"after {days} days"
