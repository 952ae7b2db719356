"""The hub's tables, beside the kernel's in the same database: a message's processing and the hub commit as one.

What is appended and never changed: versions of records, golden versions, decisions, changes. What is derived from it
and can be made anew: keys, edges, links, the grouping. Recorded times are the hub's own and strictly ascending per
entity, so that a time names a state.

    hub_version    (record, stamp, sequence, digest)   the same version is kept once, whenever and how often it comes
    hub_record     (id) golden not null                a record belongs to exactly one golden record
    hub_golden     (id, version)                       what was published once can be shown for ever
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

VERDICTS = ("same", "different", "unsure", "parent_of", "split", "pin")
STATES = ("active", "deleted", "retired")
RECORDED = "coalesce(cast(nullif(current_setting('landbridge.hub_at', true), '') as timestamptz), now())"
"""The recorded time of the transaction, as `records.tick` set it."""
KINDS = ("create", "update", "delete", "merge", "split")


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _uuid(name: str, *, nullable: bool = False, primary_key: bool = False) -> Column[object]:
    return Column(name, UUID(as_uuid=True), nullable=nullable, primary_key=primary_key)


entity = Table(
    "hub_entity",  # its row is the lock of an entity and its clock: one transaction regroups at a time
    metadata,
    Column("entity", Text, primary_key=True),
    _instant("at"),
    Column("model", Text, nullable=False),  # what keys and edges were made by
)

model = Table(
    "hub_model",  # a trained model with the term frequencies it was trained on, for ever
    metadata,
    Column("id", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("frequencies", LargeBinary),
    _instant("made_at"),
)

record = Table(
    "hub_record",  # one record of one system as it stands: its place, its current version, its golden record
    metadata,
    _uuid("id", primary_key=True),
    Column("entity", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("key", Text, nullable=False),
    _instant("stamp", nullable=True),  # of the version that gives its content
    Column("sequence", BigInteger),
    Column("digest", LargeBinary),
    _instant("gone_stamp", nullable=True),  # of the last deletion or merge; the record is deleted if it is later
    Column("gone_sequence", BigInteger),
    Column("gone_digest", LargeBinary),
    _uuid("merged_into", nullable=True),  # the record its system says this one was merged into
    Column("deleted", Boolean, nullable=False),
    _uuid("parent", nullable=True),
    Column("features", JSON, nullable=False),
    Column("keys", ARRAY(BigInteger), nullable=False),
    _uuid("golden"),
    Column("crowded", Boolean, nullable=False, server_default=text("false")),  # in a component beyond the guard
    Index("ix_hub_record_golden", "golden"),
    Index("ix_hub_record_parent", "parent", postgresql_where=text("parent is not null")),
    Index("ix_hub_record_crowded", "entity", postgresql_where=text("crowded")),
    postgresql_with={"fillfactor": "80"},
)

version = Table(
    "hub_version",  # every version a source ever told: valid from its stamp, recorded by our clock
    metadata,
    _uuid("record", primary_key=True),
    Column("stamp", DateTime(timezone=True), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("action", Text, nullable=False),
    Column("body", JSON),
    _uuid("merged_into", nullable=True),
    _instant("recorded_at"),
    _instant("erased_at", nullable=True),  # its body was taken out; its place in the order stays
    CheckConstraint("action in ('upsert', 'delete', 'merge')", name="action"),
)

key = Table(
    "hub_key",  # block keys: records that share one are compared
    metadata,
    Column("key", BigInteger, primary_key=True),
    _uuid("record", primary_key=True),
)

hot = Table(
    "hub_hot",  # block keys of too many records: not used for candidates, and reported
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("records", Integer, nullable=False),
    _instant("since"),
    Index("ix_hub_hot_entity", "entity"),
)

edge = Table(
    "hub_edge",  # pairs that the scorer gave the review threshold or more, a before b
    metadata,
    _uuid("a", primary_key=True),
    _uuid("b", primary_key=True),
    Column("weight", Double, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False, server_default=text(RECORDED)),  # when it first weighed so
    Index("ix_hub_edge_b", "b"),
)

membership = Table(
    "hub_membership",  # which golden record a record belonged to, and from when to when
    metadata,
    _uuid("record", primary_key=True),
    Column("since", DateTime(timezone=True), primary_key=True),
    _uuid("golden"),
    _instant("until", nullable=True),
    Index("ix_hub_membership_golden", "golden"),
)

golden = Table(
    "hub_golden",  # versions of golden records; the newest is the one that holds
    metadata,
    _uuid("id", primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("entity", Text, nullable=False),
    _instant("at"),
    Column("state", Text, nullable=False),
    Column("values", JSON, nullable=False),
    Column("lineage", JSON, nullable=False),
    Column("quality", JSON, nullable=False),
    Column("hash", Text, nullable=False),
    Column("policy", Text, nullable=False),  # digest of the declaration that it was made by
    _instant("erased_at", nullable=True),  # a record of it was erased: it can no longer be made anew
    CheckConstraint("state in (" + ", ".join(f"'{one}'" for one in STATES) + ")", name="state"),
)

change = Table(
    "hub_change",  # what publishing reads, in the order of commitment per entity
    metadata,
    Column("seq", BigInteger, Identity(always=False), primary_key=True),
    Column("entity", Text, nullable=False),
    _uuid("golden"),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    _instant("at"),
    _uuid("successor", nullable=True),  # of a merge: where the records of this one are now
    CheckConstraint("kind in (" + ", ".join(f"'{one}'" for one in KINDS) + ")", name="kind"),
    Index("ix_hub_change_entity", "entity", "seq"),
    Index("ix_hub_change_golden", "golden"),
)

decision = Table(
    "hub_decision",  # what stewards decided; only a revocation is ever added to a row
    metadata,
    _uuid("id", primary_key=True),
    Column("entity", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("these", ARRAY(UUID(as_uuid=True)), nullable=False),
    Column("those", ARRAY(UUID(as_uuid=True)), nullable=False),
    Column("attribute", Text),
    Column("value", JSON),
    Column("losing", Text),
    Column("based_on", JSON),  # what was compared when it was decided: a change of it may ask again
    _instant("asked_at", nullable=True),  # since when the hub asked; null: nobody asked
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _instant("at"),
    _instant("revoked_at", nullable=True),
    Column("revoked_by", Text),
    CheckConstraint("verdict in (" + ", ".join(f"'{one}'" for one in VERDICTS) + ")", name="verdict"),
    Index("ix_hub_decision_entity", "entity", "at"),
    Index("ix_hub_decision_these", "these", postgresql_using="gin"),
    Index("ix_hub_decision_those", "those", postgresql_using="gin"),
)

link = Table(
    "hub_link",  # what standing decisions mean for pairs of records, a before b (a pin: a = b); `told` by a system
    metadata,
    _uuid("a", primary_key=True),
    _uuid("b", primary_key=True),
    _uuid("decision", primary_key=True),  # of `told`: the record whose system says so
    Column("kind", Text, nullable=False),
    CheckConstraint("kind in ('same', 'different', 'unsure', 'parent', 'child', 'pin', 'told')", name="kind"),
    Index("ix_hub_link_b", "b"),
    Index("ix_hub_link_decision", "decision"),
)

label = Table(
    "hub_label",  # what people said of pairs without seeing a weight: the matching is judged by it
    metadata,
    _uuid("a", primary_key=True),
    _uuid("b", primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("entity", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    _instant("at"),
    CheckConstraint("verdict in ('same', 'different', 'unsure')", name="verdict"),
    Index("ix_hub_label_entity", "entity"),
)

notice = Table(
    "hub_notice",  # what a steward should know about now; gone when it is no longer so
    metadata,
    Column("kind", Text, primary_key=True),
    _uuid("about", primary_key=True),
    Column("entity", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    _instant("since"),
    CheckConstraint("kind in ('unidentified', 'reused', 'pin_moved')", name="kind"),
    Index("ix_hub_notice_entity", "entity", "kind"),
)

dismissal = Table(
    "hub_dismissal",  # notices that a steward has read; only a revocation is ever added to a row
    metadata,
    _uuid("id", primary_key=True),
    Column("entity", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("detail", JSON, nullable=False),  # what it said: it is told again when it says something else
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    _instant("at"),
    _instant("revoked_at", nullable=True),
    Column("revoked_by", Text),
    Index("ix_hub_dismissal_entity", "entity", "at"),
)
