"""Quality results per run, and what the gate found wrong with single messages.

Revision: 0004.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "quality_run",
        sa.Column("run", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("invalid", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("gated_to", sa.BigInteger(), nullable=False),
        sa.Column("page", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run", "flow", name=op.f("pk_quality_run")),
    )
    op.create_index("ix_quality_run_flow", "quality_run", ["flow", "at"])
    op.create_table(
        "quality_result",
        sa.Column("run", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("evaluated", sa.Integer(), nullable=False),
        sa.Column("unexpected", sa.Integer(), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("observed", sa.Text(), nullable=True),
        sa.Column("sample", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("run", "flow", "rule", name=op.f("pk_quality_result")),
    )
    op.create_table(
        "quality_finding",
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("findings", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "flow", name=op.f("pk_quality_finding")),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("quality_finding", "quality_result", "quality_run"):
        op.drop_table(table)
