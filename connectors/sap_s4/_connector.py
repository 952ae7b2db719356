"""SAP S/4HANA by its OData V2 services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from connectors.sap_s4._changes import Planner
from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._cursor import parse
from connectors.sap_s4._describe import fields_of
from connectors.sap_s4._events import events_of
from connectors.sap_s4._followers import Followers, begin
from connectors.sap_s4._gateway import Gateway
from connectors.sap_s4._keys import SORTED, Keys
from connectors.sap_s4._literals import any_of, chunks, text
from connectors.sap_s4._masters import Masters
from connectors.sap_s4._matching import Matching
from connectors.sap_s4._numbers import plain_numbers
from connectors.sap_s4._orders import STAGE, Orders
from connectors.sap_s4._plan import Plan
from connectors.sap_s4._prices import price_fields, prices_of
from connectors.sap_s4._reader import Reader
from connectors.sap_s4._returns import Returns
from connectors.sap_s4._sources import PARTNERS, SOURCES, Source
from connectors.sap_s4._stock import QUANTITY, Stock
from connectors.sap_s4._wire import inward
from connectors.sap_s4._writer import Entry, Writer
from landbridge.connector import (
    Connector,
    Delivered,
    Entity,
    Event,
    Fields,
    Found,
    Identity,
    KeyHash,
    Outcome,
    Page,
    Row,
    Waiver,
    Write,
    connector,
)
from landbridge.errors import Conflict, Denied, Rejected
from landbridge.net import Http
from landbridge.signatures import Request
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_SESSION = re.compile(r"SAP_SESSIONID_(\w{3})_(\d{3})")
_MOVES = frozenset({"LastChangeDateTime", "LastChangeDate", "LastChangeTime", "LastChangedByUser", "ETag"})
_MINUTES = timedelta(minutes=1)


@connector("sap_s4", config=SapS4Config)
class SapS4(Connector[SapS4Config]):
    """One client of one S/4HANA system."""

    entities: ClassVar[Mapping[str, Entity]] = {
        "customer": Entity(
            "A_BusinessPartner", "C", "B", None, 50, 5 * _MINUTES, 5 * _MINUTES, key="BusinessPartner", ignored=_MOVES
        ),
        "supplier": Entity(
            "A_BusinessPartner", "C", "B", None, 50, 5 * _MINUTES, 5 * _MINUTES, key="BusinessPartner", ignored=_MOVES
        ),
        "product": Entity("A_Product", "C", "B", None, 50, 5 * _MINUTES, 5 * _MINUTES, key="Product", ignored=_MOVES),
        "price": Entity("A_ProductValuation", overlap=5 * _MINUTES, key="Product", ignored=_MOVES),
        "sales_order": Entity(
            "A_SalesOrder",
            "C",
            "B",
            "B",
            50,
            15 * _MINUTES,
            5 * _MINUTES,
            lines="to_Item",
            stages=(STAGE,),
            key="SalesOrder",
            ignored=_MOVES,
        ),
        "shipment": Entity(
            "A_OutbDeliveryHeader",
            overlap=5 * _MINUTES,
            lines="to_DeliveryDocumentItem",
            key="DeliveryDocument",
            ignored=_MOVES | {"DeliveryVersion"},
        ),
        "inventory_level": Entity("A_MatlStkInAcctMod", snapshot=True, key="Material"),
    }
    waivers: ClassVar[Sequence[Waiver]] = ()

    def __init__(self, name: str, config: SapS4Config, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._gateway = Gateway(name, config, http, clock)
        self._returns = Returns(self._gateway)

    def entity(self, entity: str) -> Entity:
        """The declaration with this system's own settle time, overlap and batch."""
        declared = self.entities[entity]
        return replace(
            declared,
            batch=min(declared.batch, self.config.batch),
            settle=self.config.settle.get(entity, declared.settle),
            overlap=self.config.overlap,
        )

    def check(self) -> Identity:
        """Ask every service; the client is named by SAP's own session cookie, else by host and client."""
        self.http.forget_cookies()
        refused: list[str] = []
        organisation = ""
        for service in dict.fromkeys(source.service for source in SOURCES.values()):
            try:
                reply = self._gateway.head(service)
            except Denied as error:
                if error.status == "401":
                    raise
                refused.append(service)
                continue
            named = _SESSION.search(reply.headers.get("set-cookie") or "")
            organisation = organisation or (f"{named[1]}/{named[2]}" if named else "")
        if refused:
            raise Denied(
                f"{self.name}: the user may not use {', '.join(refused)}.",
                hint="Add the communication scenarios (or PFCG services) of these to the communication user.",
                sent=False,
            )
        host = urlsplit(str(self.config.url)).hostname or ""
        return Identity(organisation or f"{host}/{self.config.client}", self.config.user or self.config.client_id or "")

    def describe(self, entity: str) -> Fields:
        """The fields of the tenant's own metadata, custom ones included."""
        source = self._source(entity)
        fields = fields_of(self._gateway.service(source.service), source, self.config.defaults.get(entity, {}))
        return price_fields(fields) if entity == "price" else fields

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """Pages since a cursor; stock comes as one snapshot per plant."""
        source = self._source(entity)
        cursor = parse(since, system=self.name, entity=entity, now=self.clock.now())
        if source.changes == "none":
            yield from self._stock().read(source, cursor)
            return
        told: set[str] = set()
        for page in self._reader(entity).read(source, cursor, limit):
            if entity == "sales_order" and cursor.done:
                told |= {row.key for row in page.rows}
                if parse(page.cursor, system=self.name, entity=entity, now=self.clock.now()).until is None:
                    page.rows += self._followed(begin(cursor.done, self.entity(entity).overlap), told)
            page.rows = self._finish(entity, page.rows)
            yield page

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """The records as they are now; an id that SAP does not know comes as deleted."""
        wanted = dict.fromkeys(ids)
        if entity == "inventory_level":
            rows = list(self._stock().fetch(self._source(entity), wanted))
        else:
            keys = list(dict.fromkeys(key.split("|")[0] for key in wanted)) if entity == "price" else list(wanted)
            rows = [row for row in self._finish(entity, self._rows(self._source(entity), keys)) if row.key in wanted]
        there = {row.key for row in rows}
        return rows + [Row(key, None, action="delete") for key in wanted if key not in there]

    def fetch_named(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """The records as they are now; a partner that is no customer (or no supplier) is none of ours."""
        rows = self.fetch(entity, ids)
        role = {"customer": "Customer", "supplier": "Supplier"}.get(entity)
        return [row for row in rows if role is None or row.body is None or row.body.get(role)]

    def parse_webhook(self, request: Request) -> list[Event]:
        """What business events (CloudEvents) name; they carry keys only."""
        return events_of(request)

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """All keys in ascending order with a hash of change stamp and version, or of the content where SAP has none."""
        source = self._source(entity)
        if entity in ("inventory_level", "price"):
            pages = self.read(entity, None)
            hashes: Iterator[tuple[str, bytes]] = (
                (row.key, strict_json.digest(row.body)) for page in pages for row in page.rows
            )
        else:
            hashes = Keys(self._gateway, self.config.page).read(source, low, high)
        for key, digest in hashes if entity in SORTED else sorted(hashes):
            if (low is None or key >= low) and (high is None or key < high):
                yield KeyHash(key, digest)

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """Each write is a changeset of its own: all of it or nothing, and none pulls another down."""
        source = self._source(entity)
        entry = Entry(
            lambda write: self._plan(entity, source, write),
            lambda ids: self.fetch(entity, ids),
            lambda plan, row: self._pairs(plan, row) if entity == "sales_order" else {},
            self._addressed,
        )
        return Writer(self._gateway, source.service, source.key, entry).write(writes)

    def find(self, entity: str, reference: str) -> Found | None:
        """What carries our reference; more than one record is for a person to clear up."""
        source = self._source(entity)
        service = self._gateway.service(source.service)
        if source.service == PARTNERS:
            number = Masters(self.config, service, entity, source.entity_set).reference(reference)
            condition = (
                f"BPIdentificationType eq {text(self.config.identification)}"
                f" and BPIdentificationNumber eq {text(number)}"
            )
            answer = self._gateway.get(source.service, "A_BuPaIdentification", {"$filter": condition})
        else:
            number = self._reference(entity, source, reference)
            condition = f"{self.config.reference_field(entity)} eq {text(number)}"
            query = {"$filter": condition, "$select": source.key}
            answer = self._gateway.get(source.service, source.entity_set, query)
        ids = sorted({str(record[source.key]) for record in answer["results"]})
        if not ids:
            return None
        if len(ids) > 1:
            raise Conflict(
                f"{self.name}: our reference {reference} stands in {len(ids)} records: {', '.join(ids[:5])}.",
                ours=reference,
                theirs=ids,
                hint="Keep one of them, clear the reference field of the others in SAP, and replay.",
            )
        row = self.fetch(entity, ids)[0]
        body = row.body or {}
        lines = Orders(self.config, service).all_pairs(body) if entity == "sales_order" else {}
        return Found(row.key, row.version, lines, row.body)

    def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
        """The ids that hold each value: `tax_id` by the tax numbers of a partner, else a field of the record."""
        return Matching(self._gateway, self.config).find(self._source(entity), values, field)

    def absent(self, entity: str, last: dict[str, Any]) -> dict[str, Any] | None:
        """Stock that is in no row any more is sold out."""
        return {**last, QUANTITY: "0"} if entity == "inventory_level" else None

    def _followed(self, since: datetime, told: set[str]) -> list[Row]:
        """Orders that only their followers tell of, on the last page of a window."""
        orders = [number for number in Followers(self._gateway, self.config).orders(since) if number not in told]
        return [row for row in self.fetch("sales_order", orders) if row.body is not None]

    def _plan(self, entity: str, source: Source, write: Write) -> Plan | Outcome:
        service = self._gateway.service(source.service)
        made: Orders | Masters = (
            Orders(self.config, service)
            if entity == "sales_order"
            else Masters(self.config, service, entity, source.entity_set)
        )
        if self.entities[entity].create is None:
            raise Rejected(
                f"{self.name}: {entity} is only read.", hint="Take it out of the flow's targets.", sent=False
            )
        if write.action == "delete" and write.policy == "ignore":
            return Delivered(write.target_id or "", write.expected)
        if write.action == "create" and write.stage is None:
            return made.create(write)
        key = write.handle or write.target_id
        if key is None:
            raise Rejected(f"{write.reference} has no id in SAP to change.", hint="Replay it as a create.", sent=False)
        current = self._current(source, key)
        if isinstance(made, Orders) and write.stage == STAGE:
            return made.address(write, current)
        return made.cancel(write, current) if write.action == "delete" else made.update(write, current)

    def _current(self, source: Source, key: str) -> dict[str, Any]:
        service = self._gateway.service(source.service)
        path = Planner(service).path(source.entity_set, {source.key: key})
        record = self._gateway.get(source.service, path, {"$expand": self._reader("").expand(source)})
        return inward(service, source.entity_set, record, etags=True)

    def _rows(self, source: Source, keys: list[str]) -> list[Row]:
        """The records with these keys: by filters where SAP lets them be filtered, else one by one."""
        reader = self._reader("")
        if not self._gateway.service(source.service)[source.entity_set].filterable(source.key):
            return [row for key in keys for row in self._one(source, reader, key)]
        rows = []
        for chunk in chunks(keys, per_value=len(source.key) + 10):
            query = {"$filter": any_of(source.key, "Edm.String", chunk), "$expand": reader.expand(source)}
            found = self._gateway.all(source.service, source.entity_set, query)
            rows += [reader.row(source, record) for record in found]
        return rows

    def _stock(self) -> Stock:
        return Stock(self._gateway, self.config, self.clock)

    def _one(self, source: Source, reader: Reader, key: str) -> list[Row]:
        path = Planner(self._gateway.service(source.service)).path(source.entity_set, {source.key: key})
        try:
            return [reader.row(source, self._gateway.get(source.service, path, {"$expand": reader.expand(source)}))]
        except Rejected:
            return []

    def _pairs(self, plan: Plan, row: Row) -> dict[str, str]:
        orders = Orders(self.config, self._gateway.service(self._source("sales_order").service))
        return orders.pairs(plan.write.lines, (row.body or {}).get("to_Item") or [])

    def _addressed(self, plan: Plan, row: Row) -> bool:
        orders = Orders(self.config, self._gateway.service(self._source("sales_order").service))
        return orders.addressed(plan.write, row.body or {})

    def _reference(self, entity: str, source: Source, reference: str) -> str:
        service = self._gateway.service(source.service)
        if entity == "sales_order":
            return Orders(self.config, service).reference(reference)
        return Masters(self.config, service, entity, source.entity_set).reference(reference)

    def _finish(self, entity: str, rows: list[Row]) -> list[Row]:
        if entity == "sales_order":
            self._returns.complete([row.body for row in rows if row.body is not None])
        if entity == "shipment":
            for row in rows:
                plain_numbers(row.body or {})
        return [price for row in rows for price in prices_of(row)] if entity == "price" else rows

    def _reader(self, entity: str) -> Reader:
        overlap = self.entity(entity).overlap if entity else self.config.overlap
        return Reader(self._gateway, self.config, self.clock, overlap)

    def _source(self, entity: str) -> Source:
        source = SOURCES.get(entity)
        if source is None:
            raise Rejected(f"{self.name} has no {entity}.", hint=f"It knows {', '.join(sorted(SOURCES))}.", sent=False)
        return replace(source, service=self.config.delivery_service) if entity == "shipment" else source
