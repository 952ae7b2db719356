"""The fields of an entity, from the types of the WSDL."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.soap._entity import SoapEntity
from landbridge.connector import Field, Fields
from landbridge.net import SoapField, SoapPort, SoapType

_DEEPEST, _MOST = 6, 5_000


def step(kind: SoapType, path: str) -> SoapType | None:
    """The type at a path of names, None if the WSDL has no such place."""
    found: SoapType | None = kind
    for name in path.split("."):
        if found is None or found.kind == "any":
            return found
        field = found.fields.get(name)
        if field is None:
            return SoapType("anyType", "any") if found.open else None
        found = field.type
    return found


def describe(entity: SoapEntity, port: SoapPort, native: str) -> Fields:
    """Names, types, lengths, codes; nested fields by dotted path, lines under the name that rows have."""
    read = read_type(entity, port)
    write = write_type(entity, port)
    top = entity.lines.path if entity.lines is not None else ""
    readable = dict(_walk(read, top)) if read is not None else {}
    writable = dict(_walk(write, top)) if write is not None else {}
    fields = {}
    for name, field in {**readable, **writable}.items():
        own = writable.get(name)
        fields[name] = Field(
            name,
            "array" if field.repeated or name == top.partition(".")[0] else field.type.kind,
            field.type.length,
            required=(own or field).required,
            creatable=own is not None or write is None,
            updatable=own is not None or write is None,
            codes=field.type.codes,
        )
    return Fields(native, fields)


def read_type(entity: SoapEntity, port: SoapPort) -> SoapType | None:
    """The type of a record as it is read."""
    for call in (entity.read, entity.fetch, entity.find):
        if call is not None and call.operation in port.operations:
            return step(port.gives(call.operation), call.records)
    return None


def write_type(entity: SoapEntity, port: SoapPort) -> SoapType | None:
    """The type of a record as it is written."""
    for call in (entity.upsert, entity.create, entity.update):
        if call is not None and call.operation in port.operations:
            return step(port.takes(call.operation), call.body)
    return None


def _walk(kind: SoapType, lines: str, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, SoapField]]:
    """Every field below a type by its dotted path; breadth is bounded, since types may hold themselves."""
    count = 0
    for name, field in kind.fields.items():
        path = f"{prefix}{name}"
        if lines and lines.startswith(f"{path}."):  # the element around the lines is not in a row
            inner = step(field.type, lines[len(path) + 1 :])
            yield path, field
            if inner is not None:
                yield from _walk(inner, "", f"{path}.", depth + 1)
            continue
        yield path, field
        count += 1
        if field.type.kind == "mapping" and depth < _DEEPEST and count < _MOST:
            yield from _walk(field.type, "", f"{path}.", depth + 1)
