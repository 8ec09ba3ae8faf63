import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from connectors.marketo.records import activity_of, ids_in, merges_of, moment, row_reader
from connectors.marketo.spool import DamagedError, Spool
from errors import AnswerError


@pytest.mark.parametrize(
    "text",
    ["2014-09-17T22:31:49+0000", "2014-09-17T22:31:49Z", "2014-09-17T22:31:49Z+0000", "2014-09-17T14:31:49-08:00"],
)
def test_times_in_each_of_marketos_forms(text: str) -> None:
    assert moment(text) == datetime(2014, 9, 17, 22, 31, 49, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "yesterday", "2014-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert moment(text) is None


@pytest.mark.parametrize(
    ("value", "ids"),
    [("[12, 13]", ["12", "13"]), ("12;13", ["12", "13"]), ([12, 13], ["12", "13"]), (12, ["12"]), ("", []), (None, [])],
)
def test_lists_of_ids_in_each_form(value: object, ids: list[str]) -> None:
    assert ids_in(value) == ids


def raw(**more: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode({"leadId": 1, "activityTypeId": 32, "id": 5, **more}))


def test_marketo_guid_is_the_key_and_id_stands_in_for_it() -> None:
    assert activity_of(raw(marketoGUID="99")).key == "99"
    assert activity_of(raw()).key == "5"
    with pytest.raises(AnswerError):
        activity_of(msgspec.Raw(b'{"id": 5}'))


@pytest.mark.parametrize(
    "attributes", [[{"name": "Merge IDs", "value": "[1, 2, 3]"}], {"Merge IDs": "1,2,3"}], ids=["rest", "export"]
)
def test_a_merge_never_points_to_itself(attributes: object) -> None:
    changes = merges_of(activity_of(raw(attributes=attributes, activityDate="2024-01-01T00:00:00Z")))
    assert [(c.record_id, c.op, c.merged_into) for c in changes] == [("2", "merge", "1"), ("3", "merge", "1")]


def test_attributes_of_an_odd_form_are_none() -> None:
    assert activity_of(raw(attributes=["x", {"value": 1}])).attribute("Merge IDs") is None
    assert activity_of(raw(attributes=7)).attribute("Merge IDs") is None


def test_a_row_without_its_key_is_refused() -> None:
    def key(record: dict[str, str | None]) -> str:
        return str(record["id"])

    reader = row_reader(["id", "x", "updatedAt"], key, "updatedAt")
    change = reader(["1", "null", "2024-01-01T00:00:00Z"])
    assert change.payload == b'{"id":"1","x":null,"updatedAt":"2024-01-01T00:00:00Z"}'
    assert change.version_at == datetime(2024, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="zip"):
        reader(["1", "2"])


@pytest.fixture
def spooled() -> Callable[..., Spool]:
    def make(*chunks: bytes) -> Spool:
        spool = Spool()
        spool.append(chunks)
        return spool

    return make


@pytest.mark.parametrize(
    "body",
    [
        b'a,b\n1,"open',
        b"a,b\n1\n",
        b"a,b\n1,2,3\n",
        b"a,c\n1,2\n",
        b"",
        b"a,b\n1,\xff\n",
        b'a,b\n1,"x"y\n',
    ],
    ids=["open quote", "short row", "long row", "other column", "nothing", "no UTF-8", "text after a quote"],
)
def test_damage_in_a_file_is_noticed(spooled: Callable[..., Spool], body: bytes) -> None:
    with pytest.raises(DamagedError) as caught:
        list(spooled(body).rows(["a", "b"]))
    assert "1" not in str(caught.value)  # never what is in it


def test_columns_may_come_in_another_order(spooled: Callable[..., Spool]) -> None:
    header = ["a", "b"]
    assert list(spooled(b"b,a\n", b'1,"2\r\n3"\n').rows(header)) == [["1", "2\r\n3"]]
    assert header == ["b", "a"]


def test_a_spool_begins_anew(spooled: Callable[..., Spool]) -> None:
    spool = spooled(b"a\n1\n")
    digest = hashlib.sha256(b"a\n1\n").hexdigest().upper()
    spool.prove(4, f"sha256:{digest}")
    spool.prove(None, None)
    with pytest.raises(DamagedError, match="4 of 5 bytes"):
        spool.prove(5, None)
    spool.restart()
    spool.append([b"a\n2\n"])
    assert list(spool.rows(["a"])) == [["2"]]
    with pytest.raises(DamagedError, match="checksum"):
        spool.prove(4, "sha256:" + "0" * 64)
    spool.close()
