"""Writing: one transaction per batch, a savepoint per record, so that one that is refused pulls no other down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, and_, func, insert, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from connectors.sql._errors import Unreached, failure_of
from connectors.sql._line import Line
from connectors.sql._read import Reader, line_numbers
from connectors.sql._tables import Native, Tables
from connectors.sql._values import inward, kind_of
from landbridge import seam
from landbridge.connector import Delivered, LineWrite, Outcome, Write
from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.strict import did_you_mean

_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert, "mysql": mysql.insert}
_ENOUGH = 3


class Writer:
    """Writes to one database."""

    def __init__(self, system: str, line: Line, tables: Tables, reader: Reader) -> None:
        self._system = system
        self._line = line
        self._tables = tables
        self._reader = reader

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, in order; nothing counts before the commit came back."""
        native = self._tables.native(entity)
        if native.config.reference is None:
            raise Rejected(f"{native.name} is only read.", hint="Say `reference:` to write it.", sent=False)
        outcomes = self._together(native, writes)
        if len(writes) > 1 and any(isinstance(each, _Again) for each in outcomes):
            return self._apart(native, writes)
        return [_plain(each) for each in outcomes]

    def _apart(self, native: Native, writes: Sequence[Write]) -> list[Outcome]:
        """One by one, until the database is plainly not to be had."""
        outcomes: list[Outcome] = []
        for write in writes:
            last = outcomes[-_ENOUGH:]
            if len(last) == _ENOUGH and all(isinstance(each, Unavailable) for each in last):
                outcomes.append(last[-1])
            else:
                outcomes.append(_plain(self._together(native, [write])[0]))
        return outcomes

    def _together(self, native: Native, writes: Sequence[Write]) -> list[Outcome | _Again]:
        what = f"{self._system}: write {native.config.table}"
        committing = False
        connection: Connection | None = None
        try:
            connection = self._line.writing()
            connection.begin()
            outcomes: list[Outcome] = []
            for write in writes:
                outcomes.append(self._one(connection, native, write))
            outcomes = self._read_back(connection, native, writes, outcomes)
            seam.step("send", what)
            committing = True
            connection.commit()
            seam.step("receive", what)
            return list(outcomes)
        except (SQLAlchemyError, Unreached) as error:
            failure = failure_of(error, what, committing=committing)
            if isinstance(failure, (OutcomeUnknown, Denied)) or isinstance(error, Unreached) or _broken(connection):
                return [failure for _ in writes]
            return [_Again(failure) for _ in writes]  # nothing stands: one by one, so that the bad one is alone
        finally:
            if connection is not None:
                _left(connection)

    def _one(self, connection: Connection, native: Native, write: Write) -> Outcome:
        what = f"{self._system}: {write.entity} {write.reference}"
        savepoint = connection.begin_nested()
        try:
            outcome = _Record(connection, native, write, what).write()
            savepoint.commit()
            return outcome
        except SQLAlchemyError as error:
            failure = failure_of(error, what)
            if isinstance(failure, (Unavailable, Denied)):
                raise  # a deadlock, a lock, a lost line, no table: after a deadlock MySQL has no savepoint left
            savepoint.rollback()
            return failure
        except Failure as failure:
            savepoint.rollback()
            failure.message = failure.message if failure.message.startswith(what) else f"{what}: {failure.message}"
            return failure

    def _read_back(
        self, connection: Connection, native: Native, writes: Sequence[Write], outcomes: Sequence[Outcome]
    ) -> list[Outcome]:
        """What stands now, as the database truncated, padded and computed it; before the commit, so that it is ours."""
        keys = [each.target_id for each in outcomes if isinstance(each, Delivered) and each.target_id]
        if native.config.staging is not None or not keys:
            return list(outcomes)
        records = connection.execute(select(*native.columns).where(native.among(keys))).all()
        bodies = self._reader.bodies(connection, native, records)
        there = {native.key_of(native.values(record)): body for record, body in zip(records, bodies, strict=True)}
        made: list[Outcome] = []
        for write, outcome in zip(writes, outcomes, strict=True):
            if isinstance(outcome, Delivered) and write.action != "delete" and outcome.target_id in there:
                body = there[outcome.target_id]
                version = str(body[native.config.version]) if native.config.version else None
                lines = line_numbers(native, body)
                made.append(Delivered(outcome.target_id, version, outcome.created, lines, body))
            else:
                made.append(outcome)
        return made


class _Again:
    """The whole transaction was rolled back for certain."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure


def _plain(outcome: Outcome | _Again) -> Outcome:
    return outcome.failure if isinstance(outcome, _Again) else outcome


class _Record:
    """One record inside its savepoint."""

    def __init__(self, connection: Connection, native: Native, write: Write, what: str) -> None:
        self._connection = connection
        self._native = native
        self._write = write
        self._what = what
        self._table = native.table
        self._reference = native.column(str(native.config.reference))

    def write(self) -> Outcome:
        """Insert, update or delete the record and its lines."""
        if self._native.config.staging is not None:
            return self._stage()
        if self._write.action == "delete":
            return self._delete()
        if self._write.target_id is None:
            target, created = self._upsert()
        else:
            target, created = self._update(self._write.target_id), False
        key = self._key(target)
        for line in self._write.lines:
            self._line(key, line)
        return Delivered(target, created=created)

    def _upsert(self) -> tuple[str, bool]:
        held = self._connection.execute(self._by_reference()).first()
        values = self._values(self._table, self._write.after, self._native.config.write, own=self._native.config.key)
        values[self._reference.name] = self._write.reference
        _upsert(self._connection, self._native.dialect, self._table, [self._reference], values)
        record = self._connection.execute(self._by_reference()).first()
        if record is None:
            hint = "Another record there holds a unique value of this one; link it with `landbridge adopt`."
            raise Conflict(f"{self._what}: the database took nothing under our reference.", hint=hint)
        return self._native.key_of(self._native.values(record)), held is None

    def _by_reference(self) -> Any:
        return select(*self._native.key).where(self._reference == self._write.reference)

    def _update(self, target: str) -> str:
        write = self._write
        known = write.before is not None
        values = self._values(self._table, write.changed if known else write.after, self._native.config.write)
        if not known:
            values[self._reference.name] = write.reference  # one that was adopted carries our reference from now on
        self._change(target, values)
        return target

    def _change(self, target: str, values: dict[str, Any]) -> None:
        """Set columns of the record that stands, if it is still the one that the change was computed against."""
        native, here = self._native, self._native.among([target])
        version = native.column(native.config.version) if native.config.version else None
        guarded = here
        if version is not None and self._write.expected is not None:
            expected = inward(self._write.expected, version.name, version.type, native.zone)
            guarded = and_(here, version == expected)
        if (
            values
            and version is not None
            and kind_of(version.type) == "integer"
            and version.name not in native.computed
        ):
            values = {**values, version.name: func.coalesce(version, 0) + 1}
        if values and self._connection.execute(update(self._table).where(guarded).values(values)).rowcount:
            return
        found = self._connection.execute(select(*native.columns).where(here)).first()
        if found is None:
            hint = "It was deleted there: restore it, or unlink it with `landbridge xref`."
            raise Conflict(f"{self._what}: {target} is not there any more.", ours=dict(self._write.changed), hint=hint)
        if values and version is not None:
            theirs = {name: str(found._mapping[name]) for name in values if name in found._mapping}
            message = f"{self._what}: it has version {found._mapping[version.name]}, not the expected one."
            hint = "Somebody changed it there meanwhile: choose one of them, then replay."
            raise Conflict(message, ours=dict(self._write.changed), theirs=theirs, hint=hint)

    def _delete(self) -> Outcome:
        write, config = self._write, self._native.config
        if write.policy == "ignore" or write.target_id is None:
            return Delivered(write.target_id or "")
        if self._connection.execute(select(*self._native.key).where(self._native.among([write.target_id]))).first():
            policy = write.policy or "delete"
            if policy in config.policies:
                values = {
                    n: inward(v, n, self._native.column(n).type, None) for n, v in config.policies[policy].items()
                }
                self._connection.execute(
                    update(self._table).where(self._native.among([write.target_id])).values(values)
                )
            elif policy == "delete":
                self._remove(write.target_id)
            else:
                hint = f"Say `policies: {{{policy}: {{column: value}}}}` of the entity, or another `on_delete`."
                raise Rejected(f"{self._what}: nothing says what '{policy}' sets.", hint=hint, sent=False)
        return Delivered(write.target_id)

    def _remove(self, target: str) -> None:
        lines = self._native.lines
        if lines is not None:
            here = and_(*(c == v for c, v in zip(lines.parent, self._key(target), strict=True)))
            self._connection.execute(delete_from(lines.table).where(here))
        self._connection.execute(delete_from(self._table).where(self._native.among([target])))

    def _key(self, target: str) -> tuple[Any, ...]:
        if self._native.lines is None:
            return ()
        record = self._connection.execute(select(*self._native.key).where(self._native.among([target]))).first()
        return () if record is None else self._native.values(record)

    def _line(self, parent: tuple[Any, ...], line: LineWrite) -> None:
        lines, config = self._native.lines, self._native.config.lines
        if lines is None or config is None or lines.reference is None:
            hint = "Say `lines:` of the entity."
            raise Rejected(f"{self._what}: the document has lines, the table has none.", hint=hint, sent=False)
        if line.action == "keep" and line.line_id is not None:
            return
        here = and_(*(c == v for c, v in zip(lines.parent, parent, strict=True)))
        ours = and_(here, lines.reference == line.line_key)
        if line.line_id is not None:  # the line that we know by its number, never one that stands in its place
            number = inward(line.line_id, lines.key.name, lines.key.type, None)
            ours = and_(here, lines.key == number)
        if line.after is None:
            if config.cancel:
                self._connection.execute(update(lines.table).where(ours).values(config.cancel))
            else:
                self._connection.execute(delete_from(lines.table).where(ours))
            return
        values = self._values(lines.table, line.after, config.write, own=(*config.parent, config.key))
        values[lines.reference.name] = line.line_key
        if line.line_id is not None:
            there = self._connection.execute(select(lines.key).where(ours)).first()
            if there is None:
                hint = "It was deleted there: restore it, or cancel the line."
                raise Conflict(f"{self._what} line {line.line_key}: {line.line_id} is not there any more.", hint=hint)
            self._connection.execute(update(lines.table).where(ours).values(values))
            return
        values |= {c.name: v for c, v in zip(lines.parent, parent, strict=True)}
        _upsert(self._connection, self._native.dialect, lines.table, [*lines.parent, lines.reference], values)

    def _stage(self) -> Outcome:
        """One more row of an interface table; the same version twice is one row."""
        write, staging, native = self._write, self._native.config.staging, self._native
        assert staging is not None
        held = and_(self._reference == write.reference, native.column(staging.sequence) == write.version)
        if self._connection.execute(select(*native.key).where(held)).first() is not None:
            return Delivered(write.reference)
        values = self._values(self._table, write.after, native.config.write, own=native.config.key)
        values |= {self._reference.name: write.reference, staging.sequence: write.version}
        if staging.action is not None:
            values[staging.action] = write.action
        self._connection.execute(insert(self._table).values(values))
        record = self._connection.execute(select(*native.key).where(held)).first()
        if record is not None and native.lines is not None and native.config.lines is not None:
            parent, lines = native.values(record), native.lines
            for line in (each for each in write.lines if each.after is not None):
                row = self._values(
                    lines.table, line.after or {}, native.config.lines.write, own=native.config.lines.parent
                )
                row |= {c.name: v for c, v in zip(lines.parent, parent, strict=True)}
                if lines.reference is not None:
                    row[lines.reference.name] = line.line_key
                self._connection.execute(insert(lines.table).values(row))
        return Delivered(write.reference, created=write.action == "create")

    def _values(
        self, table: Table, body: dict[str, Any], allowed: Sequence[str], own: Sequence[str] = ()
    ) -> dict[str, Any]:
        """A native body as values of columns; what is not there, not allowed or computed is Rejected."""
        made = {}
        for name, value in body.items():
            known = [each for each in (allowed or table.columns.keys()) if each not in self._native.computed]
            if name not in table.columns or (name not in known and name not in own):
                hint = did_you_mean(name, known) or "Take it out of the mapping, or list it in `write`."
                raise Rejected(f"column {name} of {table.name} is not written.", hint=hint, status="column", sent=False)
            made[name] = inward(value, name, table.columns[name].type, self._native.zone)
        return made


def _upsert(connection: Connection, dialect: str, table: Table, unique: Sequence[Any], values: dict[str, Any]) -> None:
    """Insert, or update the row that has the same unique columns, by the dialect's own clause."""
    names = {each.name for each in unique}
    kept = [name for name in values if name not in names] or [unique[0].name]
    if dialect not in _INSERT:
        same = and_(*(each == values[each.name] for each in unique))
        if connection.execute(update(table).where(same).values({n: values[n] for n in kept})).rowcount == 0:
            connection.execute(insert(table).values(values))  # the unique column decides between two at once
        return
    statement = _INSERT[dialect](table).values(values)
    if dialect == "mysql":  # any unique key of the table leads here: only the row that is ours is changed
        new = statement.inserted
        ours = and_(*(table.c[name] == new[name] for name in names))
        changes = {name: func.if_(ours, new[name], table.c[name]) for name in kept}
        connection.execute(statement.on_duplicate_key_update(changes))
        return
    changes = {name: statement.excluded[name] for name in kept}
    connection.execute(statement.on_conflict_do_update(index_elements=list(unique), set_=changes))


def _broken(connection: Connection | None) -> bool:
    return connection is None or connection.invalidated


def _left(connection: Connection) -> None:
    """Give the connection back; one in doubt is closed for good."""
    try:
        connection.rollback()
        connection.close()
    except SQLAlchemyError:
        connection.invalidate()
        connection.close()
