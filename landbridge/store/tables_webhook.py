"""The tables of the webhook endpoint."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import DateTime

from landbridge.store.tables import metadata

hook = Table(
    "hook",  # deliveries that came, by the id that the sender gave them: a repetition has no effect
    metadata,
    Column("system", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_hook_at", "at"),
)

told = Table(
    "told",  # keys that a webhook named without the record: fetched by whoever drains the feed
    metadata,
    Column("feed_id", Integer, ForeignKey("feed.id"), primary_key=True),
    Column("scope", Text, primary_key=True, server_default=""),
    Column("source_key", Text, primary_key=True),
    Column("trace", UUID(as_uuid=True), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
)
