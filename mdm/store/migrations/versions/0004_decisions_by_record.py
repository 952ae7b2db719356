"""Decisions are found by the records they name, however many there are: as-of queries and pages ask for them.

Revision: 0004.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_hub_decision_these", "hub_decision", ["these"], postgresql_using="gin")
    op.create_index("ix_hub_decision_those", "hub_decision", ["those"], postgresql_using="gin")


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_hub_decision_those", table_name="hub_decision", postgresql_using="gin")
    op.drop_index("ix_hub_decision_these", table_name="hub_decision", postgresql_using="gin")
