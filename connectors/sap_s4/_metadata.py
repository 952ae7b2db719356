"""A service as its own `$metadata` document describes it: types, lengths, what may be created, changed and filtered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from landbridge.errors import Rejected


@dataclass(frozen=True, slots=True)
class Property:
    """One property of an entity type, with the `sap:` annotations that the connector obeys."""

    name: str
    type: str
    length: int | None = None
    nullable: bool = True
    creatable: bool = True
    updatable: bool = True
    filterable: bool = True
    sortable: bool = True
    label: str = ""


@dataclass(frozen=True, slots=True)
class Navigation:
    """A way from one entity to others: the set it leads to, and whether it leads to many."""

    name: str
    target: str
    many: bool


@dataclass(slots=True)
class EntityType:
    """One entity type under the name of its set."""

    set: str
    keys: tuple[str, ...] = ()
    properties: dict[str, Property] = field(default_factory=dict)
    navigations: dict[str, Navigation] = field(default_factory=dict)
    creatable: bool = True
    updatable: bool = True

    def filterable(self, *names: str) -> bool:
        """True if every one of these properties exists and may stand in a filter."""
        return all(name in self.properties and self.properties[name].filterable for name in names)

    def sortable(self, *names: str) -> bool:
        """True if the set may be ordered by all of these properties."""
        return all(name in self.properties and self.properties[name].sortable for name in names)


class Service:
    """The entity sets of one service by name."""

    def __init__(self, name: str, sets: dict[str, EntityType]) -> None:
        self.name = name
        self.sets = sets

    def __getitem__(self, entity_set: str) -> EntityType:
        try:
            return self.sets[entity_set]
        except KeyError:
            raise Rejected(
                f"The service {self.name} has no entity set {entity_set} in this system.",
                hint="Check the service's version, and that the communication arrangement is active.",
                sent=False,
            ) from None

    def along(self, entity_set: str, navigation: str) -> EntityType | None:
        """The type that a navigation leads to, None if there is no such navigation."""
        way = self[entity_set].navigations.get(navigation)
        return self.sets.get(way.target) if way else None

    def has_path(self, entity_set: str, path: str) -> bool:
        """True if an expand path such as `to_Item/to_ScheduleLine` exists in this system."""
        here: EntityType | None = self.sets.get(entity_set)
        for name in path.split("/"):
            here = self.along(here.set, name) if here else None
        return here is not None


def read_service(name: str, root: Any) -> Service:
    """Build a service from the root element of its `$metadata`."""
    types = dict(_types(root))
    ends = _ends(root)
    sets: dict[str, EntityType] = {}
    set_of: dict[str, str] = {}
    for element in _all(root, "EntitySet"):
        attributes = _plain(element)
        kind = types.get(_last(attributes["EntityType"]))
        if kind is None:
            continue
        element_type, raw_navigations = kind
        sets[attributes["Name"]] = EntityType(
            attributes["Name"],
            element_type.keys,
            element_type.properties,
            {},
            attributes.get("creatable") != "false",
            attributes.get("updatable") != "false",
        )
        set_of.setdefault(_last(attributes["EntityType"]), attributes["Name"])
        sets[attributes["Name"]].navigations = {nav: Navigation(nav, role, False) for nav, role in raw_navigations}
    for entity_type in sets.values():
        resolved = {}
        for navigation in entity_type.navigations.values():
            target, many = ends.get(navigation.target, ("", False))
            if target in set_of:
                resolved[navigation.name] = Navigation(navigation.name, set_of[target], many)
        entity_type.navigations = resolved
    return Service(name, sets)


def _types(root: Any) -> Iterator[tuple[str, tuple[EntityType, list[tuple[str, str]]]]]:
    for element in _all(root, "EntityType"):
        keys = tuple(ref.get("Name") for ref in _all(element, "PropertyRef"))
        properties = {}
        for child in _all(element, "Property"):
            attributes = _plain(child)
            length = attributes.get("MaxLength", "")
            properties[attributes["Name"]] = Property(
                attributes["Name"],
                attributes["Type"],
                int(length) if length.isdigit() else None,
                attributes.get("Nullable") != "false",
                attributes.get("creatable") != "false",
                attributes.get("updatable") != "false",
                attributes.get("filterable") != "false",
                attributes.get("sortable") != "false",
                attributes.get("label", ""),
            )
        navigations = [
            (nav.get("Name"), f"{_last(nav.get('Relationship'))}/{nav.get('ToRole')}")
            for nav in _all(element, "NavigationProperty")
        ]
        yield element.get("Name"), (EntityType("", keys, properties), navigations)


def _ends(root: Any) -> dict[str, tuple[str, bool]]:
    """`association/role` → the entity type at that end, and whether many stand there."""
    return {
        f"{association.get('Name')}/{end.get('Role')}": (_last(end.get("Type")), end.get("Multiplicity") == "*")
        for association in _all(root, "Association")
        for end in _all(association, "End")
    }


def _all(element: Any, name: str) -> Iterator[Any]:
    return (child for child in element.iter() if isinstance(child.tag, str) and _local(child.tag) == name)


def _plain(element: Any) -> dict[str, str]:
    return {_local(name): value for name, value in element.attrib.items()}


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def _last(name: str) -> str:
    return name.rsplit(".", 1)[-1]
