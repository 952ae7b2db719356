"""Reconcile: how systems stood when both sides agreed, what differed last, and the keys of a system in byte order.

Revision: 0010.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reconciled",
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("message", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("mine", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("side", "system", "entity", "id"),
    )
    op.create_table(
        "difference",
        sa.Column("run", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("run", "n"),
    )
    op.create_index("ix_difference_flow", "difference", ["flow"])
    op.create_index("ix_xref_keys", "xref", ["system", "entity", "id"], postgresql_ops={"id": "text_pattern_ops"})
    op.create_index("ix_attempt_at", "attempt", ["at"], postgresql_using="brin")
    op.create_index("ix_run_running", "run", ["started_at"], postgresql_where=sa.text("state = 'running'"))
    op.drop_constraint(op.f("ck_route_pause_cause"), "route_pause", type_="check")
    op.create_check_constraint(op.f("ck_route_pause_cause"), "route_pause", "cause in ('person', 'drift', 'system')")


def downgrade() -> None:
    """Take back."""
    op.execute("delete from route_pause where cause = 'system'")
    op.drop_constraint(op.f("ck_route_pause_cause"), "route_pause", type_="check")
    op.create_check_constraint(op.f("ck_route_pause_cause"), "route_pause", "cause in ('person', 'drift')")
    op.drop_index("ix_run_running", table_name="run")
    op.drop_index("ix_attempt_at", table_name="attempt")
    op.drop_index("ix_xref_keys", table_name="xref")
    op.drop_index("ix_difference_flow", table_name="difference")
    op.drop_table("difference")
    op.drop_table("reconciled")
