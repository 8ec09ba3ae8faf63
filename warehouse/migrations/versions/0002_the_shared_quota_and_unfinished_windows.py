"""The shared quota, and windows that it cut short"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "quota",
        sa.Column("vendor", sa.Text(), nullable=False, comment="Source system"),
        sa.Column(
            "account",
            sa.Text(),
            nullable=False,
            comment="The vendor's account; a digest where its name would be a secret",
        ),
        sa.Column(
            "policy",
            sa.Text(),
            nullable=False,
            comment="The vendor's limit, such as requests or search; day for what is counted by the day",
        ),
        sa.Column(
            "calls",
            sa.Double(),
            nullable=False,
            comment="Calls allowed in any `seconds`; 0 where no answer has told it",
        ),
        sa.Column("seconds", sa.Double(), nullable=False, comment="Length of the interval in seconds"),
        sa.Column(
            "left_calls", sa.BigInteger(), nullable=True, comment="day: what was left when an answer last told it"
        ),
        sa.Column(
            "renews_at", sa.TIMESTAMP(timezone=True), nullable=True, comment="day: when all calls are there again"
        ),
        sa.Column("next_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="The next free turn"),
        sa.Column(
            "urgent_at",
            sa.TIMESTAMP(timezone=True),
            nullable=False,
            comment="When a task other than a backfill last took a turn",
        ),
        sa.Column(
            "relaxed_at",
            sa.TIMESTAMP(timezone=True),
            nullable=False,
            comment="Before this no backfill takes a turn while others are at work",
        ),
        sa.Column(
            "closed_until",
            sa.TIMESTAMP(timezone=True),
            nullable=False,
            comment="Nobody asks before: the vendor refused",
        ),
        sa.PrimaryKeyConstraint("vendor", "account", "policy"),
        schema="ops",
        comment="What all running tasks know of a vendor account's limits, and whose turn it is; all times are the warehouse's clock",
        info={"distribution": None},
    )
    op.create_table(
        "unfinished",
        sa.Column("vendor", sa.Text(), nullable=False, comment="Source system"),
        sa.Column("stream", sa.Text(), nullable=False, comment="Stream of the vendor"),
        sa.Column("kind", sa.Text(), nullable=False, comment="Why it is read"),
        sa.Column("start_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="Start of the window, inclusive"),
        sa.Column("end_at", sa.TIMESTAMP(timezone=True), nullable=False, comment="End of the window, exclusive"),
        sa.Column("place", sa.Text(), nullable=False, comment="Where the read goes on, in the connector's own words"),
        sa.Column(
            "expected_rows",
            sa.BigInteger(),
            nullable=True,
            comment="The vendor's count of what was read so far; null where its API has none",
        ),
        sa.Column(
            "counted_rows", sa.BigInteger(), nullable=True, comment="Records read so far that this count speaks of"
        ),
        sa.Column("read_rows", sa.BigInteger(), nullable=False, comment="Records read so far"),
        sa.Column("load_id", sa.BigInteger(), nullable=False, comment="The load that was cut short"),
        sa.Column(
            "stopped_at", sa.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When"
        ),
        sa.PrimaryKeyConstraint("vendor", "stream", "kind", "start_at", "end_at"),
        schema="ops",
        comment="Windows whose read a used-up quota cut short: what was read is in, the next run goes on from there",
        info={"distribution": None},
    )


def downgrade() -> None:
    """Migrations go forwards only: restore a backup instead."""
    raise NotImplementedError("migrations go forwards only: restore a backup instead")
