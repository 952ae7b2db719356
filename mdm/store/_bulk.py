"""A first load: rows by COPY, keys in the order of their index, golden records from a cursor over their records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Engine

from mdm.store._sql import rows, sql

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TABLES = {
    "hub_version": "record, stamp, sequence, digest, action, body, recorded_at",
    "hub_record": "id, entity, system, scope, key, stamp, sequence, digest, deleted, parent, features, keys, golden, "
    "crowded",
    "hub_key": "key, record",
    "hub_hot": "key, entity, records, since",
    "hub_edge": "a, b, weight",
    "hub_membership": "record, since, golden",
    "hub_golden": "id, version, entity, at, state, values, lineage, quality, hash, policy",
    "hub_change": "entity, golden, version, kind, at",
    "hub_notice": "kind, about, entity, detail, since",
    "hub_compared": "id, parent, features, keys",
}
"""Tables of a load, with the columns in the order they are given."""


def copy(connection: Connection, table: str, lines: Iterable[bytes]) -> None:
    """Write lines, each the fields of one row as `line` joins them, into a table."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"copy {table} ({TABLES[table]}) from stdin") as stream:
        pending: list[bytes] = []
        held = 0
        for one in lines:
            pending.append(one)
            held += len(one)
            if held > 1 << 18:
                stream.write(b"".join(pending))
                pending, held = [], 0
        stream.write(b"".join(pending))


_SPAN = 50_000


def copy_columns(connection: Connection, table: str, *columns: NDArray[Any]) -> None:
    """Write rows whose fields have a fixed size, a column each: int64, float64, times by `moments`, ids by `packed`."""
    import numpy as np

    kinds: list[tuple[str, str]] = [("fields", ">i2")]
    for n, column in enumerate(columns):
        kinds += [(f"size{n}", ">i4"), (f"field{n}", _BINARY[column.dtype.str])]
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"copy {table} ({TABLES[table]}) from stdin (format binary)") as stream:
        stream.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for start in range(0, len(columns[0]), _SPAN):
            span = slice(start, start + _SPAN)
            made = np.empty(len(columns[0][span]), dtype=kinds)
            made["fields"] = len(columns)
            for n, column in enumerate(columns):
                made[f"size{n}"], made[f"field{n}"] = column.dtype.itemsize, column[span]
            stream.write(made.tobytes())
        stream.write(b"\xff\xff")


_BINARY = {"<i8": ">i8", "<f8": ">f8", "|V16": "V16"}
"""PostgreSQL's binary form of a field, by ours."""


def packed(ids: Iterable[UUID]) -> NDArray[np.void]:
    """Ids as a column."""
    import numpy as np

    return np.frombuffer(b"".join(id_.bytes for id_ in ids), dtype="V16")


def moments(value: datetime, count: int) -> NDArray[np.int64]:
    """One time as a column: microseconds since the year 2000."""
    import numpy as np

    return np.full(count, (value - _EPOCH) // timedelta(microseconds=1), dtype=np.int64)


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def line(*fields: bytes) -> bytes:
    """One row of a COPY: fields that need no escape, see `escaped`."""
    return b"\t".join(fields) + b"\n"


NULL = b"\\N"


def escaped(text: bytes) -> bytes:
    """A text as a field of a COPY."""
    if b"\\" in text:
        text = text.replace(b"\\", b"\\\\")
    if b"\n" in text or b"\t" in text or b"\r" in text:
        text = text.replace(b"\n", b"\\n").replace(b"\t", b"\\t").replace(b"\r", b"\\r")
    return text


def hexadecimal(value: bytes) -> bytes:
    """Bytes as a field of a COPY."""
    return b"\\\\x" + value.hex().encode()


def instant(value: datetime) -> bytes:
    """A time as a field of a COPY."""
    return value.isoformat().encode()


class Grouped(NamedTuple):
    """A record on its way into its golden record."""

    golden: UUID
    id: UUID
    system: str
    scope: str
    key: str
    stamp: datetime
    sequence: int
    digest: bytes
    features: bytes
    body: bytes
    """JSON as it is kept, like the features: most of it is read by nobody."""


def is_empty(connection: Connection, entity: str) -> bool:
    """Whether the hub holds no record of an entity."""
    return not rows(connection, _ANY, entity=entity)[0].some


_ANY = sql("""
select exists (select from hub_change where entity = :entity)
    or exists (select from hub_record where entity = :entity) as some""")


def analyse(connection: Connection) -> None:
    """Let the planner know what was loaded."""
    for table in TABLES.keys() - {"hub_compared"}:
        connection.execute(sql("analyze <table>", table=table))


def tidy(engine: Engine) -> None:
    """Make what was loaded fit to be read at once, in no transaction: else the first to look at a page cleans it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in sorted(TABLES.keys() - {"hub_compared"}):
            connection.execute(sql("vacuum (analyze) <table>", table=table))


def grouped(connection: Connection, entity: str, size: int) -> Iterator[list[Grouped]]:
    """Every record of an entity by golden record, in chunks; a chunk ends anywhere."""
    from psycopg.adapt import Loader

    class Unread(Loader):
        """JSON as it came."""

        def load(self, data: Any) -> bytes:
            return bytes(data)

    driver: Any = connection.connection.driver_connection
    for setting in ("work_mem = '256MB'", "enable_seqscan = on"):  # here, and only here, everything is read
        connection.execute(sql("set local <setting>", setting=setting))
    with driver.cursor(name="hub_load") as cursor:
        cursor.itersize = size
        cursor.adapters.register_loader("json", Unread)
        cursor.execute(_GROUPED, {"entity": entity})
        while chunk := cursor.fetchmany(size):
            yield [Grouped(*one) for one in chunk]


_GROUPED = """
select r.golden, r.id, r.system, r.scope, r.key, r.stamp, r.sequence, r.digest, r.features, v.body
from hub_record r join hub_version v on v.record = r.id and v.stamp = r.stamp and v.sequence = r.sequence
    and v.digest = r.digest
where r.entity = %(entity)s order by r.golden, r.id"""


class Content(NamedTuple):
    """A record with what its current version says; None where only a deletion of it came."""

    id: UUID
    system: str
    scope: str
    key: str
    golden: UUID
    crowded: bool
    body: Any


def contents(connection: Connection, entity: str, size: int = 5_000) -> Iterator[Content]:
    """Every record of an entity, the oldest first: the rows of the table that a new model is trained and matched on."""
    driver: Any = connection.connection.driver_connection
    connection.execute(sql("set local enable_seqscan = on"))
    with driver.cursor(name="hub_contents") as cursor:
        cursor.itersize = size
        cursor.execute(_CONTENTS, {"entity": entity})
        while chunk := cursor.fetchmany(size):
            yield from (Content(*one) for one in chunk)


_CONTENTS = """
select r.id, r.system, r.scope, r.key, r.golden, r.crowded, v.body
from hub_record r left join hub_version v on v.record = r.id and v.stamp = r.stamp and v.sequence = r.sequence
    and v.digest = r.digest
where r.entity = %(entity)s order by r.id"""


def clear(connection: Connection, entity: str, model: str) -> None:
    """Take out what the model of an entity made, keys and edges, and note the new one."""
    connection.execute(sql("set local enable_seqscan = on"))
    for statement in _CLEAR:
        connection.execute(statement, {"entity": entity, "model": model})


_CLEAR = (
    sql("""
delete from hub_key k using (select id, unnest(keys) as key from hub_record where entity = :entity) r
where k.key = r.key and k.record = r.id"""),
    sql("delete from hub_edge e using hub_record r where r.entity = :entity and e.a = r.id"),
    sql("delete from hub_hot where entity = :entity"),
    sql("delete from hub_notice where entity = :entity and kind = 'unidentified'"),
    sql("update hub_entity set model = :model where entity = :entity"),
)


def patient(connection: Connection) -> None:
    """Let this transaction be silent for as long as it takes: records are matched elsewhere meanwhile."""
    connection.execute(sql("set local idle_in_transaction_session_timeout = 0"))


def compare_by(connection: Connection, lines: Iterable[bytes]) -> None:
    """Put what records are compared by now: id, parent, features, keys."""
    connection.execute(
        sql("create temp table hub_compared (id uuid, parent uuid, features json, keys bigint[]) on commit drop")
    )
    copy(connection, "hub_compared", lines)
    connection.execute(sql("analyze hub_compared"))
    connection.execute(_COMPARE_BY)


_COMPARE_BY = sql("""
update hub_record r set parent = c.parent, features = c.features, keys = c.keys
from hub_compared c where c.id = r.id""")


def links(connection: Connection, entity: str) -> list[tuple[UUID, UUID, str]]:
    """Everything that stands between two records by decisions, and by what systems said."""
    return [(row.a, row.b, row.kind) for row in rows(connection, _LINKS, entity=entity)]


_LINKS = sql("""
select l.a, l.b, l.kind from hub_link l join hub_record r on r.id = l.a
where r.entity = :entity and l.kind in ('same', 'different', 'parent', 'child', 'told')""")
