"""What a record says: exact, stable, complete, and nothing secret."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tryton.parties import is_company
from connectors.tryton.streams import READINGS
from connectors.tryton.values import encoded, plain
from tests.unit.connectors_tryton.conftest import T0, Read, a_mechanism, a_party, an_opportunity
from tests.unit.connectors_tryton.fake import FakeTryton

HOSTILE = "\x00 'quotes\" \\ 😀 \u2028 " + "é" * 10_000


def test_decimals_keep_every_digit_and_dates_are_iso(tryton: FakeTryton, read: Read) -> None:
    amount = Decimal("12345678901234567.10")
    tryton.put("sale.opportunity", **an_opportunity(1, amount=amount, start_date=date(2026, 1, 9)))
    (change,) = read("opportunity")
    record = json.loads(change.payload)
    assert record["amount"] == "12345678901234567.10"
    assert record["start_date"] == "2026-01-09"
    assert record["create_date"] == "2026-03-01T12:00:00.000250Z"
    assert record["currency"] == {"code": "BRL", "id": 1}
    assert record["party"] == 2


def test_a_lost_opportunity_says_why(tryton: FakeTryton, read: Read) -> None:
    tryton.put("sale.opportunity", **an_opportunity(1, "lost", lost_reason="Price", write_date=T0))
    tryton.history[1] = [(T0, "lost")]
    record = json.loads(read("opportunity")[0].payload)
    assert (record["state"], record["lost_reason"]) == ("lost", "Price")


def test_hostile_text_arrives_as_it_is(tryton: FakeTryton, read: Read) -> None:
    tryton.put("party.party", **a_party(1, name=HOSTILE))
    assert json.loads(read("party")[0].payload)["name"] == HOSTILE


def test_the_main_address_is_the_first_active_one_in_trytons_order(tryton: FakeTryton, read: Read) -> None:
    mechanisms = [
        a_mechanism(1, "third@shop.example", sequence=2),
        a_mechanism(2, "second@shop.example", sequence=1),
        a_mechanism(3, "gone@shop.example", active=0),
        a_mechanism(4, "+551199", type="mobile"),
    ]
    tryton.put("party.party", **a_party(1, contact_mechanisms=mechanisms))
    record = json.loads(read("party")[0].payload)
    assert [each["id"] for each in record["contact_mechanisms"]] == [3, 4, 2, 1]
    assert (record["email"], record["mobile"], record["phone"]) == ("second@shop.example", "+551199", None)


@pytest.mark.parametrize("truth", [1, True])
def test_booleans_are_booleans_on_every_database(tryton: FakeTryton, read: Read, *, truth: Any) -> None:
    tryton.put("party.party", **a_party(1, active=truth))
    (change,) = read("party")
    assert change.op == "upsert"
    assert json.loads(change.payload)["active"] is True


def test_archived_and_replaced_parties_are_deletes_and_merges_and_no_keys(
    tryton: FakeTryton, read: Read, connector: Any
) -> None:
    tryton.put("party.party", **a_party(1))
    tryton.put("party.party", **a_party(2, active=False))
    tryton.put("party.party", **a_party(3, active=False, replaced_by={"id": 1}))
    changes = read("party")
    assert [(c.record_id, c.op, c.merged_into) for c in changes] == [
        ("1", "upsert", None),
        ("2", "delete", None),
        ("3", "merge", "1"),
    ]
    assert all(json.loads(change.payload)["name"] for change in changes)
    assert list(connector.read_keys(connector.streams["party"])) == [["1"]]


def test_leaving_a_list_is_no_delete(tryton: FakeTryton, read: Read, connector: Any) -> None:
    dates = {"create_date": T0, "write_date": T0 + timedelta(days=1)}
    entry = {"id": 5, "email": "a@shop.example", "active": False, "list_": {"id": 1, "name": "News"}, "party": None}
    tryton.put("marketing.email", **entry, **dates)
    (change,) = read("mailing_list_email")
    assert (change.op, json.loads(change.payload)["active"]) == ("upsert", False)
    assert list(connector.read_keys(connector.streams["mailing_list_email"])) == [["5"]]


@pytest.mark.parametrize(("reference", "party"), [("party.party,12", 12), ("sale.sale,3", None), (None, None)])
def test_automation_records_name_their_party(
    tryton: FakeTryton, read: Read, reference: str | None, party: int | None
) -> None:
    record = {"id": 1, "scenario": {"id": 4, "name": "Welcome"}, "record": reference, "blocked": 0}
    tryton.put("marketing.automation.record", **record, create_date=T0, write_date=None)
    activity = {
        "id": 9,
        "record": record,
        "state": "done",
        "at": T0,
        "email_opened": 1,
        "email_clicked": 0,
        "activity": {"id": 2, "name": "Mail"},
        "create_date": T0,
        "write_date": T0,
    }
    tryton.put("marketing.automation.record.activity", **activity)
    first, second = (json.loads(read(name)[0].payload) for name in ("automation_record", "automation_activity"))
    assert (first["party"], first["blocked"], first["scenario"]["name"]) == (party, False, "Welcome")
    assert (second["party"], second["email_opened"], second["record"]["scenario"]["id"]) == (party, True, 4)


def test_no_secret_of_trytons_is_asked_for() -> None:
    fields = {field.split(".")[-1] for reading in READINGS.values() for field in (*reading.fields, *reading.optional)}
    assert not fields & {"email_token", "uuid", "password", "key", "comment"}


@pytest.mark.parametrize(
    ("categories", "types", "expected"),
    [
        (["Company"], [], True),
        (["PESSOA "], [], False),
        (["Company", "Person"], ["br_cpf"], False),
        (["VIP"], ["br_cnpj"], True),
        ([], ["us_ssn"], False),
        ([], ["br_cnpj", "br_cpf"], True),
        ([None], [None], None),
        ([], [], None),
    ],
)
def test_person_or_company_goes_by_evidence(categories: list[Any], types: list[Any], *, expected: bool | None) -> None:
    party = {"categories": [{"name": name} for name in categories], "identifiers": [{"type": type_} for type_ in types]}
    assert is_company(party) is expected


names = st.text("aé😀_", min_size=1).filter(lambda name: not name.startswith("__"))
leaves = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
)


@given(st.dictionaries(names, values, max_size=5))
def test_the_same_record_is_the_same_bytes_in_any_key_order(record: dict[str, Any]) -> None:
    shuffled = dict(reversed(list(record.items())))
    assert encoded(plain(shuffled)) == encoded(plain(record))
    assert json.loads(encoded(plain(record))) == record


def test_half_a_surrogate_pair_is_kept() -> None:
    assert json.loads(encoded({"name": "\ud83d"})) == {"name": "\ud83d"}
