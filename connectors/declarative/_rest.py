"""The REST connector: what the engine calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.declarative._describe import declared_fields, sampled_fields
from connectors.declarative._errors import ErrorMap
from connectors.declarative._identity import asked_identity
from connectors.declarative._line import Line
from connectors.declarative._openapi import OpenApi
from connectors.declarative._read import Reader
from connectors.declarative._records import Records
from connectors.declarative._rest_config import RestConfig, RestEntity, written_entities
from connectors.declarative._rest_source import RestSource
from connectors.declarative._rest_write import RestCalls
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
from landbridge.errors import Denied, Rejected
from landbridge.net import Http
from landbridge.strict import json as strict_json
from landbridge.strict import plain, yaml
from landbridge.time import Clock
from landbridge.translator import Place


@connector("rest", config=RestConfig)
class Rest(Connector[RestConfig]):
    """Reads and writes the entities that the configuration declares, by its calls and with its guarantees."""

    def __init__(self, name: str, config: RestConfig, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._line = Line(http, clock, config.url, config.auth, config.headers)
        self._document: OpenApi | None = None

    @classmethod
    def declared(cls, config: Mapping[str, Any]) -> Mapping[str, Entity]:
        """The entities that the configuration names."""
        overlap, settle = int(config.get("overlap", 300)), int(config.get("settle", 300))
        return {name: _entity(each, name, overlap, settle) for name, each in written_entities(config).items()}

    def entity(self, entity: str) -> Entity:
        """One entity as the configuration declares it."""
        return _entity(self._declared(entity), entity, self.config.overlap, self.config.settle)

    def check(self) -> Identity:
        """Say who answers, ask for the declared rights, and read a page of each entity."""
        identity = asked_identity(self._line, ErrorMap(self.config.errors), self.config.check, self.config.url)
        for name, each in self.config.entities.items():
            if each.read is not None:
                try:
                    next(self.read(name, None, limit=1), None)
                except Denied as denied:
                    hint = "Give our user the right, or take the entity out."
                    message = f"{self.name}: {name} cannot be read: {denied.message}"
                    raise Denied(message, hint=denied.hint or hint, status=denied.status, sent=False) from denied
        return identity

    def describe(self, entity: str) -> Fields:
        """The fields by the OpenAPI document, by the declaration, or by the first page of records."""
        declared = self._declared(entity)
        native = declared.native or entity
        if declared.schema_name is not None and self.config.openapi is not None:
            return self._openapi(self.config.openapi).fields(declared.schema_name)
        if declared.fields:
            return declared_fields(native, declared.fields)
        if declared.read is None:
            return Fields(native)
        page = next(self.read(entity, None, limit=200), None)
        return sampled_fields(native, [row.body for row in page.rows if row.body] if page else [])

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """What changed by the declared filter and paging; an entity without a stamp as one snapshot."""
        reader, declared = self._reader(entity), self._declared(entity)
        return reader.snapshot() if declared.stamp is None else reader.changes(since, limit)

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Records by id."""
        return self._calls(entity).fetch(ids)

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Every key with the digest of its record, in the order of text."""
        return self._reader(entity).keys(low, high)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """One call per record."""
        calls = self._calls(entity)
        return [calls.write(each) for each in writes]

    def find(self, entity: str, reference: str) -> Found | None:
        """The record with our reference."""
        return self._calls(entity).find(reference)

    def line_key(self, entity: str, line: Mapping[str, Any]) -> str | None:
        """A line's own number."""
        lines = self._declared(entity).lines
        held = Place(lines.key).of(line) if lines is not None else None
        return None if held is None else str(held)

    def _declared(self, entity: str) -> RestEntity:
        return self.config.entities[entity]

    def _records(self, entity: str) -> Records:
        each = self._declared(entity)
        return Records(
            f"{self.name}: {entity}",
            each.key,
            each.stamp,
            deleted=each.deleted,
            version=each.version,
            lines=each.lines,
            reference=each.reference,
        )

    def _reader(self, entity: str) -> Reader:
        each, what = self._declared(entity), f"{self.name}: read {entity}"
        if each.read is None:
            raise Rejected(f"{self.name}: {entity} is only written.", hint="Say `read` of the entity.", sent=False)
        errors = ErrorMap(self.config.errors_of(each))
        source = RestSource(self._line, errors, each, self._records(entity), what)
        return Reader(source, self.clock, timedelta(seconds=self.config.overlap_of(each)))

    def _calls(self, entity: str) -> RestCalls:
        each = self._declared(entity)
        errors = ErrorMap(self.config.errors_of(each))
        return RestCalls(self._line, errors, each, self._records(entity), f"{self.name}: {entity}")

    def _openapi(self, where: str) -> OpenApi:
        if self._document is None:
            self._document = OpenApi(self._loaded(where), f"{self.name}: {where}")
        return self._document

    def _loaded(self, where: str) -> Any:
        if not where.startswith("file:"):
            return self._line.send("GET", where, ErrorMap(self.config.errors)).json()
        path = Path(where.removeprefix("file:"))
        try:
            content = path.read_bytes()
        except OSError as error:
            message = f"{self.name}: {path} cannot be read ({type(error).__name__})."
            raise Denied(message, hint="Look at `openapi` of the system.", sent=False) from error
        if path.suffix == ".json":
            return strict_json.loads(content)
        return plain(yaml.load(content.decode("utf-8"), file=str(path)))


def _entity(each: RestEntity, name: str, overlap: int, settle: int) -> Entity:
    grade: Grade | None = None
    if each.upsert is not None:
        grade = "B"
    elif each.create is not None:
        grade = "A" if each.create.idempotency else "C" if each.find is not None else "D"
    changes: Grade | None = "B" if each.update is not None or each.upsert is not None else None
    deletes: Grade | None = "B" if each.delete is not None or (each.policies and each.update is not None) else None
    stamps = [path.partition(".")[0] for path in (each.stamp.path if each.stamp else ())]
    return Entity(
        (each.native or name) if each.read is not None or each.fetch is not None else "",
        create=grade,
        update=changes,
        delete=deletes,
        settle=timedelta(seconds=settle if each.settle is None else each.settle),
        overlap=timedelta(seconds=overlap if each.overlap is None else each.overlap),
        snapshot=each.stamp is None,
        lines=each.lines.under if each.lines else None,
        key=each.key,
        ignored=frozenset([*stamps, *each.ignored, *([each.version] if each.version else [])]),
    )
