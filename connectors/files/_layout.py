"""Records as the bytes of a file: the declared columns in their order, then ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.files._config import Column, FileEntity, WriteTo
from landbridge.connector import Write
from landbridge.errors import Invalid, Rejected
from landbridge.strict import csv, did_you_mean, excel
from landbridge.strict import json as strict_json

EXTENSIONS = {"csv": ".csv", "excel": ".xlsx", "jsonl": ".jsonl"}


class Layout:
    """How the records of one entity are written."""

    def __init__(self, name: str, entity: FileEntity, to: WriteTo) -> None:
        self._name = name
        self._entity = entity
        self._to = to
        self._lines = entity.lines
        self._columns = {column.name: column for column in entity.columns}
        of_lines = set(self._lines.columns) if self._lines is not None else set()
        self._header = [n for n in self._columns if n not in of_lines]
        self._dialect = csv.Dialect(entity.delimiter, entity.quote, entity.encoding)

    def columns(self) -> list[str]:
        """The header of a table: the declared columns, then our reference, version and action."""
        own = [self._to.reference, self._to.version, self._to.action]
        own += [self._lines.reference] if self._lines is not None else []
        return list(dict.fromkeys([*self._columns, *(name for name in own if name)]))

    def record(self, write: Write) -> list[dict[str, Any]]:
        """The rows of one record (a document has one for each line); Rejected where a value has no place."""
        head = self._checked(write.after, self._header if self._columns else None)
        head[self._to.reference] = write.reference
        if self._to.version is not None:
            head[self._to.version] = write.version
        if self._to.action is not None:
            head[self._to.action] = "delete" if write.action == "delete" else "upsert"
        lines = [line for line in write.lines if line.after is not None]
        if self._lines is None:
            if lines:
                raise self._refused("the document has lines, the files have none", "Say `lines` of the entity.")
            return [head]
        made = []
        for line in lines:
            row = self._checked(line.after or {}, list(self._lines.columns))
            if self._lines.reference is not None:
                row[self._lines.reference] = line.line_key
            made.append(row)
        if self._entity.format == "jsonl":
            return [{**head, self._lines.under: made}]
        return [{**head, **row} for row in made] or [head]

    def content(self, records: Sequence[Sequence[dict[str, Any]]]) -> bytes:
        """The bytes of one file."""
        if self._entity.format == "jsonl":
            return b"".join(strict_json.dumps(row) + b"\n" for rows in records for row in rows)
        names = self.columns()
        cells = ([self._cell(row.get(name)) for name in names] for rows in records for row in rows)
        table = (row for part in ([names] if self._entity.header else [], cells) for row in part)
        if self._entity.format == "excel":
            return excel.written(table, self._entity.sheet or "Sheet1")
        return csv.written(table, self._dialect)

    def _checked(self, body: dict[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
        for name in body:
            if names is not None and name not in names:
                near = did_you_mean(name, list(names)) or f"There are: {', '.join(names)}."
                hint = f"{near} Declare it, or take it out of the mapping."
                raise self._refused(f"column {name} is not declared", hint)
        for name in names or ():
            if name not in body and self._columns[name].required:
                raise self._refused(f"column {name} is missing", "Map it: it is declared as required.")
        made = {name: self._value(self._columns.get(name) or Column(name=name), value) for name, value in body.items()}
        return dict.fromkeys(names or ()) | made

    def _value(self, column: Column, value: Any) -> Any:
        if value is None or value == "":
            if column.required:
                raise self._refused(f"column {column.name} is empty", "Map it: it is declared as required.")
            return value
        if isinstance(value, dict | list) and self._entity.format != "jsonl":
            raise self._refused(f"column {column.name} is nested", "A cell takes one value; say which in the mapping.")
        if column.length is not None and len(str(value)) > column.length:
            text = f"column {column.name} takes {column.length} characters, not {len(str(value))}"
            raise self._refused(text, "Shorten it, such as by `cut(n)`.")
        if isinstance(value, str):
            self._fits(column, value)
        try:
            return _typed(column, value)
        except (ValueError, InvalidOperation, TypeError):
            raise self._refused(f"column {column.name} takes a {column.type}", "Convert it in the mapping.") from None

    def _fits(self, column: Column, value: str) -> None:
        if "\0" in value:
            raise self._refused(f"column {column.name} cannot hold a NUL character", "Take it out in the mapping.")
        if self._entity.format == "jsonl":
            return
        try:
            if self._entity.format == "csv":
                csv.written([[value]], self._dialect)
            else:
                excel.text(value)
        except Invalid as error:
            found = error.findings[0]
            raise self._refused(f"column {column.name}: {found.message}", found.hint) from None

    def _cell(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value if self._entity.format == "excel" else str(value).lower()
        if isinstance(value, Decimal | float) and self._entity.format == "csv":
            text = format(value, "f") if isinstance(value, Decimal) else repr(value)
            return text.replace(".", self._entity.decimal)
        if isinstance(value, date):
            return value if self._entity.format == "excel" else value.isoformat()
        if isinstance(value, str) and self._to.formulas == "quote" and csv.is_formula(value):
            return f"'{value}"
        return value

    def _refused(self, what: str, hint: str) -> Rejected:
        return Rejected(f"{self._name}: {what}.", hint=hint, status="value", sent=False)


def _typed(column: Column, value: Any) -> Any:
    if column.type == "number":
        if isinstance(value, bool):
            raise ValueError
        number = Decimal(str(value))
        if not number.is_finite():
            raise ValueError
        return value if isinstance(value, int) else number
    if column.type == "date":
        return date.fromisoformat(str(value))
    if column.type == "datetime":
        return datetime.fromisoformat(str(value))
    return value
