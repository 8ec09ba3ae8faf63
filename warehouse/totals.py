"""Table `ops.vendor_total`: what a vendor counts and sums by itself, beside what staging holds of the same records."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from operator import sub
from typing import Any, NamedTuple

import sqlalchemy as sa

from warehouse import raw
from warehouse.tables import ops
from warehouse.tables.raw import raw_table
from warehouse.tables.staging import ENTITIES

CENT = Decimal("0.01")


class Told(NamedTuple):
    """A vendor's total of one currency ("" where it does not part them); amounts in that currency."""

    currency: str
    rows: int
    amount: Decimal | None
    precision: Decimal


Row = dict[str, Any]
"""One of `ops.vendor_total`."""


def beside(
    connection: sa.Connection,
    vendor: str,
    stream: str,
    entity: str,
    told: Iterable[Told],
    *,
    until: datetime,
    changed: Collection[str],
    may_lag: bool,
    load_id: int,
) -> list[Row]:
    """What a vendor tells of a stream beside what staging holds of it, a row per currency.

    Args:
        connection: the load's transaction, after its records are in staging.
        vendor: the source system.
        stream: one whose records are one row each of `entity`.
        entity: a staging table.
        told: the vendor's totals of live records whose last change was before `until`.
        until: aware UTC.
        changed: ids of records that have changed since, as the vendor says: they are left out here, too.
        may_lag: the vendor counts by an index that may not know of the last changes.
        load_id: the load that asked.
    """
    totals = {one.currency: one for one in told}
    held = _held(connection, vendor, stream, entity, until=until, changed=changed, by_currency=set(totals) != {""})
    common = {
        "vendor": vendor,
        "stream": stream,
        "until_at": until,
        "load_id": load_id,
        "set_aside_rows": _set_aside(connection, vendor, stream, changed),
        "unsettled_rows": sum(one.unsettled for one in held.values()) if may_lag else 0,
    }
    return [
        {**common, **_row(key, totals.get(key, _nothing(key, totals)), held.get(key, _NONE))}
        for key in sorted({*totals, *held})
    ]


def agrees(row: Row) -> bool:
    """Whether vendor and staging say the same, but for rounding."""
    is_summed = row["vendor_amount"] is not None
    off = abs(row["vendor_amount"] - row["staged_amount"]) - row["amount_precision"] if is_summed else 0
    return bool(row["vendor_rows"] == row["staged_rows"] and off <= CENT)


def note(connection: sa.Connection, vendor: str, stream: str, rows: list[Row]) -> None:
    """Put rows in place of what was noted of a stream before."""
    mine = sa.and_(ops.vendor_total.c.vendor == vendor, ops.vendor_total.c.stream == stream)
    connection.execute(sa.delete(ops.vendor_total).where(mine))
    if rows:
        connection.execute(sa.insert(ops.vendor_total), rows)


class _Held(NamedTuple):
    """What staging holds of one currency. unsettled: records, deleted ones too, of a version since."""

    rows: int
    amount: Decimal
    unsettled: int


_NONE = _Held(0, Decimal(0), 0)


def _row(currency: str, told: Told, held: _Held) -> Row:
    is_summed = told.amount is not None
    return {
        "currency": currency,
        "vendor_rows": told.rows,
        "staged_rows": held.rows,
        "vendor_amount": told.amount,
        "staged_amount": held.amount if is_summed else None,
        "amount_precision": told.precision if is_summed else None,
    }


def _nothing(currency: str, totals: Mapping[str, Told]) -> Told:
    """What a vendor tells of a currency that it does not have."""
    is_summed = any(one.amount is not None for one in totals.values())
    return Told(currency, 0, Decimal(0) if is_summed else None, Decimal(0))


def _held(
    connection: sa.Connection,
    vendor: str,
    stream: str,
    entity: str,
    *,
    until: datetime,
    changed: Collection[str],
    by_currency: bool,
) -> dict[str, _Held]:
    """By currency, or all under "": what is in staging, less what has changed. One scan: a list to look into for each row is dear."""
    table = ENTITIES[entity]
    amount = table.c.amount if "amount" in table.c else sa.cast(sa.null(), sa.Numeric)
    lives = ~table.c.is_deleted
    figures = (
        sa.func.coalesce(table.c.currency, "") if by_currency else sa.literal(""),
        sa.func.count().filter(lives),
        sa.func.coalesce(sa.func.sum(amount).filter(lives), 0),
        sa.func.count().filter(table.c.version_at >= until),
    )
    keys = [f"{vendor}:{stream}:{id_}" for id_ in changed]
    of_stream = sa.and_(
        table.c.source_system == vendor, table.c.source_stream == stream, table.c.source_id == table.c.source_key
    )
    is_changed = table.c.source_id == sa.any_(sa.literal(keys, sa.ARRAY(sa.Text())))
    every, less = (
        {
            key: _Held(*found)
            for key, *found in connection.execute(sa.select(*figures).where(where).group_by(sa.text("1")))
        }
        for where in (of_stream, is_changed)
    )
    return {key: _Held(*map(sub, held, less.get(key, _NONE))) for key, held in every.items()}


def _set_aside(connection: sa.Connection, vendor: str, stream: str, changed: Collection[str]) -> int:
    table = raw_table(vendor, stream)
    quarantine = ops.quarantine.c
    ids = connection.scalars(
        sa.select(quarantine.record_id).where(quarantine.raw_table == table.fullname, ~quarantine.is_loaded).distinct()
    )
    return len(raw.living(connection, table, [id_ for id_ in ids if id_ not in changed]))
