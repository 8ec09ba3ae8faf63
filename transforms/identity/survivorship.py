"""Which record's value stands where several records are one thing.

A value is taken from live records before deleted ones, from the CRM before marketing automation, then from the most recent
version; an empty value never wins. Exceptions are stated where they are made.
"""

PRIORITY = "LEFT JOIN pg_temp.setting_system AS y ON y.system = r.source_system"
"""Join that gives a record `r` its system's `y.priority`, 1 first; a system that is not listed has none."""

_ORDER = 'is_deleted, priority, version_at DESC, source_id COLLATE "C"'


def survivor(column: str, where: str = "true", order: str = _ORDER) -> str:
    """SQL for the value of `column` that survives within a group; records for which `where` fails have no say."""
    there = f"{column} IS NOT NULL AND {column}::text <> '' AND {where}"
    return f"(array_agg({column} ORDER BY {order}) FILTER (WHERE {there}))[1]"
