"""The tables as the database itself describes them, checked against the configuration once and remembered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    Row,
    String,
    Table,
    and_,
    bindparam,
    cast,
    collate,
    column,
    func,
    inspect,
    or_,
    select,
    text,
    types,
)

from connectors.sql._config import SqlConfig, TableEntity
from connectors.sql._line import Line
from connectors.sql._values import kind_of, outward, zone_of
from landbridge.connector import Field, Fields
from landbridge.errors import Denied, Rejected
from landbridge.strict import did_you_mean

Kind = Literal["aware", "naive", "date"]
_KEYS = (types.Integer, types.Numeric, types.String, types.Uuid)
_AS_IT_IS = frozenset({str, int, bool, type(None)})
_BINARY_ORDER = {"postgresql": "C", "mysql": "utf8mb4_bin"}


@dataclass(frozen=True)
class Lines:
    """A child table and its columns."""

    table: Table
    parent: tuple[Any, ...]
    key: Any
    reference: Any | None
    read: tuple[Any, ...]
    under: str


@dataclass(frozen=True)
class Native:
    """One entity's table or statement with the columns that play a part."""

    name: str
    config: TableEntity
    relation: FromClause
    columns: tuple[Any, ...]
    key: tuple[Any, ...]
    dialect: str
    zone: ZoneInfo | None
    binary: Literal["refuse", "base64"]
    lines: Lines | None = None
    takes_since: bool = False
    computed: frozenset[str] = field(default_factory=frozenset)
    _told: dict[int, tuple[Any, list[tuple[str, ZoneInfo | None]]]] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        """The table to write."""
        assert isinstance(self.relation, Table)
        return self.relation

    def column(self, name: str) -> Any:
        """A column by its name; Denied, with what it may have been called, where there is none."""
        return _column(self.relation, name, self.name)

    @cached_property
    def stamp(self) -> ColumnElement[Any] | None:
        """The change stamp: the first of the configured columns that is not null."""
        stamps = [self.column(name) for name in self.config.changed]
        if not stamps:
            return None
        if len(stamps) == 1 and self.config.nulls == "refuse":
            return stamps[0]  # type: ignore[no-any-return]  # a column
        last = [self._epoch] if self.config.nulls == "epoch" else []
        return func.coalesce(*stamps, *last) if len(stamps) + len(last) > 1 else stamps[0]

    @cached_property
    def no_stamp(self) -> ColumnElement[bool]:
        """The rows without any stamp."""
        return and_(*(self.column(name).is_(None) for name in self.config.changed))

    @cached_property
    def kind(self) -> Kind:
        """What the stamps are; Denied for a column that holds none."""
        types_ = [self.column(name).type for name in self.config.changed]
        if any(isinstance(each, types.Date) and not isinstance(each, types.DateTime) for each in types_):
            return "date"
        if all(isinstance(each, types.NullType) for each in types_):  # a statement: the database told no types
            return "naive" if self.zone is not None else "aware"
        if not all(isinstance(each, types.DateTime) for each in types_):
            hint = "Name a date or time stamp, or leave `changed` out: the table is read as a snapshot then."
            raise Denied(f"{self.name}: the column of `changed` holds no stamps.", hint=hint, sent=False)
        if all(getattr(each, "timezone", False) for each in types_):
            return "aware"
        if self.stamp_zone is None:
            hint = "Say `zone:` of the entity or the system, such as Europe/Berlin; it is not guessed."
            raise Denied(f"{self.name}: {self.config.changed[0]} has no time zone.", hint=hint, sent=False)
        return "naive"

    @cached_property
    def stamp_zone(self) -> ZoneInfo | None:
        """The zone of naive stamps."""
        return zone_of(self.column(self.config.changed[0]).type, self.zone)

    @property
    def _epoch(self) -> Any:
        kind = self.kind
        moment = datetime(1970, 1, 2)  # noqa: DTZ001 - a naive column takes a naive value
        if kind == "date":
            return bindparam(None, moment.date(), types.Date())
        aware = kind == "aware"
        return bindparam(None, moment.replace(tzinfo=ZoneInfo("UTC")) if aware else moment, types.DateTime(aware))

    @cached_property
    def key_text(self) -> ColumnElement[Any]:
        """The key as text in the order of Python's text, by the database itself."""
        parts: list[Any] = [cast(each, String(255)) for each in self.key]
        if len(parts) > 1:
            parts = [func.replace(func.replace(each, "~", "~0"), "/", "~1") for each in parts]
        joined: Any = parts[0]
        for each in parts[1:]:
            joined = joined + "/" + each
        return collate(joined, _BINARY_ORDER[self.dialect]) if self.dialect in _BINARY_ORDER else joined

    def values(self, row: Row[Any]) -> tuple[Any, ...]:
        """The key of a row as the database holds it."""
        return tuple(getattr(row, "_mapping")[each.name] for each in self.key)  # noqa: B009 - SQLAlchemy's public name

    def kept(self, row: Row[Any]) -> tuple[int | str, ...]:
        """The key of a row as a cursor can hold it."""
        return tuple(value if isinstance(value, (int, str)) else str(value) for value in self.values(row))

    def restored(self, kept: Sequence[Any]) -> tuple[Any, ...]:
        """A key out of a cursor, as its columns compare it."""
        pairs = zip(self.key, kept, strict=True)
        return tuple(v if isinstance(c.type, types.NullType) else c.type.python_type(str(v)) for c, v in pairs)

    def key_of(self, values: Sequence[Any]) -> str:
        """A key as text."""
        texts = [_key(value).rstrip() if _padded(c) else _key(value) for value, c in zip(values, self.key, strict=True)]
        return texts[0] if len(texts) == 1 else "/".join(t.replace("~", "~0").replace("/", "~1") for t in texts)

    def among(self, keys: Sequence[str]) -> ColumnElement[bool]:
        """The rows with these keys."""
        if any(isinstance(each.type, types.NullType) for each in self.key):
            return self.key_text.in_(list(keys))
        found = [values for key in keys if (values := self._parsed(key)) is not None]
        return rows_among(self.key, found)

    def _parsed(self, key: str) -> tuple[Any, ...] | None:
        parts = key.split("/") if len(self.key) > 1 else [key]
        if len(parts) != len(self.key):
            return None
        if len(parts) > 1:
            parts = [part.replace("~1", "/").replace("~0", "~") for part in parts]
        try:
            return tuple(c.type.python_type(part) for c, part in zip(self.key, parts, strict=True))
        except (ValueError, ArithmeticError):
            return None  # no key of this table: nothing stands under it

    def body(self, row: Row[Any], columns: Sequence[Any]) -> dict[str, Any]:
        """A row as a native record."""
        found = self._told.get(id(columns))
        if found is None:  # kept with its columns, so that no others can take their place
            named = [(str(each.name), zone_of(each.type, self.zone)) for each in columns]
            found = self._told[id(columns)] = (columns, named)
        told = found[1]
        binary = self.binary
        return {
            name: value if value.__class__ in _AS_IT_IS else outward(value, name, zone, binary)
            for (name, zone), value in zip(told, row, strict=False)
        }

    def deleted(self, row: Row[Any]) -> bool:
        """Whether the row says that it is deleted."""
        flag = self.config.deleted
        if flag is None:
            return False
        value = row._mapping[flag.column]
        return value in flag.values if flag.values else value not in (None, False, 0)


class Tables:
    """Every entity's `Native`, reflected when first asked for."""

    def __init__(self, system: str, line: Line, config: SqlConfig) -> None:
        self._system = system
        self._line = line
        self._config = config
        self._known: dict[str, Native] = {}

    def forget(self) -> None:
        """Ask the database anew."""
        self._known.clear()

    def native(self, entity: str) -> Native:
        """The table or statement of an entity."""
        if entity not in self._known:
            with self._line.reading(f"{self._system}: {entity}") as connection:
                self._known[entity] = self._made(entity, self._config.entities[entity], connection)
        return self._known[entity]

    def _made(self, entity: str, config: TableEntity, connection: Connection) -> Native:
        name = f"{self._system}: {entity}"
        if config.statement is not None:
            relation: FromClause = self._statement(config, connection)
        else:
            relation = self._table(str(config.table), connection)
        key = tuple(_column(relation, each, name) for each in config.key)
        for each in key:
            if not isinstance(each.type, (*_KEYS, types.NullType)) or isinstance(each.type, types.Float):
                hint = "A key is an integer, a text or a UUID; cast it in a view."
                raise Denied(f"{name}: the key {each.name} cannot be one.", hint=hint, sent=False)
        wanted = [_column(relation, each, name) for each in config.columns] or list(relation.columns)
        needed = [*config.key, *config.changed, *_given(config.reference, config.version)]
        needed += [config.deleted.column] if config.deleted else []
        wanted += [c for n in dict.fromkeys(needed) if (c := _column(relation, n, name)) not in set(wanted)]
        lines = self._lines(config, connection, name)
        found = inspect(connection).get_columns(relation.name, relation.schema) if isinstance(relation, Table) else []
        return Native(
            name, config, relation, tuple(wanted), key, self._line.dialect, self._config.zone_of(config),
            self._config.binary, lines, ":since" in (config.statement or ""),
            frozenset(c["name"] for c in found if _generated(c)),
        )  # fmt: skip

    def _table(self, name: str, connection: Connection) -> Table:
        schema, _, table = name.rpartition(".")
        where = schema or self._config.db_schema
        return Table(table, MetaData(), schema=where, autoload_with=connection, resolve_fks=False)

    def _statement(self, config: TableEntity, connection: Connection) -> FromClause:
        told = text(f"{config.statement}\n")
        since: dict[str, Any] = {"since": datetime(1970, 1, 2, tzinfo=ZoneInfo("UTC"))} if ":since" in told.text else {}
        names = connection.execute(select(text("*")).select_from(told.columns().subquery("source")).limit(0), since)
        return told.columns(*(column(each) for each in names.keys())).subquery("source")  # noqa: SIM118 - a result's

    def _lines(self, config: TableEntity, connection: Connection, name: str) -> Lines | None:
        if config.lines is None:
            return None
        lines, table = config.lines, self._table(config.lines.table, connection)
        wanted = [_column(table, each, name) for each in lines.columns] or list(table.columns)
        parent = tuple(_column(table, each, name) for each in lines.parent)
        reference = _column(table, lines.reference, name) if lines.reference else None
        key = _column(table, lines.key, name)
        wanted += [each for each in (*parent, key, reference) if each is not None and each not in set(wanted)]
        return Lines(table, parent, key, reference, tuple(wanted), lines.under)

    def describe(self, entity: str) -> Fields:
        """The columns with types, lengths and what may be written; lines as `lines.quantity`."""
        native = self.native(entity)
        fields = _fields(native.relation, "", native.computed, native.config.write, _own(native.config))
        if native.lines is not None and native.config.lines is not None:
            lines, under = native.config.lines, f"{native.lines.under}."
            own = {*lines.parent, lines.key, *_given(lines.reference)}
            fields |= _fields(native.lines.table, under, frozenset(), lines.write, own)
        return Fields(native.config.table or native.name, fields)


def _own(config: TableEntity) -> set[str]:
    """Columns that are filled by this connector or by the database: required of no mapping."""
    staging = _given(config.staging.sequence, config.staging.action) if config.staging else []
    return {*config.key, *_given(config.reference, config.version), *staging}


def _fields(
    relation: FromClause, prefix: str, computed: frozenset[str], write: Sequence[str], own: set[str]
) -> dict[str, Field]:
    made = {}
    for each in relation.columns:
        writable = each.name not in computed and (not write or each.name in write) and isinstance(relation, Table)
        default = getattr(each, "server_default", None) is not None or getattr(each, "identity", None) is not None
        made[f"{prefix}{each.name}"] = Field(
            f"{prefix}{each.name}",
            kind_of(each.type),
            getattr(each.type, "length", None) if isinstance(each.type, types.String) else None,
            required=not getattr(each, "nullable", True) and not default and writable and each.name not in own,
            creatable=writable,
            updatable=writable and each.name not in own,
            label=str(getattr(each, "comment", None) or ""),
            codes=tuple(getattr(each.type, "enums", ())),
        )
    return made


def _generated(reflected: Mapping[str, Any]) -> bool:
    """Whether the database alone fills the column."""
    return "computed" in reflected or bool((reflected.get("identity") or {}).get("always"))


def _given(*names: str | None) -> list[str]:
    return [name for name in names if name]


def _column(relation: FromClause, name: str, what: str) -> Any:
    if name not in relation.columns:
        known = list(relation.columns.keys())
        hint = did_you_mean(name, known) or f"There are: {', '.join(known[:20])}."
        raise Denied(f"{what}: there is no column {name} in {relation.description}.", hint=hint, sent=False)
    return relation.columns[name]


def _key(value: Any) -> str:
    if value is None:
        raise Rejected("a row has no key (null).", hint="Name key columns that are never null.", status="key")
    whole = not isinstance(value, (str, int)) and hasattr(value, "to_integral_value") and value == int(value)
    return str(int(value) if whole else value)


def _padded(each: Any) -> bool:
    return isinstance(each.type, types.CHAR)


def rows_among(columns: Sequence[Any], values: Sequence[Sequence[Any]]) -> ColumnElement[bool]:
    """The rows whose columns hold one of these tuples; not every dialect compares tuples."""
    if len(columns) == 1:
        return columns[0].in_([each[0] for each in values])  # type: ignore[no-any-return]  # a column's operator
    pairs = [and_(*(c == v for c, v in zip(columns, each, strict=True))) for each in values]
    return or_(*pairs) if pairs else columns[0].in_([])


def after(columns: Sequence[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """The rows that come after a tuple, in the order of these columns."""
    steps = []
    for place in range(len(columns)):
        same = [c == v for c, v in zip(columns[:place], values[:place], strict=True)]
        steps.append(and_(*same, columns[place] > values[place]))
    return or_(*steps)


def earlier(value: Any, seconds: float) -> Any:
    """A stamp so many seconds before; at least a day for a date."""
    if isinstance(value, datetime):
        return value - timedelta(seconds=seconds)
    assert isinstance(value, date)
    return value - timedelta(days=1 + int(seconds // 86400))
