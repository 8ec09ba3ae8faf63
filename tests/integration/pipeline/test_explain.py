"""`explain --where`: the equations and the way to the raw record, conditions of every kind, and figures that do not add up."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli import console
from cli import explain as command
from cli.app import app
from errors import SmarketingError
from pipeline.lineage import MARTS
from pipeline.lineage.walk import explain_rows
from tests.support.staging_rows import StagingRows, at, settings
from transforms.build import build
from warehouse import raw

HUB, DEAL, COPY, LOST = "hubspot:contacts:1", "salesforce:opportunity:1", "hubspot:deals:1", "salesforce:opportunity:2"
LEAD, ACCOUNT = "salesforce:lead:1", "salesforce:account:1"
LINK = "https://crm.example/1"
MART = "marts.customers_by_source"


@pytest.fixture
def built(warehouse: sa.Engine) -> sa.Engine:
    """A customer with a won deal that two systems tell of, a lost deal, and the raw version of the won one."""
    with warehouse.begin() as connection:
        rows = StagingRows(connection)
        rows.put("account", ACCOUNT, name="Acme")
        rows.put("person", HUB, email="one@example.org", full_name="One {Person}", lead_source="webinar")
        rows.put("person", LEAD, lead_source="unmapped", lead_source_raw="Feira local")
        money: dict[str, Any] = {"currency": "USD", "created_at": at(1), "lead_source": "webinar"}
        rows.put(
            "opportunity", DEAL, name="Big", status="won", amount=Decimal("90.50"), closed_at=at(5), source_url=LINK,
            account_source_id=ACCOUNT, primary_person_source_id=HUB, same_as=[COPY], **money,
        )  # fmt: skip
        rows.put("opportunity", COPY, name="Copy", status="open", amount=Decimal(7), **money)
        rows.put("opportunity", LOST, name="Small", status="lost", amount=Decimal(9), closed_at=at(6), **money)
        rows.put("touch", "hubspot:form_submissions:1", type="form_submission", occurred_at=at(2), person_source_id=HUB)
        build(connection, settings(), full=False)
        raw.ensure_table(connection, "salesforce", "opportunity")
        connection.execute(sa.text("INSERT INTO ops.load (load_id, kind) VALUES (7, 'backfill')"))
        for days in (0, 4):
            connection.execute(
                sa.text(
                    "INSERT INTO raw.salesforce__opportunity (record_id, version_at, content_hash, op, record, load_id) "
                    "VALUES ('1', :at, :hash, 'upsert', '{}', 7)"
                ),
                {"at": at(days), "hash": bytes([days]) * 16},
            )
    return warehouse


def test_a_figure_comes_with_its_sum_its_deals_and_their_records(built: sa.Engine) -> None:
    (row,) = explain_rows(built, settings(), MART, "lead_source = 'webinar'")
    made = {f.column: (f.value, f.made) for f in row.figures}
    assert made["revenue_amount"] == (Decimal("90.50"), "90.50, from 1 of 2 deals (is_won)")
    assert made["customer_count"] == (1, "1 of 2 deals (is_first_won)")
    assert made["win_rate"] == (Decimal("0.5"), "deal_count 1 / (deal_count 1 + lost_deal_count 1)")
    assert made["cycle_days"] == (Decimal(4), "(4.00) / 1, from 1 of 2 deals (is_won)")
    assert all(f.adds_up for f in row.figures)
    (deals, costs) = row.counted
    assert (deals.name, deals.count, costs.count) == ("deals", 2, 0)
    assert [p.shown["name"] for p in deals.first] == ["Big", "Small"]
    told = [(r.entity, r.source_id, r.raw_table, r.record_id) for r in deals.first[0].records]
    assert told == [
        ("opportunity", DEAL, "raw.salesforce__opportunity", "1"),
        ("opportunity", COPY, "raw.hubspot__deals", "1"),
    ]
    sent, copy = deals.first[0].records
    assert (sent.version_at, sent.op, sent.load_id, sent.load_kind, sent.version_count) == (
        at(4), "upsert", 7, "backfill", 2)  # fmt: skip
    assert (sent.source_url, copy.version_at) == (LINK, None)


def test_one_column_brings_what_it_is_made_of_and_no_more(built: sa.Engine) -> None:
    (row,) = explain_rows(built, settings(), MART, "true", column="win_rate")
    assert [f.column for f in row.figures] == ["deal_count", "lost_deal_count", "win_rate"]
    assert [c.name for c in row.counted] == ["deals"]


def test_all_parts_count_however_few_are_shown(built: sa.Engine) -> None:
    (row,) = explain_rows(built, settings(), MART, "true", parts=1)
    assert [(c.count, len(c.first)) for c in row.counted] == [(2, 1), (0, 0)]
    assert all(f.adds_up for f in row.figures)
    assert len(explain_rows(built, settings(), "marts.customer_journey", "true", limit=2)) == 2


@pytest.mark.parametrize(
    "where",
    [
        "title ~ '^Deal won: B' -- the rest is a comment",
        "title LIKE 'Deal won%' AND event_id::text <> '{marts.attribution} :name %(name)s'",
        f"source_id = '{DEAL}' AND event_type = 'deal_won' AND occurred_at > '2024-01-01 10:00:00'",
    ],
)
def test_a_condition_may_hold_whatever_sql_may(built: sa.Engine, where: str) -> None:
    (row,) = explain_rows(built, settings(), "marts.customer_journey", where)
    assert row.row["amount"] == Decimal("90.50")
    assert all(f.adds_up for f in row.figures)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("sourse = 'x'", 'The condition on marts.customers_by_source cannot be used: column "sourse" does not exist.'),
        ("lead_source =", 'The condition on marts.customers_by_source cannot be used: syntax error at or near ")".'),
        ("lead_source::int = 1", "The condition on marts.customers_by_source cannot be used: SQLSTATE 22P02."),
        ("true); DELETE FROM core.person; SELECT (1", "The condition on marts.customers_by_source cannot be used"),
    ],
)
def test_a_condition_that_cannot_be_read_is_one_clear_sentence(built: sa.Engine, where: str, says: str) -> None:
    with pytest.raises(SmarketingError) as caught:
        explain_rows(built, settings(), MART, where)
    assert caught.value.message.startswith(says)
    assert "lead_source" in caught.value.remedy
    with built.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM core.person")) == 2


@pytest.mark.parametrize("mart", MARTS)
def test_a_figure_that_its_parts_do_not_give_is_told(built: sa.Engine, mart: str) -> None:
    measure = next(m for m in MARTS[mart].measures if m.rule in ("count", "sum", "first"))
    change = "interval '1 day'" if measure.column.endswith("_at") else "1"
    with built.begin() as connection:
        changed = connection.execute(sa.text(f"UPDATE {mart} SET {measure.column} = {measure.column} + {change}"))
    assert changed.rowcount
    rows = explain_rows(built, settings(), mart, "true")
    assert all(measure.column in {f.column for f in row.figures if not f.adds_up} for row in rows)


def test_a_record_that_left_staging_since_the_build_is_told(built: sa.Engine, run: Any) -> None:
    with built.begin() as connection:
        StagingRows(connection).drop("opportunity", COPY)
    (row,) = explain_rows(built, settings(), MART, "true")
    assert [list(p.lost) for c in row.counted for p in c.first] == [[COPY], []]
    assert all(f.adds_up for f in row.figures)
    assert f"← {COPY}: no longer in staging" in run(MART, "--where", "true")


@pytest.fixture
def run(built: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Calls the command on the built warehouse; returns what it prints."""
    monkeypatch.setattr(command, "open_warehouse", lambda: built)
    monkeypatch.setattr(command, "words", settings)
    printed: list[str] = []
    monkeypatch.setattr(console.out, "print", lambda *words, **_options: printed.extend(map(str, words)))
    monkeypatch.setattr(command, "as_json", lambda rows: printed.append(json.dumps(list(rows), default=str)))

    def call(*arguments: str) -> str:
        printed.clear()
        result = CliRunner().invoke(app, ["explain", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return "\n".join(printed)

    return call


def test_the_command_prints_the_way_down(run: Any) -> None:
    shown = run(MART, "--where", "true")
    assert "[bold]revenue_amount[/] 90.50 = 90.50, from 1 of 2 deals (is_won)" in shown
    assert "[bold]deals[/] (2)" in shown
    assert "name Big, status won" in shown
    assert (
        f"staging.opportunity {DEAL} ← raw.salesforce__opportunity, record_id 1, version_at {at(4).isoformat()}"
        in shown
    )
    assert f"load 7 (backfill, ) ← {LINK}" in shown
    assert "… and 1 more" in run(MART, "--where", "true", "--parts", "1")
    assert "No row of marts.customers_by_source" in run(MART, "--where", "false")
    assert f"staging.opportunity {DEAL}" in run("core.opportunity", "--where", f"source_id = '{DEAL}'")


def test_the_command_gives_all_of_it_as_json(run: Any) -> None:
    (row,) = json.loads(run(f"{MART}.deal_count", "--where", "true", "--json"))
    assert [(f["column"], f["value"], f["from_parts"]) for f in row["figures"]] == [("deal_count", 1, 1)]
    assert row["counted"][0]["first"][0]["records"][0]["source_url"] == LINK
    columns = json.loads(run(MART, "--json"))
    assert {"column": "win_rate", "type": "NUMERIC(6, 5)"}.items() <= {c["column"]: c for c in columns}[
        "win_rate"
    ].items()
