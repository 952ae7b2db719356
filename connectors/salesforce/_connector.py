"""The connector: what the engine calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from connectors.salesforce._bulk import Loads
from connectors.salesforce._collections import Collections
from connectors.salesforce._config import SalesforceConfig
from connectors.salesforce._entities import ENTITIES, LINES
from connectors.salesforce._ingest import Ingest
from connectors.salesforce._outbound import ACK, events_of
from connectors.salesforce._prices import BOOK, ENTRY, Prices
from connectors.salesforce._read import Reader
from connectors.salesforce._rights import missing_rights
from connectors.salesforce._schema import Schema
from connectors.salesforce._session import Session
from connectors.salesforce._write import Writer
from landbridge.connector import (
    Answer,
    Connector,
    Entity,
    Event,
    Fields,
    Found,
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
from landbridge.signatures import Request
from landbridge.time import Clock


@connector("salesforce", config=SalesforceConfig)
class Salesforce(Connector[SalesforceConfig]):
    """Reads by SystemModstamp and writes by external id (grade B): a repeated write is the same record."""

    entities: ClassVar[Mapping[str, Entity]] = ENTITIES

    def __init__(self, name: str, config: SalesforceConfig, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._session = Session(config, http, clock)
        self._schema = Schema(self._session, config)
        jobs = Loads(self._session)
        self._reader = Reader(self._session, self._schema, jobs, config)
        collections = Collections(self._session, self._schema, config.reference)
        above = config.bulk.write_above
        ingest = Ingest(jobs, self._schema, name, config.reference, above)
        self._writer = Writer(collections, ingest, self._schema, Prices(self._session), config.reference)
        self._declared = {
            entity: replace(each, bulk=above) if above and entity not in LINES else each
            for entity, each in ENTITIES.items()
        }

    def entity(self, entity: str) -> Entity:
        """The declaration, with the threshold of this system."""
        return self._declared[entity]

    def check(self) -> Identity:
        """Log in, say which org answers, and ask for the rights on every entity in use."""
        identity = self._session.login()
        self._schema.forget()
        missing = missing_rights(self._schema, self.config.use or self.entities, self.config.reference)
        if missing:
            hint = "Add the rights to the integration user's permission set, or name the entities you need in `use`."
            raise Denied(f"{self.name}: {identity.user} may not {'; '.join(missing)}.", hint=hint, sent=False)
        return identity

    def describe(self, entity: str) -> Fields:
        """The org's own fields; those of lines as `OrderItems.Quantity`, read as `OrderItems.records.Quantity`.

        What this connector writes by itself (a line's document, the standard price book) is required of nobody.
        """
        native = self.entities[entity].native
        fields = self._schema.fields(native)
        own = {BOOK} if native == ENTRY else set()
        if entity in LINES:
            lines = LINES[entity]
            fields |= self._schema.fields(lines.native, f"{lines.relation}.")
            read = self._schema.fields(lines.native, f"{lines.relation}.records.")
            fields |= {
                name: replace(one, required=False, creatable=False, updatable=False) for name, one in read.items()
            }
            own.add(f"{lines.relation}.{lines.parent}")
        return Fields(native, fields | {name: replace(fields[name], required=False) for name in own & fields.keys()})

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """What changed, by (SystemModstamp, Id); deleted and merged records included once a cursor stands."""
        return self._reader.pages(entity, self.entities[entity], since, limit)

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Records by Id, 200 in a query."""
        return self._reader.fetch(entity, ids)

    def fetch_named(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Records by Id that meet the filter of their entity; those that are gone as `delete`."""
        return self._reader.fetch(entity, ids, filtered=True)

    def parse_webhook(self, request: Request) -> list[Event]:
        """The records that an outbound message names."""
        return events_of(request.body)

    def answer_webhook(self, request: Request) -> Answer:
        """The acknowledgement without which an outbound message comes again."""
        return ACK

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Every Id with the digest of its record."""
        return self._reader.keys(entity, low, high)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """Up to 200 records in one call, thousands in a job; lines of documents in calls of their own."""
        return self._writer.write(entity, self.entities[entity], writes)

    def find(self, entity: str, reference: str) -> Found | None:
        """The record whose external id is our reference."""
        return self._reader.find(entity, reference)

    def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
        """The Ids of the records that hold each value."""
        return self._reader.matches(self.entities[entity].native, values, field)

    def line_key(self, entity: str, line: Mapping[str, Any]) -> str | None:
        """A line's own Id."""
        return str(line["Id"]) if entity in LINES and "Id" in line else None
