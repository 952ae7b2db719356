"""What the engine is put together from: systems, mappings, flows. The composition root fills it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy import Connection

from landbridge.connector import Connector
from landbridge.engine._hub import Hub
from landbridge.engine._published import published
from landbridge.engine._refs import Places, places_of
from landbridge.engine._remembered import Remembered
from landbridge.errors import Finding
from landbridge.net import Breaker
from landbridge.settings import EntityOwnership, Flow, Ownership
from landbridge.store import Presence, Store
from landbridge.store._identity import Key, Link, Who
from landbridge.time import Clock, IdSource


class Translation(Protocol):
    """A compiled mapping of one (system, entity)."""

    digest: str

    def read(self, native: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """Native to canonical; Invalid with its findings."""

    def write(self, canonical: Mapping[str, Any], context: Any, *, creating: bool) -> dict[str, Any]:
        """Canonical to native; Invalid with its findings."""


HUB = "hub"
"""The connector's name of the system whose feeds are the golden records."""

STATES = frozenset({"customer", "supplier", "product", "price", "inventory_level"})
"""Entities that are states: a version that did not leave yet may be superseded. Documents never are."""


class Schema(Protocol):
    """The canonical model: raises `Invalid` with findings."""

    def check(self, entity: str, body: Mapping[str, Any]) -> None: ...


@runtime_checkable
class Described(Protocol):
    """A schema that tells its fields by path: then references are looked for only where it has them."""

    def fields(self, entity: str) -> Mapping[str, Any]: ...


Check = Callable[[str, dict[str, Any]], list[Finding]]
"""The quality rules for single messages: rules' name and canonical body to findings, those only noted included."""


@dataclass(slots=True)
class Parts:
    """Everything an engine works with. `mappings` holds one per (system, entity)."""

    store: Store
    systems: Mapping[str, Connector[Any]]
    flows: Mapping[str, Flow]
    mappings: Mapping[tuple[str, str], Translation]
    schema: Schema
    ownership: Ownership
    clock: Clock
    ids: IdSource
    whole: bool = False  # the flows are all there are; a DAG's task has one of them
    lease: timedelta = timedelta(minutes=2)
    batch: int = 500
    check: Check | None = None
    hub: Hub | None = None  # without it only the cross-reference says who is who
    refresh: Callable[[Connection], None] | None = None  # takes up code lists that were edited; once per batch
    presence: Presence | None = None  # a resident worker's; without it a claim ends with its lease alone
    connector_of: Mapping[str, str] = field(default_factory=dict)  # system → its connector's name
    concurrency: Mapping[str, int] = field(default_factory=dict)  # system → calls at once
    breakers: Mapping[str, Breaker] = field(default_factory=dict)  # system → when it is left alone; else the defaults
    subjects: Remembered[Key, Who] = field(default_factory=Remembered)  # who a source's parents are
    parents: Remembered[UUID, Link] = field(default_factory=Remembered)  # what a target calls them
    _places: dict[str, Places | None] = field(default_factory=dict)

    def up_to_date(self, connection: Connection) -> None:
        """The mappings know every edit of a code list that was committed before this batch."""
        if self.refresh is not None:
            self.refresh(connection)

    def size(self, flows: Iterable[Flow]) -> int:
        """How many messages of these flows are worked on at a time: what the most careful of them says."""
        return min([self.batch, *(flow.batch for flow in flows)])

    @property
    def hub_system(self) -> str | None:
        """The system that stands for the hub in the configuration: flows subscribe to its feeds."""
        return next((name for name, connector in self.connector_of.items() if connector == HUB), None)

    def subscribed(self, system: str, entity: str) -> bool:
        """Whether any flow takes what this feed brings."""
        return any(flow.feed == (system, entity) for flow in self.flows.values())

    def rules(self, flow: Flow, target: str) -> EntityOwnership:
        """The ownership rules that a flow's records are held to on their way to a target."""
        rules = self.ownership.entity(flow.extract.entity)
        if flow.extract.source == self.hub_system:
            rules = rules.spoken_by(flow.extract.source, target)
        told = published(self.hub, self.hub_system, flow, target)
        return rules if told is None or told.attributes is None else rules.telling(told.attributes)

    def places(self, entity: str) -> Places | None:
        """Where an entity's bodies hold references; None where the schema does not tell."""
        if entity not in self._places:
            paths = self.schema.fields(entity) if isinstance(self.schema, Described) else ()
            holders = [path.removesuffix(".subject") for path in paths if path.endswith(".subject")]
            self._places[entity] = places_of(holders) if holders else None
        return self._places[entity]
