"""What no window and no count tells is found by comparing: a delete that a new record makes up for, a link that was moved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import connect
from pipeline.sync import SyncCounts, sync_stream
from pipeline.words import words
from sandbox.context import Context
from sandbox.hubspot.app import create_app
from sandbox.hubspot.associations import default_link
from sandbox.store import Store
from tests.support.serving import serving

pytestmark = pytest.mark.slow

TOKEN = "pat-made-up"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
STREAMS = ("contacts", "calls", "call_to_contact")


@pytest.fixture
def store() -> Store:
    store = Store("hubspot", {"contacts": {"lifecyclestage"}}, archiving_modifies=False)
    for n in range(1, 31):
        store.create("contacts", str(n), NOW - timedelta(days=9), {"email": f"p{n}@acme.example"})
    store.create("calls", "801", NOW - timedelta(days=9), {"hs_timestamp": "2026-03-01T08:00:00.000Z"})
    _link(store, "1")
    return store


def _link(store: Store, contact: str) -> None:
    both = default_link("calls", "contacts"), default_link("contacts", "calls")
    store.link("calls", "801", "contacts", contact, *both)


def _known(engine: sa.Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(sa.text("SELECT source_record_id FROM staging.person WHERE NOT is_deleted")))


def _linked(engine: sa.Engine) -> set[str]:
    query = "SELECT person_source_id FROM staging.engagement_link WHERE NOT is_deleted"
    with engine.connect() as connection:
        return set(connection.scalars(sa.text(query)))


def test_what_no_night_finds_is_found_and_repaired(warehouse: sa.Engine, store: Store) -> None:
    now = NOW
    context = Context(clock=lambda: now, credentials={"hubspot_access_token": TOKEN})

    def sync(**how: Any) -> dict[str, SyncCounts]:
        nonlocal now
        now += timedelta(hours=6)
        given = {"access_token": TOKEN, "base_url": url, "search_per_second": "0"}
        connector = connect("hubspot", given)
        return {s: sync_stream(warehouse, connector, s, words(), progress=lambda *_: None, **how) for s in STREAMS}

    with serving(create_app(store, context)) as url:
        sync()
        # Deleted for good, while another was made, dated long ago: the count is as before, and no window is about either.
        store.delete("contacts", "7", now)
        store.create("contacts", "99", NOW - timedelta(days=8), {"email": "late@acme.example"})
        _link(store, "2")
        store.unlink("calls", "801", "contacts", "1")
        night = sync()
        assert (night["contacts"].missing, night["contacts"].deleted) == (0, 0)
        assert ("7" in _known(warehouse), "99" in _known(warehouse)) == (True, False)
        assert _linked(warehouse) == {"hubspot:contacts:1"}

        compared = sync(compare=True)
        assert (compared["contacts"].missing, compared["contacts"].deleted) == (1, 1)
        assert _known(warehouse) == {str(n) for n in range(1, 31) if n != 7} | {"99"}
        assert _linked(warehouse) == {"hubspot:contacts:2"}

        again = sync(compare=True)
        assert all((c.missing, c.deleted, c.new) == (0, 0, 0) for c in again.values())
