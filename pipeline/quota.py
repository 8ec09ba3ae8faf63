"""One quota per vendor account: what connectors know of it is kept in the warehouse, where all tasks on all hosts see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from connectors.base.model import Connector
from connectors.base.quota import Allowance, Bucket, empty
from warehouse import quota
from warehouse.quota import Row


def share(engine: sa.Engine, connector: Connector, *, is_urgent: bool) -> None:
    """Have a connector take turns with all who use its account. is_urgent: False for backfills, which give way."""
    connector.share(Shared(engine, connector.vendor, connector.account), is_urgent=is_urgent)


@dataclass(frozen=True, slots=True)
class Shared:
    """The buckets of one account, kept in `ops.quota`; see `connectors.base.quota.Store`."""

    engine: sa.Engine
    vendor: str
    account: str

    def change(self, policy: str, how: Callable[[Bucket, datetime], Bucket]) -> None:
        """See `Store`."""

        def change_row(row: Row | None, at: datetime) -> Row:
            return _row(how(_bucket(policy, row) if row else empty(policy), at))

        quota.change(self.engine, self.vendor, self.account, policy, change_row)

    def all(self) -> dict[str, Bucket]:
        """See `Store`."""
        rows = quota.rows(self.engine, self.vendor, self.account)
        return {policy: _bucket(policy, row) for policy, row in rows.items()}


def _bucket(policy: str, row: Row) -> Bucket:
    return Bucket(
        Allowance(policy, row["calls"], row["seconds"], row["left_calls"], row["renews_at"]),
        row["next_at"],
        row["urgent_at"],
        row["relaxed_at"],
        row["closed_until"],
    )


def _row(bucket: Bucket) -> Row:
    return {
        "calls": bucket.allowance.calls,
        "seconds": bucket.allowance.seconds,
        "left_calls": bucket.allowance.left,
        "renews_at": bucket.allowance.renews_at,
        "next_at": bucket.next_at,
        "urgent_at": bucket.urgent_at,
        "relaxed_at": bucket.relaxed_at,
        "closed_until": bucket.closed_until,
    }
