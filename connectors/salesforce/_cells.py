"""A field's value as Bulk API 2.0 writes it in a cell, and back to what the REST API gives for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.salesforce._schema import Schema
from landbridge.strict import json as strict_json

NULL = "#N/A"  # an empty cell leaves a field as it is
_NUMBERS = {"double", "currency", "percent", "int", "long"}
Value = Callable[[str], Any]


def row_of(values: Mapping[str, Any]) -> dict[str, str] | None:
    """The cells of a record by column; None if a value cannot be said in a cell."""
    found = {}
    for name, value in values.items():
        column, inner = name, value
        if isinstance(value, dict) and len(value) == 1:  # a parent named by its external id
            [(key, inner)] = value.items()
            column = f"{name}.{key}"
        cell = cell_of(inner)
        if cell is None:
            return None
        found[column] = cell
    return found


def cell_of(value: Any) -> str | None:
    """A cell; None where there is none for this value."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return NULL  # Salesforce keeps no empty text: it is null by every way
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)) or value == NULL or "\x00" in str(value):
        return None
    return str(value)


class Records:
    """Makes records of the rows of a query's result, equal to those of the REST API."""

    def __init__(self, schema: Schema, native: str, header: Sequence[str]) -> None:
        self._schema = schema
        self._plain: list[tuple[int, str, Value]] = []
        self._parents: dict[str, tuple[str | None, list[int], Records]] = {}
        deeper: dict[str, list[tuple[int, str]]] = {}
        fields = {str(field["name"]).casefold(): field for field in schema.raw(native)["fields"]}
        for place, column in enumerate(header):
            first, _, rest = column.partition(".")
            if rest:
                deeper.setdefault(first, []).append((place, rest))
            else:
                field = fields.get(first.casefold())
                name = str(field["name"]) if field else first
                self._plain.append((place, name, _reader(str(field["type"]) if field else "string")))
        links = {str(field.get("relationshipName") or "").casefold(): field for field in fields.values()}
        for name, columns in deeper.items():
            link = links.get(name.casefold())
            target = link["referenceTo"][0] if link and link.get("referenceTo") else native
            inner = Records(schema, target, [column for _, column in columns])
            key = str(link["name"]) if link else None
            self._parents[name] = key, [place for place, _ in columns], inner

    def record(self, line: Sequence[str]) -> dict[str, Any]:
        """One row as a record."""
        record = {name: read(line[place]) if line[place] else None for place, name, read in self._plain}
        for name, (key, places, inner) in self._parents.items():
            found = [line[place] for place in places]
            none = record[key] is None if key in record else not any(found)
            record[name] = None if none else inner.record(found)
        return record


def _reader(kind: str) -> Value:
    if kind in _NUMBERS:
        return strict_json.loads
    if kind == "boolean":
        return _boolean
    return _instant if kind == "datetime" else str


def _boolean(cell: str) -> bool:
    return cell.casefold() == "true"


def _instant(cell: str) -> str:
    return f"{cell[:-1]}+0000" if cell.endswith("Z") else cell
