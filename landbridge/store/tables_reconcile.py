"""The tables of reconcile: how systems stood when both sides agreed, and what differed in the last look."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import JSON, UUID

from landbridge.store.tables import attempt, metadata, run, xref

reconciled = Table(
    "reconciled",  # a hash that its system gave while both sides agreed: hashes that say nothing else are compared so
    metadata,
    Column("side", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("message", BigInteger),  # of a source: the last message of the record then
    Column("version", Integer),  # of a target: the version that was delivered then
    Column("mine", LargeBinary),  # of a target: the digest of the fields we wrote, as they stood then
)

difference = Table(
    "difference",  # what the last look at a flow found, until the next one
    metadata,
    Column("run", UUID(as_uuid=True), primary_key=True),
    Column("n", BigInteger, primary_key=True),
    Column("flow", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source_key", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("detail", JSON),
    Index("ix_difference_flow", "flow"),
)

Index("ix_xref_keys", xref.c.system, xref.c.entity, xref.c.id, postgresql_ops={"id": "text_pattern_ops"})
Index("ix_attempt_at", attempt.c.at, postgresql_using="brin")
Index("ix_run_running", run.c.started_at, postgresql_where=text("state = 'running'"))
