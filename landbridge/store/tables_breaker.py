"""The table of circuit breakers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import DateTime

from landbridge.store.tables import metadata

breaker = Table(
    "breaker",  # systems whose last calls failed; no row: the last call was answered
    metadata,
    Column("system", Text, primary_key=True),
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("failed", ARRAY(BigInteger), nullable=False, server_default="{}"),  # the outbox rows that they were of
    Column("opened", Integer, nullable=False, server_default="0"),  # how often, without an answer between
    Column("open_until", DateTime(timezone=True)),  # set: no row is claimed before it, and then one
    Column("probe_until", DateTime(timezone=True)),  # set: that one is under way
    Column("reason", Text, nullable=False, server_default=""),
    Column("since", DateTime(timezone=True), nullable=False),
)
