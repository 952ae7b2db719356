"""The org's own description of its objects, asked once and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.salesforce._config import SalesforceConfig
from connectors.salesforce._entities import RELATED
from connectors.salesforce._session import Session
from connectors.salesforce._soql import name
from landbridge.connector import Field, FieldType

_TYPES: Mapping[str, FieldType] = {
    "int": "integer",
    "long": "integer",
    "double": "decimal",
    "currency": "decimal",
    "percent": "decimal",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "address": "mapping",
    "location": "mapping",
    "anyType": "any",
    "base64": "any",
}
_NOT_READ = {"address", "location", "base64", "anyType", "complexvalue"}  # their parts are fields of their own
_ALWAYS = ("Id", "IsDeleted", "SystemModstamp")


class Schema:
    """Descriptions by object name."""

    def __init__(self, session: Session, config: SalesforceConfig) -> None:
        self._session = session
        self._config = config
        self._known: dict[str, dict[str, Any]] = {}

    def raw(self, native: str) -> dict[str, Any]:
        """The describe result of an object."""
        found = self._known.get(native)
        if found is None:
            found = self._session.call("GET", f"{self._session.path}/sobjects/{native}/describe")
            self._known[native] = found
        return found

    def forget(self) -> None:
        """Ask again: the org's administrator may have changed something."""
        self._known.clear()

    def names(self, native: str) -> set[str]:
        """The names of all fields that the user may see."""
        return {field["name"] for field in self.raw(native)["fields"]}

    def updatable(self, native: str) -> set[str]:
        """The fields that a record takes after it was created."""
        return {field["name"] for field in self.raw(native)["fields"] if field["updateable"]}

    def selected(self, native: str, configured: tuple[str, ...] = ()) -> list[str]:
        """The fields to read: those configured, or all that can be read, with those of related records."""
        seen = self.names(native)
        always = [field for field in (*_ALWAYS, "MasterRecordId", self._config.reference) if field in seen]
        if configured:
            return list(dict.fromkeys([*always, *(name(field) for field in configured)]))
        every = [field["name"] for field in self.raw(native)["fields"] if field["type"] not in _NOT_READ]
        return list(dict.fromkeys([*always, *every, *RELATED.get(native, ())]))

    def fields(self, native: str, prefix: str = "") -> dict[str, Field]:
        """The fields as the kernel knows them."""
        return {f"{prefix}{raw['name']}": _field(raw, prefix) for raw in self.raw(native)["fields"]}


def _field(raw: Mapping[str, Any], prefix: str) -> Field:
    codes = tuple(str(value["value"]) for value in raw.get("picklistValues") or () if value.get("active", True))
    restricted = bool(raw.get("restrictedPicklist", False))
    return Field(
        f"{prefix}{raw['name']}",
        type=_TYPES.get(raw["type"], "string"),
        length=raw.get("length") or None,
        required=not raw["nillable"] and not raw.get("defaultedOnCreate") and bool(raw["createable"]),
        creatable=bool(raw["createable"]),
        updatable=bool(raw["updateable"]),
        label=str(raw.get("label", "")),
        codes=codes if restricted else (),
    )
