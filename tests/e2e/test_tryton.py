"""A real Tryton server, night after night: what its users did shows in staging, in core and in the journeys."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from connectors import connect
from sandbox.tryton import Business, TrytonServer, running_tryton
from tests.support.nights import contents, differences, night

DIRECTORY = Path(__file__).parent.parent.parent / ".local" / "tryton"
PARTIES, OPPORTUNITIES = 30, 16
BUYERS = [{"name": f"Buyer {n}", "email": f"buyer{n}@example.com"} for n in range(8)]
"""Of the first eight opportunities, one of them won, each is a person's."""

pytestmark = [pytest.mark.slow, pytest.mark.network]


@pytest.fixture
def server() -> Iterator[TrytonServer]:
    with running_tryton(DIRECTORY) as running:
        yield running


class Seen:
    """What the warehouse shows."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def rows(self, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.text(statement), values).mappings()]

    def one(self, statement: str, **values: Any) -> Mapping[str, Any]:
        (row,) = self.rows(statement, **values)
        return row

    def staged(self, entity: str, stream: str, id_: int) -> Mapping[str, Any]:
        return self.one(f"SELECT * FROM staging.{entity} WHERE source_id = :id", id=f"tryton:{stream}:{id_}")

    def deal(self, id_: int) -> Mapping[str, Any]:
        statement = "SELECT * FROM core.opportunity WHERE source_id = :id"
        return self.one(statement, id=f"tryton:opportunity:{id_}")

    def person(self, party: int) -> Mapping[str, Any]:
        statement = """
            SELECT p.*, j.won_deal_count, j.event_count FROM core.identity_link AS l JOIN core.person AS p USING (person_id)
            LEFT JOIN marts.person_journey AS j USING (person_id) WHERE l.source_id = :id"""
        return self.one(statement, id=f"tryton:party:{party}")

    def events(self, deal: Mapping[str, Any]) -> list[tuple[str, str | None]]:
        statement = """
            SELECT DISTINCT event_type, to_stage, occurred_at FROM marts.customer_journey
            WHERE opportunity_id = :id AND event_type LIKE 'deal%' ORDER BY occurred_at, event_type"""
        return [(row["event_type"], row["to_stage"]) for row in self.rows(statement, id=deal["opportunity_id"])]


def test_two_nights_show_an_update_a_lost_and_a_won_opportunity_a_delete_and_a_merge(
    server: TrytonServer, seed: int, warehouse: sa.Engine
) -> None:
    business, seen, keys = Business(server, seed=seed), Seen(warehouse), {"tryton": server.credentials}
    business.fill(parties=PARTIES, opportunities=OPPORTUNITIES, people=BUYERS)
    kept, replaced = business.admin.create("party.party", [{"name": "Kept"}, {"name": "Replaced"}])
    _settle(server)
    first = {count.stream: count for count in night(warehouse, keys)}
    _holds_what_the_server_has(seen, business)
    assert all(count.window and count.window.kind == "full" for count in first.values())
    assert all(count.new for count in first.values())

    day = business.advance(1, spared={kept, replaced})
    _merge(server, business, kept, replaced)
    _settle(server)
    second = {count.stream: count for count in night(warehouse, keys)}
    assert all(count.window and count.window.kind == "incremental" for count in second.values())
    assert (second["party"].deleted, second["opportunity"].new) == (1, 2)
    assert second["scenario"].new == 0
    _holds_what_the_server_has(seen, business)

    # The updates: a name, and an address of which the party's own dates say nothing.
    name = business.admin.search("party.party", [["id", "=", day.renamed]], ["name"])[0]["name"]
    assert seen.staged("person", "party", day.renamed)["full_name"] == name
    assert str(day.rewritten) in seen.staged("person", "party", day.rewritten)["email"]

    # The lost opportunity, with its reason and its moment.
    lost = seen.deal(day.lost)
    staged = seen.staged("opportunity", "opportunity", day.lost)
    assert (lost["status"], lost["stage"]) == ("lost", "lost")
    assert (staged["status"], staged["loss_reason_raw"]) == ("lost", day.loss_reason)
    assert staged["loss_reason"] not in (None, "unmapped")
    assert lost["created_at"] < lost["closed_at"]

    # The won one, that first was a sale drafted.
    won = seen.deal(day.won)
    assert (won["status"], won["stage"]) == ("won", "won")
    assert won["created_at"] < won["closed_at"]
    assert won["amount"] == Decimal(_field(business, "sale.opportunity", day.won, "amount"))

    # Their journeys, where the deal's contact is a person.
    won_by_people = seen.rows(
        "SELECT DISTINCT opportunity_id FROM core.opportunity JOIN core.opportunity_person USING (opportunity_id) "
        "WHERE status = 'won' ORDER BY 1"
    )
    told_won = "SELECT DISTINCT opportunity_id FROM marts.customer_journey WHERE event_type = 'deal_won' ORDER BY 1"
    assert won_by_people
    assert seen.rows(told_won) == won_by_people
    for deal, end in ((lost, "lost"), (won, "won")):
        if seen.rows("SELECT * FROM core.opportunity_person WHERE opportunity_id = :id", id=deal["opportunity_id"]):
            told = seen.events(deal)
            assert ("deal_created", None) in told
            assert (f"deal_{end}", None) in told
            assert [to for kind, to in told if kind == "deal_stage_change"][-1] == end

    # The delete and the merge.
    gone = seen.rows("SELECT * FROM staging.person WHERE source_key = :id", id=f"tryton:party:{day.deleted}")
    assert [(row["is_deleted"], row["merged_into_source_id"]) for row in gone] == [(True, None)]
    # Somebody may read a mailing list under the same address: gone is who has no record left.
    left = seen.one(
        """
        SELECT bool_and(p.is_deleted) AS is_gone, bool_and(s.is_deleted) AS has_no_record
        FROM core.identity_link l JOIN core.person p USING (person_id)
        JOIN core.identity_link other USING (person_id) JOIN staging.person s ON s.source_id = other.source_id
        WHERE l.source_id = :id""",
        id=f"tryton:party:{day.deleted}",
    )
    assert left["is_gone"] == left["has_no_record"]
    merged = seen.staged("person", "party", replaced)
    assert (merged["is_deleted"], merged["merged_into_source_id"]) == (True, f"tryton:party:{kept}")
    assert seen.person(kept)["person_id"] == seen.person(replaced)["person_id"]
    assert not seen.person(kept)["is_deleted"]

    # A third night on which nothing happened changes nothing.
    before = contents(warehouse)
    third = night(warehouse, keys)
    assert [(count.new, count.deleted, count.staged) for count in third] == [(0, 0, 0)] * len(third)
    assert differences(before, contents(warehouse)) == []


def _holds_what_the_server_has(seen: Seen, business: Business) -> None:
    """Every party, opportunity, reader, scenario and record of a scenario is in staging, once, and nothing else is live."""
    for entity, stream, model in (
        ("person", "party", "party.party"),
        ("opportunity", "opportunity", "sale.opportunity"),
        ("person", "mailing_list_email", "marketing.email"),
        ("campaign", "scenario", "marketing.automation.scenario"),
        ("campaign_member", "automation_record", "marketing.automation.record"),
        ("team_member", "employee", "company.employee"),
    ):
        has = {
            str(row["id"]) for row in business.admin.search(model, [["active", "=", True]] if stream == "party" else [])
        }
        if stream == "automation_record":
            # Where the party is deleted Tryton answers with an empty reference: the record is nobody's.
            has = {str(row["id"]) for row in business.admin.search(model, [], ["record"]) if row["record"]}
        rows = seen.rows(
            f"SELECT source_record_id FROM staging.{entity} WHERE source_stream = :stream AND NOT is_deleted",
            stream=stream,
        )
        assert has, model
        assert sorted(row["source_record_id"] for row in rows) == sorted(has), model
    companies = business.admin.search("party.party", [["categories.name", "=", "Company"], ["active", "=", True]])
    accounts = seen.rows("SELECT source_record_id FROM staging.account WHERE NOT is_deleted")
    assert {row["source_record_id"] for row in accounts} == {str(row["id"]) for row in companies}
    states = {str(row["id"]): row["state"] for row in business.admin.search("sale.opportunity", [], ["state"])}
    status = {"won": "won", "lost": "lost", "cancelled": "lost"}
    deals = seen.rows(
        "SELECT o.status, s.source_record_id FROM core.opportunity o JOIN staging.opportunity s USING (source_id)"
    )
    assert {row["source_record_id"]: row["status"] for row in deals} == {
        id_: status.get(state, "open") for id_, state in states.items()
    }
    set_aside = seen.rows("SELECT entity, rule, reason FROM ops.quarantine WHERE NOT is_loaded")
    assert set_aside == []


def _settle(server: TrytonServer) -> None:
    """Wait until the server's clock, which tells whole seconds, is past all that was done: windows end at its now."""

    def second() -> datetime:
        return connect("tryton", server.credentials).now().replace(microsecond=0)

    began = second()
    while second() == began:
        time.sleep(0.05)


def _merge(server: TrytonServer, business: Business, kept: int, replaced: int) -> None:
    """Replace one party by another, as Tryton's wizard does, which REST does not have."""
    business.admin.write("party.party", replaced, active=False)
    with closing(sqlite3.connect(server.database_file, timeout=30)) as database, database:
        database.execute("UPDATE party_party SET replaced_by = ? WHERE id = ?", (kept, replaced))


def _field(business: Business, model: str, id_: int, field: str) -> str:
    (row,) = business.admin.search(model, [["id", "=", id_]], [field])
    value = row[field]
    return str(value["decimal"] if isinstance(value, dict) else value)
