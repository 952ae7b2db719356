"""State on disk: documents as JSON rows in SQLite with indexed columns, in constant memory however many there are."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

Document = dict[str, Any]

_CHUNK = 5000


@dataclass(frozen=True)
class Collection:
    """One table of documents: `columns` are fields copied out of it, `indexes` and `unique` span them (or `_id`)."""

    name: str
    columns: tuple[str, ...] = ()
    nocase: frozenset[str] = frozenset()  # columns compared without regard to ASCII case
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()


class State:
    """All collections of one sandbox; `path` None keeps them in memory. Safe from any thread: one writer at a time."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._collections: dict[str, Collection] = {}
        self._db = sqlite3.connect(
            str(path) if path else ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512
        )
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-65536", "temp_store=MEMORY"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.execute("CREATE TABLE IF NOT EXISTS _sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL)")
        self._db.execute("CREATE TABLE IF NOT EXISTS _setting (name TEXT PRIMARY KEY, value BLOB NOT NULL)")

    def define(self, collection: Collection) -> None:
        """Make the table and its indexes where they are absent; must precede every other use of the collection."""
        table = quoted(collection.name)
        columns = "".join(
            f", {quoted(column)}" + (" COLLATE NOCASE" if column in collection.nocase else "")
            for column in collection.columns
        )
        with self._lock:
            # _doc comes last: SQLite then reads the columns before it without touching overflow pages
            self._db.execute(f"CREATE TABLE IF NOT EXISTS {table} (_id TEXT PRIMARY KEY{columns}, _doc TEXT NOT NULL)")
            for kind, spans in (("INDEX", collection.indexes), ("UNIQUE INDEX", collection.unique)):
                for span in spans:
                    name = quoted(f"{collection.name}:{','.join(span)}")
                    over = ", ".join(quoted(column) for column in span)
                    self._db.execute(f"CREATE {kind} IF NOT EXISTS {name} ON {table} ({over})")
            self._collections[collection.name] = collection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested ones are savepoints; other threads wait until the outermost ends."""
        with self._lock:
            name = f"s{self._depth}"
            self._db.execute("BEGIN IMMEDIATE" if self._depth == 0 else f"SAVEPOINT {name}")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                else:
                    self._db.execute(f"ROLLBACK TO {name}")
                    self._db.execute(f"RELEASE {name}")
                raise
            self._depth -= 1
            self._db.execute("COMMIT" if self._depth == 0 else f"RELEASE {name}")

    def put(self, collection: str, key: str, document: Document) -> None:
        """Insert or replace one document."""
        with self._lock:
            self._db.execute(self._insert(collection), self._row(collection, key, document))

    def put_many(self, collection: str, rows: Iterable[tuple[str, Document]]) -> int:
        """Insert or replace a stream of (key, document) in transactions of a few thousand; returns how many."""
        sql, total, stream = self._insert(collection), 0, iter(rows)
        while chunk := [self._row(collection, key, document) for key, document in islice(stream, _CHUNK)]:
            with self.transaction():
                self._db.executemany(sql, chunk)
            total += len(chunk)
        return total

    def get(self, collection: str, key: str) -> Document | None:
        """The document with this key, or None."""
        with self._lock:
            row = self._db.execute(f"SELECT _doc FROM {quoted(collection)} WHERE _id = ?", (key,)).fetchone()
        return orjson.loads(row[0]) if row else None

    def delete(self, collection: str, key: str) -> bool:
        """Remove one document; says whether it was there."""
        with self._lock:
            return self._db.execute(f"DELETE FROM {quoted(collection)} WHERE _id = ?", (key,)).rowcount > 0

    def find(
        self,
        collection: str,
        where: str = "",
        params: Iterable[Any] = (),
        *,
        order: str = "",
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Document]:
        """Documents by SQL over the declared columns and `json_extract(_doc, '$.x')`, read whole."""
        sql = f"SELECT _doc FROM {quoted(collection)}" + _tail(where, order, limit, offset)
        return [orjson.loads(row[0]) for row in self.rows(sql, params)]

    def count(self, collection: str, where: str = "", params: Iterable[Any] = ()) -> int:
        """How many documents match."""
        return int(self.rows(f"SELECT count(*) FROM {quoted(collection)}" + _tail(where, "", None, 0), params)[0][0])

    def rows(self, sql: str, params: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The raw rows of a SELECT, for what the methods above cannot say."""
        with self._lock:
            return self._db.execute(sql, tuple(params)).fetchall()

    def chunks(self, sql: str, params: Iterable[Any] = (), size: int = _CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The raw rows of a SELECT in lists of `size`; other threads wait until it is read to its end."""
        with self._lock:
            cursor = self._db.execute(sql, tuple(params))
            while rows := cursor.fetchmany(size):
                yield rows

    def execute(self, sql: str, params: Iterable[Any] = ()) -> int:
        """Run one writing statement; returns how many rows it touched."""
        with self._lock:
            return self._db.execute(sql, tuple(params)).rowcount

    def scan(
        self, collection: str, where: str = "", params: Iterable[Any] = (), page: int = 1000
    ) -> Iterator[Document]:
        """Matching documents in key order, a page in memory at a time."""
        after = ""
        while True:
            condition = f"_id > ? AND ({where})" if where else "_id > ?"
            sql = f"SELECT _id, _doc FROM {quoted(collection)} WHERE {condition} ORDER BY _id LIMIT {page}"
            rows = self.rows(sql, (after, *params))
            for _, document in rows:
                yield orjson.loads(document)
            if len(rows) < page:
                return
            after = rows[-1][0]

    def next_number(self, sequence: str, *, start: int = 1, take: int = 1) -> int:
        """The first of `take` fresh numbers of a named sequence; a rollback gives them back."""
        sql = "INSERT INTO _sequence VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + ? RETURNING value"
        with self._lock:
            last: int = self._db.execute(sql, (sequence, start + take - 1, take)).fetchone()[0]
        return last - take + 1

    def setting(self, name: str) -> Any:
        """A remembered JSON value, or None."""
        found = self.rows("SELECT value FROM _setting WHERE name = ?", (name,))
        return orjson.loads(found[0][0]) if found else None

    def remember(self, name: str, value: Any) -> None:
        """Keep a small JSON value beside the documents."""
        self.execute("INSERT OR REPLACE INTO _setting VALUES (?, ?)", (name, orjson.dumps(value)))

    def collections(self) -> list[str]:
        """The names of all defined collections."""
        return sorted(self._collections)

    def columns(self, collection: str) -> tuple[str, ...]:
        """The fields of a collection that have a column."""
        return self._collections[collection].columns

    def close(self) -> None:
        """Close the file; the state stays on disk."""
        with self._lock:
            self._db.close()

    def _insert(self, collection: str) -> str:
        names = [quoted(column) for column in self._collections[collection].columns] + ["_doc"]
        marks = ",".join("?" * (len(names) + 1))
        # not INSERT OR REPLACE: that would silently delete another row that holds the same unique value
        updates = ", ".join(f"{name} = excluded.{name}" for name in names)
        return f"INSERT INTO {quoted(collection)} VALUES ({marks}) ON CONFLICT (_id) DO UPDATE SET {updates}"

    def _row(self, collection: str, key: str, document: Document) -> tuple[Any, ...]:
        columns = self._collections[collection].columns
        return (key, *[document.get(column) for column in columns], orjson.dumps(document).decode())


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _tail(where: str, order: str, limit: int | None, offset: int) -> str:
    sql = f" WHERE {where}" if where else ""
    if order:
        sql += f" ORDER BY {order}"
    if limit is not None or offset:
        sql += f" LIMIT {-1 if limit is None else int(limit)} OFFSET {int(offset)}"
    return sql
