"""Pairs that are probably one: what speaks for it, how little data is enough, and that the order of rows is nothing."""

import hashlib
from random import Random

import polars as pl
import pytest

from transforms.identity.likely import PEOPLE, Pair, likely_pairs

COLUMNS = ("unique_id", "name", "family_name", "initial", "email", "phone", "company", "country")
Row = tuple[str | None, ...]


def pairs(rows: list[Row], above: float = 0.5) -> list[Pair]:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    return likely_pairs(frame.to_arrow(), PEOPLE, above=above)


def crowd(people: int = 300) -> list[Row]:
    """People with two records each, which share number and address, one in five mistyped; half of the names are two people's."""
    rows: list[Row] = []
    for n in range(people):
        name, rest = f"given{n % 200} family{n % 200}", (f"+49151{n:08}", f"company {n % 90}", "DE")
        box = hashlib.sha256(str(n).encode()).hexdigest()[:10]
        for source_id, at in (
            (f"hubspot:contacts:{n}", "gmail"),
            (f"salesforce:lead:{n}", "gmail" if n % 5 else "gmial"),
        ):
            rows.append((source_id, name, f"family{n % 200}", "g", f"{box}@{at}.com", *rest))
    return rows


@pytest.mark.parametrize("rows", [[], [("a", *[None] * 7)], [("a", *[None] * 7), ("b", *[None] * 7)]])
def test_of_nothing_nothing_is_told(rows: list[Row]) -> None:
    assert pairs(rows) == []


def test_a_rare_name_at_one_company_is_likelier_than_a_common_name_alone() -> None:
    rows = crowd()
    rows += [
        ("x:rare:1", "zoe quist", "quist", "z", "zoe@gmail.com", None, "quist works", "SE"),
        ("x:rare:2", "zoe quist", "quist", "z", "z.quist@works.test", None, "quist works", "SE"),
        ("x:common:1", "given7 family7", "family7", "g", "g7@gmail.com", None, None, "SE"),
    ]
    found = {(pair.left, pair.right): pair.probability for pair in pairs(rows, above=0)}
    assert found["x:rare:1", "x:rare:2"] > 0.95
    assert found["hubspot:contacts:7", "salesforce:lead:7"] > 0.99
    assert found["hubspot:contacts:7", "x:common:1"] < 0.5


def test_a_typing_error_in_the_address_speaks_more_for_one_person_than_another_address() -> None:
    rows = crowd()
    rows += [
        ("x:1", "given9 family9", "family9", "g", "given9.family9@gmial.com", None, None, "DE"),
        ("x:2", "given9 family9", "family9", "g", "given9.family9@gmail.com", None, None, "DE"),
        ("x:3", "given9 family9", "family9", "g", "somebody@else.test", None, None, "DE"),
    ]
    found = {(pair.left, pair.right): pair.probability for pair in pairs(rows, above=0)}
    assert found["x:1", "x:2"] > 0.9 > found["x:1", "x:3"]


def test_order_of_rows_is_nothing_and_the_most_probable_come_first(seed: int) -> None:
    rows = crowd(100)
    found = pairs(rows, above=0.1)
    Random(seed).shuffle(rows)
    again = pairs(rows, above=0.1)
    assert found == sorted(found, key=lambda pair: -pair.probability)
    assert all(pair.left < pair.right for pair in found)
    # Chance agreement is estimated from a draw, so that the figures may move a little.
    assert {(p.left, p.right): pytest.approx(p.probability, abs=0.02) for p in found} == {
        (p.left, p.right): p.probability for p in again
    }
