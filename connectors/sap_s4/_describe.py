"""The tenant's own fields, from its metadata, by dotted path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sap_s4._metadata import EntityType, Service
from connectors.sap_s4._sources import Source
from landbridge.connector import Field, Fields, FieldType

_TYPES: Mapping[str, FieldType] = {
    "Edm.String": "string",
    "Edm.Guid": "string",
    "Edm.Decimal": "decimal",
    "Edm.Double": "decimal",
    "Edm.Boolean": "boolean",
    "Edm.DateTime": "date",
    "Edm.DateTimeOffset": "datetime",
    "Edm.Time": "time",
    "Edm.Int16": "integer",
    "Edm.Int32": "integer",
    "Edm.Int64": "integer",
    "Edm.Byte": "integer",
    "Edm.SByte": "integer",
}


def fields_of(service: Service, source: Source, defaults: Mapping[str, Any]) -> Fields:
    """Every field that can be read or written along with the entity; `required` as SAP asks it of a new record."""
    required = frozenset(source.required) - frozenset(defaults)
    paths = [path for path in source.expand if service.has_path(source.entity_set, path)]
    found = dict(_own(service[source.entity_set], "", required))
    for path in paths:
        way = service[source.entity_set].navigations[path.split("/")[0]]
        kind = service.sets[way.target]
        for name in path.split("/")[1:]:
            way = kind.navigations[name]
            kind = service.sets[way.target]
        dotted = path.replace("/", ".")
        found[dotted] = Field(dotted, "array" if way.many else "mapping", label=dotted)
        found.update(_own(kind, f"{dotted}.", required))
    return Fields(source.entity_set, found)


def _own(kind: EntityType, prefix: str, required: frozenset[str]) -> Iterator[tuple[str, Field]]:
    for one in kind.properties.values():
        name = prefix + one.name
        yield (
            name,
            Field(
                name,
                _TYPES.get(one.type, "any"),
                one.length,
                name in required,
                one.creatable and (kind.creatable or bool(prefix)),
                one.updatable and kind.updatable and one.name not in kind.keys,
                one.label,
            ),
        )
