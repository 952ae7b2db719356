"""Tryton by its JSON-RPC interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from connectors.tryton._config import REFERENCES, TrytonConfig
from connectors.tryton._masters import Masters
from connectors.tryton._matching import matches
from connectors.tryton._orders import STAGES, Orders, lines_of
from connectors.tryton._reader import Reader
from connectors.tryton._records import Records
from connectors.tryton._references import References
from connectors.tryton._rights import missing_rights
from connectors.tryton._schema import Schema
from connectors.tryton._session import Session
from connectors.tryton._sources import SOURCES
from connectors.tryton._stock import Stock, emptied
from connectors.tryton._values import Values
from landbridge.connector import (
    Connector,
    Entity,
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
from landbridge.errors import Denied, Rejected
from landbridge.net import Http
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_MOVES = frozenset({"write_date", "create_date", "@changed"})
_SETTLE = _OVERLAP = timedelta(minutes=5)
_ORDERS = ("sales_order", "purchase_order")


def _master(native: str) -> Entity:
    return Entity(native, "C", "B", "B", 50, _SETTLE, _OVERLAP, key="id", ignored=_MOVES)


def _order(native: str) -> Entity:
    return Entity(
        native, "C", "C", "B", 50, _SETTLE, _OVERLAP, lines="lines", stages=STAGES, key="id", ignored=_MOVES
    )  # fmt: skip


@connector("tryton", config=TrytonConfig)
class Tryton(Connector[TrytonConfig]):
    """One database of a Tryton server."""

    entities: ClassVar[Mapping[str, Entity]] = {
        "customer": _master("party.party"),
        "supplier": _master("party.party"),
        "product": _master("product.product"),
        "price": Entity("product.product", overlap=_OVERLAP, key="id", ignored=_MOVES),
        "sales_order": _order("sale.sale"),
        "purchase_order": _order("purchase.purchase"),
        "shipment": Entity(
            "stock.shipment.out", overlap=_OVERLAP, lines="outgoing_moves", key="id", ignored=_MOVES
        ),
        "inventory_level": Entity("product.product", snapshot=True, key="id"),
    }  # fmt: skip
    waivers: ClassVar[Sequence[Waiver]] = (
        Waiver("describe_knows_types_and_lengths", "Tryton's texts have no length that its metadata would tell."),
    )

    def __init__(self, name: str, config: TrytonConfig, http: Http, clock: Clock) -> None:
        super().__init__(name, config, http, clock)
        self._session = Session(config, http, clock)
        self._schema = Schema(self._session)
        self._values = Values(self._schema)
        self._lock = threading.Lock()
        self._records: dict[str, Records] = {}

    def entity(self, entity: str) -> Entity:
        """The declaration with this system's own batch, settle time and overlap."""
        declared, config = self.entities[entity], self.config
        stages = STAGES[: ("draft", *STAGES).index(config.until)] if declared.stages else ()
        return replace(
            declared, batch=config.batch, settle=config.settle, overlap=config.overlap, stages=stages
        )  # fmt: skip

    def check(self) -> Identity:
        """Log in, name the company, and ask for the rights on every model that is read or written."""
        self._session.login()
        self._schema.forget()
        company = self._session.context.get("company")
        if not company:
            hint = "Give the integration user a company in Tryton; without it orders and prices cannot be read."
            raise Denied(f"{self.name}: {self.config.user} works for no company.", hint=hint, sent=False)
        if missing := missing_rights(self._session, self.config):
            hint = "Give the groups of the integration user the rights in Tryton, or set `deletions: false`."
            raise Denied(f"{self.name}: {self.config.user} may not {'; '.join(missing)}.", hint=hint, sent=False)
        details = {"version": self._session.version()}
        return Identity(f"{self.config.database}/{company}", self.config.user, details)

    def describe(self, entity: str) -> Fields:
        """The fields of the tenant's own models, those of modules and lines included."""
        return self._schema.describe(SOURCES[entity])

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """Pages since a cursor; stock comes as one snapshot per warehouse."""
        if entity == "inventory_level":
            return Stock(self._of(entity), self.clock).pages()
        return Reader(self._of(entity), self.clock, self.config.overlap).pages(since, limit)

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """The records as they are now; an id that Tryton does not know comes as deleted."""
        wanted = dict.fromkeys(ids)
        if entity == "inventory_level":
            rows = list(Stock(self._of(entity), self.clock).fetch(wanted))
        else:
            rows = self._of(entity).by_id((int(key) for key in wanted if key.isdigit()), all_of_them=True)
        there = {row.key for row in rows}
        return rows + [Row(key, None, action="delete") for key in wanted if key not in there]

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Every key as text, ascending, with a hash of the content."""
        pages = self.read(entity, None)
        hashes = {row.key: strict_json.digest(row.body) for page in pages for row in page.rows if row.body is not None}
        for key in sorted(hashes):
            if (low is None or key >= low) and (high is None or key < high):
                yield KeyHash(key, hashes[key])

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """Batches in one transaction; a record that is refused pulls no other down."""
        if entity not in REFERENCES:
            raise Rejected(f"{self.name} writes no {entity}.", hint="Take it out of the flow.", sent=False)
        records = self._of(entity)
        kind = Orders if entity in _ORDERS else Masters
        return kind(records, References(records), self._values).write(writes)

    def find(self, entity: str, reference: str) -> Found | None:
        """What carries our reference, however far it came."""
        row = References(self._of(entity)).find(reference)
        if row is None or row.body is None:
            return None
        return Found(row.key, row.version, lines_of(row.body), row.body)

    def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
        """The ids of the records that hold each value."""
        return matches(self._of(entity), values, field)

    def absent(self, entity: str, last: dict[str, Any]) -> dict[str, Any] | None:
        """A product that a complete snapshot does not tell of lies nowhere; anything else is gone."""
        return emptied(last) if entity == "inventory_level" else None

    def _of(self, entity: str) -> Records:
        with self._lock:
            if entity not in self._records:
                made = Records(entity, SOURCES[entity], self.config, self._session, self._schema)
                self._records[entity] = made
            return self._records[entity]
