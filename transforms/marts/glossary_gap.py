"""marts.glossary_gap: vendor words that the glossary does not know.

Questions it answers:
- Which words do the vendors use that no term covers, and on how many rows?
- Since when, on which records, and what might the word mean?

Read through the partial indexes on unmapped words, so the cost follows their number.
"""

import difflib
import json

import sqlalchemy as sa

from transforms.work import Work
from warehouse.tables import marts, staging

_VOCABULARIES = {
    "funnel_stage": "funnel",
    "from_stage": "funnel",
    "to_stage": "funnel",
}
"""Vocabulary of a staging column, where it is not named after the column; the vendor's name follows after a dot."""
WORDS = tuple(
    (entity, column.name, _VOCABULARIES.get(column.name, column.name))
    for entity in staging.ENTITIES.values()
    for column in entity.columns
    if f"{column.name}_raw" in entity.columns
)
"""Every staging column that holds words of the glossary: table, column, vocabulary."""
_EXAMPLES = 3

_GAP = """
SELECT '{entity}' AS entity, '{column}' AS column_name, '{vocabulary}.' || source_system AS vocabulary,
  {column}_raw AS vendor_value, count(*) AS row_count, min(version_at) AS first_seen_at, max(version_at) AS last_seen_at,
  to_jsonb((array_agg(source_id ORDER BY source_id COLLATE "C"))[1:{examples}]) AS example_source_ids
FROM {table} WHERE {column} = 'unmapped' AND {column}_raw IS NOT NULL GROUP BY source_system, {column}_raw
"""


def build_glossary_gap(work: Work) -> int:
    """Build marts.glossary_gap anew and write what differs; returns rows written."""
    queries = [
        work.text(
            _GAP,
            entity=entity.name,
            column=column,
            vocabulary=vocabulary,
            table=entity.fullname,
            examples=str(_EXAMPLES),
        )
        for entity, column, vocabulary in WORDS
    ]
    work.temp("gap_found", " UNION ALL ".join(queries))
    words = work.connection.execute(sa.text("SELECT DISTINCT vocabulary, vendor_value FROM pg_temp.gap_found"))
    nearest = [{"vocabulary": v, "vendor_value": w, "nearest_term": _nearest(work, v, w)} for v, w in words]
    work.run("DROP TABLE IF EXISTS pg_temp.gap_near")
    work.run("CREATE TEMPORARY TABLE gap_near (vocabulary text, vendor_value text, nearest_term text) ON COMMIT DROP")
    work.connection.execute(
        sa.text(
            "INSERT INTO pg_temp.gap_near SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb))"
            " AS r (vocabulary text, vendor_value text, nearest_term text)"
        ),
        {"rows": json.dumps(nearest)},
    )
    columns = ", ".join(f"{'n' if c.name == 'nearest_term' else 'g'}.{c.name}" for c in marts.glossary_gap.columns)
    work.temp(
        "gap_new",
        f"SELECT {columns} FROM pg_temp.gap_found AS g"
        " JOIN pg_temp.gap_near AS n ON n.vocabulary = g.vocabulary AND n.vendor_value = g.vendor_value",
    )
    return work.refresh("marts.glossary_gap", "gap_new")


def _nearest(work: Work, vocabulary: str, word: str) -> str | None:
    """The term that an unknown word most likely means, by likeness to the vocabulary's words and terms; None: none is near."""
    known = work.settings.vocabularies.get(vocabulary)
    if known is None:
        return None
    candidates = {**{t.replace("_", " "): t for t in work.settings.terms.get(known.kind, ())}, **known.words}
    close = difflib.get_close_matches(word.strip().casefold(), sorted(candidates), n=1, cutoff=0.6)
    return candidates[close[0]] if close else None
