"""What the gate found: a run of rules over a batch, each rule's result, and what is wrong with single messages."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSON, UUID

from landbridge.store.tables import metadata

quality_run = Table(
    "quality_run",  # one look of the gate at what waited for a flow
    metadata,
    Column("run", UUID(as_uuid=True), nullable=False),  # of the flow's run, where one asked for it
    Column("flow", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("invalid", Integer, nullable=False),  # not canonical, so that no rule looked at them
    Column("outcome", Text, nullable=False),  # passed, warned, quarantined or stopped
    Column("gated_to", BigInteger, nullable=False),  # the last message it looked at
    Column("page", Text),  # file name under the state folder
    Column("milliseconds", Integer, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("run", "flow"),
    Index("ix_quality_run_flow", "flow", "at"),
)

quality_result = Table(
    "quality_result",  # what one rule said in one run
    metadata,
    Column("run", UUID(as_uuid=True), nullable=False),
    Column("flow", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column(
        "evaluated", Integer, nullable=False
    ),  # rows it looked at; missing values, where they count for nothing, not
    Column("unexpected", Integer, nullable=False),
    Column("success", Boolean, nullable=False),
    Column("observed", Text),  # of a rule about the batch itself
    Column("sample", JSON, nullable=False),  # keys of records, never values
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("run", "flow", "rule"),
)

quality_finding = Table(
    "quality_finding",  # what the gate found wrong with a message that waits; processing takes it
    metadata,
    Column("message_id", BigInteger, nullable=False),
    Column("flow", Text, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("message_id", "flow"),
)
