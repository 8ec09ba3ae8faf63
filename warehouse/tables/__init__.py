"""Every table of the warehouse as SQLAlchemy metadata: the one place from which schema, data dictionary and checks derive.

One module a schema. A column helper (`column`) demands a comment; `Table.info["distribution"]` names the column by which a
large table is spread over machines (`None`: a small reference table, copied everywhere).
"""

from warehouse.tables import core, glossary, marts, ops, raw, staging
from warehouse.tables.base import SCHEMAS, metadata

__all__ = ["SCHEMAS", "core", "glossary", "marts", "metadata", "ops", "raw", "staging"]
