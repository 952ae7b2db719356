"""Webhooks: ids of deliveries that came, and keys that were told and are to be fetched.

Revision: 0007.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hook",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "id"),
    )
    op.create_index("ix_hook_at", "hook", ["at"])
    op.create_table(
        "told",
        sa.Column("feed_id", sa.Integer(), sa.ForeignKey("feed.id"), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False, server_default=""),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("trace", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False, server_default="1"),
        sa.PrimaryKeyConstraint("feed_id", "scope", "source_key"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("told")
    op.drop_index("ix_hook_at", table_name="hook")
    op.drop_table("hook")
