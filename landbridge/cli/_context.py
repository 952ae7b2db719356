"""What every command is given: the project, the environment, and how to load them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

    from landbridge.canonical import Canonical
    from landbridge.connector import Connector, Registry
    from landbridge.settings import Settings
    from landbridge.time import Clock
    from landbridge.translator import Translator


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

    def translator(self, canonical: Canonical) -> Translator:
        """The mappings of the project with its code lists and decision tables."""
        from landbridge.translator import Tables, Translator

        return Translator(self.root / "mappings", Tables(self.root / "config", under=self.root), canonical)


def of(context: typer.Context) -> Context:
    """The context that the root command made."""
    found = context.obj
    if not isinstance(found, Context):
        raise TypeError("a command ran without the root command")
    return found


def connect(settings: Settings, system: str, clock: Clock) -> Connector[Any]:
    """The connector of one system, ready to be asked."""
    from landbridge.net import open_http

    entry = settings.system(system)
    http = open_http(system, entry.config, entry.net, clock=clock)
    return settings.registry[entry.connector].connector(system, entry.config, http, clock)
