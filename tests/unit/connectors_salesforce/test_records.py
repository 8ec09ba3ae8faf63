"""From bytes and CSV rows to changes."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from connectors.salesforce.records import csv_reader, from_json, moment

AT = datetime(2026, 1, 31, 8, 15, tzinfo=UTC)
STAMP = "2026-01-31T08:15:00.000+0000"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (STAMP, AT),
        ("2026-01-31T08:15:00.000Z", AT),
        ("2026-01-31T08:15:00Z", AT),
        ("2026-01-31T10:15:00.000+02:00", AT),
        ("2026-01-31T08:15:00.123Z", AT.replace(microsecond=123_000)),
        ("", None),
        (None, None),
    ],
)
def test_moments(text: str | None, at: datetime | None) -> None:
    assert moment(text) == at


@pytest.mark.parametrize("text", ["yesterday", "2026-01-31T08:15:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        moment(text)


@pytest.mark.parametrize(
    ("record", "op", "merged_into", "at"),
    [
        ({"SystemModstamp": STAMP}, "upsert", None, AT),
        ({"CreatedDate": STAMP}, "upsert", None, AT),
        ({}, "upsert", None, None),
        ({"SystemModstamp": STAMP, "CreatedDate": "2020-01-01T00:00:00.000Z", "IsDeleted": True}, "delete", None, AT),
        ({"IsDeleted": True, "MasterRecordId": "00QM"}, "merge", "00QM", None),
        ({"IsDeleted": False, "MasterRecordId": "00QM"}, "upsert", None, None),
        ({"IsDeleted": True, "MasterRecordId": None}, "delete", None, None),
    ],
)
def test_json_and_csv_tell_the_same(
    record: dict[str, object], op: str, merged_into: str | None, at: datetime | None
) -> None:
    raw = json.dumps({"Id": "00Q1"} | record, indent=2).encode()
    change = from_json(msgspec.Raw(raw))
    assert change == ("00Q1", at, op, raw, merged_into)
    texts = {
        name: value if isinstance(value, str) else str(value).lower().replace("none", "")
        for name, value in record.items()
    }
    assert csv_reader(["Id", *texts])(["00Q1", *texts.values()])._replace(payload=raw) == change


@pytest.mark.parametrize("raw", [b"{}", b'{"Id": 5}', b'{"Id": "1", "SystemModstamp": "soon"}', b"[]", b"null"])
def test_what_is_no_record(raw: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, ValueError)):
        from_json(msgspec.Raw(raw))


def test_empty_columns_are_null_and_the_order_stays() -> None:
    change = csv_reader(["Id", "b", "a"])(["00Q1", "", "0"])
    assert change.payload == b'{"Id":"00Q1","b":null,"a":"0"}'


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        csv_reader(["Id", "a"])(["00Q1"])
