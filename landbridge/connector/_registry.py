"""Connectors by name: declared by `@connector`, found by the entry points `landbridge.connectors`."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, TypeVar

from landbridge.connector._base import Config, Connector

GROUP = "landbridge.connectors"
K = TypeVar("K", bound=type[Connector[Any]])


@dataclass(frozen=True, slots=True)
class Registration:
    """One product: its name in `systems.yaml`, its class and its configuration model."""

    name: str
    connector: type[Connector[Any]]
    config: type[Config]


def connector(name: str, *, config: type[Config]) -> Callable[[K], K]:
    """Declare a connector class under the name that `config/systems.yaml` uses."""

    def declare(cls: K) -> K:
        cls.registration = Registration(name, cls, config)  # type: ignore[attr-defined]  # the declaration itself
        return cls

    return declare


class Registry:
    """The connectors of this installation; outsiders' come by entry points and load when first asked for."""

    def __init__(self, *classes: type[Connector[Any]]) -> None:
        self._loaded: dict[str, Registration] = {}
        for cls in classes:
            self.add(cls)
        self._entry_points = {point.name: point for point in entry_points(group=GROUP)}

    def add(self, cls: type[Connector[Any]]) -> None:
        """Take a class that `@connector` declared."""
        registration: Registration = cls.registration  # type: ignore[attr-defined]  # set by @connector
        self._loaded[registration.name] = registration

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted({*self._loaded, *self._entry_points})

    def __iter__(self) -> Iterator[Registration]:
        return (self[name] for name in self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._loaded or name in self._entry_points

    def __getitem__(self, name: str) -> Registration:
        if name not in self._loaded:
            self.add(self._entry_points[name].load())
        return self._loaded[name]

    def suggestion(self, name: str) -> str:
        """“Did you mean …?” for a name that is not there, or the list of those that are."""
        close = difflib.get_close_matches(name, self.names(), n=1)
        return f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(self.names()) or 'none'}."
