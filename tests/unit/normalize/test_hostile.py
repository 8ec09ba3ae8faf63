"""Odd values never take a record down, and nothing is lost without a reject."""

import json
from typing import Any

import pytest

from errors import ConfigurationError
from glossary import Glossary
from tests.unit.normalize.conftest import AT, Run
from transforms.normalize import NormalizeResult, RawRecord, entities_of, normalize
from transforms.normalize.entity import schema


def rules(result: NormalizeResult) -> list[tuple[str, str | None, bool]]:
    return [(r.rule, r.column_name, r.is_fatal) for r in result.rejects]


def person(run: Run, payload: Any) -> tuple[dict[str, Any], NormalizeResult]:
    result = run("hubspot", "contacts", payload)
    (row,) = result.frames["person"].to_dicts()
    return row, result


def test_an_address_that_is_none_is_null_and_reported(run: Run) -> None:
    row, result = person(run, {"id": "101", "properties": {"email": "not-an-email", "firstname": "Ana"}})
    assert (row["email"], row["first_name"]) == (None, "Ana")
    assert rules(result) == [("email_invalid", "email", False)]
    reject = result.rejects[0]
    assert (reject.source_key, reject.entity, reject.record_id, reject.load_id) == (
        "hubspot:contacts:101",
        "person",
        "101",
        7,
    )
    assert "not-an-email" not in reject.reason


def test_every_kind_of_value_that_cannot_be_read_is_null_and_reported(run: Run) -> None:
    odd = {
        "phone": "call me",
        "country": "Atlantis",
        "hubspotscore": "many",
        "createdate": "soon",
        "hs_email_optout": "perhaps",
    }
    row, result = person(run, {"id": "1", "properties": {**odd, "hs_additional_emails": "a@x.example;nope"}})
    assert [row[c] for c in ("phone", "country", "score", "created_at", "is_opted_out")] == [None] * 5
    assert row["other_emails"] == ["a@x.example"]
    assert sorted(rules(result)) == [
        ("boolean_invalid", "is_opted_out", False),
        ("country_invalid", "country", False),
        ("email_invalid", "other_emails", False),
        ("number_invalid", "score", False),
        ("phone_invalid", "phone", False),
        ("timestamp_invalid", "became_lead_at", False),
        ("timestamp_invalid", "created_at", False),
    ]


def test_a_name_of_ten_thousand_characters_is_kept_whole_without_nul(run: Run) -> None:
    name = ("O'\"Monster\x00 😀 \\ \n" * 700)[:10_000]
    row, result = person(run, {"id": "1", "properties": {"firstname": f"  {name}x ", "lastname": " \t "}})
    assert row["first_name"] == f"{name}x".replace("\x00", "").strip()
    assert row["last_name"] is None
    assert result.rejects == []


def test_numbers_booleans_and_nulls_in_place_of_texts(run: Run) -> None:
    properties = {
        "firstname": 7,
        "lastname": True,
        "city": 1.50,
        "hubspotscore": 12.5,
        "jobtitle": None,
        "company": {"a": [1]},
    }
    row, result = person(run, {"id": "1", "properties": {**properties, "associatedcompanyid": 12345678901234567890.0}})
    assert [row[c] for c in ("first_name", "last_name", "city", "job_title", "company_name")] == [
        "7",
        "true",
        "1.5",
        None,
        '{"a":[1]}',
    ]
    assert float(row["score"]) == 12.5
    assert result.rejects == []


@pytest.mark.parametrize(
    "payload", [b'{"id":"1","properties":null}', b'{"id":"1","properties":[]}', b'{"id":"1"}', b"{}"]
)
def test_missing_or_odd_properties_are_empty_ones(run: Run, payload: bytes) -> None:
    row, result = person(run, payload)
    assert (row["first_name"], row["email"]) == (None, None)
    assert result.rejects == []


def test_lone_surrogates_and_broken_utf8_become_replacement_characters(run: Run) -> None:
    row, _ = person(run, rb'{"id":"1","properties":{"firstname":"a\ud800b"}}')
    assert row["first_name"] == "a\ufffdb"
    row, _ = person(run, b'{"id":"1","properties":{"firstname":"a\xffb"}}')
    assert row["first_name"] == "a\ufffdb"


@pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b"null", b'"text"', "<html>", '{"id": }'])
@pytest.mark.parametrize("stream", ["contacts", "contact_history", "deal_to_contact"])
def test_unreadable_json_is_set_aside_and_the_rest_goes_on(run: Run, stream: str, payload: Any) -> None:
    good = {"id": "2", "from": {"id": "2"}, "to": [{"toObjectId": 3}], "properties": {}}
    history = {"lifecyclestage": [{"value": "lead", "timestamp": "2024-01-01T00:00:00Z"}]}
    result = run("hubspot", stream, payload, good | {"propertiesWithHistory": history})
    assert rules(result) == [("json_unreadable", None, True)]
    first = next(iter(result.frames.values()))
    assert first["source_record_id"].to_list() == ["2"]


def test_records_without_payload(run: Run) -> None:
    result = run("hubspot", "contacts", RawRecord("1", AT, 1, None, is_deleted=True), RawRecord("2", AT, 1, None))
    assert result.frames["person"].height == 0
    assert [(r.rule, r.record_id, r.is_fatal) for r in result.rejects] == [("payload_missing", "2", True)]


def test_a_required_time_that_cannot_be_read_is_fatal_for_that_row_only(run: Run) -> None:
    base = {"type": "OPEN", "recipient": "a@x.example"}
    events = [
        base | {"id": "1", "created": "soon"},
        base | {"id": "2", "created": 1_700_000_000_000},
        base | {"id": "3"},
    ]
    result = run("hubspot", "email_events", *events)
    assert result.frames["touch"]["source_record_id"].to_list() == ["2"]
    fatal = [(r.rule, r.record_id) for r in result.rejects if r.is_fatal]
    assert fatal == [("occurred_at_missing", "1"), ("occurred_at_missing", "3")]


@pytest.mark.parametrize(
    "payload",
    [
        {"from": None, "to": None},
        {
            "from": {"id": "1"},
            "to": [None, 3, {"toObjectId": None}, {"toObjectId": 5, "associationTypes": [None, {"label": 3}]}],
        },
    ],
)
def test_odd_associations_do_not_raise(run: Run, payload: dict[str, Any]) -> None:
    assert run("hubspot", "contact_to_company", payload).frames["person_account"].height in {0, 1}


def test_a_record_that_cannot_be_taken_apart_is_set_aside_alone(run: Run) -> None:
    broken = {"id": 1, "state": "lead", "end_date": {"__class__": "date", "year": "soon"}}
    result = run("tryton", "opportunity", broken, {"id": 2, "state": "lead"})
    assert result.frames["opportunity"]["source_record_id"].to_list() == ["2"]
    assert [(r.rule, r.record_id, r.is_fatal) for r in result.rejects] == [("record_unreadable", "1", True)]


def test_every_stream_gives_exactly_the_tables_columns_even_from_nothing(glossary: Glossary) -> None:
    seen = set()
    for vendor, field_map in glossary.field_maps.items():
        for stream in field_map.streams:
            for records in ([], [RawRecord("1", AT, 1, "{}")]):
                result = normalize(records, vendor, stream, glossary)
                assert set(result.frames) == set(entities_of(glossary, vendor, stream))
                for entity, frame in result.frames.items():
                    assert dict(frame.schema) == schema(entity), (vendor, stream, entity)
                    seen.add(entity)
    assert {"person", "account", "opportunity", "touch", "stage_change", "engagement", "engagement_link"} <= seen


def test_a_stream_without_a_map_is_a_configuration_error(glossary: Glossary) -> None:
    for vendor, stream in (("hubspot", "tickets"), ("sap", "leads")):
        with pytest.raises(ConfigurationError, match=f"{vendor}:{stream}"):
            normalize([], vendor, stream, glossary)


def test_custom_fields_are_json(tmp_path: Any) -> None:
    from glossary import load  # noqa: PLC0415 - with an overlay of its own

    fields = "custom.shoe: {path: properties.shoe, type: number}, custom.colour: {path: properties.colour, type: text}"
    (tmp_path / "field_maps").mkdir()
    (tmp_path / "field_maps" / "hubspot.yml").write_text(
        f"streams: {{contacts: {{maps: {{person: {{fields: {{{fields}}}}}}}}}}}", encoding="utf-8"
    )
    records = [
        RawRecord("1", AT, 1, '{"id":"1","properties":{"shoe":"42.50","colour":"red"}}'),
        RawRecord("2", AT, 1, '{"id":"2","properties":{"shoe":"big"}}'),
    ]
    result = normalize(records, "hubspot", "contacts", load(tmp_path))
    first, second = result.frames["person"]["custom"]
    assert json.loads(first) == {"shoe": 42.5, "colour": "red"}
    assert second is None
    assert rules(result) == [("number_invalid", "custom.shoe", False)]
