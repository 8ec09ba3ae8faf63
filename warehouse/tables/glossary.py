"""Schema `glossary`: the shared words as published, with their version."""

import sqlalchemy as sa

from warehouse.tables.base import Json, Text, Timestamp, column, table

version = table(
    "glossary",
    "version",
    "Each publication of the glossary",
    column("version_id", Text, "SHA-256 of the glossary's content, first 16 hex digits", key=True),
    column("published_at", Timestamp, "When it was published", null=False, default="now()"),
    column("is_current", sa.Boolean(), "The one in force", null=False),
    distribution=None,
)

term = table(
    "glossary",
    "term",
    "A word both teams share, with its definition",
    column("kind", Text, "term, funnel_stage, lead_source, channel, sla, goal, attribution_model, ...", key=True),
    column("term", Text, "The word as it stands in the tables", key=True),
    column("label", Text, "The word as it is shown", null=False),
    column("label_pt", Text, "The word in Brazilian Portuguese"),
    column("definition", Text, "What it means", null=False),
    column("owner_team", Text, "Team that owns it"),
    column("position", sa.Integer(), "Order, where there is one"),
    column("criterion", Text, "Machine-checked criterion, where there is one"),
    column("source", Text, "Where the definition comes from"),
    column("detail", Json, "Further settings of the term"),
    column("version_id", Text, "Publication that brought it", null=False),
    distribution=None,
)

mapping = table(
    "glossary",
    "mapping",
    "A vendor's word and the glossary term it means",
    column("vocabulary", Text, "Vocabulary, as funnel.hubspot", key=True),
    column("vendor_value", Text, "The vendor's word, lower case and trimmed", key=True),
    column("kind", Text, "Kind of the term", null=False),
    column("term", Text, "Glossary term", null=False),
    column("version_id", Text, "Publication that brought it", null=False),
    distribution=None,
)

currency_rate = table(
    "glossary",
    "currency_rate",
    "What one unit of a currency was worth in the reporting currency, from a day on",
    column("currency", Text, "ISO 4217", key=True),
    column("from_on", sa.Date(), "First day of the rate", key=True),
    column("rate", sa.Numeric(20, 10), "Units of the reporting currency for one unit", null=False),
    column("reporting_currency", Text, "ISO 4217", null=False),
    column("version_id", Text, "Publication that brought it", null=False),
    distribution=None,
)
