"""What the routes use of each system's fields: which mapping lines read or write a field, and which routes need them.

A route needs a field of its source if a value that is read from it reaches the route's target, decides the route's
`when`, or is one without which the canonical body is not valid. It needs a field of its target if its source fills
something that is written there. So what only another route carries pauses that one alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from landbridge.settings import Flow, Route, Settings
from landbridge.translator import Function, Line, Read, lines, meets, overlap
from landbridge.translator import Mapping as Translation

if TYPE_CHECKING:
    from landbridge.translator._ast import Expr, Place

Names = tuple[str, ...]
MappingOf = Callable[[str, str], Translation | None]
"""The mapping of a (system, entity), None where there is none."""

ENGINE = (("number",), ("status",), ("refs",), ("lines", "line_key"), ("lines", "cancel_reason"))
"""What the engine itself looks at, whatever the mappings say."""


@dataclass(frozen=True, slots=True)
class Use:
    """One mapping line that reads or writes a field of a system, and the routes that need it."""

    line: Line
    written: bool
    place: str  # file:line:column
    routes: tuple[str, ...]
    form: str  # a digest of what the line says, wherever it stands


@dataclass(slots=True)
class Used:
    """What is used of one (system, entity)."""

    system: str
    entity: str
    mapping: Translation
    reads: dict[str, list[Use]] = field(default_factory=dict)
    writes: dict[str, list[Use]] = field(default_factory=dict)
    routes: set[str] = field(default_factory=set)  # all that read or write here
    creating: set[str] = field(default_factory=set)  # those that create records here

    def of(self, path: str) -> list[Use]:
        """The lines that read or write a field or something in it."""
        inside = f"{path}."
        known = (*self.reads.items(), *self.writes.items())
        return [use for name, uses in known for use in uses if name == path or name.startswith(inside)]


def used(settings: Settings, mapping: MappingOf) -> dict[tuple[str, str], Used]:
    """Everything that enabled flows use, by (system, entity)."""
    found: dict[tuple[str, str], Used] = {}
    for flow in settings.flows.values():
        if not flow.enabled:
            continue
        if not flow.deliver:
            [key] = flow.taken
            if (alone := _at(found, mapping, *flow.feed)) is not None:
                _reads(alone, key, lambda line, read: True)  # what the hub compares, it alone can say
        for key, route in flow.routes.items():
            source = _at(found, mapping, *flow.feed)
            target = _at(found, mapping, route.to, route.entity or flow.entity)
            if source is not None:
                _reads(source, key, _needs(settings, flow, route, target))
            if target is not None:
                _writes(target, key, route, None if flow.derive else source)
    for one in found.values():
        for uses in (*one.reads.values(), *one.writes.values()):
            uses[:] = _merged(uses)
    return found


def fed(settings: Settings, uses: Mapping[tuple[str, str], Used]) -> dict[str, set[Names]]:
    """By mapping name: the canonical fields that other systems bring to what it writes."""
    found: dict[str, set[Names]] = {}
    for flow in settings.flows.values():
        source = uses.get(flow.feed)
        for route in flow.deliver:
            target = uses.get((route.to, route.entity or flow.entity))
            if source is None or target is None or source.mapping.inward is None or source.system == target.system:
                continue
            brought = {line.names for line in lines(source.mapping.inward.record)}
            found.setdefault(target.mapping.name, set()).update(brought)
    return found


def _at(found: dict[tuple[str, str], Used], mapping: MappingOf, system: str, entity: str) -> Used | None:
    if (system, entity) not in found:
        translation = mapping(system, entity)
        if translation is None:
            return None
        found[system, entity] = Used(system, entity, translation)
    return found[system, entity]


def _needs(settings: Settings, flow: Flow, route: Route, target: Used | None) -> Callable[[Line, Read], bool]:
    """Whether a route needs what a line of its source's mapping makes of a path."""
    if target is None or target.mapping.outward is None or flow.derive:
        return lambda line, read: True  # nobody can say what becomes of it
    entity = flow.extract.entity
    written = (line for line in lines(target.mapping.outward.record) if line.on != "create" or route.create)
    read = [one for line in written for one in line.sources if not one.listed]
    wanted = {_names(path) for path in route.when} | set(ENGINE)
    limits = (path for one in settings.owned(entity).limits for path in (one.field, one.at_least, one.at_most))
    wanted |= {_names(path) for path in limits if path}
    known = settings.canonical.fields(entity) if entity in settings.canonical else {}
    required = {_names(path) for path, info in known.items() if info.required}

    def needed(line: Line, source: Read) -> bool:
        if any(meets(line, one) for one in read) or any(overlap(line.names, one) for one in wanted):
            return True
        return line.names in required and not source.tested and not source.listed

    return needed


def _reads(source: Used, route: str, needed: Callable[[Line, Read], bool]) -> None:
    source.routes.add(route)
    if source.mapping.inward is None:
        return
    for line in lines(source.mapping.inward.record):
        for read in line.sources:
            if not read.names[-1].startswith("@") and needed(line, read):
                source.reads.setdefault(read.path, []).append(_use(line, False, read.place, route))


def _writes(target: Used, key: str, route: Route, source: Used | None) -> None:
    target.routes.add(key)
    if route.create:
        target.creating.add(key)
    if target.mapping.outward is None:
        return
    inward = source.mapping.inward if source is not None else None
    filled = None if inward is None else lines(inward.record)
    for line in lines(target.mapping.outward.record):
        if line.names[-1].startswith("@") or (line.on == "create" and not route.create):
            continue
        asked = [one for one in line.sources if not one.listed] or list(line.sources)
        if filled is None or not asked or any(meets(each, one) for one in asked for each in filled):
            target.writes.setdefault(line.path, []).append(_use(line, True, line.field.place, key))


def _use(line: Line, written: bool, place: Place, route: str) -> Use:
    said = f"{place.file}:{place.line}:{place.column}"
    return Use(line, written, said, (route,), form(line.field.value))


def _merged(uses: Iterable[Use]) -> list[Use]:
    """Each line once, with every route that needs it."""
    found: dict[tuple[str, str], tuple[Use, list[str]]] = {}
    for use in uses:
        _, routes = found.setdefault((use.place, use.line.path), (use, []))
        routes += [one for one in use.routes if one not in routes]
    return [Use(use.line, use.written, use.place, tuple(sorted(routes)), use.form) for use, routes in found.values()]


def _names(path: str) -> Names:
    return tuple(path.replace("[]", "").split("."))


def form(expr: Expr) -> str:
    """A digest of what an expression says, the same wherever in the file it stands."""
    return hashlib.sha256(repr(_form(expr)).encode()).hexdigest()[:16]


def _form(value: Any) -> Any:
    if isinstance(value, Function):
        return value.name
    if isinstance(value, Mapping):
        return sorted((str(key), _form(one)) for key, one in value.items())
    if isinstance(value, tuple | list):
        return [_form(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *(_form(getattr(value, name)) for name in _said(value))]
    return value


def _said(value: Any) -> Iterator[str]:
    return (one.name for one in fields(value) if one.name != "place")
