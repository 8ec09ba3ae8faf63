"""Aggregates kept up to date by difference: what the changed rows add now, less what they added before.

Counts, sums of exact numerics and row counts are additive over rows that are distinct at the grain, so the result equals
the aggregate over everything, at a cost that follows the change. A group whose last row goes away is deleted.
"""

from collections.abc import Mapping, Sequence

from transforms.work import Work
from warehouse.tables import metadata


def apply_difference(
    work: Work,
    mart: str,
    query: str,
    *,
    keys: Sequence[str],
    measures: Mapping[str, str],
    parts: str,
    count: str,
    whole: str,
) -> int:
    """Bring an aggregate table up to date.

    Args:
        work: the build.
        mart: full name of the aggregate table; other columns than keys and measures are left alone.
        query: select that yields the keys and, under each measure's name, its addend; `{rows}` stands for the rows.
        keys: group columns.
        measures: column -> SQL type; none is ever null.
        parts: name of the temporary tables with the rows before and after, without `_old` and `_new`.
        whole: full name of the table that they are parts of, which a full build takes instead.
        count: expression over the mart's columns that is 0 where a group has no row left.

    Returns:
        Rows written.
    """
    table = metadata.tables[mart].fullname
    before, after = (work.text(query, rows=f"pg_temp.{parts}_{when}") for when in ("old", "new"))
    if work.full:
        work.run(f"DELETE FROM {table}")
        after = work.text(query, rows=metadata.tables[whole].fullname)
        before = f"SELECT * FROM ({after}) AS nothing WHERE false"
    group = ", ".join(keys)
    added = ", ".join(f"sum({m}) AS {m}" for m in measures)
    signed = ", ".join(f"-{m}" for m in measures)
    change = f"SELECT {group}, {', '.join(measures)} FROM ({after}) AS a UNION ALL SELECT {group}, {signed} FROM ({before}) AS b"
    work.temp("difference", f"SELECT {group}, {added} FROM ({change}) AS c GROUP BY {group}", index=group)
    match = " AND ".join(f"t.{k} = d.{k}" for k in keys)
    moved = " OR ".join(f"d.{m} <> 0" for m in measures)
    together = ", ".join(f"{m} = t.{m} + d.{m}" for m in measures)
    changed = work.run(f"UPDATE {table} AS t SET {together} FROM pg_temp.difference AS d WHERE {match} AND ({moved})")
    values = ", ".join(f"d.{m}::{type_}" for m, type_ in measures.items())
    new = work.run(
        f"INSERT INTO {table} ({group}, {', '.join(measures)}) SELECT {', '.join(f'd.{k}' for k in keys)}, {values}"
        f" FROM pg_temp.difference AS d WHERE {moved} ON CONFLICT DO NOTHING"
    )
    gone = work.run(f"DELETE FROM {table} AS t USING pg_temp.difference AS d WHERE {match} AND {count} = 0")
    return changed + new + gone
