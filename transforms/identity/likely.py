"""Records that are probably one person though no single value says so: pairs with a probability, by Splink's Fellegi-Sunter model.

How often values agree by chance is estimated from random pairs, how often they agree for one person by expectation
maximisation over pairs that share a number or an address (Fellegi and Sunter 1969; Splink, Linacre et al. 2022). Nothing is merged here.
"""

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import sqlalchemy as sa

from transforms.identity.names import name_key
from warehouse.copy import driver

if TYPE_CHECKING:
    import pyarrow as pa

RANDOM_PAIRS = 1_000_000
"""Pairs drawn to estimate chance agreement: enough for any size."""

FEW_PAIRS = 200
"""Of fewer pairs Splink learns nothing sound: what it takes for usual is nearer the truth."""


class Pair(NamedTuple):
    """Two records by their source_id, the lesser first, and the probability that they are one."""

    left: str
    right: str
    probability: float


@dataclass(frozen=True, slots=True)
class Model:
    """What is compared.

    comparisons: makes Splink's comparisons; a function, since Splink takes half a second to import.
    candidates: columns of which a pair must share one group to be looked at.
    surest: columns that hardly anybody but one person shares: how common duplicates are is estimated by these.
    trained_on: groups of columns that training pairs share, in turn; each must leave the others something to learn.
    """

    comparisons: Callable[[], list[Any]]
    candidates: Sequence[tuple[str, ...]]
    surest: tuple[str, ...]
    trained_on: Sequence[tuple[str, ...]] = field(default=())


def _compared_of_people() -> list[Any]:
    import splink.comparison_library as cl  # noqa: PLC0415

    # What follows from the name or the company (an address, its domain) would count them twice: only typing errors are told.
    return [
        cl.JaroWinklerAtThresholds("name", [0.94]).configure(term_frequency_adjustments=True),
        cl.LevenshteinAtThresholds("email", [2]),
        cl.LevenshteinAtThresholds("phone", [1]),
        cl.JaroWinklerAtThresholds("company", [0.9]).configure(term_frequency_adjustments=True),
        cl.ExactMatch("country").configure(term_frequency_adjustments=True),
    ]


PEOPLE = Model(
    _compared_of_people,
    candidates=(("name",), ("phone",), ("family_name", "initial", "company")),
    surest=("email",),
    trained_on=(("phone",), ("email",)),
)

_RECORDS = f"""
SELECT source_id AS unique_id, name, substring(name from '[^ ]+$') AS family_name, left(name, 1) AS initial, email,
  phone, company, country
FROM (
  SELECT p.source_id, nullif({name_key("p.full_name")}, '') AS name, p.email, coalesce(p.mobile_phone, p.phone) AS phone,
    nullif(nullif({name_key("coalesce(a.name, p.company_name)")}, ''), {name_key("p.full_name")}) AS company, p.country
  FROM staging.person AS p LEFT JOIN staging.account AS a ON a.source_id = p.account_source_id
  WHERE NOT p.is_deleted AND p.is_company IS NOT TRUE
) AS r ORDER BY source_id COLLATE "C"
"""


def read_people(connection: sa.Connection) -> "pa.Table":
    """The live records of people, one row each: `unique_id` (the source_id) and the columns that `PEOPLE` compares."""
    with driver(connection).cursor() as cursor:
        cursor.execute(_RECORDS)
        names = [column.name for column in cursor.description or ()]
        batches = []
        while rows := cursor.fetchmany(50_000):
            batches.append(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row"))
    return pl.concat(batches or [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]).to_arrow()


def likely_pairs(records: "pa.Table", model: Model, *, above: float) -> list[Pair]:
    """Pairs of records whose probability to be one is at least `above`, the most probable first.

    Args:
        records: one row per record: `unique_id`, and the model's columns as texts, null where unknown.
        model: what is compared.
        above: 0 to 1.
    """
    if len(records) < 2:
        return []
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    api = DuckDBAPI()
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=model.comparisons(),
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in model.candidates],
        retain_matching_columns=False,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linker = Linker(api.register(records), settings, log_level=logging.ERROR)
        train = linker.training
        if _sharing(records, model.surest):
            train.estimate_probability_two_random_records_match([block_on(*model.surest)], recall=0.7)
        train.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
        for columns in (c for c in model.trained_on if _sharing(records, c) >= FEW_PAIRS):
            train.estimate_parameters_using_expectation_maximisation(block_on(*columns))
        found = linker.inference.predict(threshold_match_probability=above).as_dict()
    pairs = zip(*(found[name] for name in ("unique_id_l", "unique_id_r", "match_probability")), strict=True)
    return sorted((Pair(min(a, b), max(a, b), p) for a, b, p in pairs), key=lambda pair: (-pair.probability, pair))


def _sharing(records: "pa.Table", columns: Sequence[str]) -> int:
    """How many pairs of records share all the columns."""
    known = pl.DataFrame(records).drop_nulls(list(columns))
    groups = known.group_by(columns).len().select((pl.col("len") * (pl.col("len") - 1) // 2).sum())
    return int(groups.item() or 0)
