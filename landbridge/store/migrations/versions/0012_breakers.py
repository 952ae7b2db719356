"""Circuit breakers; until when a lane taken over stays quiet; which living process a run belongs to.

Revision: 0012.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "breaker",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failed", postgresql.ARRAY(sa.BigInteger()), nullable=False, server_default="{}"),
        sa.Column("opened", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_breaker")),
    )
    op.add_column("outbox", sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("run", sa.Column("holder", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("run", "holder")
    op.drop_column("outbox", "quiet_until")
    op.drop_table("breaker")
