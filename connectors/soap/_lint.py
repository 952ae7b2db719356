"""Whether a declaration fits its WSDL: every problem at once, each at its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from connectors.soap._describe import read_type, step, write_type
from connectors.soap._port import choose
from landbridge.errors import Failure
from landbridge.net import SoapPort, SoapType, is_wsdl_path, read_wsdl
from landbridge.strict import did_you_mean

if TYPE_CHECKING:
    from connectors.soap._entity import Call, SoapEntity

Place = tuple[str, ...]
Told = tuple[Place, str]


def local_port(data: Mapping[str, Any]) -> SoapPort | None:
    """The port of a WSDL in the project; None where there is none to look at without a network."""
    wsdl = data.get("wsdl")
    if wsdl is None or not is_wsdl_path(wsdl) or "service" not in data or "port" not in data:
        return None
    try:
        return choose(read_wsdl(wsdl).ports, data["service"], data["port"])
    except Failure:
        return None  # told where the WSDL or the port is named


def readable(wsdl: str) -> None:
    """ValueError, with what to do, if a WSDL of the project cannot be read."""
    if is_wsdl_path(wsdl):
        try:
            read_wsdl(wsdl)
        except Failure as failure:
            raise ValueError(f"{failure.message} {failure.hint}") from None


def known_port(data: Mapping[str, Any], port: str | None) -> None:
    """ValueError if the WSDL has no such service or port."""
    wsdl = data.get("wsdl")
    if wsdl is not None and is_wsdl_path(wsdl) and "service" in data:
        try:
            choose(read_wsdl(wsdl).ports, data["service"], port)
        except Failure as failure:
            raise ValueError(f"{failure.message} {failure.hint}") from None


def check_call(call: Call, data: Mapping[str, Any], paths: Iterable[str]) -> None:
    """Raise every problem of one call with its answer's paths."""
    port = local_port(data)
    if port is not None:
        told = list(_call((), call, port))
        for name in paths:
            told += _path((name,), port, call, getattr(call, name))
        _raise(told)


def check_entities(entities: Mapping[str, SoapEntity], data: Mapping[str, Any]) -> None:
    """Raise every problem of every entity."""
    port = local_port(data)
    if port is not None:
        _raise([told for name, entity in entities.items() for told in _entity((name,), entity, port)])


def _raise(told: list[Told]) -> None:
    if told:
        errors = [
            InitErrorDetails(type=PydanticCustomError("wsdl", "{message}", {"message": text}), loc=place, input=None)
            for place, text in told
        ]
        raise ValidationError.from_exception_data("soap", errors, hide_input=True)


def _entity(place: Place, entity: SoapEntity, port: SoapPort) -> Iterator[Told]:
    if entity.read is not None:
        yield from _call((*place, "read"), entity.read, port)
        for name in ("records", "total", "cursor", "done"):
            yield from _path((*place, "read", name), port, entity.read, getattr(entity.read, name))
        if entity.read.more is not None:
            yield from _call((*place, "read", "more"), entity.read.more, port)
    for word in ("fetch", "find"):
        found = getattr(entity, word)
        if found is not None:
            yield from _call((*place, word), found, port)
            yield from _path((*place, word, "records"), port, found, found.records)
    for word in ("create", "update", "upsert"):
        save = getattr(entity, word)
        if save is not None:
            yield from _call((*place, word), save, port, body=save.body)
            yield from _inside((*place, word, "body"), _takes(port, save), save.body, save.operation)
            for name in ("id", "version", "created", "record"):
                yield from _path((*place, word, name), port, save, getattr(save, name))
    for word in ("delete", "cancel"):
        remove = getattr(entity, word)
        if remove is not None:
            yield from _call((*place, word), remove, port)
    yield from _record(place, entity, port)


def _record(place: Place, entity: SoapEntity, port: SoapPort) -> Iterator[Told]:
    """The fields of the record that the declaration names."""
    read, write = read_type(entity, port), write_type(entity, port)
    paths = {"key": entity.key, "stamp": entity.stamp, "version": entity.version}
    for name, path in paths.items():
        yield from _inside((*place, name), read, path, "the record")
    if entity.deleted is not None:
        yield from _inside((*place, "deleted", "field"), read, entity.deleted.field, "the record")
    yield from _inside((*place, "reference"), write or read, entity.reference, "the record")
    if entity.lines is not None:
        whole = read or write
        problems = list(_inside((*place, "lines", "path"), whole, entity.lines.path, "the record"))
        yield from problems
        line = None if problems or whole is None else step(whole, entity.lines.path)
        yield from _inside((*place, "lines", "key"), line, entity.lines.key, "a line")
        yield from _inside((*place, "lines", "reference"), line, entity.lines.reference, "a line")


def _call(place: Place, call: Call, port: SoapPort, body: str = "") -> Iterator[Told]:
    if call.operation not in port.operations:
        hint = did_you_mean(call.operation, port.operations) or f"Known: {', '.join(port.operations[:12])}."
        yield (*place, "operation"), f"the WSDL has no operation '{call.operation}'. {hint}"
        return
    yield from _arguments((*place, "arguments"), call.arguments, port.takes(call.operation), call.operation, body)


def _arguments(place: Place, values: Mapping[str, Any], kind: SoapType, where: str, body: str) -> Iterator[Told]:
    for name, value in values.items():
        field = kind.fields.get(name)
        if field is None:
            if not kind.open:
                yield (*place, name), f"{where} takes no '{name}'. {_near(name, kind)}"
        else:
            inner = body.partition(".")[2] if body.partition(".")[0] == name else ""
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    yield from _arguments((*place, name), each, field.type, f"{where}.{name}", inner)
    missing = [
        name
        for name, field in kind.fields.items()
        if field.required and not field.nillable and name not in values and name != body.partition(".")[0]
    ]
    if missing:
        yield place, f"{where} needs {', '.join(repr(name) for name in missing)}."


def _takes(port: SoapPort, call: Call) -> SoapType | None:
    return port.takes(call.operation) if call.operation in port.operations else None


def _path(place: Place, port: SoapPort, call: Call, path: str | None) -> Iterator[Told]:
    """A path in the answer of a call."""
    kind = port.gives(call.operation) if call.operation in port.operations else None
    yield from _inside(place, kind, path, f"the answer of {call.operation}")


def _inside(place: Place, kind: SoapType | None, path: str | None, what: str) -> Iterator[Told]:
    if kind is None or path is None:
        return
    walked = kind
    for name in path.split("."):
        found = step(walked, name)
        if found is None:
            yield place, f"{what} has no '{name}'{f' in {path}' if '.' in path else ''}. {_near(name, walked)}"
            return
        walked = found


def _near(name: str, kind: SoapType) -> str:
    return did_you_mean(name, kind.fields) or f"Known: {', '.join(list(kind.fields)[:12]) or 'none'}."
