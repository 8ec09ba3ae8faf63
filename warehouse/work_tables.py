"""Tables that a load needs while its transaction lasts, each made when it is first needed.

A temporary table with texts is three files or four. A night of 52 streams of which nothing was new took a fifth longer when each
made three of them (measured 2026-11).
"""

from weakref import WeakKeyDictionary

import sqlalchemy as sa

_COLUMNS = {
    # A batch's keys, in the order of arrival.
    "arriving": "n integer NOT NULL, record_id text NOT NULL, version_at timestamptz NOT NULL, is_observed boolean NOT NULL, "
    "content_hash bytea NOT NULL, op text NOT NULL",
    # All that was received.
    "incoming": "record_id text NOT NULL, op text NOT NULL",
    # Records to be looked up at the end.
    "touched": "record_id text PRIMARY KEY",
    # What lives at the vendor.
    "live_key": "record_id text PRIMARY KEY",
}

_made: "WeakKeyDictionary[sa.Transaction, set[str]]" = WeakKeyDictionary()


def has(connection: sa.Connection, name: str) -> bool:
    """Whether the table was made in this transaction; where it was not, it would be empty."""
    transaction = connection.get_transaction()
    return transaction is not None and name in _made.get(transaction, ())


def need(connection: sa.Connection, *names: str) -> None:
    """Make those of the tables that are not there yet; they go with the transaction, and savepoints must not come between."""
    lacking = [name for name in names if not has(connection, name)]
    if not lacking:
        return
    connection.execute(sa.text(";".join(f"CREATE TEMP TABLE {n} ({_COLUMNS[n]}) ON COMMIT DROP" for n in lacking)))
    if transaction := connection.get_transaction():
        _made.setdefault(transaction, set()).update(lacking)
