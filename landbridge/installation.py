"""The composition root: from a project's folder to a store, systems and an engine that are ready to run.

Nothing below this module knows where its parts come from; nothing above it puts them together again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landbridge import telemetry
from landbridge.canonical import Canonical
from landbridge.connector import Connector
from landbridge.engine import AS_IT_IS, Engine, Hub, Parts, tune_process
from landbridge.errors import ConfigError, Denied, Finding, Problem
from landbridge.net import NetSettings, open_http
from landbridge.quality import Checker
from landbridge.settings import Installation as Knobs
from landbridge.settings import Settings, System
from landbridge.store import Store, StoreBudget, codes, migrate
from landbridge.store.embedded import EmbeddedPostgres
from landbridge.time import Clock, SystemClock, uuid7
from landbridge.translator import Edit, Tables, Translator

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from landbridge.drift import Report
    from landbridge.translator import Mapping as Translation

STATE = ".landbridge"
"""The folder of a project that holds what is not configuration: the embedded database, logs, generated secrets."""

DATABASE = "landbridge"

HUBS = "landbridge.hub"
"""The entry points by which a master-data hub is found: called with the project's folder, settings and store."""


@dataclass
class Installation:
    """One project, opened: its settings, its store, and an engine over its systems."""

    root: Path
    settings: Settings
    store: Store
    clock: Clock
    whole: bool = True

    @cached_property
    def canonical(self) -> Canonical:
        """The canonical model of the project."""
        return self.settings.canonical

    @cached_property
    def translator(self) -> Translator:
        """The mappings of the project, with the code lists of its files as operators edited them."""
        with self.store.reading() as connection:
            return self._translator(connection)

    def _translator(self, connection: Connection) -> Translator:
        revision = codes.revision(connection)
        edits: dict[tuple[str, str], list[Edit]] = {}
        for one in codes.standing(connection) if revision else ():
            edits.setdefault((one.folder, one.name), []).append(Edit(one.key, one.row))
        tables = Tables(self.root / "config", under=self.root, edits=edits, revision=revision)
        return Translator(self.root / "mappings", tables, self.canonical)

    def refresh(self, connection: Connection) -> None:
        """Take up code lists that were edited since; one number says whether there are any. Once per batch."""
        known = self.__dict__.get("translator")
        if known is not None and known.tables.revision == codes.revision(connection):
            return
        self.__dict__["translator"] = self._translator(connection)
        self._mappings.forget()

    @cached_property
    def _mappings(self) -> _Mappings:
        return _Mappings(self)

    @cached_property
    def systems(self) -> Mapping[str, Connector[Any]]:
        """Every system's connector; a system is opened when it is first asked for."""
        return _Systems(self)

    @cached_property
    def _checkers(self) -> Mapping[str, Checker]:
        return {name: Checker(rules) for name, rules in self.settings.quality.items()}

    def check(self, rules: str, body: dict[str, Any]) -> list[Finding]:
        """What quality rules find in one canonical body; nothing where there are no rules of that name."""
        checker = self._checkers.get(rules)
        return checker(body) if checker is not None else []

    @cached_property
    def hub(self) -> Hub | None:
        """The master-data hub that an installed package offers; None where nothing is declared for it, or none is."""
        if not any((self.root / "config" / "mdm").glob("*.yaml")):
            return None
        for point in entry_points(group=HUBS):
            try:
                open_hub = point.load()
            except ImportError as error:
                hint = "Install landbridge[mdm], or move config/mdm away: then nothing is matched."
                raise ConfigError([Problem("config/mdm", 0, 0, f"the hub cannot be loaded: {error}.", hint)]) from error
            hub: Hub = open_hub(self.root, self.settings, self.store)
            return hub
        return None

    @cached_property
    def engine(self) -> Engine:
        """The engine, with its feeds and routes known to the store."""
        settings = self.settings
        engine = Engine(
            Parts(
                store=self.store,
                systems=self.systems,
                flows=settings.flows,
                mappings=self._mappings,
                schema=self.canonical,
                ownership=settings.ownership,
                clock=self.clock,
                ids=uuid7,
                whole=self.whole,
                check=self.check,
                refresh=self.refresh,
                hub=self.hub,
                connector_of={name: system.connector for name, system in settings.systems.items()},
                concurrency={name: _net(system).concurrency for name, system in settings.systems.items()},
                breakers={name: _net(system).breaker for name, system in settings.systems.items()},
            )
        )
        engine.register()
        return engine

    def open_system(self, name: str) -> Connector[Any]:
        """A connector of its own for one system, with its rate budget leased from the store."""
        system = self.settings.system(name)
        net = _net(system)
        budget = None
        if net.rate is not None:
            budget = StoreBudget(self.store, name, net.rate.requests, net.rate.per)
        http = open_http(name, system.config, net, clock=self.clock, budget=budget)
        connector: Connector[Any] = self.settings.registry[system.connector].connector(
            name, system.config, http, self.clock
        )
        return connector

    def check_drift(self) -> Report:
        """Ask every system for its fields, compare them with what was kept and is used, pause and resume routes."""
        from landbridge import drift

        return drift.check(self.store, self.settings, self._mapping, self.open_system, self.clock)

    def _mapping(self, system: str, entity: str) -> Translation | None:
        path = self.settings.mapping(system, entity)
        return self.translator.load_file(path) if path is not None else None

    @property
    def state(self) -> Path:
        """The folder of the project's state."""
        return state_folder(self.root)

    def close(self) -> None:
        """Close every connection; the database server goes on running."""
        for connector in list(getattr(self.systems, "opened", {}).values()):
            connector.close()
        self.store.close()


def _net(system: System) -> NetSettings:
    return system.net if isinstance(system.net, NetSettings) else NetSettings.model_validate(system.net or {})


class _Systems(Mapping[str, Connector[Any]]):
    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.opened: dict[str, Connector[Any]] = {}

    def __getitem__(self, name: str) -> Connector[Any]:
        if name not in self.opened:
            self.opened[name] = self._installation.open_system(name)
        return self.opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._installation.settings.systems)

    def __len__(self) -> int:
        return len(self._installation.settings.systems)


class _Mappings(Mapping[tuple[str, str], "Translation"]):
    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._loaded: dict[tuple[str, str], Any] = {}

    def __getitem__(self, key: tuple[str, str]) -> Any:
        loaded = self._loaded  # edits may be taken up meanwhile, and begin another one
        if key not in loaded and self._canonical(key[0]):
            loaded[key] = AS_IT_IS
        if key not in loaded:
            translator, path = self._installation.translator, self._installation.settings.mapping(*key)
            loaded[key] = translator.load_file(path) if path else translator.get(*key)
        return loaded[key]

    def _canonical(self, system: str) -> bool:
        settings = self._installation.settings
        return settings.registry[settings.system(system).connector].connector.canonical

    def forget(self) -> None:
        """Load mappings anew: their code lists were edited."""
        self._loaded = {}

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


def state_folder(root: Path) -> Path:
    """The folder of the project's state; made with its owner's rights alone."""
    folder = Path(os.environ.get("LANDBRIDGE_STATE") or root / STATE).absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def store_url(root: Path, settings: Settings) -> str:
    """Where the store is: the user's own server, or ours, which must run (`landbridge up`) or is started."""
    url = settings.installation.store.url
    if url == "embedded":
        server = EmbeddedPostgres(state_folder(root) / "postgres")
        server.start()  # attaches where it runs already
        return server.ensure_database(DATABASE)
    return _revealed(url)


@contextmanager
def standing_store(root: Path) -> Iterator[Store | None]:
    """The project's store where it runs and answers within seconds, as it is; None anywhere else, whatever the reason.

    For who may look and need not: nothing is started, made or migrated.
    """
    try:
        store = _standing(root)
    except Exception:  # noqa: BLE001 - a store that cannot be asked is none here; what is wrong is told elsewhere
        store = None
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def _standing(root: Path) -> Store:
    from landbridge.strict import yaml

    file = root / "config" / "landbridge.yaml"
    settings = yaml.validate(yaml.load_file(file, root=root), Knobs) if file.is_file() else Knobs()
    if settings.store.url == "embedded":
        url = EmbeddedPostgres(Path(os.environ.get("LANDBRIDGE_STATE") or root / STATE) / "postgres").url(DATABASE)
    else:
        url = _revealed(settings.store.url)
    store = Store(f"{url}{'&' if '?' in url else '?'}connect_timeout=2", SystemClock(), pool=1)
    with store.reading() as connection:
        connection.exec_driver_sql("select 1")
    return store


def _revealed(reference: str) -> str:
    from landbridge.secrets import Secret

    value = Secret(reference).reveal()
    for short in ("postgresql://", "postgres://"):
        if value.startswith(short):
            return "postgresql+psycopg://" + value.removeprefix(short)
    if not value.startswith("postgresql+psycopg://"):
        raise Denied(
            f"The store's URL ({reference}) is not a PostgreSQL URL.",
            hint="Write postgresql://user:password@host/database; the store is PostgreSQL only.",
        )
    return value


@contextmanager
def open_installation(
    root: Path, environment: str | None = None, *, clock: Clock | None = None, only: str | None = None
) -> Iterator[Installation]:
    """Open the project in `root`: settings checked, store migrated; ConfigError before anything starts.

    `only` reads one flow with its systems, as a DAG task does.
    """
    settings = Settings.load(root, environment, only=only)
    clock = clock or SystemClock()
    store = Store(store_url(root, settings), clock)
    installation = Installation(root, settings, store, clock, whole=only is None)
    telemetry.begin(warn=logging.getLogger("landbridge").warning)
    try:
        migrate(store.engine, clock.now())
        tune_process()
        yield installation
    finally:
        installation.close()
        telemetry.flush()
