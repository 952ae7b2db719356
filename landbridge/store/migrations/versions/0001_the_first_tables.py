"""The first tables

Revision: 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


PARTITIONED = ("inbox", "body", "attempt", "history")


def upgrade() -> None:
    """Apply."""
    op.execute("create sequence landbridge_id cache 100")
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("target_id", sa.Text(), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_attempt")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_attempt_outbox", "attempt", ["outbox_id"], unique=False)
    op.create_table(
        "binding",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_binding")),
    )
    op.create_table(
        "body",
        sa.Column("owner", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("kind in ('native', 'canonical', 'target', 'returned')", name=op.f("ck_body_kind")),
        sa.PrimaryKeyConstraint("owner", "kind", "at", name=op.f("pk_body")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_table(
        "budget",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Numeric(), nullable=False),
        sa.Column("per_second", sa.Numeric(), nullable=False),
        sa.Column("tokens", sa.Numeric(), nullable=False),
        sa.Column("refilled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_budget")),
    )
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("system", "entity", name=op.f("uq_feed_system_entity")),
    )
    op.create_table(
        "flow",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_flow")),
    )
    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=True),
        sa.Column("system", sa.Text(), nullable=True),
        sa.Column("outbox_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.UUID(), nullable=True),
        sa.Column("detail", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_history")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_history_subject", "history", ["subject"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=True),
        sa.Column("source_version", sa.Text(), nullable=True),
        sa.Column("into_key", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("trace", sa.UUID(), nullable=False),
        sa.Column("processed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.CheckConstraint("action in ('upsert', 'delete', 'merge')", name=op.f("ck_inbox_action")),
        sa.PrimaryKeyConstraint("id", "received_at", name=op.f("pk_inbox")),
        postgresql_partition_by="RANGE (received_at)",
    )
    op.create_index("ix_inbox_key", "inbox", ["feed_id", "source_key"], unique=False)
    op.create_index("ix_inbox_subject", "inbox", ["subject"], unique=False)
    op.create_index(
        "ix_inbox_todo", "inbox", ["feed_id", "id"], unique=False, postgresql_where=sa.text("not processed")
    )
    op.create_table(
        "receipt",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "fingerprint", name=op.f("pk_receipt")),
    )
    op.create_index("ix_receipt_at", "receipt", ["at"], unique=False, postgresql_using="brin")
    op.create_table(
        "run",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_flow", "run", ["flow", "started_at"], unique=False)
    op.create_table(
        "shadow",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("returned", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "entity", "scope", "id", name=op.f("pk_shadow")),
    )
    op.create_table(
        "staged",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("content", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", "scope", "source_key", name=op.f("pk_staged")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "subject",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("chain", sa.UUID(), nullable=False),
        sa.Column("merged_into", sa.UUID(), nullable=True),
        sa.Column("deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("minted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subject")),
    )
    op.create_index(
        "ix_subject_merged",
        "subject",
        ["merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into is not null"),
    )
    op.create_table(
        "xref",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("delivered_version", sa.Integer(), nullable=True),
        sa.Column("target_version", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "linked_by in ('source', 'reference', 'delivery', 'adopt', 'person')", name=op.f("ck_xref_linked_by")
        ),
        sa.PrimaryKeyConstraint("system", "entity", "scope", "id", name=op.f("pk_xref")),
    )
    op.create_index("ix_xref_subject", "xref", ["subject", "system"], unique=False)
    op.create_table(
        "route",
        sa.Column("id", sa.SmallInteger(), autoincrement=True, nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_route_feed_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route")),
        sa.UniqueConstraint("flow", "name", name=op.f("uq_route_flow_name")),
    )
    op.create_table(
        "seen",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_seen_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "scope", "source_key", name=op.f("pk_seen")),
    )
    op.create_table(
        "snapshot",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["feed_id"], ["feed.id"], name=op.f("fk_snapshot_feed_id")),
        sa.PrimaryKeyConstraint("feed_id", "scope", name=op.f("pk_snapshot")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("route_id", sa.SmallInteger(), nullable=False),
        sa.Column("subject", sa.UUID(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("lane", sa.UUID(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waits_for", sa.UUID(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("handle", sa.Text(), nullable=True),
        sa.Column("target_id", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("findings", postgresql.JSON(astext_type=sa.Text()), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('ready', 'claimed', 'waiting', 'unknown', 'held', 'delivered', 'suppressed', "
            "'quarantined', 'conflict', 'steward', 'dead', 'discarded')",
            name=op.f("ck_outbox_state"),
        ),
        sa.ForeignKeyConstraint(["route_id"], ["route.id"], name=op.f("fk_outbox_route_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("route_id", "subject", "version", name=op.f("uq_outbox_route_id_subject_version")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_outbox_attention",
        "outbox",
        ["route_id"],
        unique=False,
        postgresql_where=sa.text("done_at is not null and reason is not null"),
    )
    op.create_index(
        "ix_outbox_lane",
        "outbox",
        ["lane", "id"],
        unique=False,
        postgresql_where=sa.text("done_at is null"),
    )
    op.create_index("ix_outbox_message", "outbox", ["message_id"], unique=False)
    op.create_index(
        "ix_outbox_open", "outbox", ["route_id", "id"], unique=False, postgresql_where=sa.text("done_at is null")
    )
    op.create_index(
        "ix_outbox_waits", "outbox", ["waits_for"], unique=False, postgresql_where=sa.text("waits_for is not null")
    )
    for table in PARTITIONED:
        op.execute(f"create table {table}_default partition of {table} default")
    op.execute(
        "create view dead_letter as select o.id, r.flow, r.name as route, r.system, r.entity, o.message_id, o.subject, "
        "o.version, o.code, o.reason, o.findings, o.attempts, o.received_at, o.done_at "
        "from outbox o join route r on r.id = o.route_id where o.done_at is not null and o.state = 'dead'"
    )


def downgrade() -> None:
    """Take back."""
    op.execute("drop view dead_letter")
    op.drop_index("ix_outbox_waits", table_name="outbox", postgresql_where=sa.text("waits_for is not null"))
    op.drop_index("ix_outbox_open", table_name="outbox", postgresql_where=sa.text("done_at is null"))
    op.drop_index("ix_outbox_message", table_name="outbox")
    op.drop_index("ix_outbox_lane", table_name="outbox", postgresql_where=sa.text("done_at is null"))
    op.drop_index(
        "ix_outbox_attention",
        table_name="outbox",
        postgresql_where=sa.text("done_at is not null and reason is not null"),
    )
    op.drop_table("outbox")
    op.drop_table("snapshot")
    op.drop_table("seen")
    op.drop_table("route")
    op.drop_index("ix_xref_subject", table_name="xref")
    op.drop_table("xref")
    op.drop_table("subject")
    op.drop_table("staged")
    op.drop_table("shadow")
    op.drop_index("ix_run_flow", table_name="run")
    op.drop_table("run")
    op.drop_index("ix_receipt_at", table_name="receipt", postgresql_using="brin")
    op.drop_table("receipt")
    op.drop_index("ix_inbox_todo", table_name="inbox", postgresql_where=sa.text("not processed"))
    op.drop_index("ix_inbox_subject", table_name="inbox")
    op.drop_index("ix_inbox_key", table_name="inbox")
    op.drop_table("inbox")
    op.drop_index("ix_history_subject", table_name="history")
    op.drop_table("history")
    op.drop_table("flow")
    op.drop_table("feed")
    op.drop_table("budget")
    op.drop_table("body")
    op.drop_table("binding")
    op.drop_index("ix_attempt_outbox", table_name="attempt")
    op.drop_table("attempt")
    op.execute("drop sequence landbridge_id")
