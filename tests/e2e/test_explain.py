"""Every figure of every mart of a built world is exactly what its parts give, and each part leads to a record that a vendor sent."""

import pytest
import sqlalchemy as sa

from glossary import load
from pipeline.lineage import MARTS
from pipeline.lineage.walk import Explained, explain_rows
from sandbox.serve import running_sandbox
from tests.support.nights import credentials, night
from warehouse.tables import metadata

pytestmark = pytest.mark.slow
PEOPLE = 300


@pytest.fixture(scope="module")
def built(module_seed: int, module_warehouse: sa.Engine) -> sa.Engine:
    """A full night, then nights of changes, until every mart has rows: a small world may have won no deal yet."""
    with running_sandbox(seed=module_seed, people=PEOPLE) as box:
        keys = credentials(box)
        night(module_warehouse, keys)
        for days in (2, 20, 40, 60):
            box.advance(days)
            night(module_warehouse, keys)
            if all(rows_of(module_warehouse, mart) for mart in MARTS):
                break
    return module_warehouse


def rows_of(engine: sa.Engine, mart: str) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(metadata.tables[mart])) or 0


@pytest.fixture(scope="module")
def walked(built: sa.Engine) -> dict[str, list[Explained]]:
    return {mart: explain_rows(built, load(), mart, "true") for mart in MARTS}


@pytest.mark.parametrize("mart", MARTS)
def test_the_parts_of_every_row_add_up_to_its_figures(
    mart: str, walked: dict[str, list[Explained]], built: sa.Engine
) -> None:
    assert len(walked[mart]) == rows_of(built, mart)
    assert walked[mart], "a test on nothing shows nothing"
    columns = {m.column for m in MARTS[mart].measures}
    assert all({f.column for f in each.figures} == columns for each in walked[mart])
    wrong = [f for each in walked[mart] for f in each.figures if not f.adds_up]
    assert wrong == []


@pytest.mark.parametrize("mart", MARTS)
def test_every_part_leads_to_what_a_vendor_sent(mart: str, walked: dict[str, list[Explained]]) -> None:
    parts = [p for each in walked[mart] for counted in each.counted for p in counted.first]
    assert parts
    assert [p.shown for p in parts if p.lost or not p.records] == []
    lost = [r for p in parts for r in p.records if r.version_at is None or r.load_kind is None]
    assert lost == []


def test_every_conversion_leads_to_the_touches_on_its_way(walked: dict[str, list[Explained]]) -> None:
    for each in walked["marts.conversion_assists"]:
        (conversions,) = each.counted
        for part in conversions.first:
            kinds = {r.entity for r in part.records}
            assert kinds & {"touch", "engagement"}
            assert ("opportunity" in kinds) == (each.row["conversion"] in ("opportunity", "customer"))


def test_every_mart_says_how_its_figures_are_made() -> None:
    assert set(MARTS) == {t.fullname for t in metadata.tables.values() if t.schema == "marts"}


@pytest.mark.parametrize("mart", MARTS)
def test_every_column_is_a_key_a_figure_or_a_label(mart: str) -> None:
    table = metadata.tables[mart]
    said = [c.name for c in table.primary_key.columns]
    said += [m.column for m in MARTS[mart].measures]
    said += MARTS[mart].labels
    assert sorted(said) == sorted(c.name for c in table.columns)
