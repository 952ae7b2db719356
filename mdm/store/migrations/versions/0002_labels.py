"""Labels that people gave pairs without seeing a weight.

Revision: 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hub_label",
        sa.Column("a", sa.UUID(), nullable=False),
        sa.Column("b", sa.UUID(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict in ('same', 'different', 'unsure')", name=op.f("ck_hub_label_verdict")),
        sa.PrimaryKeyConstraint("a", "b", "actor", name=op.f("pk_hub_label")),
    )
    op.create_index("ix_hub_label_entity", "hub_label", ["entity"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("hub_label")
