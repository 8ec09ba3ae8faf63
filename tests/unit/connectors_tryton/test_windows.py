"""What counts as a change in a window, and which version a record is."""

from datetime import datetime, timedelta

import pytest

from tests.unit.connectors_tryton.conftest import T0, Read, a_mechanism, a_party, an_opportunity
from tests.unit.connectors_tryton.fake import FakeTryton

SECOND = timedelta(seconds=1)
LATER = T0 + timedelta(days=3)


def test_a_record_never_updated_counts_by_its_creation(tryton: FakeTryton, read: Read) -> None:
    tryton.put("party.party", **a_party(1))
    assert [(c.record_id, c.version_at) for c in read("party", "incremental", T0, T0 + SECOND)] == [("1", T0)]
    assert read("party", "incremental", T0 + SECOND, T0 + 2 * SECOND) == []


def test_an_updated_record_counts_by_its_update_alone(tryton: FakeTryton, read: Read) -> None:
    tryton.put("party.party", **a_party(1, write_date=LATER))
    assert read("party", "backfill", T0, T0 + SECOND) == []
    assert [c.version_at for c in read("party", "backfill", LATER, LATER + SECOND)] == [LATER]


@pytest.mark.parametrize(
    ("start", "end", "is_in"),
    [(T0, T0 + SECOND, True), (T0 - SECOND, T0, False), (T0 + timedelta(microseconds=1), T0 + SECOND, False)],
)
def test_windows_begin_inclusive_and_end_exclusive(
    tryton: FakeTryton, read: Read, start: datetime, end: datetime, *, is_in: bool
) -> None:
    tryton.put("party.party", **a_party(1))
    assert bool(read("party", "backfill", start, end)) is is_in


@pytest.mark.parametrize("link", ["contact_mechanisms", "addresses", "identifiers"])
def test_editing_only_what_belongs_to_a_party_changes_the_party(tryton: FakeTryton, read: Read, link: str) -> None:
    children = {
        "contact_mechanisms": a_mechanism(7, "new@shop.example", write_date=LATER),
        "addresses": {
            "id": 7,
            "party_name": None,
            "city": "Recife",
            "postal_code": None,
            "country": {"id": 3, "code": "BR"},
            "subdivision": None,
            "active": True,
            "sequence": None,
            "create_date": T0,
            "write_date": LATER,
        },
        "identifiers": {"id": 7, "type": "br_cnpj", "code": "x", "create_date": LATER, "write_date": None},
    }
    tryton.put("party.party", **a_party(1, write_date=T0 + SECOND, **{link: [children[link]]}))
    tryton.put("party.party", **a_party(2))
    changes = read("party", "incremental", LATER, LATER + SECOND)
    assert [(change.record_id, change.version_at) for change in changes] == [("1", LATER)]


def test_editing_an_employees_address_changes_the_employee(tryton: FakeTryton, read: Read) -> None:
    party = a_party(9, contact_mechanisms=[a_mechanism(4, "e@shop.example", write_date=LATER)])
    employee = {"id": 1, "party": party, "company": {"id": 1}, "start_date": None, "end_date": None}
    tryton.put("company.employee", **employee, create_date=T0, write_date=None)
    assert [c.version_at for c in read("employee", "incremental", LATER, LATER + SECOND)] == [LATER]
    assert read("employee", "incremental", LATER + SECOND, LATER + 2 * SECOND) == []


def test_editing_a_line_changes_the_opportunity(tryton: FakeTryton, read: Read) -> None:
    line = {"id": 1, "sequence": 1, "product": None, "description": "x", "quantity": 2.0, "unit": None}
    tryton.put("sale.opportunity", **an_opportunity(1, lines=[{**line, "create_date": T0, "write_date": LATER}]))
    assert [c.version_at for c in read("opportunity", "incremental", LATER, LATER + SECOND)] == [LATER]


def test_a_full_window_reads_rows_without_any_date_and_leaves_them_to_be_stamped(
    tryton: FakeTryton, read: Read
) -> None:
    tryton.put("party.party", **a_party(1, create_date=None))
    assert [(change.record_id, change.version_at) for change in read("party")] == [("1", None)]
