"""The tables: what is kept, by which key, and what is partitioned by time.

One sequence, `landbridge_id`, numbers messages, outbox rows, attempts and bodies, so that an id names one thing and
ids sort in the order of commitment. What a promise hangs on is a constraint here, never a check in Python:

    receipt   (feed, fingerprint)            the same change is received once
    outbox    (route, subject, version)      the same version reaches a target's queue once
    xref      (system, scope, entity, id)    a record of a system is one subject
    outbox.fence                             a worker that lost its lease writes nothing

Transaction boundaries: a page's rows and its cursor; a batch of processed messages with their outbox rows;
a claim; the record of one write call. Nothing else commits.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ids = Sequence("landbridge_id", metadata=metadata)  # no cache: a connection would give old numbers to newer messages


def _instant(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


# -- who we are connected to --------------------------------------------------------------------------------------

binding = Table(
    "binding",  # a store belongs to its systems: which organisation answered at first contact
    metadata,
    Column("system", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    _instant("bound_at"),
)

budget = Table(
    "budget",  # rate budgets, leased in chunks by every thread and process
    metadata,
    Column("system", Text, primary_key=True),
    Column("capacity", Numeric, nullable=False),
    Column("per_second", Numeric, nullable=False),
    Column("tokens", Numeric, nullable=False),
    _instant("refilled_at"),
    _instant("blocked_until", nullable=True),
)

# -- what comes in --------------------------------------------------------------------------------------------------

feed = Table(
    "feed",  # (system, entity): owns the cursor and its inbox rows
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("cursor", Text),
    _instant("read_at", nullable=True),
    UniqueConstraint("system", "entity"),
)

snapshot = Table(
    "snapshot",  # the last complete reading of a scope that has no change field
    metadata,
    Column("feed_id", Integer, ForeignKey("feed.id"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("rows", Integer, nullable=False, server_default=text("0")),
    _instant("completed_at", nullable=True),
    Column("refused", Text),
)

seen = Table(
    "seen",  # the last state of each key of a feed without change stamps: 10 → 8 → 10 is two changes
    metadata,
    Column("feed_id", Integer, ForeignKey("feed.id"), primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("content", JSON),  # kept for snapshot feeds only: what is absent later is told by its last state
)

staged = Table(
    "staged",  # rows of a snapshot that is still being read: an incomplete one is refused whole (unlogged)
    metadata,
    Column("feed_id", Integer, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("source_key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("version", Text),
    Column("content", JSON, nullable=False),
    prefixes=["UNLOGGED"],
)

receipt = Table(
    "receipt",  # idempotent receiver: fingerprint of (scope, key, stamp, action, digest)
    metadata,
    Column("feed_id", Integer, primary_key=True),
    Column("fingerprint", LargeBinary, primary_key=True),
    _instant("at"),
    Index("ix_receipt_at", "at", postgresql_using="brin"),
)

inbox = Table(
    "inbox",  # the message: an envelope; its body stands in `body` under the same id
    metadata,
    Column("id", BigInteger, nullable=False),
    _instant("received_at"),
    Column("feed_id", Integer, nullable=False),
    Column("scope", Text, nullable=False),
    Column("source_key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("stamp", Text),
    Column("source_version", Text),
    Column("into_key", Text),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("trace", UUID(as_uuid=True), nullable=False),
    Column("processed", Boolean, nullable=False, server_default=text("false")),
    Column("subject", UUID(as_uuid=True)),
    Column("version", Integer),
    Column("mapping", Text),
    Column(
        "again", Boolean, nullable=False, server_default=text("false")
    ),  # no news: its record's newest state once more
    Column("routes", ARRAY(SmallInteger)),  # where it was given a row each: the accounting counts against it
    Column("told_at", DateTime(timezone=True)),  # when a webhook told of it; null: it was polled
    PrimaryKeyConstraint("id", "received_at"),
    CheckConstraint("action in ('upsert', 'delete', 'merge')", name="action"),
    Index("ix_inbox_todo", "feed_id", "id", postgresql_where=text("not processed")),
    Index("ix_inbox_key", "feed_id", "source_key"),
    Index("ix_inbox_subject", "subject"),
    postgresql_partition_by="RANGE (received_at)",
)

body = Table(
    "body",  # native and canonical by message id, target by attempt id; apart, so that erasure is one statement
    metadata,
    Column("owner", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    _instant("at"),
    Column("content", JSON, nullable=False),
    PrimaryKeyConstraint("owner", "kind", "at"),
    CheckConstraint("kind in ('native', 'canonical', 'target', 'returned')", name="kind"),
    postgresql_partition_by="RANGE (at)",
)

# -- who is who -------------------------------------------------------------------------------------------------------

subject = Table(
    "subject",  # our own id of a record, and the counter of its versions
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("entity", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("0")),
    Column("chain", UUID(as_uuid=True), nullable=False),  # the document chain it belongs to: its lane
    Column("merged_into", UUID(as_uuid=True)),
    Column("deleted", Boolean, nullable=False, server_default=text("false")),
    _instant("minted_at"),
    Index("ix_subject_merged", "merged_into", postgresql_where=text("merged_into is not null")),
)

xref = Table(
    "xref",  # the cross-reference and the ledger of what each target record holds
    metadata,
    Column("system", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("subject", UUID(as_uuid=True), nullable=False),
    Column("linked_by", Text, nullable=False),
    _instant("linked_at"),
    Column("lines", JSONB),  # our line key → the system's line number
    Column("delivered_version", Integer),  # the last version we delivered there: older data never overwrites it
    Column("target_version", Text),  # the system's own version after that delivery
    CheckConstraint("linked_by in ('source', 'reference', 'delivery', 'adopt', 'person')", name="linked_by"),
    Index("ix_xref_subject", "subject", "system"),
)

shadow = Table(
    "shadow",  # what we delivered last to a target record, and how the target returned it
    metadata,
    Column("system", Text, primary_key=True),
    Column("entity", Text, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("content", JSON, nullable=False),
    Column("returned", LargeBinary),
    _instant("at"),
)

# -- what goes out ----------------------------------------------------------------------------------------------------

flow = Table(
    "flow",  # what a person or a `Denied` said about a flow; its definition stands in YAML
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("reason", Text),
    _instant("changed_at"),
)

route = Table(
    "route",  # (flow, target): what a message is counted by
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=True),
    Column("flow", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("feed_id", Integer, ForeignKey("feed.id"), nullable=False),
    Column("system", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("retired", Boolean, nullable=False, server_default=text("false")),  # no longer in the configuration
    UniqueConstraint("flow", "name"),
)

STATES = (
    "ready",  # may be claimed once due
    "claimed",  # a worker holds it until lease_until
    "waiting",  # for a parent's target id
    "unknown",  # the outcome is not known: due is the end of the settle time
    "held",  # a person holds it
    "delivered",
    "suppressed",  # superseded, unchanged, an echo, or not meant for this target
    "quarantined",  # invalid, with findings
    "conflict",  # a person must choose between two values
    "steward",  # a steward must decide who it is
    "dead",  # dead letter, with its reason
    "discarded",  # a person discarded it, with a reason
)
OPEN = ("ready", "claimed", "waiting", "unknown", "held")

outbox = Table(
    "outbox",  # one row per (message, route); everything leaves from here
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("message_id", BigInteger, nullable=False),
    Column("route_id", SmallInteger, ForeignKey("route.id"), nullable=False),
    Column("subject", UUID(as_uuid=True)),
    Column("version", Integer),
    Column("lane", UUID(as_uuid=True)),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due", DateTime(timezone=True), nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("fence", BigInteger, nullable=False, server_default=text("0")),
    Column("lease_until", DateTime(timezone=True)),
    Column("holder", Integer),  # the worker that claimed it last; see landbridge.store.Presence
    Column("waits_for", UUID(as_uuid=True)),  # set while waiting, and only then
    Column("since", DateTime(timezone=True)),  # when it began to wait or to be retried: the limits count from here
    Column("stage", Text),
    Column("handle", Text),
    Column("target_id", Text),
    Column("code", Text),
    Column("reason", Text),
    Column("findings", JSON),
    Column("quiet_until", DateTime(timezone=True)),  # a dead worker's write may still commit: the lane waits for it
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True)),
    UniqueConstraint("route_id", "subject", "version"),
    CheckConstraint("state in (" + ", ".join(f"'{state}'" for state in STATES) + ")", name="state"),
    Index("ix_outbox_open", "route_id", "id", postgresql_where=text("done_at is null")),
    Index("ix_outbox_lane", "lane", "id", postgresql_where=text("done_at is null")),
    Index("ix_outbox_waits", "waits_for", postgresql_where=text("waits_for is not null")),
    Index("ix_outbox_message", "message_id"),
    Index("ix_outbox_attention", "route_id", postgresql_where=text("done_at is not null and reason is not null")),
    # No index names `state`, `fence` or `lease_until`: a claim stays a heap-only update.
    postgresql_with={"fillfactor": "70"},
)

attempt = Table(
    "attempt",  # one try of one outbox row; the body that was sent stands in `body` under the attempt's id
    metadata,
    Column("id", BigInteger, nullable=False),
    _instant("at"),
    Column("outbox_id", BigInteger, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Text),
    Column("message", Text),
    Column("target_id", Text),
    Column("milliseconds", Integer),
    PrimaryKeyConstraint("id", "at"),
    Index("ix_attempt_outbox", "outbox_id"),
    postgresql_partition_by="RANGE (at)",
)

# -- what happened ----------------------------------------------------------------------------------------------------

history = Table(
    "history",  # what people and the engine decided: pause, replay, discard, adopt, rebind, hold
    metadata,
    Column("id", BigInteger, nullable=False),
    _instant("at"),
    Column("event", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("flow", Text),
    Column("system", Text),
    Column("outbox_id", BigInteger),
    Column("subject", UUID(as_uuid=True)),
    Column("detail", JSON),
    PrimaryKeyConstraint("id", "at"),
    Index("ix_history_subject", "subject"),
    postgresql_partition_by="RANGE (at)",
)

run = Table(
    "run",  # one run of a flow, with its counts: what the demo's table and the Airflow pages show
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("flow", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("counts", JSON),
    Column("error", Text),
    _instant("started_at"),
    _instant("ended_at", nullable=True),
    Column("holder", Integer),  # the process that it runs in; see landbridge.store.Presence
    Index("ix_run_flow", "flow", "started_at"),
)

PARTITIONED = {inbox: "received_at", body: "at", attempt: "at", history: "at"}
"""Tables partitioned by month, with the column that decides."""
