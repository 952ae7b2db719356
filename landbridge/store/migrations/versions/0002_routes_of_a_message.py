"""A message remembers the routes it was fanned out to, so that the accounting sees a row that is lost.

Revision: 0002.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; messages that were processed before are taken at their outbox's word."""
    op.add_column("inbox", sa.Column("routes", postgresql.ARRAY(sa.SmallInteger()), nullable=True))
    op.execute(
        "update inbox i set routes = array(select route_id from outbox o where o.message_id = i.id) where processed"
    )


def downgrade() -> None:
    """Take back."""
    op.drop_column("inbox", "routes")
