"""How marts.glossary_gap is made: the staging rows that carry a word which the glossary does not know."""

from pipeline.lineage.model import Lineage, Measure, Parts
from transforms.marts.glossary_gap import WORDS

_ROWS = """
SELECT f.vocabulary, f.vendor_value, f.entity, f.column_name, s.source_id, s.version_at, ARRAY[s.source_id] AS source_ids
FROM figure AS f JOIN {table} AS s ON s.{column} = 'unmapped' AND s.{column}_raw = f.vendor_value
  AND f.vocabulary = '{vocabulary}.' || s.source_system
WHERE f.entity = '{entity}' AND f.column_name = '{column}'
"""

GLOSSARY_GAP = Lineage(
    "marts.glossary_gap",
    (
        Parts(
            "records",
            " UNION ALL ".join(
                _ROWS.format(table=table.fullname, column=column, vocabulary=vocabulary, entity=table.name)
                for table, column, vocabulary in WORDS
            ),
            ("source_id", "version_at"),
            'version_at, source_id COLLATE "C"',
            tuple(sorted({table.name for table, _, _ in WORDS})),
        ),
    ),
    (
        Measure("row_count", "count", "records"),
        Measure("first_seen_at", "earliest", "records", of="version_at"),
        Measure("last_seen_at", "latest", "records", of="version_at"),
    ),
    ("nearest_term", "example_source_ids"),
)
