"""From raw records to staging rows: the vendor's fields, typed and in glossary words.

`normalize(records, vendor, stream, glossary)` takes a batch of raw records and returns one Polars frame per staging entity,
with exactly the table's columns, and a list of rejects. It is driven by the glossary's field maps; the functions that maps
may name are registered in `rows.py` (one record into several) and `columns.py` (several columns into one). Everything works
on whole columns or on the distinct values of a batch; no row is walked through twice.

    batch.py     decode a batch, run each map, gather
    decode.py    JSON to columns of text, only the paths that maps name
    entity.py    one map: values, conditions, required columns, rejects
    values.py    one field: text to its type
    times numbers emails phones places ids    one type each
    columns.py rows.py rows_*.py              functions that field maps name

Checking a glossary against the tables and functions: `load(overlay, known_columns=KNOWN_COLUMNS,
known_functions=KNOWN_FUNCTIONS)`.
"""

from transforms.normalize.batch import entities_of, normalize
from transforms.normalize.columns import FUNCTIONS, PREDICATES
from transforms.normalize.model import NormalizeResult, RawRecord, Reject
from transforms.normalize.rows import ROWS
from warehouse.tables.staging import ENTITIES

KNOWN_COLUMNS = {name: frozenset(table.columns.keys()) for name, table in ENTITIES.items()}
"""Staging entity -> columns, for `glossary.load`."""
KNOWN_FUNCTIONS = {"rows": frozenset(ROWS), "function": frozenset(FUNCTIONS), "when": frozenset(PREDICATES)}
"""Registered functions by the key of a field map that names them, for `glossary.load`."""

__all__ = [
    "KNOWN_COLUMNS",
    "KNOWN_FUNCTIONS",
    "NormalizeResult",
    "RawRecord",
    "Reject",
    "entities_of",
    "normalize",
]
