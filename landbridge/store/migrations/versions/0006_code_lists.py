"""Code lists and decision tables that are edited at run time, with their history.

Revision: 0006.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "code_edit",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("row", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("was", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("action in ('set', 'remove', 'reset')", name=op.f("ck_code_edit_action")),
        sa.CheckConstraint("folder in ('codes', 'determine')", name=op.f("ck_code_edit_folder")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_edit")),
    )
    op.create_index("ix_code_edit_row", "code_edit", ["folder", "name", "key", "id"])


def downgrade() -> None:
    """Take back."""
    op.drop_table("code_edit")
