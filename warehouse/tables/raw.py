"""Schema `raw`: what each vendor sent, as immutable versions. One table per vendor and stream, all of one shape."""

import sqlalchemy as sa

from warehouse.tables.base import Text, Timestamp, column, metadata, table

OPS = ("upsert", "delete", "merge")


def raw_table(vendor: str, stream: str) -> sa.Table:
    """The table `raw.<vendor>__<stream>`, declared on first use; `warehouse.raw.ensure_table` creates it in the database."""
    name = f"{vendor}__{stream}"
    if (known := metadata.tables.get(f"raw.{name}")) is not None:
        return known
    declared = table(
        "raw",
        name,
        f"Versions of {vendor} {stream} as the vendor sent them; rows are never updated",
        column("record_id", Text, "The vendor's id of the record", key=True),
        column(
            "version_at",
            Timestamp,
            "When the vendor says the record got this state; else when it was observed",
            key=True,
        ),
        column(
            "content_hash", sa.LargeBinary(16), "128-bit BLAKE2b of op, merge target and the exact bytes sent", key=True
        ),
        column("op", Text, "What this version says of the record", null=False, values=OPS),
        column("record", sa.JSON(), "The record as JSON text, as sent; null for a tombstone that carries no fields"),
        column(
            "record_bytes",
            sa.LargeBinary(),
            "The exact bytes, only where PostgreSQL cannot hold them as text (NUL, lone surrogates); `record` has U+FFFD there",
        ),
        column("merged_into", Text, "For op=merge: the vendor's id of the surviving record"),
        column("load_id", sa.BigInteger(), "The load that brought this version (ops.load)", null=False),
        distribution="record_id",
        indexes=("load_id",),
    )
    # Deletes are few and asked for every night.
    sa.Index(f"ix_{name}_gone", declared.c.version_at, postgresql_where=declared.c.op == "delete")
    return declared
