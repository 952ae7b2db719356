"""The OData connector: what the engine calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.declarative._identity import asked_identity
from connectors.declarative._odata_config import EntitySet, ODataConfig, written_sets
from connectors.declarative._odata_records import ODataRecords
from connectors.declarative._odata_service import Kind, ODataLine
from connectors.declarative._odata_source import ODataSource
from connectors.declarative._odata_write import ODataCalls, refuse_unready
from connectors.declarative._read import Reader
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


@connector("odata", config=ODataConfig)
class OData(Connector[ODataConfig]):
    """Reads and writes entity sets of a service of OData v2 or v4."""

    def __init__(self, name: str, config: ODataConfig, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._line = ODataLine(http, clock, config)

    @classmethod
    def declared(cls, config: Mapping[str, Any]) -> Mapping[str, Entity]:
        """The entities that the configuration names."""
        overlap, settle = int(config.get("overlap", 300)), int(config.get("settle", 300))
        return {name: _entity(each, overlap, settle) for name, each in written_sets(config).items()}

    def entity(self, entity: str) -> Entity:
        """One entity as the configuration declares it."""
        return _entity(self.config.entities[entity], self.config.overlap, self.config.settle)

    def check(self) -> Identity:
        """Say who answers, compare the declaration with the metadata, and read a page of each set."""
        self._line.forget()
        identity = asked_identity(self._line, self._line.errors, self.config.check, self.config.url)
        for name in self.config.entities:
            try:
                refuse_unready(self._kind(name))
                next(self.read(name, None, limit=1), None)
            except Denied as denied:
                hint = "Give our user the right, or take the entity out."
                message = f"{self.name}: {name} cannot be read: {denied.message}"
                raise Denied(message, hint=denied.hint or hint, status=denied.status, sent=False) from denied
        return identity

    def describe(self, entity: str) -> Fields:
        """The properties by the service's own metadata, expanded ones by dotted path."""
        declared = self.config.entities[entity]
        expand = (*declared.expand, *((declared.lines.under,) if declared.lines else ()))
        return self._line.service.describe(declared.set, tuple(dict.fromkeys(expand)))

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """What changed by a filter on the stamp; a set without one as a snapshot."""
        reader = self._reader(entity)
        return reader.snapshot() if self.config.entities[entity].stamp is None else reader.changes(since, limit)

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Records by key."""
        return self._calls(entity).fetch(ids)

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Every key with the digest of its record, in the order of text."""
        return self._reader(entity).keys(low, high)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """One call per record, and one per line that changes."""
        calls = self._calls(entity)
        return [calls.write(each) for each in writes]

    def find(self, entity: str, reference: str) -> Found | None:
        """The record with our reference, by `$filter`."""
        return self._calls(entity).find(reference)

    def line_key(self, entity: str, line: Mapping[str, Any]) -> str | None:
        """A line's own number."""
        lines = self.config.entities[entity].lines
        return str(line[lines.key]) if lines is not None and line.get(lines.key) is not None else None

    def _kind(self, entity: str) -> Kind:
        return Kind(self._line, self.config.entities[entity], self.config.protocol)

    def _reader(self, entity: str) -> Reader:
        each, kind, what = self.config.entities[entity], self._kind(entity), f"{self.name}: read {entity}"
        overlap = self.config.overlap if each.overlap is None else each.overlap
        source = ODataSource(self._line, kind, ODataRecords(what, kind), what, self.config.page_size)
        return Reader(source, self.clock, timedelta(seconds=overlap))

    def _calls(self, entity: str) -> ODataCalls:
        kind, what = self._kind(entity), f"{self.name}: {entity}"
        return ODataCalls(self._line, kind, ODataRecords(what, kind), what, self.config.change)


def _entity(each: EntitySet, overlap: int, settle: int) -> Entity:
    grade: Grade | None = None
    if each.reference is not None:
        grade = "B" if each.upsert else "C"
    return Entity(
        each.set,
        create=grade,
        update="B" if each.reference is not None else None,
        delete="B" if each.delete or each.policies else None,
        settle=timedelta(seconds=settle if each.settle is None else each.settle),
        overlap=timedelta(seconds=overlap if each.overlap is None else each.overlap),
        snapshot=each.stamp is None,
        lines=each.lines.under if each.lines else None,
        ignored=frozenset([*([each.stamp] if each.stamp else []), *each.ignored]),
    )
