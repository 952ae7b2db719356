"""The hub's first tables.

Revision: 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "hub_change",
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("golden", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("successor", sa.UUID(), nullable=True),
        sa.CheckConstraint("kind in ('create', 'update', 'delete', 'merge', 'split')", name=op.f("ck_hub_change_kind")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_hub_change")),
    )
    op.create_index("ix_hub_change_entity", "hub_change", ["entity", "seq"], unique=False)
    op.create_index("ix_hub_change_golden", "hub_change", ["golden"], unique=False)
    op.create_table(
        "hub_decision",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("these", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("those", postgresql.ARRAY(sa.UUID()), nullable=False),
        sa.Column("attribute", sa.Text(), nullable=True),
        sa.Column("value", postgresql.JSON(), nullable=True),
        sa.Column("losing", sa.Text(), nullable=True),
        sa.Column("based_on", postgresql.JSON(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "verdict in ('same', 'different', 'unsure', 'parent_of', 'split', 'pin')",
            name=op.f("ck_hub_decision_verdict"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_decision")),
    )
    op.create_index("ix_hub_decision_entity", "hub_decision", ["entity", "at"], unique=False)
    op.create_table(
        "hub_edge",
        sa.Column("a", sa.UUID(), nullable=False),
        sa.Column("b", sa.UUID(), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("a", "b", name=op.f("pk_hub_edge")),
    )
    op.create_index("ix_hub_edge_b", "hub_edge", ["b"], unique=False)
    op.create_table(
        "hub_entity",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity", name=op.f("pk_hub_entity")),
    )
    op.create_table(
        "hub_golden",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSON(), nullable=False),
        sa.Column("lineage", postgresql.JSON(), nullable=False),
        sa.Column("quality", postgresql.JSON(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.CheckConstraint("state in ('active', 'deleted', 'retired')", name=op.f("ck_hub_golden_state")),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_hub_golden")),
    )
    op.create_table(
        "hub_hot",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hub_hot")),
    )
    op.create_index("ix_hub_hot_entity", "hub_hot", ["entity"], unique=False)
    op.create_table(
        "hub_key",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("key", "record", name=op.f("pk_hub_key")),
    )
    op.create_table(
        "hub_link",
        sa.Column("a", sa.UUID(), nullable=False),
        sa.Column("b", sa.UUID(), nullable=False),
        sa.Column("decision", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind in ('same', 'different', 'unsure', 'parent', 'child', 'pin', 'told')", name=op.f("ck_hub_link_kind")
        ),
        sa.PrimaryKeyConstraint("a", "b", "decision", name=op.f("pk_hub_link")),
    )
    op.create_index("ix_hub_link_b", "hub_link", ["b"], unique=False)
    op.create_index("ix_hub_link_decision", "hub_link", ["decision"], unique=False)
    op.create_table(
        "hub_membership",
        sa.Column("record", sa.UUID(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("golden", sa.UUID(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("record", "since", name=op.f("pk_hub_membership")),
    )
    op.create_index("ix_hub_membership_golden", "hub_membership", ["golden"], unique=False)
    op.create_table(
        "hub_model",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("frequencies", sa.LargeBinary(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_model")),
    )
    op.create_table(
        "hub_notice",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSON(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('unidentified', 'reused', 'pin_moved')", name=op.f("ck_hub_notice_kind")),
        sa.PrimaryKeyConstraint("kind", "about", name=op.f("pk_hub_notice")),
    )
    op.create_index("ix_hub_notice_entity", "hub_notice", ["entity", "kind"], unique=False)
    op.create_table(
        "hub_record",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("stamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("gone_stamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_sequence", sa.BigInteger(), nullable=True),
        sa.Column("gone_digest", sa.LargeBinary(), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("parent", sa.UUID(), nullable=True),
        sa.Column("features", postgresql.JSON(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("golden", sa.UUID(), nullable=False),
        sa.Column("crowded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_record")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_hub_record_golden", "hub_record", ["golden"], unique=False)
    op.create_index(
        "ix_hub_record_parent", "hub_record", ["parent"], unique=False, postgresql_where=sa.text("parent is not null")
    )
    op.create_table(
        "hub_version",
        sa.Column("record", sa.UUID(), nullable=False),
        sa.Column("stamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSON(), nullable=True),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("action in ('upsert', 'delete', 'merge')", name=op.f("ck_hub_version_action")),
        sa.PrimaryKeyConstraint("record", "stamp", "sequence", "digest", name=op.f("pk_hub_version")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("hub_version")
    op.drop_index("ix_hub_record_parent", table_name="hub_record", postgresql_where=sa.text("parent is not null"))
    op.drop_index("ix_hub_record_golden", table_name="hub_record")
    op.drop_table("hub_record")
    op.drop_index("ix_hub_notice_entity", table_name="hub_notice")
    op.drop_table("hub_notice")
    op.drop_table("hub_model")
    op.drop_index("ix_hub_membership_golden", table_name="hub_membership")
    op.drop_table("hub_membership")
    op.drop_index("ix_hub_link_decision", table_name="hub_link")
    op.drop_index("ix_hub_link_b", table_name="hub_link")
    op.drop_table("hub_link")
    op.drop_table("hub_key")
    op.drop_index("ix_hub_hot_entity", table_name="hub_hot")
    op.drop_table("hub_hot")
    op.drop_table("hub_golden")
    op.drop_table("hub_entity")
    op.drop_index("ix_hub_edge_b", table_name="hub_edge")
    op.drop_table("hub_edge")
    op.drop_index("ix_hub_decision_entity", table_name="hub_decision")
    op.drop_table("hub_decision")
    op.drop_index("ix_hub_change_golden", table_name="hub_change")
    op.drop_index("ix_hub_change_entity", table_name="hub_change")
    op.drop_table("hub_change")
