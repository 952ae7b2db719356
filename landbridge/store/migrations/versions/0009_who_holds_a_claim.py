"""A claimed row names the worker that holds it, so that others see when that one is gone.

Revision: 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("outbox", sa.Column("holder", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("outbox", "holder")
