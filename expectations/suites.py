"""Suites of the staging tables: derived from the table metadata and the glossary, plus a few business checks by hand.

Keys and not-null columns are the database's to hold: a check of them could never fail.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from expectations.model import QUERY, Expectation
from glossary import Glossary
from warehouse.tables.staging import ENTITIES

# By column name, the same everywhere: what the value looks like.
FORMATS: Mapping[str, tuple[str, str]] = {
    "email": (r"^[^@\s]+@[^@\s]+\.[^@\s.]+$", "an address has one @ and a domain; normalise writes nothing else"),
    "person_email": (
        r"^[^@\s]+@[^@\s]+\.[^@\s.]+$",
        "an address has one @ and a domain; normalise writes nothing else",
    ),
    "phone": (r"^\+[1-9][0-9]{4,14}$", "phones are E.164"),
    "mobile_phone": (r"^\+[1-9][0-9]{4,14}$", "phones are E.164"),
    "country": (r"^[A-Z]{2}$", "countries are ISO 3166-1 alpha-2"),
    "currency": (r"^[A-Z]{3}$", "currencies are ISO 4217"),
}

# Glossary words: column -> kind of term whose words it may hold, besides `unmapped`.
WORDS: Mapping[str, str] = {
    "funnel_stage": "funnel_stage",
    "lead_source": "lead_source",
    "channel": "channel",
}

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

HAPPENED = ("occurred_at", "created_at")
"""A date far outside any company's life is a typing error; it would bend every cohort it falls into."""


def staging_suite(entity: str, glossary: Glossary) -> list[Expectation]:
    """What each row of a staging entity must fulfil."""
    table = ENTITIES[entity]
    suite: list[Expectation] = []
    for column in table.columns:
        suite += _column(column, glossary)
    return suite + list(BUSINESS.get(entity, ()))


def _column(column: sa.Column[object], glossary: Glossary) -> list[Expectation]:
    name = column.name
    found: list[Expectation] = []
    if values := column.info.get("values"):
        found.append(
            _of(
                f"{name}_known",
                "quarantine",
                f"it is one of {', '.join(values)}",
                "ExpectColumnValuesToBeInSet",
                column=name,
                value_set=list(values),
            )
        )
    if kind := WORDS.get(name):
        words = [*_terms(glossary, kind), "unmapped"]
        found.append(
            _of(
                f"{name}_in_glossary",
                "quarantine",
                "it is a word of the glossary or `unmapped`",
                "ExpectColumnValuesToBeInSet",
                column=name,
                value_set=words,
            )
        )
    if name in FORMATS:
        pattern, why = FORMATS[name]
        found.append(
            _of(f"{name}_form", "quarantine", why, "ExpectColumnValuesToMatchRegex", column=name, regex=pattern)
        )
    if name in HAPPENED:
        found.append(
            _of(
                f"{name}_plausible",
                "quarantine",
                "a date before 1990 or after 2100 is a typing error",
                "ExpectColumnValuesToBeBetween",
                column=name,
                min_value=EARLIEST,
                max_value=LATEST,
            )
        )
    if name == "probability":
        found.append(
            _of(
                "probability_0_to_1",
                "quarantine",
                "chances are 0 to 1 here, whatever scale the vendor has",
                "ExpectColumnValuesToBeBetween",
                column=name,
                min_value=0,
                max_value=1,
            )
        )
    return found


def _of(rule: str, severity: str, why: str, kind: str, **arguments: object) -> Expectation:
    return Expectation(rule, severity, why, kind, arguments)  # type: ignore[arg-type]


def _terms(glossary: Glossary, kind: str) -> tuple[str, ...]:
    return tuple(sorted(row["term"] for row in glossary.published_rows()["term"] if row["kind"] == kind))


def _rows(rule: str, severity: str, why: str, where: str) -> Expectation:
    return _of(
        rule,
        severity,
        why,
        QUERY,
        unexpected_rows_query=f"SELECT source_id FROM checked WHERE {where}",
    )


BUSINESS: Mapping[str, Sequence[Expectation]] = {
    "person": (
        _rows(
            "person_can_be_known",
            "warn",
            "without address, phone, name or cross id nothing can tell who it is",
            "email IS NULL AND phone IS NULL AND full_name IS NULL AND last_name IS NULL AND same_as IS NULL AND NOT is_deleted",
        ),
    ),
    "opportunity": (
        _rows(
            "won_has_close_date",
            "warn",
            "revenue is counted in the month of its close date",
            "status = 'won' AND closed_at IS NULL AND NOT is_deleted",
        ),
        _rows(
            "amount_has_currency",
            "warn",
            "an amount without currency cannot be added to others",
            "amount IS NOT NULL AND currency IS NULL AND NOT is_deleted",
        ),
        _rows(
            "closed_after_created",
            "warn",
            "a deal that closed before it was created has a typing error",
            "status <> 'open' AND closed_at < created_at - interval '1 day'",
        ),
    ),
    "campaign": (
        _rows(
            "campaign_ends_after_start",
            "warn",
            "a campaign that ends before it starts has a typing error",
            "ended_on < started_on",
        ),
    ),
    "engagement": (
        _rows(
            "engagement_has_time",
            "warn",
            "without a time it cannot stand in the journey",
            "occurred_at IS NULL AND NOT is_deleted",
        ),
    ),
    "touch": (
        _rows(
            "touch_has_person",
            "warn",
            "a touch that names nobody cannot be tied to a journey",
            "person_source_id IS NULL AND person_email IS NULL",
        ),
    ),
}
