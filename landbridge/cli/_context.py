"""What every command is given: the project, the environment, and how to load them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from landbridge.connector import Connector, Registry
    from landbridge.settings import Settings
    from landbridge.time import Clock


@dataclass(frozen=True, slots=True)
class Context:
    """The options of the root command."""

    root: Path
    environment: str | None = None
    debug: bool = False
    registry: Registry | None = None

    def settings(self, *, only: str | None = None, offline: bool = False) -> Settings:
        """Everything under config/, or one flow of it; ConfigError with every problem."""
        from landbridge.settings import Settings

        return Settings.load(self.root, self.environment, self.registry, only=only, offline=offline)


def of(context: typer.Context) -> Context:
    """The context that the root command made."""
    found = context.obj
    if not isinstance(found, Context):
        raise TypeError("a command ran without the root command")
    return found


def connect(settings: Settings, system: str, clock: Clock) -> Connector[object]:  # type: ignore[type-var]  # any Config
    """The connector of one system, ready to be asked."""
    from landbridge.net import open_http

    entry = settings.system(system)
    http = open_http(system, entry.config, entry.net, clock=clock)
    return settings.registry[entry.connector].connector(system, entry.config, http, clock)
