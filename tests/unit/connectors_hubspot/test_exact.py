import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.exact import decode_page, readable
from connectors.hubspot.api import Results
from connectors.hubspot.records import Head, head_of, moment

PIECES = ["\\ud83d", "\\ude00", "\\\\", "\\u00e9", '\\"', "ud83d", "\\n", "\\u0000", "\\uD83D\\uDE00", "x", "é"]
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


@given(st.lists(texts, max_size=5), st.sampled_from(["", " ", "\n\t"]))
def test_elements_are_exact_slices_whatever_is_in_them(values: list[str], gap: str) -> None:
    elements = [f'{{"id":{gap}"{at}","updatedAt":null,"v":"{value}"}}' for at, value in enumerate(values)]
    body = f'{{"total":{gap}1,{gap}"results":{gap}[{gap}{f"{gap},{gap}".join(elements)}{gap}]{gap}}}'.encode()
    page = decode_page(body, Results)
    assert [bytes(raw) for raw in page.results] == [one.encode() for one in elements]
    assert [head_of(raw).id for raw in page.results] == [str(at) for at in range(len(values))]


@given(texts)
def test_readable_keeps_length_and_all_that_was_readable(value: str) -> None:
    body = f'"{value}"'.encode()
    clean = readable(body)
    assert len(clean) == len(body)
    # pairs join and halves stay apart, so both sides agree once each half is replaced
    halved = json.loads(body).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert "\ud83d" not in msgspec.json.decode(clean)
    if halved == json.loads(body):
        assert clean == body


@pytest.mark.parametrize("body", [b"", b"{", b'{"results":[', b'{"results":[{"v":"\\ud83d"}', b"<html>", b"\xff\xfe"])
def test_what_is_no_whole_json_stays_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_page(body, Results)


def test_a_half_pair_in_a_field_that_is_looked_at() -> None:
    raw = msgspec.Raw(b'{"id":"1","properties":{"hs_merged_object_ids":"2;\\ud83d"}}')
    head = head_of(raw)
    assert isinstance(head, Head)
    assert head.properties.hs_merged_object_ids == "2;\ufffd"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
        ("2024-01-02T03:04:05.1Z", "2024-01-02T03:04:05.100000+00:00"),
        ("2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00"),
        ("2024-01-02T03:04:05-03:00", "2024-01-02T06:04:05+00:00"),
        ("1704164645000", "2024-01-02T03:04:05+00:00"),
        (1704164645001, "2024-01-02T03:04:05.001000+00:00"),
        (1704164645000.0, "2024-01-02T03:04:05+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
    ],
)
def test_moments(value: object, text: str) -> None:
    at = moment(value)
    assert at is not None
    assert at.isoformat() == text


@pytest.mark.parametrize("value", [None, "", "soon", True, 10**30, float("nan"), float("inf"), [], {}, "²", "9" * 5000])
def test_what_is_no_moment(value: object) -> None:
    assert moment(value) is None
