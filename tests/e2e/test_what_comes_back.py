"""Records come back from the archive up to its last day, and their links with them, though no date tells of either."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import connect
from glossary import load
from pipeline.sync import sync_stream
from sandbox.hubspot.associations import default_link
from sandbox.serve import running_sandbox
from tests.support.nights import credentials, sync_all
from tests.support.truth import link_disagreements

STREAMS = ("contacts", "deals", "calls", "call_to_contact", "call_to_deal")

pytestmark = pytest.mark.slow


@pytest.fixture
def box(seed: int) -> Iterator[Any]:
    with running_sandbox(seed=seed, people=30, history_days=60) as running:
        yield running


def _act(box: Any, verb: str, kind: str, id_: str | None = None, **fields: Any) -> str:
    return str(box.world.act("hubspot", verb, kind, id_, fields))


def _call(box: Any, contact: str) -> str:
    call = _act(box, "create", "calls", hs_call_title="Back", hs_timestamp="2026-06-01T00:00:00Z")
    there, back = default_link("calls", "contacts"), default_link("contacts", "calls")
    types = {"type_id": there.type_id, "back_type_id": back.type_id}
    _act(box, "link", "calls", call, to_kind="contacts", to_id=contact, **types)
    return call


def _calls(box: Any, engine: sa.Engine) -> list[str]:
    """One more night; what calls and their contacts differ in."""
    box.advance(0.01)
    keys = {"hubspot": credentials(box)["hubspot"]}
    sync_all(engine, keys, only=STREAMS)
    with engine.connect() as connection:
        return [line for line in link_disagreements(box.world, connection) if line.startswith("calls ")]


def _linked(engine: sa.Engine, call: str) -> list[str]:
    query = "SELECT person_source_id FROM staging.engagement_link WHERE engagement_source_id = :call AND NOT is_deleted"
    with engine.connect() as connection:
        return list(connection.scalars(sa.text(query), {"call": f"hubspot:calls:{call}"}))


def test_a_link_comes_back_with_the_contact_that_was_in_the_archive(box: Any, warehouse: sa.Engine) -> None:
    contact = _act(box, "create", "contacts", lastname="Back")
    call = _call(box, contact)
    _act(box, "archive", "contacts", contact)
    assert _calls(box, warehouse) == []
    assert _linked(warehouse, call) == []
    _act(box, "restore", "contacts", contact)
    assert _calls(box, warehouse) == []
    assert _linked(warehouse, call) == [f"hubspot:contacts:{contact}"]


def test_a_link_comes_back_with_the_contact_into_which_a_restored_one_was_merged(
    box: Any, warehouse: sa.Engine
) -> None:
    contact, other = (_act(box, "create", "contacts", lastname=f"Back {n}") for n in range(2))
    call = _call(box, contact)
    _act(box, "archive", "contacts", contact)
    assert _calls(box, warehouse) == []
    _act(box, "restore", "contacts", contact)
    box.advance(0.01)
    survivor = _act(box, "merge", "contacts", contact, into=other)
    assert _calls(box, warehouse) == []
    assert _linked(warehouse, call) == [f"hubspot:contacts:{survivor}"]


def test_a_night_in_which_nothing_comes_back_asks_for_no_more_links(box: Any, warehouse: sa.Engine) -> None:
    for _ in range(2):
        assert _calls(box, warehouse) == []
    before = box.context.log.total
    assert _calls(box, warehouse) == []
    asked = [line.path for line in box.context.log.lines("hubspot")[before:]]
    assert [path for path in asked if path.startswith("/crm/v4/associations")] == []


def test_a_contact_comes_back_that_was_restored_on_the_last_day_of_its_archive(box: Any, warehouse: sa.Engine) -> None:
    """Between the last reading in time and the next one, the ninety days of the archive pass."""
    contact = _act(box, "create", "contacts", lastname="Late")
    _act(box, "archive", "contacts", contact)
    keys = {"hubspot": credentials(box)["hubspot"]}
    for days in (0.01, 89.4):
        box.advance(days)
        sync_all(warehouse, keys, only=["contacts"])
        assert _is_deleted(warehouse, contact)
    box.advance(0.3)
    _act(box, "restore", "contacts", contact)
    box.advance(0.9)
    sync_all(warehouse, keys, only=["contacts"])
    assert not _is_deleted(warehouse, contact)


@pytest.mark.parametrize("full", [False, True], ids=["incremental", "full"])
def test_a_contact_comes_back_although_its_old_version_is_read_again(
    box: Any, warehouse: sa.Engine, *, full: bool
) -> None:
    """What is read in the night of the restore is the version from before the archive, which does not outrank it."""
    keys = {"hubspot": credentials(box)["hubspot"]}
    contact = _act(box, "create", "contacts", lastname="Soon")
    box.advance(0.01)
    _act(box, "archive", "contacts", contact)
    box.advance(0.01)
    sync_all(warehouse, keys, only=["contacts"])
    assert _is_deleted(warehouse, contact)
    _act(box, "restore", "contacts", contact)
    box.advance(1.5 if full else 0.01)
    connector = connect("hubspot", keys["hubspot"])
    sync_stream(warehouse, connector, "contacts", load(), full=full, progress=lambda *_: None)
    assert not _is_deleted(warehouse, contact)


@pytest.mark.parametrize(
    ("kind", "entity"), [("forms", "content_asset"), ("owners", "team_member"), ("campaigns", "campaign")]
)
def test_what_a_short_list_shows_again_lives_again(box: Any, warehouse: sa.Engine, kind: str, entity: str) -> None:
    """No date changes when it is restored: that the list shows it is all there is."""
    keys = {"hubspot": credentials(box)["hubspot"]}
    gone = next(record.id for record in box.world.hubspot.live(kind))
    query = sa.text(f"SELECT is_deleted FROM staging.{entity} WHERE source_id = :key")
    seen = []
    for verb in (None, "archive", "restore", "archive"):
        if verb:
            _act(box, verb, kind, gone)
        box.advance(0.5)
        sync_all(warehouse, keys, only=[kind])
        with warehouse.connect() as connection:
            seen.append(connection.execute(query, {"key": f"hubspot:{kind}:{gone}"}).scalar_one())
    assert seen == [False, True, False, True]


def test_submissions_of_a_form_that_went_into_the_archive_since_are_read(box: Any, warehouse: sa.Engine) -> None:
    keys = {"hubspot": credentials(box)["hubspot"]}
    form = next(record.id for record in box.world.hubspot.live("forms"))
    streams = ("forms", "form_submissions")
    sync_all(warehouse, keys, only=streams)
    box.advance(0.5)
    fields = {"formGuid": form, "submittedAt": int(box.world.now().timestamp() * 1000), "conversionId": "last-one"}
    box.world.act("hubspot", "create", "form_submissions", None, fields)
    _act(box, "archive", "forms", form)
    box.advance(0.5)
    sync_all(warehouse, keys, only=streams)
    query = "SELECT count(*) FROM raw.hubspot__form_submissions WHERE record_id = 'last-one'"
    with warehouse.connect() as connection:
        assert connection.scalar(sa.text(query)) == 1


def _is_deleted(engine: sa.Engine, contact: str) -> bool:
    with engine.connect() as connection:
        query = "SELECT is_deleted FROM staging.person WHERE source_id = :key"
        return bool(connection.execute(sa.text(query), {"key": f"hubspot:contacts:{contact}"}).scalar_one())
