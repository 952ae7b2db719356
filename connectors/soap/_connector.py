"""The connector: what the engine calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter

from connectors.soap._config import SoapConfig
from connectors.soap._describe import describe
from connectors.soap._entity import SoapEntity
from connectors.soap._paths import at
from connectors.soap._read import Reader
from connectors.soap._records import Records
from connectors.soap._service import Service
from connectors.soap._write import Writer
from landbridge.connector import (
    Connector,
    Entity,
    Fields,
    Found,
    Grade,
    Identity,
    KeyHash,
    Outcome,
    Page,
    Row,
    Write,
    connector,
)
from landbridge.errors import Denied
from landbridge.net import Http
from landbridge.time import Clock

_ENTITIES = TypeAdapter(dict[str, SoapEntity])


@connector("soap", config=SoapConfig)
class Soap(Connector[SoapConfig]):
    """Calls the operations that the configuration names; what a repeated write is, follows from them."""

    def __init__(self, name: str, config: SoapConfig, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._service = Service(name, config, http, clock)
        self._readers: dict[str, Reader] = {}
        self._writers: dict[str, Writer] = {}
        for entity, each in config.entities.items():
            records = Records(f"{name}: {entity}", config, each)
            self._readers[entity] = Reader(records, self._service, config, clock)
            self._writers[entity] = Writer(records, self._service, self._readers[entity])

    @classmethod
    def declared(cls, config: Mapping[str, Any]) -> Mapping[str, Entity]:
        """The entities that the configuration names."""
        entities = _ENTITIES.validate_python(config.get("entities") or {})
        settle, overlap = _seconds(config, "settle"), _seconds(config, "overlap")
        return {name: _entity(each, settle, overlap) for name, each in entities.items()}

    def entity(self, entity: str) -> Entity:
        """One entity as the configuration declares it."""
        return _entity(self.config.entities[entity], self.config.settle, self.config.overlap)

    def check(self) -> Identity:
        """Ask who answers, and for the smallest page of every entity that is read by pages."""
        check = self.config.check
        answer = self._service.call(check, {}, safe=True)
        organisation = at(answer, check.organisation)
        if organisation in (None, ""):
            hint = "Look at `check.organisation`; a store is bound to what stands there."
            raise Denied(f"{self.name}: {check.operation} does not say who answers.", hint=hint)
        for reader in self._readers.values():
            reader.probe()
        user = at(answer, check.user) if check.user else ""
        return Identity(str(organisation), str(user or ""))

    def describe(self, entity: str) -> Fields:
        """The fields of the record's type in the WSDL."""
        each = self.config.entities[entity]
        return describe(each, self._service.port, self.entity(entity).native)

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """What changed, by the service's own filter; without one the whole list as a snapshot."""
        return self._readers[entity].pages(since, limit)

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Records by id."""
        return self._readers[entity].fetch(ids)

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Every key with the digest of its record."""
        return self._readers[entity].keys(low, high)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """One call per write."""
        return self._writers[entity].write(writes)

    def find(self, entity: str, reference: str) -> Found | None:
        """The record that carries our reference."""
        return self._readers[entity].find(reference)

    def line_key(self, entity: str, line: Mapping[str, Any]) -> str | None:
        """A line's own number."""
        lines = self.config.entities[entity].lines
        found = None if lines is None else at(dict(line), lines.key)
        return None if found is None else str(found)


def _seconds(config: Mapping[str, Any], name: str) -> int:
    default: int = SoapConfig.model_fields[name].default
    written = config.get(name, default)
    return written if isinstance(written, int) else default


def _entity(each: SoapEntity, settle: int, overlap: int) -> Entity:
    create = _grade(each)
    native = each.read.records if each.read is not None else ""  # what is not read has no native name
    return Entity(
        native.rpartition(".")[2],
        create=create,
        update="B" if each.update is not None or each.upsert is not None else None,
        delete="B" if each.delete is not None or each.cancel is not None else None,
        settle=timedelta(seconds=settle),
        overlap=timedelta(seconds=overlap if each.overlap is None else each.overlap),
        snapshot=each.snapshot,
        lines=each.lines.path.partition(".")[0] if each.lines is not None else None,
        key=each.key,
        ignored=frozenset([*each.ignored, *(path for path in (each.stamp, each.version) if path is not None)]),
    )


def _grade(each: SoapEntity) -> Grade | None:
    """What makes a repeated create one effect: a key that is sent, an upsert, a search, or nothing."""
    written = each.upsert or each.create
    if written is None:
        return None
    if "key" in written.places():
        return "A"
    if each.upsert is not None:
        return "B"
    return "C" if each.find is not None else "D"
