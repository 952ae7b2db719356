"""Since when a pair is doubtful and how long it waited, notices that a steward dismissed, and what was erased.

Revision: 0003.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NOW = "coalesce(cast(nullif(current_setting('landbridge.hub_at', true), '') as timestamptz), now())"
"""The recorded time of the transaction; see `mdm.store.records.tick`."""


def upgrade() -> None:
    """Apply."""
    instant = sa.DateTime(timezone=True)
    op.add_column("hub_edge", sa.Column("since", instant, server_default=sa.text("now()"), nullable=False))
    op.alter_column("hub_edge", "since", server_default=sa.text(NOW))  # what stood before is as old as this migration
    op.add_column("hub_decision", sa.Column("asked_at", instant, nullable=True))
    op.add_column("hub_version", sa.Column("erased_at", instant, nullable=True))
    op.add_column("hub_golden", sa.Column("erased_at", instant, nullable=True))
    op.create_index("ix_hub_record_crowded", "hub_record", ["entity"], postgresql_where=sa.text("crowded"))
    op.create_table(
        "hub_dismissal",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSON(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("revoked_at", instant, nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_dismissal")),
    )
    op.create_index("ix_hub_dismissal_entity", "hub_dismissal", ["entity", "at"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("hub_dismissal")
    op.drop_index("ix_hub_record_crowded", table_name="hub_record", postgresql_where=sa.text("crowded"))
    op.drop_column("hub_golden", "erased_at")
    op.drop_column("hub_version", "erased_at")
    op.drop_column("hub_decision", "asked_at")
    op.drop_column("hub_edge", "since")
