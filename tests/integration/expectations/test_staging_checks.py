"""Every expectation on staging has a row here that breaks it; what it breaks is set aside, and nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from errors import GateError
from expectations.staging import validate_loads
from expectations.suites import staging_suite
from glossary import Glossary, load
from tests.support.staging_rows import StagingRows
from warehouse import ledger
from warehouse.engine import transaction
from warehouse.tables import staging

LONG_AGO = datetime(1812, 1, 1, tzinfo=UTC)
THEN = datetime(2026, 5, 1, tzinfo=UTC)

# The plainest sound row of each entity: what its table demands.
SOUND: dict[str, dict[str, Any]] = {
    "person": {"full_name": "Ana Prova"},
    "opportunity_person": {"opportunity_source_id": "x:deal:1", "person_source_id": "x:person:1"},
    "person_account": {"person_source_id": "x:person:1", "account_source_id": "x:account:1"},
    "opportunity_account": {"opportunity_source_id": "x:deal:1", "account_source_id": "x:account:1"},
    "campaign_member": {"campaign_source_id": "x:campaign:1", "person_source_id": "x:person:1", "has_responded": False},
    "engagement": {"type": "call", "occurred_at": THEN},
    "engagement_link": {"engagement_source_id": "x:call:1"},
    "touch": {"type": "page_visit", "occurred_at": THEN, "person_source_id": "x:person:1"},
    "stage_change": {"subject_type": "person", "subject_source_id": "x:person:1", "occurred_at": THEN},
    "pipeline_stage": {"pipeline": "p", "stage": "s"},
    "content_asset": {"type": "form"},
}

# (entity, rule) -> what breaks it. Rules that are the same for all entities stand once, under the rule's name.
BREAKS: dict[str, dict[str, Any]] = {
    "email_form": {"email": "not-an-email"},
    "person_email_form": {"person_email": "a@b"},
    "phone_form": {"phone": "0049 30 1"},
    "mobile_phone_form": {"mobile_phone": "+0"},
    "country_form": {"country": "Brasil"},
    "currency_form": {"currency": "US$"},
    "funnel_stage_in_glossary": {"funnel_stage": "prospecto"},
    "lead_source_in_glossary": {"lead_source": "Feira local"},
    "channel_in_glossary": {"channel": "smoke signals"},
    "status_known": {"status": "maybe"},
    "type_known": {"type": "dream"},
    "direction_known": {"direction": "sideways"},
    "subject_type_known": {"subject_type": "planet"},
    "occurred_at_plausible": {"occurred_at": LONG_AGO},
    "created_at_plausible": {"created_at": LONG_AGO},
    "probability_0_to_1": {"probability": Decimal("7.5")},
    "person_can_be_known": {"full_name": None},
    "won_has_close_date": {"status": "won"},
    "amount_has_currency": {"amount": Decimal(10)},
    "closed_after_created": {"status": "lost", "closed_at": datetime(2020, 1, 1, tzinfo=UTC)},
    "campaign_ends_after_start": {"started_on": date(2026, 2, 1), "ended_on": date(2026, 1, 1)},
    "engagement_has_time": {"occurred_at": None},
    "touch_has_person": {"person_source_id": None},
}


@pytest.fixture(scope="module")
def glossary() -> Glossary:
    return load()


def put(connection: sa.Connection, entity: str, key: str, **values: Any) -> int:
    """One row of a load of its own, finished and not yet validated."""
    load_id = ledger.open_load(connection, "full", "x", entity)
    StagingRows(connection).put(entity, f"x:{entity}:{key}", **{**SOUND.get(entity, {}), **values, "load_id": load_id})
    ledger.close_load(connection, load_id)
    return load_id


@pytest.mark.parametrize("entity", staging.ENTITIES)
def test_each_broken_row_fails_its_rule_and_nothing_else_does(
    entity: str, glossary: Glossary, warehouse: sa.Engine
) -> None:
    suite = staging_suite(entity, glossary)
    with transaction(warehouse) as connection:
        put(connection, entity, "sound")
        for expectation in suite:
            put(connection, entity, expectation.rule, **BREAKS[expectation.rule])
        validated = validate_loads(connection, glossary)
        assert validate_loads(connection, glossary) == (0, 0, 0), "what is validated is not looked at again"
        left = set(connection.scalars(sa.text(f"SELECT source_record_id FROM staging.{entity}")))
        aside = {
            tuple(row)
            for row in connection.execute(
                sa.text("SELECT record_id, rule, source_key, entity, raw_table, is_loaded FROM ops.quarantine")
            )
        }
        failed = set(connection.scalars(sa.text("SELECT expectation FROM ops.validation_result WHERE NOT is_success")))
    quarantined = {e.rule for e in suite if e.severity == "quarantine"}
    assert failed == {e.rule for e in suite}
    assert left == {"sound"} | {e.rule for e in suite if e.severity == "warn"}
    assert aside == {(r, r, f"x:{entity}:{r}", entity, f"raw.x__{entity}", False) for r in quarantined}
    assert validated == (len(suite) + 1, len(quarantined), len(suite) - len(quarantined))


def test_all_rows_that_break_a_rule_are_set_aside_however_many(glossary: Glossary, warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        for number in range(250):
            put(connection, "person", f"bad{number}", email="not-an-email")
        put(connection, "person", "sound")
        assert validate_loads(connection, glossary) == (251, 250, 0)
        left = connection.scalars(sa.text("SELECT source_record_id FROM staging.person")).all()
        aside = connection.scalar(sa.text("SELECT count(*) FROM ops.quarantine WHERE rule = 'email_form'"))
    assert left == ["sound"]
    assert aside == 250


def test_a_row_that_breaks_two_rules_is_set_aside_once_and_told_under_both(
    glossary: Glossary, warehouse: sa.Engine
) -> None:
    with transaction(warehouse) as connection:
        put(connection, "person", "1", email="not-an-email", phone="0049 30 1")
        assert validate_loads(connection, glossary) == (1, 1, 0)
        rules = set(connection.scalars(sa.text("SELECT rule FROM ops.quarantine")))
    assert rules == {"email_form", "phone_form"}


def test_an_expectation_that_cannot_be_computed_stops_everything(glossary: Glossary, warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        put(connection, "touch", "1")
        connection.execute(sa.text("ALTER TABLE staging.touch DROP COLUMN type"))
        with pytest.raises(GateError, match="type_known"):
            validate_loads(connection, glossary)
        assert connection.scalar(sa.text("SELECT 1")) == 1, "the caller's transaction lives on"


def test_what_is_set_aside_is_queued_so_that_the_build_drops_it(glossary: Glossary, warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        put(connection, "person", "1", email="not-an-email")
        connection.execute(sa.text("DELETE FROM ops.staging_change"))
        validate_loads(connection, glossary)
        queued = connection.execute(sa.text("SELECT entity, source_key FROM ops.staging_change")).all()
    assert [tuple(r) for r in queued] == [("person", "x:person:1")]


def test_results_hold_counts_but_no_contents(glossary: Glossary, warehouse: sa.Engine) -> None:
    with transaction(warehouse) as connection:
        put(connection, "person", "1", email="canary-not-an-email")
        validate_loads(connection, glossary)
        text = str(connection.execute(sa.text("SELECT * FROM ops.validation_result")).all())
        reasons = str(connection.execute(sa.text("SELECT reason FROM ops.quarantine")).all())
        failed = connection.scalar(
            sa.text("SELECT failed_rows FROM ops.validation_result WHERE expectation = 'email_form'")
        )
    assert failed == 1
    assert "canary" not in text + reasons
