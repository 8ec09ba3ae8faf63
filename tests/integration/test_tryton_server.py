"""The connector against a real Tryton: what its server answers is the judge."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.base.model import EPOCH, Change, Kind, Window
from connectors.tryton import STREAMS, TrytonConnector, connect
from errors import ConfigurationError, CredentialsError, ScopeError
from sandbox.tryton import Business, TrytonServer, running_tryton

pytestmark = [pytest.mark.slow, pytest.mark.network]

DIRECTORY = Path(__file__).parent.parent.parent / ".local" / "tryton"
MODELS = {
    "employee": "company.employee",
    "party": "party.party",
    "opportunity": "sale.opportunity",
    "mailing_list_email": "marketing.email",
    "scenario": "marketing.automation.scenario",
    "automation_record": "marketing.automation.record",
    "automation_activity": "marketing.automation.record.activity",
}


@dataclass
class Shop:
    """A real server with a small business in it, and a connector to it."""

    server: TrytonServer
    business: Business
    connector: TrytonConnector

    def read(
        self, name: str, kind: Kind = "full", start: datetime = EPOCH, end: datetime | None = None
    ) -> list[Change]:
        window = Window(name, start, end or self.soon(), kind)
        return [change for page in self.connector.read(STREAMS[name], window) for change in page.changes]

    def record(self, name: str, id_: int) -> dict[str, Any]:
        (page,) = self.connector.read_ids(STREAMS[name], [str(id_)])
        record: dict[str, Any] = json.loads(page.changes[0].payload)
        return record

    def keys(self, name: str) -> set[str]:
        return {id_ for batch in self.connector.read_keys(STREAMS[name]) for id_ in batch}

    def soon(self) -> datetime:
        """Past what the server's clock, in whole seconds, can be behind."""
        return self.connector.now() + timedelta(seconds=5)

    def mark(self) -> datetime:
        """A time after everything so far: the newest date of all records, and a microsecond."""
        dates = [c.version_at for name in STREAMS for c in self.read(name) if c.version_at]
        return max(dates) + timedelta(microseconds=1)


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with running_tryton(DIRECTORY) as server:
        business = Business(server, seed=20261123)
        business.fill(parties=45, opportunities=24)
        yield Shop(server, business, connect(server.credentials))


def test_every_stream_reads_exactly_what_the_server_has(shop: Shop) -> None:
    assert set(MODELS) == set(STREAMS)
    for name, model in MODELS.items():
        live = {str(row["id"]) for row in shop.business.admin.search(model)}
        assert live, name
        changes = shop.read(name)
        ids = [change.record_id for change in changes]
        assert len(ids) == len(set(ids)), name
        assert set(ids) == live, name
        assert shop.keys(name) == {c.record_id for c in changes if c.op == "upsert"}, name
        assert all(change.version_at for change in changes), name


def test_the_same_records_are_the_same_bytes_when_read_again(shop: Shop) -> None:
    for name in STREAMS:
        assert shop.read(name) == shop.read(name)


def test_a_window_in_which_nothing_changed_is_empty_and_windows_add_up(shop: Shop) -> None:
    mark = shop.mark()
    for name in STREAMS:
        assert shop.read(name, "incremental", mark) == [], name
        everything = {(c.record_id, c.version_at) for c in shop.read(name)}
        middle = sorted(at for _, at in everything if at)[len(everything) // 2]
        first, second = shop.read(name, "backfill", EPOCH, middle), shop.read(name, "backfill", middle, mark)
        assert {(c.record_id, c.version_at) for c in [*first, *second]} == everything, name
        # A record whose parts changed on both sides of the cut is in both windows; none other is.
        assert all(c.version_at and c.version_at >= middle for c in second), name


def test_a_day_of_work_shows_in_the_next_night(shop: Shop) -> None:
    before = {name: shop.keys(name) for name in STREAMS}
    mark = shop.mark()
    day = shop.business.advance(1)
    parties = {change.record_id: change for change in shop.read("party", "incremental", mark)}
    assert set(parties) == {str(day.renamed), str(day.rewritten), str(day.created)}
    assert str(day.rewritten) in json.loads(parties[str(day.rewritten)].payload)["email"]
    deals = {change.record_id: json.loads(change.payload) for change in shop.read("opportunity", "incremental", mark)}
    assert set(deals) == {str(day.won), str(day.lost)}
    lost, won = deals[str(day.lost)], deals[str(day.won)]
    assert (lost["state"], lost["lost_reason"]) == ("lost", day.loss_reason)
    assert [step["state"] for step in lost["state_changes"]] == ["lead", "opportunity", "lost"]
    assert [step["state"] for step in won["state_changes"]] == ["lead", "opportunity", "converted", "won"]
    assert won["state_changes"][-1]["at"] == won["write_date"]
    assert won["end_date"] is not None
    (left,) = shop.read("mailing_list_email", "incremental", mark)
    assert (left.record_id, json.loads(left.payload)["active"]) == (str(day.unsubscribed), False)
    after = {name: shop.keys(name) for name in STREAMS}
    assert before["party"] - after["party"] == {str(day.deleted)}
    assert list(shop.connector.read_ids(STREAMS["party"], [str(day.deleted)])) == []
    assert all(before[name] == after[name] for name in STREAMS if name != "party")


def test_amounts_keep_every_digit(shop: Shop) -> None:
    deals = shop.business.admin.search("sale.opportunity", [["state", "=", "opportunity"]])
    amount = Decimal("9007199254740993.07")
    shop.business.admin.write("sale.opportunity", deals[0]["id"], amount=amount)
    assert shop.record("opportunity", deals[0]["id"])["amount"] == str(amount)


def test_an_archived_party_is_a_delete_and_comes_back(shop: Shop) -> None:
    (id_,) = shop.business.admin.create("party.party", [{"name": "Sometimes here"}])
    mark = shop.mark()
    shop.business.admin.write("party.party", id_, active=False)
    (gone,) = shop.read("party", "incremental", mark)
    assert (gone.record_id, gone.op) == (str(id_), "delete")
    assert str(id_) not in shop.keys("party")
    mark = shop.mark()
    shop.business.admin.write("party.party", id_, active=True)
    (back,) = shop.read("party", "incremental", mark)
    assert (back.record_id, back.op) == (str(id_), "upsert")
    assert str(id_) in shop.keys("party")


def test_a_replaced_party_is_a_merge(shop: Shop) -> None:
    kept, replaced = shop.business.admin.create("party.party", [{"name": "Kept"}, {"name": "Replaced"}])
    mark = shop.mark()
    shop.business.admin.write("party.party", replaced, active=False)
    # Only a wizard may set replaced_by, and REST has no wizards: the row is made as the wizard leaves it.
    with closing(sqlite3.connect(shop.server.database_file, timeout=30)) as database, database:
        database.execute("UPDATE party_party SET replaced_by = ? WHERE id = ?", (kept, replaced))
    (merge,) = shop.read("party", "incremental", mark)
    assert (merge.record_id, merge.op, merge.merged_into) == (str(replaced), "merge", str(kept))
    assert shop.keys("party") >= {str(kept)}
    assert str(replaced) not in shop.keys("party")


def test_a_reopened_opportunity_tells_its_way(shop: Shop) -> None:
    admin = shop.business.admin
    (deal, *_) = admin.search("sale.opportunity", [["state", "=", "lost"]])
    admin.press("sale.opportunity", deal["id"], "lead")
    admin.press("sale.opportunity", deal["id"], "opportunity")
    admin.press("sale.opportunity", deal["id"], "cancel")
    states = [step["state"] for step in shop.record("opportunity", deal["id"])["state_changes"]]
    assert states == ["lead", "opportunity", "lost", "lead", "opportunity", "cancelled"]


@pytest.mark.parametrize("name", ["Ação & Filhos", "a'b\"c\\d", "😀 " + "é" * 10_000, "nul \x00 inside"])
def test_hostile_names_arrive_as_they_are(shop: Shop, name: str) -> None:
    (id_,) = shop.business.admin.create("party.party", [{"name": name}])
    assert shop.record("party", id_)["name"] == name


def test_the_doctor_is_content_with_the_rights_of_the_readme(shop: Shop) -> None:
    assert [(check.name, check.is_ok) for check in shop.connector.check()] == [
        ("key", True),
        ("clock", True),
        ("rights", True),
        ("companies", True),
    ]


def test_keys_without_rights_and_wrong_settings_are_told_apart(shop: Shop) -> None:
    good = shop.server.credentials
    blind = connect({**good, "key": shop.server.blind_key})
    rights = {check.name: check for check in blind.check()}["rights"]
    assert not rights.is_ok
    assert "sale.opportunity" in rights.message
    with pytest.raises(ScopeError):
        list(blind.read_keys(STREAMS["opportunity"]))
    with pytest.raises(CredentialsError):
        list(connect({**good, "key": "0" * 128}).read_keys(STREAMS["party"]))
    with pytest.raises(ConfigurationError):
        list(connect({**good, "database": "other"}).read_keys(STREAMS["party"]))


def test_a_server_lives_in_the_time_that_it_is_told(tmp_path: Path) -> None:
    then = datetime(2024, 2, 29, 12, tzinfo=UTC)
    with running_tryton(DIRECTORY, data=tmp_path / "then") as server:
        business, connector = Business(server), connect(server.credentials)
        server.set_clock(then)
        known = [{"name": "Ana", "email": "Ana.Lima@One.example"}, {"name": "Ana L", "email": "ana.lima@one.example"}]
        days: list[int] = []
        business.fill(parties=9, opportunities=8, people=known, later=days.append)
        assert sum(days) > 0
        server.set_clock(then + timedelta(days=3))
        business.grow(1)
        business.advance(1)
        assert then + timedelta(days=3) <= connector.now() < then + timedelta(days=4)
        first_day = Window("party", then, then + timedelta(days=1), "backfill")
        read = [change for page in connector.read(STREAMS["party"], first_day) for change in page.changes]
        assert {"Ana", "Ana L"} <= {json.loads(change.payload)["name"] for change in read}
        fourth_day = Window("opportunity", then + timedelta(days=3), then + timedelta(days=4), "incremental")
        deals = [change for page in connector.read(STREAMS["opportunity"], fourth_day) for change in page.changes]
        # One was won and one lost; of the two new ones none, one or both are among them.
        states = [json.loads(change.payload)["state"] for change in deals]
        assert sorted(set(states) - {"opportunity"}) == ["lost", "won"]
        assert len(states) <= 4


def test_a_database_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    with running_tryton(DIRECTORY, data=tmp_path / "kept") as server:
        (id_,) = Business(server).admin.create("party.party", [{"name": "Kept"}])
    with running_tryton(DIRECTORY, data=tmp_path / "kept") as server:
        assert [row["id"] for row in Business(server).admin.search("party.party", [["name", "=", "Kept"]])] == [id_]
