"""Schema `ops`: the ledger (loads, windows, cursors), quarantine, validation results, and the queue of changed records.

Beside them what is begun at vendors, and which fields their records have.
"""

import sqlalchemy as sa

from warehouse.tables.base import Json, Money, Text, Timestamp, column, table

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

vendor_total = table(
    "ops",
    "vendor_total",
    "What a vendor itself counted and summed of a stream's live records when it was last loaded, beside what staging held",
    column("vendor", Text, "Source system", key=True),
    column("stream", Text, "Stream of the vendor", key=True),
    column("currency", Text, "ISO 4217; empty where the vendor counts over all", key=True),
    column("until_at", Timestamp, "Both speak of records that had not changed since", null=False),
    column("vendor_rows", Big, "Live records by the vendor's own count", null=False),
    column("staged_rows", Big, "Live records in staging", null=False),
    column(
        "set_aside_rows", Big, "Live records of the stream, of whatever currency, in quarantine instead", null=False
    ),
    column(
        "unsettled_rows",
        Big,
        "Records that changed here lately and that the vendor's index may not know as such yet",
        null=False,
    ),
    column("vendor_amount", Money, "Their amounts by the vendor's own sum; null where it sums nothing"),
    column("staged_amount", Money, "Their amounts in staging"),
    column("amount_precision", Money, "How far off the vendor's sum may be, since it converts currencies"),
    column("load_id", Big, "The load that asked", null=False),
    column("counted_at", Timestamp, "When it was asked", null=False, default="now()"),
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
    column("recalculated_at", Timestamp, "When calculated fields, which change without a date, were last compared"),
    distribution=None,
)

unfinished = table(
    "ops",
    "unfinished",
    "Windows whose read a used-up quota cut short: what was read is in, the next run goes on from there",
    column("vendor", Text, "Source system", key=True),
    column("stream", Text, "Stream of the vendor", key=True),
    column("kind", Text, "Why it is read", key=True, values=("incremental", "backfill", "full")),
    column("start_at", Timestamp, "Start of the window, inclusive", key=True),
    column("end_at", Timestamp, "End of the window, exclusive", key=True),
    column("place", Text, "Where the read goes on, in the connector's own words", null=False),
    column("expected_rows", Big, "The vendor's count of what was read so far; null where its API has none"),
    column("counted_rows", Big, "Records read so far that this count speaks of"),
    column("read_rows", Big, "Records read so far", null=False),
    column("load_id", Big, "The load that was cut short", null=False),
    column("stopped_at", Timestamp, "When", null=False, default="now()"),
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
    column("entity", Text, "Staging entity", null=False),
    column("source_key", Text, "system:stream:record", null=False),
    column(
        "changed_columns",
        sa.ARRAY(Text),
        "Columns that changed in its rows; empty where rows came or went, or where any may have changed",
    ),
    column("load_id", Big, "The load that changed it; 0: a decision on who is who", null=False),
    distribution=None,
)

quota = table(
    "ops",
    "quota",
    "What all running tasks know of a vendor account's limits, and whose turn it is; all times are the warehouse's clock",
    column("vendor", Text, "Source system", key=True),
    column("account", Text, "The vendor's account; a digest where its name would be a secret", key=True),
    column(
        "policy", Text, "The vendor's limit, such as requests or search; day for what is counted by the day", key=True
    ),
    column("calls", sa.Double(), "Calls allowed in any `seconds`; 0 where no answer has told it", null=False),
    column("seconds", sa.Double(), "Length of the interval in seconds", null=False),
    column("left_calls", Big, "day: what was left when an answer last told it"),
    column("renews_at", Timestamp, "day: when all calls are there again"),
    column("next_at", Timestamp, "The next free turn", null=False),
    column("urgent_at", Timestamp, "When a task other than a backfill last took a turn", null=False),
    column("relaxed_at", Timestamp, "Before this no backfill takes a turn while others are at work", null=False),
    column("closed_until", Timestamp, "Nobody asks before: the vendor refused", null=False),
    distribution=None,
)

pending_job = table(
    "ops",
    "pending_job",
    "Work begun at a vendor for a window that is not in yet (ids of jobs and exports), for another process to take up",
    column("vendor", Text, "Source system", key=True),
    column("stream", Text, "Stream of the vendor", key=True),
    column("kind", Text, "Why the window is read", key=True, values=("incremental", "backfill", "full")),
    column("start_at", Timestamp, "Start of the window, inclusive", key=True),
    column("end_at", Timestamp, "End of the window, exclusive", key=True),
    column("name", Text, "What the connector calls it", key=True),
    column("value", Text, "What the connector noted, such as a job's id", null=False),
    column("noted_at", Timestamp, "When it was noted", null=False, default="now()"),
    distribution=None,
)

known_field = table(
    "ops",
    "known_field",
    "Fields that a vendor's records have, as last noticed: what the next load is compared with",
    column("vendor", Text, "Source system", key=True),
    column("stream", Text, "Stream of the vendor", key=True),
    column("field", Text, "The vendor's name of the field", key=True),
    column("type", Text, "The vendor's word for its type", null=False),
    distribution=None,
)

schema_change = table(
    "ops",
    "schema_change",
    "A field that was added to, removed from or retyped in a vendor's records, as far as our key sees them",
    column("change_id", Big, "Number of the change", key=True, identity=True),
    column("vendor", Text, "Source system", null=False),
    column("stream", Text, "Stream of the vendor", null=False),
    column("field", Text, "The vendor's name of the field", null=False),
    column("change", Text, "What happened", null=False, values=("added", "removed", "retyped")),
    column("type_before", Text, "The vendor's word for its type before; null where it was added"),
    column("type_after", Text, "The vendor's word for its type now; null where it was removed"),
    column("noticed_at", Timestamp, "When a load noticed it", null=False, default="now()"),
    column("load_id", Big, "The load that noticed it", null=False),
    distribution=None,
)

identity_decision = table(
    "ops",
    "identity_decision",
    "What people who know have decided of who is who; builds go by it until it is withdrawn",
    column("decision_id", Big, "Number of the decision", key=True, identity=True),
    column(
        "verdict",
        Text,
        "same: the records are one; different: they are not, so do not ask again; closed: this evidence of the record ties nobody",
        null=False,
        values=("same", "different", "closed"),
    ),
    column("source_id", Text, "The source record", null=False),
    column("rule", Text, "Of closed evidence: its rule (core.identity_evidence); else decision", null=False),
    column("value", Text, "Of closed evidence: its value; else the other record", null=False),
    column("reason", Text, "Why, in the words of who decided"),
    column("decided_at", Timestamp, "When", null=False, default="now()"),
    column("withdrawn_at", Timestamp, "When it was taken back; null: in force"),
    distribution=None,
    indexes=("source_id",),
)
