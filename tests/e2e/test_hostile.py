"""Records that no reader expects, through the whole path: loaded, mapped to `unmapped`, or set aside with a reason; all else is there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli.app import app
from pipeline.build import BuildCounts, build
from pipeline.sync import SyncCounts
from pipeline.validate import validate
from pipeline.words import words
from tests.support.nights import credentials, sync_all
from tests.support.truth import link_disagreements, record_disagreements, settle

pytestmark = pytest.mark.slow

MONSTER = ("O'\"Monster\x00 😀 \\ \n'; DROP TABLE core.person; -- " * 300)[:10_000].strip()
HALF = b'"\\ud83d half"'
"""JSON of a text with half an emoji: no strict reader takes it."""
HTML = "<script>alert('x')</script><b>Bold & Co</b>&nbsp;"
AT = datetime(2026, 5, 1, 9, tzinfo=UTC)

Aside = tuple[str, str, bool]
"""Rule, column, whether the record is loaded all the same."""


@dataclass(frozen=True)
class Case:
    """One hostile record.

    fields: as the vendor holds them; msgspec.Raw stands for exact JSON.
    row: columns of its staging row; None: it is not loaded.
    aside: its lines of quarantine.
    created_at: when the vendor says that it was made.
    """

    vendor: str
    kind: str
    fields: Mapping[str, Any]
    row: Mapping[str, Any] | None
    aside: set[Aside] = field(default_factory=set)
    created_at: datetime = AT


def _contact(fields: Mapping[str, Any], row: Mapping[str, Any] | None, *aside: Aside) -> Case:
    return Case("hubspot", "contacts", fields, row, set(aside))


def _deal(amount: Any, expected: str | None, *aside: Aside) -> Case:
    held = None if expected is None else Decimal(expected)
    row = {"name": "Hostile", "amount": held, "stage": "contractsent"}
    fields = {"dealname": "Hostile", "amount": amount, "dealstage": "contractsent", "pipeline": "default"}
    return Case("hubspot", "deals", fields, row, set(aside))


def _lead(fields: Mapping[str, Any], row: Mapping[str, Any] | None, *aside: Aside, created_at: datetime = AT) -> Case:
    given = {"LastName": "Hostile", "Company": "Hostile", "Status": "Open - Not Contacted", "IsConverted": False}
    return Case("salesforce", "Lead", {**given, **fields}, row, set(aside), created_at)


LOST_MONEY: Aside = ("money_invalid", "amount", True)

CASES: Mapping[str, Case] = {
    "nulls": _contact(
        {"email": None, "firstname": None, "lifecyclestage": None, "createdate": None, "lastname": "Null"},
        {"email": None, "first_name": None, "last_name": "Null", "funnel_stage": None, "funnel_stage_raw": None},
    ),
    "blanks": _contact(
        {"email": "  ", "firstname": "\t", "lastname": "\u00a0", "lifecyclestage": "", "hubspotscore": " "},
        {"email": None, "first_name": None, "funnel_stage": None, "score": None},
    ),
    "numbers as numbers": _contact(
        {"firstname": 7, "lastname": True, "hubspotscore": 12.5, "phone": 5511987654321, "associatedcompanyid": 12},
        {"first_name": "7", "last_name": "true", "score": Decimal("12.5"), "account_source_id": "hubspot:companies:12"},
        ("phone_invalid", "phone", True),
    ),
    "a number as text": _contact({"hubspotscore": " 1.234,50 ", "lastname": "T"}, {"score": Decimal("1234.50")}),
    "objects as texts": _contact(
        {"firstname": {"a": [1]}, "lastname": ["x"], "email": {"x": 1}, "lifecyclestage": ["lead"]},
        {"first_name": '{"a":[1]}', "last_name": '["x"]', "email": None, "funnel_stage": "unmapped"},
        ("email_invalid", "email", True),
    ),
    "unknown stage": _contact(
        {"lifecyclestage": "zz_unheard_of", "lastname": "U"},
        {"funnel_stage": "unmapped", "funnel_stage_raw": "zz_unheard_of"},
    ),
    "no address": _contact(
        {"email": "not-an-email", "firstname": "Ana", "hs_additional_emails": ";;nope;second@hostile.example"},
        {"email": None, "first_name": "Ana", "other_emails": ["second@hostile.example"]},
        ("email_invalid", "email, other_emails", True),
    ),
    "monster": _contact(
        {"firstname": MONSTER, "lastname": HTML, "email": "monster@hostile.example"},
        {"first_name": MONSTER.replace("\0", "").strip(), "last_name": HTML, "email": "monster@hostile.example"},
    ),
    "half an emoji": _contact(
        {"firstname": msgspec.Raw(HALF), "email": "half@hostile.example"},
        {"first_name": "\ufffd half", "email": "half@hostile.example"},
    ),
    "odd dates": _contact(
        {"createdate": "31/12/2024", "hs_analytics_first_timestamp": "1735700000000", "lastname": "D"},
        {"first_seen_at": datetime(2025, 1, 1, 2, 53, 20, tzinfo=UTC)},
    ),
    "no date": _contact(
        {"createdate": "2024-13-45T99:00:00Z", "lastname": "D"},
        {"became_lead_at": None, "last_name": "D"},
        ("timestamp_invalid", "became_lead_at, created_at", True),
    ),
    "a date of the far past": _contact(
        {"createdate": "1901-03-01T00:00:00Z", "lastname": "D"}, None, ("created_at_plausible", "created_at", False)
    ),
    "a date beyond all time": _contact(
        {"createdate": "99999-01-01T00:00:00Z", "lastname": "D"},
        {"became_lead_at": None},
        ("timestamp_invalid", "became_lead_at, created_at", True),
    ),
    "no phone, no country": _contact(
        {"phone": "call me <maybe>", "country": "Atlantis", "hs_email_optout": "perhaps", "lastname": "P"},
        {"phone": None, "country": None, "is_opted_out": None},
        ("phone_invalid", "phone", True), ("country_invalid", "country", True), ("boolean_invalid", "is_opted_out", True),
    ),
    "an amount beyond all money": _deal("1e400", None, LOST_MONEY),
    "the same as a number": _deal(msgspec.Raw(b"1e400"), None, LOST_MONEY),
    "an amount with a comma": _deal("12,5", "12.5"),
    "an amount in two ways": _deal("1.234.567,89", "1234567.89"),
    "an amount that is none": _deal("NaN", None, LOST_MONEY),
    "an endless amount": _deal("-Infinity", None, LOST_MONEY),
    "an amount of digits without end": _deal("9" * 5_000, None, LOST_MONEY),
    "an amount with a tail": _deal("0.1" + "0" * 60 + "1", "0.1"),
    "a negative amount": _deal("-0", "0"),
    "a company of everywhere": Case(
        "hubspot", "companies",
        {"name": HTML, "domain": "http://[::1", "website": "javascript:alert(1)", "numberofemployees": "1e9999"},
        {"name": HTML, "domain": None, "employee_count": None},
        {("url_invalid", "website", True), ("number_invalid", "employee_count", True)},
    ),
    "a call in no direction": Case(
        "hubspot", "calls",
        {"hs_timestamp": "soon", "hs_call_title": MONSTER, "hs_call_direction": "SIDEWAYS", "hs_call_duration": "-1e18"},
        {"subject": MONSTER.replace("\0", ""), "direction": None, "occurred_at": None, "ended_at": None},
        {("word_unknown", "direction", True), ("timestamp_invalid", "occurred_at", True)},
    ),
    "a mail event of a number": Case(
        "hubspot", "email_events",
        {"created": "1777626000000", "type": "OPEN", "recipient": 42, "emailCampaignId": 1},
        {"type": "email_open", "occurred_at": datetime(2026, 5, 1, 9, tzinfo=UTC), "person_email": None},
        {("email_invalid", "person_email", True)},
    ),
    "a mail event of no kind": Case(
        "hubspot", "email_events",
        {"created": 1777626000000, "type": "TELEPATHY", "recipient": "who@hostile.example"},
        None,
        {("word_unknown", "type", False)},
    ),
    "a lead with nothing right": _lead(
        {"Email": "not-an-email", "Status": "zz_unheard_of", "LeadSource": "zz_market", "CountryCode": "ZZ", "LastName": MONSTER},
        {
            "email": None, "funnel_stage": "unmapped", "lead_source": "unmapped", "country": None,
            "last_name": MONSTER.replace("\0", ""), "lead_source_raw": "zz_market",
        },
        ("email_invalid", "email", True), ("country_invalid", "country", True),
    ),
    "a lead with half an emoji": _lead({"FirstName": msgspec.Raw(HALF)}, {"first_name": "\ufffd half", "last_name": "Hostile"}),
    "a lead of the far past": _lead(
        {}, None, ("created_at_plausible", "created_at", False), created_at=datetime(1901, 1, 1, tzinfo=UTC)
    ),
    "an opportunity beyond all money": Case(
        "salesforce", "Opportunity",
        {
            "Name": HTML, "Amount": msgspec.Raw(b"1e400"), "CurrencyIsoCode": "???", "StageName": "zz", "CloseDate": "2026-02-31",
            "IsClosed": False, "IsWon": False, "Probability": 4_000,
        },
        {"name": HTML, "amount": None, "currency": None, "stage": "zz", "closed_at": None, "status": "open", "probability": None},
        {("money_invalid", "amount", True), ("timestamp_invalid", "closed_at", True), ("number_invalid", "probability", True)},
    ),
    "an opportunity more than certain": Case(
        "salesforce", "Opportunity", {"Name": "More", "StageName": "zz", "Probability": 400}, None,
        {("probability_0_to_1", "probability", False)},
    ),
    "a role of nobody": Case(
        "salesforce", "OpportunityContactRole",
        {"OpportunityId": "006000000000001AAA", "ContactId": None, "Role": HTML},
        None,
        {("person_source_id_missing", "person_source_id", False)},
    ),
    "a campaign of no day": Case(
        "salesforce", "Campaign",
        {"Name": MONSTER, "StartDate": "31.02.2026", "EndDate": "0001-01-01", "BudgetedCost": -1, "Type": "zz_kind"},
        {"name": MONSTER.replace("\0", ""), "started_on": None, "ended_on": None, "channel": "unmapped"},
        {("date_invalid", "started_on, ended_on", True)},
    ),
}  # fmt: skip

STREAMS = {
    "contacts": ("contacts", "person"), "deals": ("deals", "opportunity"), "companies": ("companies", "account"),
    "calls": ("calls", "engagement"), "email_events": ("email_events", "touch"), "Lead": ("lead", "person"),
    "Opportunity": ("opportunity", "opportunity"), "OpportunityContactRole": ("opportunity_contact_role", "opportunity_person"),
    "Campaign": ("campaign", "campaign"),
}  # fmt: skip
PREFIXES = {"Lead": "00Q", "Opportunity": "006", "OpportunityContactRole": "00K", "Campaign": "701"}
IDS = {
    name: f"9900000{number:03d}" if case.vendor == "hubspot" else f"{PREFIXES[case.kind]}Zz00000{number:03d}ZzAAA"[:18]
    for number, (name, case) in enumerate(CASES.items())
}


class Done(NamedTuple):
    """What the night with the hostile records brought."""

    counts: list[SyncCounts]
    built: BuildCounts
    set_aside: int


@pytest.fixture(scope="module")
def done(module_box: Any, module_warehouse: sa.Engine) -> Done:
    """A night over the world and, in it, the hostile records."""
    for name, case in CASES.items():
        store = module_box.world.hubspot if case.vendor == "hubspot" else module_box.world.salesforce
        store.create(case.kind, IDS[name], case.created_at, dict(case.fields))
        store.update(case.kind, IDS[name], AT, {})
    settle(module_box)
    counts = sync_all(module_warehouse, credentials(module_box))
    checked = validate(module_warehouse, words())
    built = build(module_warehouse, words(), progress=lambda *_: None)
    return Done(counts, built, checked.quarantined)


def _key(name: str) -> str:
    case = CASES[name]
    return f"{case.vendor}:{STREAMS[case.kind][0]}:{IDS[name]}"


def _aside(connection: sa.Connection, key: str) -> set[Aside]:
    query = "SELECT rule, coalesce(column_name, ''), is_loaded FROM ops.quarantine WHERE source_key = :key"
    return {tuple(row) for row in connection.execute(sa.text(query), {"key": key})}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_record_is_loaded_or_set_aside_with_a_reason(
    done: Done, module_warehouse: sa.Engine, name: str
) -> None:
    assert done.counts
    case = CASES[name]
    entity = STREAMS[case.kind][1]
    with module_warehouse.connect() as connection:
        rows = (
            connection.execute(sa.text(f"SELECT * FROM staging.{entity} WHERE source_id = :key"), {"key": _key(name)})
            .mappings()
            .all()
        )
        aside = _aside(connection, _key(name))
    shown = [{column: row[column] for column in case.row or {}} for row in rows]
    assert (shown, aside) == ([] if case.row is None else [dict(case.row)], case.aside)


def test_the_run_is_green_with_counts(done: Done, module_warehouse: sa.Engine) -> None:
    outside_suites = {
        rule for case in CASES.values() for rule, _, _ in case.aside if rule.endswith(("_plausible", "_0_to_1"))
    }
    expected = sum(rule in outside_suites for case in CASES.values() for rule, _, _ in case.aside)
    assert done.set_aside >= expected > 0
    assert sum(each.set_aside for each in done.counts) >= sum(len(c.aside) for c in CASES.values()) - expected
    assert {step.name for step in done.built.steps}
    assert sum(step.rows for step in done.built.steps) > 0
    with module_warehouse.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM marts.customer_journey")) > 0
        query = "SELECT count(*) FROM ops.quarantine WHERE reason = '' OR reason NOT LIKE '%.'"
        assert connection.scalar(sa.text(query)) == 0


def test_nothing_else_is_affected(done: Done, module_box: Any, module_warehouse: sa.Engine) -> None:
    assert done.counts
    hostile = {f"{_key(name)}: never was" for name in CASES}
    with module_warehouse.connect() as connection:
        assert set(record_disagreements(module_box.world, connection)) - hostile == set()
        assert link_disagreements(module_box.world, connection) == []


def test_unknown_words_show_in_the_gap(done: Done, module_warehouse: sa.Engine) -> None:
    assert done.built
    with module_warehouse.connect() as connection:
        words_seen = set(connection.scalars(sa.text("SELECT DISTINCT vendor_value FROM marts.glossary_gap")))
    assert {"zz_unheard_of", "zz_market", "zz_kind"} <= words_seen


def test_raw_keeps_what_was_sent_byte_for_byte(done: Done, module_warehouse: sa.Engine) -> None:
    assert done.counts
    with module_warehouse.connect() as connection:
        query = sa.text(
            "SELECT record_bytes FROM raw.hubspot__contacts WHERE record_id = :id AND record_bytes IS NOT NULL"
        )
        half = bytes(connection.execute(query, {"id": IDS["half an emoji"]}).scalars().one())
        monster = bytes(connection.execute(query, {"id": IDS["monster"]}).scalars().one())
        number = sa.text("SELECT CAST(record AS text) FROM raw.hubspot__deals WHERE record_id = :id")
        amount = connection.execute(number, {"id": IDS["the same as a number"]}).scalars().first()
    assert HALF in half
    assert json.loads(monster)["properties"]["firstname"] == MONSTER
    assert '"amount":1e400' in str(amount)


def test_replay_empties_what_is_mended_and_keeps_the_rest(
    done: Done, module_warehouse: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that the glossary learns brings its record in without any API; what is not mended stays in quarantine."""
    assert done.counts
    learnt = {"a mail event of no kind", "a call in no direction"}
    (tmp_path / "records.yml").write_text(
        "vocabularies:\n"
        "  touch_type.hubspot_email: {words: {TELEPATHY: email_open}}\n"
        "  direction.hubspot: {words: {SIDEWAYS: outbound}}\n"
    )
    monkeypatch.setenv("SMARKETING_GLOSSARY", str(tmp_path))
    monkeypatch.setattr("cli.jobs.open_warehouse", lambda: module_warehouse)
    result = CliRunner().invoke(app, ["replay"], catch_exceptions=False)
    assert result.exit_code == 0
    with module_warehouse.connect() as connection:
        query = "SELECT source_key, rule, coalesce(column_name, ''), is_loaded FROM ops.quarantine"
        left = {(key, (rule, column, loaded)) for key, rule, column, loaded in connection.execute(sa.text(query))}
        direction = "SELECT direction FROM staging.engagement WHERE source_id = :key"
        assert connection.scalar(sa.text(direction), {"key": _key("a call in no direction")}) == "outbound"
        touch = "SELECT type FROM staging.touch WHERE source_id = :key"
        assert connection.scalar(sa.text(touch), {"key": _key("a mail event of no kind")}) == "email_open"
    for name, case in CASES.items():
        expected = {line for line in case.aside if not (name in learnt and line[0] == "word_unknown")}
        assert {line for key, line in left if key == _key(name)} == expected, name
