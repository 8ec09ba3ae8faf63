"""Records that are gone for good are noticed in the same night, whatever was made meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

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


@pytest.mark.parametrize(
    ("vendor", "kind", "stream", "fields"),
    [
        ("salesforce", "Lead", "lead", {"LastName": "Hard", "Company": "Hard", "Status": "Open - Not Contacted"}),
        ("hubspot", "contacts", "contacts", {"lastname": "Hard"}),
    ],
)
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
