"""Schema `ops`: the ledger (loads, windows, cursors), quarantine, validation results and the queue of changed records."""

import sqlalchemy as sa

from warehouse.tables.base import Json, Text, Timestamp, column, table

Big = sa.BigInteger()

load = table(
    "ops",
    "load",
    "One transaction that brought records of one stream, or one build",
    column("load_id", Big, "Number of the load", key=True, identity=True),
    column("vendor", Text, "Source system; null for a build"),
    column("stream", Text, "Stream of the vendor; null for a build"),
    column("kind", Text, "Why it ran", null=False, values=("incremental", "backfill", "full", "replay", "build")),
    column("started_at", Timestamp, "Start of the transaction", null=False, default="now()"),
    column("finished_at", Timestamp, "Commit of the transaction"),
    column("read_rows", Big, "Records read from the vendor"),
    column("new_rows", Big, "Versions that were not yet in raw"),
    column("staged_rows", Big, "Staging rows written"),
    column("validated_at", Timestamp, "When its staging rows passed the suites; null: not yet"),
    column("run_id", Text, "Airflow run or command that asked for it"),
    distribution=None,
)

window = table(
    "ops",
    "window",
    "Coverage: which intervals of which stream are in the warehouse, with the proof",
    column("vendor", Text, "Source system", key=True),
    column("stream", Text, "Stream of the vendor", key=True),
    column("start_at", Timestamp, "Start, inclusive; the epoch for a full read", key=True),
    column("end_at", Timestamp, "End, exclusive", key=True),
    column("kind", Text, "Why it was read", null=False, values=("incremental", "backfill", "full")),
    column("expected_rows", Big, "Independent count by the vendor; null where its API has none"),
    column("counted_rows", Big, "Records read that this count speaks of: deletes and merges are often not among them"),
    column("read_rows", Big, "Distinct records read", null=False),
    column("load_id", Big, "The load that read it last", null=False),
    column("read_at", Timestamp, "When it was read last", null=False, default="now()"),
    distribution=None,
)

cursor = table(
    "ops",
    "cursor",
    "How far each stream is complete: everything before `position_at` is in the warehouse",
    column("vendor", Text, "Source system", key=True),
    column("stream", Text, "Stream of the vendor", key=True),
    column("position_at", Timestamp, "End of the last proved incremental or full window", null=False),
    column("parent_load_id", Big, "For streams read by their parent's ids: the parent's last load that was followed"),
    column("load_id", Big, "The load that moved it", null=False),
    distribution=None,
)

quarantine = table(
    "ops",
    "quarantine",
    "Records set aside, with the reason and the way back to what the vendor sent",
    column("source_key", Text, "system:stream:record of the raw record", key=True),
    column("entity", Text, "Staging entity it was meant for", key=True),
    column("rule", Text, "The rule that failed", key=True),
    column("reason", Text, "One sentence: what is wrong and what to do", null=False),
    column("column_name", Text, "The column that failed, where it is one"),
    column("raw_table", Text, "Table of the raw record", null=False),
    column("record_id", Text, "The vendor's id", null=False),
    column("raw_load_id", Big, "Load of the raw version", null=False),
    column("is_loaded", sa.Boolean(), "True: only the value was set aside, the record is in staging", null=False),
    column("quarantined_at", Timestamp, "When it was set aside", null=False, default="now()"),
    distribution=None,
)

validation_result = table(
    "ops",
    "validation_result",
    "One expectation's outcome in one run of a suite",
    column("result_id", Big, "Number of the result", key=True, identity=True),
    column("load_id", Big, "The load or build that was checked", null=False),
    column("suite", Text, "Suite, named after the table it checks", null=False),
    column("expectation", Text, "Expectation with its columns", null=False),
    column("severity", Text, "What a failure does", null=False, values=("block", "quarantine", "warn")),
    column("is_success", sa.Boolean(), "Whether it held", null=False),
    column("checked_rows", Big, "Rows it looked at"),
    column("failed_rows", Big, "Rows for which it did not hold"),
    column("detail", Json, "Observed value; never record contents"),
    column("checked_at", Timestamp, "When it ran", null=False, default="now()"),
    distribution=None,
    indexes=("load_id",),
)

staging_change = table(
    "ops",
    "staging_change",
    "Queue between normalise and build: records whose staging rows changed; a build takes what it consumes",
    column("change_id", Big, "Number of the change", key=True, identity=True),
    column("entity", Text, "Staging entity; the first, where rows of several changed", null=False),
    column("source_key", Text, "system:stream:record", null=False),
    column("load_id", Big, "The load that changed it", null=False),
    distribution=None,
)
