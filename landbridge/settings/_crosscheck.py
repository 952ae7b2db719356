"""What one flow file cannot know by itself: systems, entities, capabilities, mappings, canonical paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from landbridge.canonical import Canonical
from landbridge.connector import Entity, Registry
from landbridge.errors import Problem
from landbridge.settings._canonical import unknown
from landbridge.settings._flow import Flow, Route
from landbridge.settings._mappings import directions, mapping_file
from landbridge.settings._ownership import Change, Ownership
from landbridge.settings._system import SystemEntry
from landbridge.strict import Node, did_you_mean

Steps = tuple[str | int, ...]

HUB = "hub"
"""The connector of the system that stands for the master-data hub."""


@dataclass(frozen=True, slots=True)
class Around:
    """What flows and ownership are checked against; systems as written, so that a bad one has no followers."""

    root: Path
    systems: Mapping[str, SystemEntry]
    names: tuple[str, ...]
    registry: Registry
    canonical: Canonical

    def entities(self, system: str) -> Mapping[str, Entity] | None:
        """The entities a system's connector knows; None where the system itself is a problem already."""
        entry = self.systems.get(system)
        if entry is None or entry.connector not in self.registry:
            return None
        try:
            return self.registry[entry.connector].connector.declared(entry.config)
        except (ImportError, AttributeError, ValueError):
            return None  # told by read_systems


def check_flow(flow: Flow, node: Node, around: Around) -> Iterator[Problem]:
    """Every problem of a flow with what stands around it."""
    yield from _entities(flow, node, around)
    yield from _source(flow, node, around)
    if flow.check.quality != "none" and not (around.root / "config/quality" / f"{flow.check.quality}.yaml").is_file():
        known = [path.stem for path in (around.root / "config/quality").glob("*.yaml")]
        hint = did_you_mean(flow.check.quality, known) or "Write that file, or `quality: none`."
        path = ("check", "quality")
        yield _at(node, path, f"check.quality: config/quality/{flow.check.quality}.yaml is not there.", hint)
    if flow.derive is not None:
        yield from _derive(flow, node, around)
    if not flow.deliver:
        yield from _hub_alone(flow, node, around)
    keys: dict[str, int] = {}
    for index, route in enumerate(flow.deliver):
        key = flow.route_key(route)
        if key in keys:
            text = f"deliver[{index}] is the same route as deliver[{keys[key]}]: {key}."
            yield _at(node, ("deliver", index), text, "Give one of them a `name`, or remove it.")
        keys.setdefault(key, index)
        yield from _route(flow, index, route, node, around)


def _hub_alone(flow: Flow, node: Node, around: Around) -> Iterator[Problem]:
    """What keeps the hub from taking the records of a flow that delivers to no system."""
    entity, place = flow.extract.entity, ("deliver",)
    system = around.systems.get(flow.extract.source)
    if system is not None and system.connector == HUB:
        yield _at(node, place, "deliver is empty, and the hub told these records itself.", "Name a system.")
    elif flow.policy(entity) != "match":
        hint = f"Write `resolve: {{{entity}: match}}` for the hub, or name a system."
        yield _at(node, place, "deliver is empty, and the hub is not asked either: nothing would come of it.", hint)
    elif not (around.root / "config/mdm" / f"{entity}.yaml").is_file():
        hint = f"Declare {entity} in config/mdm/{entity}.yaml, or name a system."
        yield _at(node, place, f"deliver is empty, and the hub keeps no {entity}: nothing would come of it.", hint)


def _at(node: Node, path: Steps, message: str, hint: str = "", *, key: bool = False) -> Problem:
    return node.find(path)[0].problem(message, hint, key=key)


def _known_entities(flow: Flow) -> Iterator[tuple[Steps, str, bool]]:
    """Every place of a flow that names a canonical entity; True where the name is the key."""
    yield ("extract", "entity"), flow.extract.entity, False
    for entity in flow.resolve:
        yield ("resolve", entity), entity, True
    if flow.derive is not None:
        yield ("derive", "entity"), flow.derive.entity, False
        yield ("derive", "from"), flow.derive.source, False
    for index, route in enumerate(flow.deliver):
        yield ("deliver", index, "entity"), route.entity, False
        for place, entity in enumerate(route.after):
            yield ("deliver", index, "after", place), entity, False


def _entities(flow: Flow, node: Node, around: Around) -> Iterator[Problem]:
    for path, entity, key in _known_entities(flow):
        if entity not in around.canonical:
            known = around.canonical.entities
            hint = did_you_mean(entity, known) or f"Known: {', '.join(known) or 'none'}."
            yield _at(node, path, f"'{entity}' is no canonical entity.", hint, key=key)


def _system(path: Steps, name: str, node: Node, around: Around) -> Iterator[Problem]:
    if name not in around.names:
        hint = did_you_mean(name, around.names) or f"Known: {', '.join(around.names) or 'none'}."
        yield _at(node, path, f"system '{name}' is not in config/systems.yaml.", hint)


def _source(flow: Flow, node: Node, around: Around) -> Iterator[Problem]:
    system, entity = flow.feed
    yield from _system(("extract", "from"), system, node, around)
    entities = around.entities(system)
    if entities is None:
        return
    if entity not in entities:
        yield _unknown(("extract", "entity"), system, entity, entities, node, around)
        return
    if not entities[entity].readable:
        yield _at(node, ("extract", "entity"), f"{system} cannot read {entity}; its connector only writes it.")
    scopes = around.systems[system].scopes
    for index, scope in enumerate(flow.extract.scope):
        if scopes and scope not in scopes:
            hint = did_you_mean(scope, scopes) or f"Known: {', '.join(scopes)}."
            yield _at(node, ("extract", "scope", index), f"{system} is not set up for the scope '{scope}'.", hint)
    yield from _mapping(("extract", "entity"), system, entity, "in", node, around)


def _unknown(
    path: Steps, system: str, entity: str, entities: Mapping[str, Entity], node: Node, around: Around
) -> Problem:
    connector = around.systems[system].connector
    hint = did_you_mean(entity, entities) or f"Known: {', '.join(sorted(entities)) or 'none'}."
    return _at(node, path, f"{system} ({connector}) does not know the entity '{entity}'.", hint)


def _mapping(path: Steps, system: str, entity: str, way: str, node: Node, around: Around) -> Iterator[Problem]:
    entry = around.systems[system]
    if way == "in" and around.registry[entry.connector].connector.canonical:
        return
    folder = entry.mapping or entry.connector
    found = mapping_file(around.root, folder, entry.connector, entity)
    if found is None:
        yield _at(node, path, f"mappings/{folder}/{entity}.yaml is not there.", f"It needs `{way}:` for this flow.")
    elif way not in directions(around.root, found):
        name = found.relative_to(around.root).as_posix()
        yield _at(node, path, f"{name} has no `{way}:`, which this flow needs.", "Write it there.")


def _derive(flow: Flow, node: Node, around: Around) -> Iterator[Problem]:
    assert flow.derive is not None
    derive = flow.derive
    if derive.source != flow.extract.entity:
        text = f"derive.from: '{derive.source}' is not what the flow reads ({flow.extract.entity})."
        yield _at(node, ("derive", "from"), text, f"Write '{flow.extract.entity}'.")
    paths: list[tuple[Steps, str]] = [
        (("derive", "when", path), path) for path in derive.conditions if not isinstance(derive.when, str)
    ]
    if derive.split_by is not None:
        paths.append((("derive", "split_by"), derive.split_by))
    for steps, path in paths:
        if hint := unknown(around.canonical, derive.source, path):
            yield _at(node, steps, f"{derive.source} has no '{path}'.", hint)


def _route(flow: Flow, index: int, route: Route, node: Node, around: Around) -> Iterator[Problem]:
    here: Steps = ("deliver", index)
    yield from _system((*here, "to"), route.to, node, around)
    if route.to == flow.extract.source and route.entity == flow.extract.entity:
        yield _at(node, (*here, "to"), "a flow cannot deliver into the feed it reads.", "Deliver to another system.")
    for path in route.when:
        if hint := unknown(around.canonical, flow.entity, path):
            yield _at(node, (*here, "when", path), f"{flow.entity} has no '{path}'.", hint, key=True)
    entities = around.entities(route.to)
    if entities is None:
        return
    if route.entity not in entities:
        yield _unknown((*here, "entity"), route.to, route.entity, entities, node, around)
        return
    yield from _capabilities(route, entities[route.entity], here, node)
    yield from _mapping((*here, "entity"), route.to, route.entity, "out", node, around)


def _capabilities(route: Route, entity: Entity, here: Steps, node: Node) -> Iterator[Problem]:
    if entity.create is None and entity.update is None:
        yield _at(node, (*here, "entity"), f"{route.to} cannot write {route.entity}; its connector only reads it.")
    elif route.on_delete == "delete" and entity.delete is None:
        text = f"{route.to} cannot delete {route.entity}."
        yield _at(node, (*here, "on_delete"), text, "Use block, close, reject_lines or ignore.")
    elif route.on_delete == "reject_lines" and entity.lines is None:
        text = f"{route.entity} has no lines in {route.to} that could be rejected."
        yield _at(node, (*here, "on_delete"), text, "Use block, close, delete or ignore.")


def check_ownership(ownership: Ownership, node: Node, around: Around) -> Iterator[Problem]:
    """Every problem of ownership.yaml with the systems and the canonical model."""
    for entity, rules in ownership.root.items():
        if entity not in around.canonical:
            known = around.canonical.entities
            hint = did_you_mean(entity, known) or f"Known: {', '.join(known) or 'none'}."
            yield _at(node, (entity,), f"'{entity}' is no canonical entity.", hint, key=True)
            continue
        for path, owner in rules.fields.items():
            here: Steps = (entity, "fields", path)
            if wrong := unknown(around.canonical, entity, path):
                yield _at(node, here, f"{entity} has no '{path}'.", wrong, key=True)
            yield from _system((*here, "owner"), owner.owner, node, around)
        for index, change in enumerate(rules.changes):
            yield from _change(entity, change, (entity, "changes", index), node, around)


def _change(entity: str, change: Change, here: Steps, node: Node, around: Around) -> Iterator[Problem]:
    for word in ("field", "at_least", "at_most"):
        limited: str | None = getattr(change, word)
        if limited is not None and (wrong := unknown(around.canonical, entity, limited)):
            yield _at(node, (*here, word), f"{entity} has no '{limited}'.", wrong)
    names = {*around.names, *around.registry.names()}
    for name in _strangers(change.targets, names):
        hint = did_you_mean(name, [*names, *Change.model_fields, "else"]) or f"Known: {', '.join(sorted(names))}."
        yield _at(node, (*here, name), f"'{name}' is neither a system nor a connector.", hint, key=True)


def _strangers(words: Iterable[str], known: set[str]) -> list[str]:
    return [word for word in words if word not in known]
