"""Table `ops.vendor_total`: what a vendor counts and sums by itself, beside what staging holds of the same records."""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import sqlalchemy as sa

from warehouse import raw
from warehouse.tables import ops
from warehouse.tables.raw import raw_table
from warehouse.tables.staging import ENTITIES


class Told(NamedTuple):
    """A vendor's total of one currency ("" where it does not part them); amounts in that currency."""

    currency: str
    rows: int
    amount: Decimal | None
    precision: Decimal


def note(
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
) -> None:
    """Put what a vendor tells of a stream beside what staging holds, in place of what was noted before.

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
    table = ENTITIES[entity]
    of_stream = sa.and_(
        table.c.source_system == vendor,
        table.c.source_stream == stream,
        table.c.source_id == table.c.source_key,
        table.c.source_record_id != sa.all_(sa.literal(sorted(changed), sa.ARRAY(sa.Text()))),
    )
    totals = {one.currency: one for one in told}
    is_parted = set(totals) != {""}
    currency = sa.func.coalesce(table.c.currency, "") if is_parted else sa.literal("")
    amount = table.c.amount if "amount" in table.c else sa.cast(sa.null(), sa.Numeric)
    held = {
        row.currency: row
        for row in connection.execute(
            sa.select(currency.label("currency"), sa.func.count().label("rows"), sa.func.sum(amount).label("amount"))
            .where(of_stream, ~table.c.is_deleted)
            .group_by(sa.text("1"))
        )
    }
    unsettled = sa.select(sa.func.count()).where(of_stream, table.c.version_at >= until)
    common = {
        "vendor": vendor,
        "stream": stream,
        "until_at": until,
        "load_id": load_id,
        "set_aside_rows": _set_aside(connection, vendor, stream, changed),
        "unsettled_rows": connection.scalar(unsettled) if may_lag else 0,
    }
    mine = sa.and_(ops.vendor_total.c.vendor == vendor, ops.vendor_total.c.stream == stream)
    connection.execute(sa.delete(ops.vendor_total).where(mine))
    rows = []
    for key in sorted({*totals, *held}):
        one, here = totals.get(key), held.get(key)
        has_amount = one is None or one.amount is not None
        rows.append(
            {
                **common,
                "currency": key,
                "vendor_rows": one.rows if one else 0,
                "staged_rows": here.rows if here else 0,
                "vendor_amount": (one.amount if one else 0) if has_amount else None,
                "staged_amount": ((here.amount or 0) if here else 0) if has_amount and "amount" in table.c else None,
                "amount_precision": (one.precision if one else 0) if has_amount else None,
            }
        )
    if rows:
        connection.execute(sa.insert(ops.vendor_total), rows)


def _set_aside(connection: sa.Connection, vendor: str, stream: str, changed: Collection[str]) -> int:
    table = raw_table(vendor, stream)
    quarantine = ops.quarantine.c
    ids = connection.scalars(
        sa.select(quarantine.record_id).where(quarantine.raw_table == table.fullname, ~quarantine.is_loaded).distinct()
    )
    return len(raw.living(connection, table, [id_ for id_ in ids if id_ not in changed]))
