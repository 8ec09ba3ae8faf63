"""The review: who is probably one is asked once, joined when accepted, left when rejected."""

import json

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from cli.app import app
from errors import SmarketingError
from pipeline.review import accept, reject, review, waiting
from tests.support.staging_rows import StagingRows, at, settings
from transforms.build import build

ANA, ANNA, BOB, BOBBY = "hubspot:contacts:1", "salesforce:lead:1", "hubspot:contacts:2", "salesforce:lead:2"


@pytest.fixture
def people(warehouse: sa.Engine) -> sa.Engine:
    """A crowd with two records each, and two pairs that only look alike."""
    with warehouse.begin() as connection:
        rows = StagingRows(connection)
        for n in range(100, 400):
            own = {
                "full_name": f"Given{n} Family{n}",
                "email": f"p{n}@acme{n}.test",
                "phone": f"+49151{n:08}",
                "country": "DE",
            }
            rows.put("person", f"hubspot:contacts:{n}", **own, company_name=f"Acme {n}")
            rows.put("person", f"salesforce:lead:{n}", **own, company_name=f"Acme {n}")
        rows.put(
            "person", ANA, full_name="Ana Quist", email="ana@gmail.com", company_name="Quist Works", created_at=at(0)
        )
        rows.put(
            "person",
            ANNA,
            full_name="Ana QUIST",
            email="a.quist@works.test",
            company_name="Quist Works",
            created_at=at(1),
        )
        rows.put("person", BOB, full_name="Bob Zorn", email="bob@gmail.com", company_name="Zorn Ltd", created_at=at(0))
        rows.put("person", BOBBY, full_name="Bob Zorn", email="bz@zorn.test", company_name="Zorn Ltd", created_at=at(1))
        build(connection, settings(), full=True)
    return warehouse


def asked(engine: sa.Engine) -> set[tuple[str, str]]:
    with engine.connect() as connection:
        return {(str(row["source_id"]), str(row["other_source_id"])) for row in waiting(connection)}


def person_of(engine: sa.Engine, source_id: str) -> object:
    with engine.connect() as connection:
        return connection.scalar(
            sa.text("SELECT person_id FROM core.identity_link WHERE source_id = :s"), {"s": source_id}
        )


def test_pairs_are_asked_until_somebody_decides(people: sa.Engine) -> None:
    assert review(people) == (2, 0)
    assert asked(people) == {(ANA, ANNA), (BOB, BOBBY)}
    with people.begin() as connection:
        reject(connection, BOB, BOBBY, "father and son")
        accept(connection, ANNA, ANA, None)
    assert asked(people) == set()
    assert review(people) == (0, 0), "what was decided is not asked again, before the next build neither"
    with people.begin() as connection:
        build(connection, settings(), full=False)
    assert person_of(people, ANA) == person_of(people, ANNA)
    assert person_of(people, BOB) != person_of(people, BOBBY)
    assert review(people) == (0, 0)
    with people.begin() as connection, pytest.raises(SmarketingError, match="one already"):
        reject(connection, ANA, ANNA, None)


def test_above_a_set_probability_pairs_are_joined_at_once(people: sa.Engine) -> None:
    review(people)
    with people.connect() as connection:
        lowest = min(float(str(row["probability"])) for row in waiting(connection))
    assert 0.5 < lowest < 1
    assert review(people, accept_above=1.0) == (2, 0)
    assert review(people, accept_above=lowest - 0.001) == (0, 2)
    with people.begin() as connection:
        build(connection, settings(), full=False)
    assert person_of(people, BOB) == person_of(people, BOBBY)
    with people.connect() as connection:
        reasons = connection.scalars(sa.text("SELECT reason FROM ops.identity_decision")).all()
    assert len(reasons) == 2
    assert all(reason.startswith("probability 0.") for reason in reasons)


def test_the_commands_list_decide_and_take_back(people: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.identity.open_warehouse", lambda: people)

    def said(*command: str) -> str:
        result = CliRunner().invoke(app, ["identity", *command], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    listed = json.loads(said("review", "--json"))
    assert {row["source_id"] for row in listed} == {ANA, BOB}
    shown = said("review")
    assert all(word in shown for word in (ANA, ANNA, "Ana Quist · ana@gmail.com · Quist Works", "2 pairs wait"))
    said("accept", ANA, ANNA, "--reason", "the same desk")
    said("reject", BOB, BOBBY)
    (first, second) = json.loads(said("decisions", "--json"))
    assert (first["verdict"], first["reason"], second["verdict"]) == ("same", "the same desk", "different")
    said("undo", str(second["decision_id"]))
    assert BOB in said("review")
    assert "hubspot:contacts:100" in said("split", "hubspot:contacts:100")
    assert json.loads(said("conflicts", "--json")) == []
    said("join", BOB, ANA)
    assert {"hubspot:contacts:100", BOB} <= {row["source_id"] for row in json.loads(said("decisions", "--json"))}
