"""The data dictionary: docs/tables.md, made of the table metadata alone. `python -m warehouse.dictionary` writes it anew."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from warehouse.tables import SCHEMAS, metadata
from warehouse.tables.raw import raw_table

PAGE = Path(__file__).parent.parent / "docs" / "tables.md"

POSTGRESQL = sa.make_url("postgresql+psycopg://").get_dialect()()

ORDER = ("marts", "core", "staging", "raw", "glossary", "ops")
"""Schemas in the order in which an analyst needs them."""

ABOUT = {
    "marts": "The contract with analysts: columns may be added, none is renamed or dropped without a major version.",
    "core": "What marts are made of: persons, accounts and deals over all systems, their touches, stages and credit.",
    "staging": "One row per source record, typed and in the glossary's words; a row follows its newest version in `raw`.",
    "raw": "What each vendor sent, byte for byte: one table `raw.<vendor>__<stream>` per stream, all of the shape below. "
    "A table is made when its stream is first loaded.",
    "glossary": "The shared words as published, with their version.",
    "ops": "The ledger: loads, windows, cursors, quarantine, outcomes of checks, and the queue between sync and build.",
}

HEAD = """\
# The tables of the warehouse

Generated from the table metadata by `make docs`; do not edit. In psql `\\d+ marts.customer_journey` shows the same comments, and
`smarketing explain TABLE.COLUMN` those of one column. Questions with their SQL are in [questions.md](questions.md).

Names: `_id` an identifier, `_at` a moment (timestamptz, UTC), `_on` a day, `_amount` money, `_reporting` in the reporting currency,
`is_`/`has_` yes or no. A `source_id` is `vendor:stream:record`, as `hubspot:contacts:101`, with `#part` where one record gives
several rows. The distribution column is the one to join large tables on: on a cluster their rows lie together by it.
"""


def page() -> str:
    """The whole dictionary as Markdown: the same text for the same metadata."""
    if set(ORDER) != set(SCHEMAS):
        raise ValueError(f"ORDER names other schemas than there are: {sorted(set(ORDER) ^ set(SCHEMAS))}")
    schemas = {schema: _tables(schema) for schema in ORDER}
    return "\n".join([HEAD, *_contents(schemas), *(line for s, t in schemas.items() for line in _schema(s, t))])


def _tables(schema: str) -> Sequence[sa.Table]:
    """The schema's tables by name; of `raw`, whose tables come and go with streams, one that stands for all."""
    if schema == "raw":
        one = raw_table("<vendor>", "<stream>")
        metadata.remove(one)
        return [one]
    return sorted((t for t in metadata.tables.values() if t.schema == schema), key=lambda t: t.name)


def _contents(schemas: dict[str, Sequence[sa.Table]]) -> Iterator[str]:
    yield "| table | what it holds | one row per |"
    yield "| --- | --- | --- |"
    for tables in schemas.values():
        for table in tables:
            name = table.fullname
            link = f"`{name}`" if table.schema == "raw" else f"[{name}](#{name.replace('.', '')})"
            yield f"| {link} | {_cell(table.comment)} | {_key(table)} |"
    yield ""


def _schema(schema: str, tables: Sequence[sa.Table]) -> Iterator[str]:
    yield f"## Schema {schema}\n"
    yield f"{ABOUT[schema]}\n"
    for table in tables:
        name = f"`{table.fullname}`" if schema == "raw" else table.fullname
        yield f"### {name}\n"
        place = table.info["distribution"]
        spread = f" Distribution column: `{place}`." if place else ""
        yield f"{_cell(table.comment)}. One row per {_key(table)}.{spread}\n"
        yield "| column | type | null | meaning |"
        yield "| --- | --- | --- | --- |"
        for column in table.columns:
            yield f"| `{column.name}` | {_type(column)} | {'yes' if column.nullable else 'no'} | {_meaning(column)} |"
        yield ""


def _key(table: sa.Table) -> str:
    return ", ".join(f"`{c.name}`" for c in table.primary_key.columns)


def _type(column: sa.Column[object]) -> str:
    return column.type.compile(dialect=POSTGRESQL).lower()


def _meaning(column: sa.Column[object]) -> str:
    values = column.info.get("values")
    listed = f" One of: {', '.join(f'`{v}`' for v in values)}." if values else ""
    return f"{_cell(column.comment)}{'.' if listed else ''}{listed}"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("<", "&lt;")


def main(path: Path = PAGE) -> None:
    """Write the page, and say so."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")


if __name__ == "__main__":
    main()
