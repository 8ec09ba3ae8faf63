"""What tasks know together of a vendor account's limits: one row for each, changed by one at a time.

Each change is a transaction of its own that does not wait for the disk: what is lost when the server falls is a few turns.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from warehouse.engine import transaction
from warehouse.tables import ops

Row = Mapping[str, Any]
"""The columns of `ops.quota` but for vendor, account and policy."""

_KEY = ("vendor", "account", "policy")


def change(
    engine: sa.Engine, vendor: str, account: str, policy: str, how: Callable[[Row | None, datetime], Row]
) -> None:
    """Put `how(row, now)` in the row's place, nobody coming between; row is None where there is none yet.

    now: the warehouse's clock, which all hosts share.

    Raises:
        WarehouseError: the database refused.
    """
    key = dict(zip(_KEY, (vendor, account, policy), strict=True))
    with transaction(engine) as connection:
        connection.execute(sa.text("SET LOCAL synchronous_commit TO off"))
        # The lock covers the row that is not there yet as well.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": repr(key)})
        now: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        rows = connection.execute(_select(vendor, account).where(ops.quota.c.policy == policy)).mappings()
        found = next((_without_key(row) for row in rows), None)
        row = how(found, now)
        if found != row:
            statement = insert(ops.quota).values(**key, **row)
            connection.execute(statement.on_conflict_do_update(index_elements=_KEY, set_=dict(row)))


def rows(engine: sa.Engine, vendor: str, account: str) -> dict[str, Row]:
    """All that is known of an account, by policy."""
    with transaction(engine) as connection:
        return {row["policy"]: _without_key(row) for row in connection.execute(_select(vendor, account)).mappings()}


def every(connection: sa.Connection) -> list[Row]:
    """All accounts' limits, with their keys and whether they are closed now, for people to read."""
    c = ops.quota.c
    is_closed = (c.closed_until > sa.func.clock_timestamp()).label("is_closed")
    return [
        dict(row)
        for row in connection.execute(
            sa.select(ops.quota, is_closed).order_by(c.vendor, c.account, c.policy)
        ).mappings()
    ]


def forget(connection: sa.Connection, vendor: str | None = None) -> int:
    """Forget what is known of a vendor's limits, or of all; returns the rows removed. The next answers tell it anew."""
    statement = sa.delete(ops.quota)
    if vendor:
        statement = statement.where(ops.quota.c.vendor == vendor)
    return connection.execute(statement).rowcount


def _select(vendor: str, account: str) -> "sa.Select[Any]":
    return sa.select(ops.quota).where(ops.quota.c.vendor == vendor, ops.quota.c.account == account)


def _without_key(row: "sa.RowMapping") -> Row:
    return {name: value for name, value in row.items() if name not in _KEY}
