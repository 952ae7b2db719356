"""Reading: windows of changes by keyset, whole snapshots in one view of the database, records by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, String, cast, func, or_, select
from sqlalchemy import Row as Record

from connectors.sql._config import SqlConfig
from connectors.sql._cursor import Window, of_instant, parse, refuse_future, set_back, stored, value
from connectors.sql._line import Line
from connectors.sql._tables import Native, Tables, after, earlier, rows_among
from connectors.sql._values import instant
from landbridge.connector import Found, KeyHash, Page, Row
from landbridge.errors import Rejected
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_AT_ONCE = 200


class Reader:
    """Reads one database."""

    def __init__(self, system: str, line: Line, tables: Tables, config: SqlConfig, clock: Clock) -> None:
        self._system = system
        self._line = line
        self._tables = tables
        self._config = config
        self._clock = clock

    def pages(self, entity: str, since: str | None, limit: int | None) -> Iterator[Page]:
        """What changed since the cursor, oldest first; a snapshot where there is no stamp."""
        native = self._tables.native(entity)
        if native.stamp is None:
            yield from self._snapshot(entity, native)
            return
        now = self._clock.now()
        latest = of_instant(now + timedelta(days=1), native.kind, native.stamp_zone)
        window = parse(since, native.kind, native.stamp_zone)
        refuse_future(window, latest, native.name)
        if native.config.nulls == "epoch":
            window = replace(window, settled=False)  # a row without a stamp moves no newest stamp: look each time
        window = window.begin(self._newest(native, window, latest), now.timestamp(), self._overlap(native, window))
        left = limit
        while window.open and (left is None or left > 0):
            size = self._config.page_size if left is None else min(self._config.page_size, left)
            rows, mark = self._page(entity, native, window, size)
            left = None if left is None else left - len(rows)
            window = window.read_to(mark, last=len(rows) < size)
            yield Page(rows, window.text())

    def _overlap(self, native: Native, window: Window) -> float:
        overlap = self._config.overlap if native.config.overlap is None else native.config.overlap
        return overlap + (set_back(value(window.high), native.stamp_zone) if window.high else 0.0)

    def _newest(self, native: Native, window: Window, latest: Any) -> str | None:
        """The newest stamp that is there; one that lies in the future hides nothing, it is read when its time comes."""
        assert native.stamp is not None
        with self._line.reading(f"{native.name}: newest stamp") as connection:
            if native.config.nulls == "refuse":
                without = select(native.relation.c[native.config.key[0]]).where(native.no_stamp).limit(1)
                if connection.execute(without, self._since(native, window)).first() is not None:
                    hint = "Say `nulls: epoch`, or name several columns in `changed`: the first with a value counts."
                    raise Rejected(f"{native.name}: rows have no stamp ({native.config.changed[0]}).", hint=hint)
            query = select(func.max(native.stamp)).where(native.stamp <= latest)
            newest = connection.execute(query, self._since(native, window)).scalar()
        return None if newest is None else stored(_stamp(newest, native))

    def _since(self, native: Native, window: Window) -> dict[str, Any]:
        """The one parameter of a statement: where the window begins."""
        if not native.takes_since:
            return {}
        start = of_instant(datetime.fromisoformat("1970-01-02T00:00:00+00:00"), native.kind, native.stamp_zone)
        if window.low is not None:
            start = value(window.low)
        elif window.high is not None and not window.open:
            start = earlier(value(window.high), self._overlap(native, window))
        return {"since": start}

    def _page(self, entity: str, native: Native, window: Window, size: int) -> tuple[list[Row], tuple[Any, ...] | None]:
        stamp = native.stamp
        assert stamp is not None and window.high is not None
        query = select(*native.columns, stamp.label("landbridge_stamp")).where(stamp <= value(window.high))
        if window.after is not None:
            query = query.where(
                after((stamp, *native.key), (value(window.after[0]), *native.restored(window.after[1:])))
            )
        elif window.low is not None:
            inside = stamp >= value(window.low)
            query = query.where(or_(inside, native.no_stamp) if native.config.nulls == "epoch" else inside)
        query = query.order_by(stamp, *native.key).limit(size)
        with self._line.reading(f"{self._system}: read {entity}") as connection:
            records: Sequence[Any] = connection.execute(query, self._since(native, window)).all()
            rows = self._rows(connection, native, records)
        if not records:
            return [], None
        last = records[-1]
        return rows, (stored(_stamp(last[-1], native)), *native.kept(last))

    def _rows(self, connection: Connection, native: Native, records: Sequence[Record[Any]]) -> list[Row]:
        bodies = self.bodies(connection, native, records)
        rows = []
        for record, body in zip(records, bodies, strict=True):
            key = native.key_of(native.values(record))
            stamp = None if native.stamp is None else _told(record[-1], native)
            version = _version(native, body)
            if native.deleted(record):
                rows.append(Row(key, None, stamp, action="delete", version=version))
            else:
                rows.append(Row(key, body, stamp, version=version))
        return rows

    def bodies(self, connection: Connection, native: Native, records: Sequence[Record[Any]]) -> list[dict[str, Any]]:
        """Records as native bodies, documents with their lines by number."""
        bodies = [native.body(record, native.columns) for record in records]
        lines = native.lines
        if lines is None:
            return bodies
        held: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        keys = [native.values(record) for record in records]
        for chunk in _chunks(keys):
            query = select(*lines.read).where(rows_among(lines.parent, chunk)).order_by(*lines.parent, lines.key)
            for line in connection.execute(query):
                parent = tuple(line._mapping[each.name] for each in lines.parent)
                held.setdefault(parent, []).append(native.body(line, lines.read))
        for key, body in zip(keys, bodies, strict=True):
            body[lines.under] = held.get(key, [])
        return bodies

    def _snapshot(self, entity: str, native: Native) -> Iterator[Page]:
        """All rows in one view of the database; complete only if as many came as it counts."""
        what, size = f"{self._system}: read {entity}", self._config.page_size
        with self._line.reading(what, repeatable=True) as connection:
            counted = connection.execute(select(func.count()).select_from(native.relation)).scalar_one()
            came, gone, last = 0, 0, None
            while True:
                query = select(*native.columns).order_by(*native.key).limit(size)
                query = query if last is None else query.where(after(native.key, last))
                records = connection.execute(query).all()
                rows = [row for row in self._rows(connection, native, records) if row.action != "delete"]
                came, gone = came + len(records), gone + len(records) - len(rows)
                done = len(records) < size
                yield Page(rows, None, complete=done and came == counted, total=counted - gone)
                if done:
                    return
                last = native.values(records[-1])

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Records by key as they are now; those that are not there as `delete`."""
        native = self._tables.native(entity)
        rows: list[Row] = []
        with self._line.reading(f"{self._system}: fetch {entity}") as connection:
            for chunk in _chunks(list(dict.fromkeys(ids))):
                stamps = [] if native.stamp is None else [native.stamp.label("landbridge_stamp")]
                query = select(*native.columns, *stamps).where(native.among(chunk))
                records = connection.execute(query, self._since(native, Window())).all()
                rows += self._rows(connection, native, records)
        there = {row.key for row in rows}
        return rows + [Row(key, None, action="delete") for key in dict.fromkeys(ids) if key not in there]

    def keys(self, entity: str, low: str | None, high: str | None) -> Iterator[KeyHash]:
        """Every key with the digest of its record, in the order of text; `low` inclusive, `high` exclusive."""
        native = self._tables.native(entity)
        query = select(*native.columns).order_by(native.key_text)
        query = query if low is None else query.where(native.key_text >= low)
        query = query if high is None else query.where(native.key_text < high)
        what = f"{self._system}: keys of {entity}"
        with self._line.reading(what, stream=_AT_ONCE) as stream, self._line.reading(what) as connection:
            for records in stream.execute(query, self._since(native, Window())).partitions(_AT_ONCE):
                for record, body in zip(records, self.bodies(connection, native, records), strict=True):
                    if not native.deleted(record):
                        yield KeyHash(native.key_of(native.values(record)), strict_json.digest(body))

    def find(self, entity: str, reference: str) -> Found | None:
        """The record that carries our reference, with its lines' numbers by our keys."""
        native = self._tables.native(entity)
        if native.config.reference is None:
            raise Rejected(f"{native.name} has no column for our reference.", hint="Say `reference:` of the entity.")
        held = native.column(native.config.reference)
        with self._line.reading(f"{self._system}: find {entity}") as connection:
            records = connection.execute(select(*native.columns).where(held == reference)).all()
            exact = [each for each in records if each._mapping[held.name] == reference]  # collations ignore case
            if not exact:
                return None
            body = self.bodies(connection, native, exact[-1:])[0]
        target = reference if native.config.staging else native.key_of(native.values(exact[-1]))
        return Found(target, _version(native, body), line_numbers(native, body), body)

    def matches(self, entity: str, values: Sequence[str], field: str) -> dict[str, list[str]]:
        """The keys of the records that hold each value."""
        native = self._tables.native(entity)
        held = cast(native.column(field), String(4000))
        found: dict[str, list[str]] = {}
        with self._line.reading(f"{self._system}: match {entity}") as connection:
            for chunk in _chunks(list(dict.fromkeys(values))):
                query: Any = (
                    select(*native.key, held.label("landbridge_value")).where(held.in_(chunk)).order_by(*native.key)
                )
                for record in connection.execute(query, self._since(native, Window())):
                    if record[-1] in chunk:
                        found.setdefault(record[-1], []).append(native.key_of(native.values(record)))
        return found


def line_numbers(native: Native, body: dict[str, Any]) -> dict[str, str]:
    """The lines' own numbers by our line keys."""
    lines = native.lines
    if lines is None or lines.reference is None:
        return {}
    keys = ((line[lines.reference.name], line[lines.key.name]) for line in body[lines.under])
    return {str(ours): str(number) for ours, number in keys if ours is not None}


def _version(native: Native, body: dict[str, Any]) -> str | None:
    name = native.config.version
    return None if name is None or body[name] is None else str(body[name])


def _stamp(held: Any, native: Native) -> Any:
    if isinstance(held, datetime) and (held.tzinfo is None) == (native.kind == "naive"):
        return held
    if not isinstance(held, datetime) and hasattr(held, "isoformat") and native.kind == "date":
        return held
    hint = "Cast it in the statement, say `zone:` where it is local time, or leave `changed` out."
    raise Rejected(f"{native.name}: the stamp is a {type(held).__name__} that `zone` does not fit.", hint=hint)


def _told(held: Any, native: Native) -> str:
    """A row's stamp for the engine: an instant in UTC where it is one."""
    if isinstance(_stamp(held, native), datetime):
        return stored(instant(held, native.name, native.stamp_zone))
    return stored(held)


def _chunks(values: Sequence[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield list(values[start : start + _AT_ONCE])
