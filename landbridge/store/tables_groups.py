"""Which messages refer to which records: kept where the hub may regroup them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import DateTime

from landbridge.store.tables import metadata

referred = Table(
    "referred",  # a record of the hub ← the messages that refer to it: merged or split, they are sent again
    metadata,
    Column("subject", UUID(as_uuid=True), primary_key=True),
    Column("message_id", BigInteger, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Index("ix_referred_at", "received_at", postgresql_using="brin"),
)
