"""Who answers, and what our user may not: each right is tried by a statement that touches no row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, false, insert, inspect, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from connectors.sql._errors import failure_of
from connectors.sql._line import Line
from connectors.sql._tables import Native
from landbridge.connector import Identity
from landbridge.errors import Denied

_WHO = {
    "postgresql": (
        "SELECT current_database(), current_user, version(), system_identifier::text FROM pg_control_system()",
        "SELECT current_database(), current_user, version(), oid::text"
        " FROM pg_database WHERE datname = current_database()",
    ),
    "mysql": (
        "SELECT DATABASE(), CURRENT_USER(), VERSION(), @@server_uuid",
        "SELECT DATABASE(), CURRENT_USER(), VERSION(), @@hostname",
    ),
    "oracle": (
        "SELECT SYS_CONTEXT('USERENV', 'SERVICE_NAME'), USER, 'Oracle',"
        " SYS_CONTEXT('USERENV', 'DB_UNIQUE_NAME') FROM dual",
    ),
    "sqlite": ("SELECT file, '', sqlite_version(), '' FROM pragma_database_list WHERE name = 'main'",),
}

_NO_DEFAULT = "1364"  # MySQL asks for the right first, and then for columns that a statement without rows leaves out


def identity(system: str, line: Line) -> Identity:
    """The database and its server, by what the server says of itself, not by the name under which we reach it."""
    *attempts, last = _WHO[line.dialect]
    for query in (*attempts, last):
        with line.reading(f"{system}: check") as connection:
            try:
                database, user, version, server = connection.execute(text(query)).one()
            except SQLAlchemyError:
                if query == last:
                    raise
                continue  # an older server, or one that does not tell everybody
        organisation = f"{line.dialect} {database}" + (f" on {server}" if server else "")
        return Identity(organisation, str(user), {"version": str(version)})
    raise AssertionError("the last query answers or raises")


def missing_rights(natives: Sequence[Native], line: Line) -> Iterator[str]:
    """What our user may not, and what the tables lack, in words that follow “may not” or stand alone."""
    for native in natives:
        tables = [native.relation, *([native.lines.table] if native.lines else [])]
        for table in tables:
            yield from _tried(line, f"select {_name(table)}", select(*list(table.columns)[:1]).where(false()), native)
        if native.config.writable:
            for table in tables:
                yield from _writes(line, native, table)


def unmet_promises(natives: Sequence[Native], line: Line) -> Iterator[str]:
    """Columns that carry our reference must be unique: without that a repeated write would be a second record."""
    for native in (each for each in natives if each.config.writable):
        unique = [str(native.config.reference), *([native.config.staging.sequence] if native.config.staging else [])]
        if not _is_unique(line, native.table, unique):
            yield f"{native.config.table} needs a unique constraint on {', '.join(unique)}"
        lines = native.lines
        if lines is not None and lines.reference is not None and not native.config.staging:
            columns = [*(each.name for each in lines.parent), lines.reference.name]
            if not _is_unique(line, lines.table, columns):
                yield f"{lines.table.name} needs a unique constraint on {', '.join(columns)}"


def _is_unique(line: Line, table: Table, columns: Sequence[str]) -> bool:
    # SQLite tells of a UNIQUE beside a column only by the index that it makes for it
    more: dict[str, Any] = {"include_auto_indexes": True} if line.dialect == "sqlite" else {}
    with line.reading(f"keys of {table.name}") as connection:
        found = inspect(connection)
        known: list[Any] = [each["column_names"] for each in found.get_unique_constraints(table.name, table.schema)]
        known += [
            each["column_names"]
            for each in found.get_indexes(table.name, table.schema, **more)
            if each["unique"] and not (each.get("dialect_options") or {}).get("postgresql_where")
        ]
        known.append(found.get_pk_constraint(table.name, table.schema)["constrained_columns"])
    return any(set(each) == set(columns) for each in known)


def _writes(line: Line, native: Native, table: Any) -> Iterator[str]:
    config = native.config.lines if native.lines is not None and table is native.lines.table else native.config
    assert config is not None
    names = [*config.write, *([config.reference] if config.reference else [])]
    columns = [each for each in table.columns if each.name not in native.computed and (not names or each.name in names)]
    plain = select(*columns).where(false())
    yield from _tried(line, f"insert into {_name(table)}", insert(table).from_select(columns, plain), native)
    if native.config.staging is None:
        change = update(table).where(false()).values({each.name: each for each in columns})
        yield from _tried(line, f"update {_name(table)}", change, native)
        if native.config.lines is not None and table is not native.relation and not native.config.lines.cancel:
            yield from _tried(line, " ".join(("delete from", _name(table))), delete(table).where(false()), native)


def _tried(line: Line, right: str, statement: Any, native: Native) -> Iterator[str]:
    with line.reading(f"{native.name}: rights") as connection:
        try:
            _run(connection, statement, native)
        except SQLAlchemyError as error:
            failure = failure_of(error, native.name)
            if failure.status == _NO_DEFAULT:
                return
            if not isinstance(failure, Denied):
                raise
            yield right


def _run(connection: Connection, statement: Any, native: Native) -> None:
    epoch = datetime.fromtimestamp(86400, UTC)
    connection.execute(statement, {"since": epoch} if native.takes_since and statement.is_select else {})


def _name(table: Any) -> str:
    return str(getattr(table, "fullname", None) or table.description)
