"""The glossary as rows of the schema `glossary`, ready to be loaded."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from glossary.model import Money, Term, Vocabulary
from glossary.nodes import canonical

EPOCH_DAY = date(1970, 1, 1)


def published_rows(
    terms: Mapping[str, Mapping[str, Term]], vocabularies: Mapping[str, Vocabulary], money: Money, version_id: str
) -> dict[str, list[dict[str, Any]]]:
    """Rows by table name: term, mapping, currency_rate; keys are column names.

    `detail` is plain JSON data. The reporting currency itself is published with the rate 1 from 1970 on, so that a join
    needs no special case.
    """
    term_rows = [
        {
            "kind": kind,
            "term": t.term,
            "label": t.label,
            "label_pt": t.label_pt,
            "definition": t.definition,
            "owner_team": t.owner_team,
            "position": t.position,
            "criterion": t.criterion,
            "source": t.source,
            "detail": canonical(t.detail) or None,
            "version_id": version_id,
        }
        for kind, group in terms.items()
        for t in group.values()
    ]
    mapping_rows = [
        {"vocabulary": v.name, "vendor_value": word, "kind": v.kind, "term": term, "version_id": version_id}
        for v in vocabularies.values()
        for word, term in v.words.items()
    ]
    rate_rows = [
        {
            "currency": r.currency,
            "from_on": r.from_on,
            "rate": r.rate,
            "reporting_currency": money.reporting_currency,
            "version_id": version_id,
        }
        for r in money.rates
        if r.currency != money.reporting_currency
    ]
    rate_rows.append(
        {
            "currency": money.reporting_currency,
            "from_on": EPOCH_DAY,
            "rate": Decimal(1),
            "reporting_currency": money.reporting_currency,
            "version_id": version_id,
        }
    )
    return {"term": term_rows, "mapping": mapping_rows, "currency_rate": rate_rows}
