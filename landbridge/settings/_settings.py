"""All settings of a project, loaded and cross-checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from landbridge.errors import ConfigError, Problem
from landbridge.settings._files import FLOWS
from landbridge.settings._flow import Flow, Route
from landbridge.settings._installation import Installation
from landbridge.settings._mappings import mapping_file
from landbridge.settings._ownership import EntityOwnership, Ownership
from landbridge.settings._system import System
from landbridge.strict import did_you_mean

if TYPE_CHECKING:
    from landbridge.canonical import Canonical
    from landbridge.connector import Registry
    from landbridge.quality import Rules


@dataclass(frozen=True, slots=True)
class Settings:
    """What `config/` says, as one frozen value; `revision` is a digest of every file that was read."""

    root: Path
    environment: str
    installation: Installation
    systems: Mapping[str, System]
    flows: Mapping[str, Flow]
    ownership: Ownership
    canonical: Canonical
    registry: Registry
    revision: str
    warnings: tuple[Problem, ...] = ()
    quality: Mapping[str, Rules] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        root: Path,
        environment: str | None = None,
        registry: Registry | None = None,
        *,
        only: str | None = None,
        offline: bool = False,
    ) -> Settings:
        """Read and cross-check `config/`; ConfigError holds every problem of every file.

        `only` reads one flow with its systems and nothing else. `offline` checks shapes: `env:` addresses and
        secrets need not be set. Without `environment` it is the installation's own (offline: every one is checked).
        """
        from landbridge.settings._load import load  # here: one flow's model is wanted without connectors and net

        return load(root, environment, registry, only=only, offline=offline)

    def flow(self, name: str) -> Flow:
        """A flow by name; ConfigError with the nearest one if it is not there."""
        if name in self.flows:
            return self.flows[name]
        hint = did_you_mean(name, self.flows) or f"Known: {', '.join(sorted(self.flows)) or 'none'}."
        raise ConfigError([Problem(FLOWS, 0, 0, f"flow '{name}' is not there.", hint)])

    def system(self, name: str) -> System:
        """A system by name; ConfigError with the nearest one if it is not there."""
        if name in self.systems:
            return self.systems[name]
        hint = did_you_mean(name, self.systems) or f"Known: {', '.join(sorted(self.systems)) or 'none'}."
        raise ConfigError([Problem("config/systems.yaml", 0, 0, f"system '{name}' is not there.", hint)])

    def route(self, key: str) -> tuple[Flow, Route]:
        """The flow and route that a route key names."""
        flow = self.flow(key.partition("/")[0])
        routes = flow.taken
        if key in routes:
            return flow, routes[key]
        hint = did_you_mean(key, routes) or f"Known: {', '.join(routes)}."
        raise ConfigError([Problem(f"{FLOWS}/{flow.flow}.yaml", 0, 0, f"route '{key}' is not there.", hint)])

    def feeds(self) -> dict[tuple[str, str], timedelta]:
        """Every feed that an enabled flow subscribes to, with the shortest `every`."""
        found: dict[tuple[str, str], timedelta] = {}
        for flow in self.flows.values():
            if flow.enabled:
                found[flow.feed] = min(found.get(flow.feed, flow.extract.every), flow.extract.every)
        return found

    def subscribers(self, system: str, entity: str) -> list[Flow]:
        """The enabled flows of one feed, by name."""
        flows = sorted(self.flows.values(), key=lambda flow: flow.flow)
        return [flow for flow in flows if flow.enabled and flow.feed == (system, entity)]

    def mapping(self, system: str, entity: str) -> Path | None:
        """The mapping file of a system's entity: the instance's own, else the product's."""
        entry = self.systems[system]
        return mapping_file(self.root, entry.mapping, entry.connector, entity)

    def owned(self, entity: str) -> EntityOwnership:
        """Ownership and change rules of an entity."""
        return self.ownership.entity(entity)
