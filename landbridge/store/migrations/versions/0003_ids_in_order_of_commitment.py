"""Ids sort in the order of commitment: no connection keeps numbers back for a later message.

Revision: 0003.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("alter sequence landbridge_id cache 1")


def downgrade() -> None:
    """Take back."""
    op.execute("alter sequence landbridge_id cache 100")
