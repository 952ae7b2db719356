"""Groups: which messages refer to which records of the hub.

Revision: 0013.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "referred",
        sa.Column("subject", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "message_id", name=op.f("pk_referred")),
    )
    op.add_column("inbox", sa.Column("again", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.create_index("ix_referred_at", "referred", ["received_at"], postgresql_using="brin")


def downgrade() -> None:
    """Take back."""
    op.execute("delete from inbox where again")
    op.drop_column("inbox", "again")
    op.drop_table("referred")
