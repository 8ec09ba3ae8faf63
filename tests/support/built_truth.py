"""What core says against the truth of the world: who is one person, and what was sold."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import combinations
from typing import NamedTuple

import sqlalchemy as sa

from sandbox.world import World
from tests.support.truth import MAIN, stores


def won_amounts(world: World) -> dict[str, Decimal]:
    """Currency -> sum of the true won deals that a vendor still has."""
    live = {
        f"{r['vendor']}:{r['kind']}:{r['record_id']}" for r in world.truth.rows("vendor_record") if r["state"] == "live"
    }
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for deal in world.truth.rows("opportunity"):
        if deal["status"] == "won" and live.intersection(deal["records"]) and deal["amount"] is not None:
            sums[deal["currency"]] += Decimal(str(deal["amount"]))
    return dict(sums)


def built_amounts(connection: sa.Connection) -> dict[str, Decimal]:
    """The same from core.opportunity."""
    query = (
        "SELECT currency, sum(amount) AS total FROM core.opportunity WHERE status = 'won' AND NOT is_deleted AND amount IS NOT NULL "
        "GROUP BY currency"
    )
    return {row.currency: row.total for row in connection.execute(sa.text(query))}


class Score(NamedTuple):
    """How well records were tied to people, over all pairs of decidable records."""

    precision: float
    recall: float
    pairs: int
    wrong: set[tuple[str, str]]
    missed: set[tuple[str, str]]


def identity_score(world: World, connection: sa.Connection) -> Score:
    """Pairs of source records: how many of those tied are one person, and how many of one person are tied."""
    people: dict[str, str] = {}
    for row in world.truth.rows("person"):
        if (row["vendor"], row["kind"]) not in MAIN:
            continue  # a system that these nights do not read
        stream = MAIN[row["vendor"], row["kind"]][0]
        key = f"{row['vendor']}:{stream}:{row['record_id']}"
        people.pop(key, None)
        if not row["undecidable"]:
            people[key] = row["person_id"]
    given: dict[str, str] = {}
    for source_id, person_id in connection.execute(sa.text("SELECT source_id, person_id FROM core.identity_link")):
        given[source_id] = str(person_id)
    shared = people.keys() & given.keys()
    true = set(_pairs({key: people[key] for key in shared}))
    tied = set(_pairs({key: given[key] for key in shared}))
    right = len(true & tied)
    return Score(
        right / len(tied) if tied else 1.0,
        right / len(true) if true else 1.0,
        len(true),
        tied - true,
        true - tied,
    )


def strong_evidence(world: World) -> set[tuple[str, str]]:
    """Pairs of records of one person that share an address which nobody else has, or of which one names the other.

    Worked out from the stores alone: what any careful reader of both systems would tie, without guessing by name or phone.
    """
    rows = (r for r in world.truth.rows("person") if (r["vendor"], r["kind"]) in MAIN)
    people = {(r["vendor"], r["kind"], r["record_id"]): r for r in rows}
    holders: dict[str, set[str]] = defaultdict(set)
    owners: dict[str, set[str]] = defaultdict(set)
    named: set[tuple[str, str]] = set()
    for (vendor, kind, id_), row in people.items():
        record = stores(world)[vendor].get(kind, id_)
        if record is None or row["undecidable"]:
            continue
        key = f"{vendor}:{MAIN[vendor, kind][0]}:{id_}"
        texts = [record.fields.get("email"), record.fields.get("Email")]
        texts += (record.fields.get("hs_additional_emails") or "").split(";")
        for text in texts:
            address = (text or "").strip().lower().rstrip(".")
            if re.fullmatch(r"[^@\s]+@[^@\s]+[.][a-z]+", address):
                owners[address].add(row["person_id"])
                holders[address].add(key)
        pointers = [("salesforce", "Lead", "salesforceleadid"), ("salesforce", "Contact", "salesforcecontactid")]
        pointers += [("salesforce", "Contact", "ConvertedContactId")]
        pointers += [("salesforce", "Lead", "sfdcLeadId"), ("salesforce", "Contact", "sfdcContactId")]
        for *other, name in pointers:
            there = people.get((other[0], other[1], record.fields.get(name) or ""))
            if there is not None and there["person_id"] == row["person_id"] and not there["undecidable"]:
                named.add((key, f"{other[0]}:{MAIN[other[0], other[1]][0]}:{there['record_id']}"))
        if record.merged_into is not None:
            named.add((key, f"{vendor}:{MAIN[vendor, kind][0]}:{record.merged_into}"))
    shared = {
        pair
        for address, keys in holders.items()
        if len(owners[address]) == 1 and address.partition("@")[0].partition("+")[0] not in ROLES
        for pair in combinations(sorted(keys), 2)
    }
    return shared | {tuple(sorted(pair)) for pair in named}  # type: ignore[misc]


ROLES = {"info", "contato", "sales", "office", "contact", "hello", "vendas", "compras", "kontakt"}
"""Mailboxes that several people read: they say nothing of who wrote."""


def _pairs(owner: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, person in owner.items():
        groups[person].append(key)
    for keys in groups.values():
        yield from combinations(sorted(keys), 2)
