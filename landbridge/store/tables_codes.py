"""What operators say of single rows of code lists and decision tables: a log; the last word of each row counts."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Identity, Index, Table, Text
from sqlalchemy.dialects.postgresql import JSON

from landbridge.store.tables import metadata

code_edit = Table(
    "code_edit",  # never changed and never removed: who said what, when and why
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),  # the newest is the revision that runs
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("row", JSON),  # how the row is from now on
    Column("was", JSON),  # how it was until then
    CheckConstraint("action in ('set', 'remove', 'reset')", name="action"),
    CheckConstraint("folder in ('codes', 'determine')", name="folder"),
    Index("ix_code_edit_row", "folder", "name", "key", "id"),
)
