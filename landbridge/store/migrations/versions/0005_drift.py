"""What systems said of their fields when they were last asked, what changed since, and pauses of single routes.

Revision: 0005.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "description",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("native", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", name=op.f("pk_description")),
    )
    op.create_table(
        "drift",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("routes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("reading", sa.Boolean(), nullable=False),
        sa.Column("renamed", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "field", "kind", name=op.f("pk_drift")),
    )
    op.create_table(
        "route_pause",
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cause in ('person', 'drift')", name=op.f("ck_route_pause_cause")),
        sa.PrimaryKeyConstraint("route", "cause", name=op.f("pk_route_pause")),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("route_pause", "drift", "description"):
        op.drop_table(table)
