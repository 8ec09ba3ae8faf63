"""Objects with more fields than a URI holds, and fields that customers add: all of them, and all rows."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors import salesforce
from connectors.base.model import Change, Page
from connectors.salesforce.connector import Salesforce
from errors import VendorError
from tests.contract.salesforce.fake import NOW, Org, Reply, lead, stamp

Read = Callable[..., list[Page]]
ChangesOf = Callable[[list[Page]], list[Change]]
Made = Callable[..., Salesforce]
JOB = r"POST \S+/jobs/query"
SELECT = r"queryAll\?q=SELECT Id"
CUSTOM = tuple(f"A_custom_field_with_a_long_name_{number:04d}__c" for number in range(1200))


def custom(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "custom": True, "calculated": False} | more


@pytest.fixture
def wide(org: Org) -> Org:
    """Seven leads with 1,200 fields of the customer's: six URIs' worth."""
    org.rows["Lead"] = [lead(number) | {name: f"{number} of {name[-7:-3]}" for name in CUSTOM} for number in range(7)]
    org.shown["Lead"] = [*lead(0), *(custom(name) for name in CUSTOM)]
    return org


def values(changes: list[Change]) -> dict[str, dict[str, Any]]:
    return {each.record_id: json.loads(each.payload) for each in changes}


def expected(org: Org) -> dict[str, dict[str, Any]]:
    left_out = {"Email", "LastName", "CreatedDate", "SystemModstamp", "IsDeleted", "MasterRecordId", "Id"}
    return {row["Id"]: {name: row[name] for name in (*CUSTOM, *left_out)} for row in org.rows["Lead"]}


def assert_all(changes: list[Change], org: Org) -> None:
    found = {id_: {k: v for k, v in each.items() if k != "attributes"} for id_, each in values(changes).items()}
    assert found == expected(org)
    assert len(changes) == len(org.rows["Lead"])


def test_more_fields_than_a_uri_holds_are_read_in_pieces(wide: Org, read: Read, changes_of: ChangesOf) -> None:
    pages = read()
    assert_all(changes_of(pages), wide)
    assert sum(page.expected or 0 for page in pages) == 7
    assert not wide.asked(JOB)
    assert len(wide.asked(SELECT)) > 3
    assert all(len(each) < 16_384 for each in wide.seen)


def test_the_same_by_id_and_by_bulk(wide: Org, made: Made, read: Read, changes_of: ChangesOf) -> None:
    connector = made()
    assert_all(changes_of(list(connector.read_ids(connector.streams["lead"], sorted(expected(wide))))), wide)
    bulk = values(changes_of(read(threshold=0)))
    assert {id_: {name: each[name] for name in CUSTOM} for id_, each in bulk.items()} == {
        id_: {name: each[name] for name in CUSTOM} for id_, each in expected(wide).items()
    }
    assert len(wide.asked(JOB)) == 1


def test_a_value_keeps_its_bytes(org: Org, read: Read, changes_of: ChangesOf) -> None:
    org.rows["Lead"] = [lead(1) | dict.fromkeys(CUSTOM, "\ud83d half")]
    org.shown["Lead"] = [*lead(0), *(custom(name) for name in CUSTOM)]

    def ascii_only(reply: Reply) -> Reply:
        return Reply(body=json.dumps(reply.body).encode())

    org.fail(SELECT, ascii_only, times=99)
    (change,) = changes_of(read())
    assert change.payload.count(b'"\\ud83d half"') == len(CUSTOM)


@pytest.mark.parametrize("piece", [1, 2, 3])
def test_a_row_that_changes_between_two_pieces_is_read_again(
    wide: Org, read: Read, changes_of: ChangesOf, piece: int
) -> None:
    row = wide.rows["Lead"][3]

    def edit(reply: Reply) -> Reply:
        row.update(dict.fromkeys(CUSTOM, "edited"), SystemModstamp=stamp(NOW + timedelta(hours=1)))
        return reply

    wide.fail(SELECT, edit, skip=piece - 1)
    assert_all(changes_of(read()), wide)


def test_a_row_that_leaves_the_window_between_two_pieces_is_not_lost(
    wide: Org, read: Read, changes_of: ChangesOf
) -> None:
    row = wide.rows["Lead"][3]

    def edit(reply: Reply) -> Reply:
        row.update(dict.fromkeys(CUSTOM, "edited"), SystemModstamp=stamp(NOW + timedelta(days=30)))
        return reply

    wide.fail(SELECT, edit)
    assert_all(changes_of(read()), wide)


def test_a_row_that_is_removed_for_good_between_two_pieces_is_let_go(
    wide: Org, read: Read, changes_of: ChangesOf
) -> None:
    gone = wide.rows["Lead"][3]

    def remove(reply: Reply) -> Reply:
        wide.rows["Lead"] = [row for row in wide.rows["Lead"] if row is not gone]
        return reply

    wide.fail(SELECT, remove)
    assert_all(changes_of(read()), wide)


def test_a_row_that_never_holds_still_fails_the_window(wide: Org, read: Read) -> None:
    row, ticks = wide.rows["Lead"][3], iter(range(10**6))

    def edit(reply: Reply) -> Reply:
        row["SystemModstamp"] = stamp(NOW + timedelta(seconds=next(ticks)))
        return reply

    wide.fail(SELECT, edit, times=10**6)
    with pytest.raises(VendorError, match=r"kept changing while they were read in \d+ pieces"):
        read()


def test_every_custom_field_is_read_but_what_bulk_does_not_take(org: Org, read: Read, changes_of: ChangesOf) -> None:
    org.rows["Lead"] = [lead(1, Score__c=7, Place__c=None, Place__Latitude__s=1.5, Photo__c=None, Other="no")]
    org.shown["Lead"] = [
        *lead(0),
        "Other",
        custom("Score__c", "double"),
        custom("Place__c", "location"),
        custom("Place__Latitude__s", "double"),
        custom("Photo__c", "base64"),
    ]
    for threshold in (10, 0):
        (change,) = changes_of(read(threshold=threshold))
        names = set(json.loads(change.payload)) - {"attributes", *lead(0)}
        assert names == {"Score__c", "Place__Latitude__s"}


@pytest.mark.parametrize("threshold", [0, 1000])
def test_a_field_that_vanishes_while_it_is_read_loses_no_row(
    org: Org, read: Read, changes_of: ChangesOf, threshold: int
) -> None:
    org.rows["Lead"] = [lead(number, Score__c=1, Old__c=2) for number in range(5)]
    org.shown["Lead"] = [*lead(0), custom("Score__c"), custom("Old__c")]

    def vanish(reply: Reply) -> Reply:
        org.shown["Lead"] = [*lead(0), custom("Score__c")]
        for row in org.rows["Lead"]:
            row.pop("Old__c")
        return reply

    org.fail("describe", vanish)
    if threshold == 0:
        # Taken away after the job was accepted: the job fails, and says why.
        failed = {"state": "Failed", "errorMessage": "InvalidBatch : Failed to process query: INVALID_FIELD: Old__c"}
        org.fail(r"GET \S+/jobs/query/\w+$", lambda reply: Reply(body=reply.body | failed), skip=1)
    changes = changes_of(read(threshold=threshold))
    assert {each.record_id for each in changes} == {row["Id"] for row in org.rows["Lead"]}
    assert all("Old__c" not in json.loads(each.payload) for each in changes)


def test_describe_tells_all_fields_with_their_types(org: Org, made: Made) -> None:
    org.shown["Lead"] = ["Id", custom("Score__c", "double")]
    connector = made()
    stream = connector.streams["lead"]
    assert connector.describe(stream) == {"Id": "string", "Score__c": "double"}
    org.shown["Lead"] = ["Id", custom("Score__c", "string")]
    assert connector.describe(stream) == {"Id": "string", "Score__c": "double"}
    assert connector.describe(stream, anew=True) == {"Id": "string", "Score__c": "string"}


def test_calculated_fields_are_read_alone_but_for_those_left_out(org: Org, made: Made) -> None:
    org.rows["Lead"] = [lead(1, Age__c=3, Score__c=1.5), lead(2, Age__c=4, Score__c=2.5, IsDeleted=True)]
    org.shown["Lead"] = [*lead(0), *(custom(name, "double", calculated=True) for name in ("Age__c", "Score__c"))]
    connector = made()
    stream = connector.streams["lead"]

    def found(connector: Salesforce) -> list[dict[str, Any]]:
        changes = [change for page in connector.read_undated(stream) for change in page.changes]
        return [{k: v for k, v in json.loads(each.payload).items() if k != "attributes"} for each in changes]

    id_ = lead(1)["Id"]
    assert found(connector) == [{"Id": id_, "Age__c": 3, "Score__c": 1.5}]
    skipping = salesforce.connect(
        {"login_url": org.url, "client_id": "app", "client_secret": "s", "calculated_skip": "Lead.Age__c, Account.X__c"}
    )
    assert isinstance(skipping, Salesforce)
    assert found(skipping) == [{"Id": id_, "Score__c": 1.5}]
    skipping._client.session.http.close()
    skipping._client.auth._login.http.close()
