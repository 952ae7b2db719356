"""Reads whole records of an entity, as mappings see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from re import compile as pattern
from typing import Any

from connectors.tryton._config import TrytonConfig
from connectors.tryton._schema import Schema
from connectors.tryton._session import Session
from connectors.tryton._sources import Source
from connectors.tryton._wire import Record, inward, number_text
from landbridge.connector import Row

OURS = pattern(r"LB[A-Z2-7]{26}")
CHUNK = 200
_POSTED = ("posted", "paid")


class Records:
    """The records of one entity."""

    def __init__(self, entity: str, source: Source, config: TrytonConfig, session: Session, schema: Schema) -> None:
        self.entity = entity
        self.source = source
        self.config = config
        self.session = session
        self.schema = schema
        self._paths: list[str] = []
        self._currency: Record | None = None

    @property
    def model(self) -> str:
        """Tryton's name of it."""
        return self.source.model

    @property
    def domain(self) -> list[Any]:
        """Which records are ours to read."""
        return [*self.source.domain, *self.config.domain.get(self.entity, [])]

    def paths(self) -> list[str]:
        """The fields that are read."""
        if not self._paths:
            named = [*self.source.fields, *self.config.fields.get(self.entity, [])]
            if self.source.lines and self.entity in ("sales_order", "purchase_order"):
                named.append(f"{self.source.lines}.{self.config.line_reference}")
            if self.entity == "product":
                named += ["template.list_price"]
            self._paths = self.schema.readable(self.model, named)
        return self._paths

    def select(self, domain: Sequence[Any], limit: int | None, order: Any, *more: str) -> list[Record]:
        """Records as Tryton sends them."""
        fields = [*self.paths(), *more]
        found = self.session.call(self.model, "search_read", list(domain), 0, limit, order, fields)
        return list(found)

    def by_id(self, ids: Iterable[int], *, all_of_them: bool = False) -> list[Row]:
        """The records with these ids that are there; by default only those that belong to the entity."""
        wanted, rows = list(dict.fromkeys(ids)), []
        scope = [] if all_of_them else self.domain
        for begin in range(0, len(wanted), CHUNK):
            part = wanted[begin : begin + CHUNK]
            rows += [self.row(one) for one in self.select([["id", "in", part], *scope], None, [["id", "ASC"]])]
        return rows

    def row(self, record: Mapping[str, Any]) -> Row:
        """A record as the engine takes it."""
        body = self.body(record)
        if self.entity == "price" and body["list_price"] is None:
            return Row(str(record["id"]), None, action="delete")  # a product, but none that has a price
        changed = body.get("@changed") or body.get("write_date") or body.get("create_date")
        return Row(str(record["id"]), body, stamp=changed, version=self.version(record))

    def version(self, record: Mapping[str, Any]) -> str | None:
        """What the optimistic lock compares: the time stamps of the record and of what is written with it."""
        stamps = []
        for path in self.source.locks:
            at: Any = record
            *along, name = path.split(".")
            for step in along:
                at = at.get(f"{step}.") or {}
            stamps.append(str(at.get(name) or ""))
        return "|".join(stamps) if all(stamps) else None

    def body(self, record: Mapping[str, Any]) -> Record:
        """A record as mappings see it."""
        body = inward(record, self.source.references)
        for name in ("_timestamp", "last_modified_at"):
            body.pop(name, None)
        body["id"] = str(record["id"])
        _FINISH.get(self.entity, _untouched)(self, body)
        return body

    def company_currency(self) -> Record:
        """The currency of the company that the user works for."""
        if self._currency is None:
            company, fields = self.session.context.get("company"), ["currency.code"]
            found = self.session.call("company.company", "search_read", [["id", "=", company]], 0, 1, None, fields)
            self._currency = dict(inward(found[0])["currency"]) if found else {}
        return self._currency


def _untouched(records: Records, body: Record) -> None:
    """Nothing to do."""


def _party(records: Records, body: Record) -> None:
    for name in ("addresses", "contact_mechanisms", "identifiers"):
        body[name] = [each for each in body.get(name) or [] if each.pop("active", True) is not False]
    _identifiers(records, body)


def _identifiers(records: Records, body: Record) -> None:
    """Our own reference is no number of the record."""
    body["identifiers"] = [each for each in body.get("identifiers") or [] if not OURS.fullmatch(each["code"] or "")]


def _changed(body: Record) -> None:
    template = body.get("template")
    stamps = [body.get("write_date") or body.get("create_date")]
    if isinstance(template, dict):
        template.pop("_timestamp", None)
        stamps.append(template.pop("write_date", None))
    body["@changed"] = max(each for each in stamps if each)


def _product(records: Records, body: Record) -> None:
    _changed(body)
    _identifiers(records, body)


def _price(records: Records, body: Record) -> None:
    _changed(body)
    template = body.pop("template", None) or {}
    if body.get("list_price") is None:
        body["list_price"] = template.get("list_price")
    body["currency"] = dict(records.company_currency())


def _order(records: Records, body: Record) -> None:
    reference, net = records.config.line_reference, Decimal(body.get("untaxed_amount") or 0)
    for line in body.get("lines") or []:
        line["@line"] = line.get(reference)
        moved = (Decimal(each["quantity"]) for each in line.pop("moves", None) or [] if each["state"] == "done")
        billed = (Decimal(each["quantity"]) for each in line.pop("invoice_lines", None) or [] if _posted(each))
        line["@shipped"], line["@invoiced"] = number_text(sum(moved, Decimal())), number_text(sum(billed, Decimal()))
        if line.get("product") is None and line.get("amount") is not None:
            net -= Decimal(line["amount"])  # a charge
    body["@net"] = number_text(net)


def _posted(invoice_line: Record) -> bool:
    return invoice_line.get("quantity") is not None and (invoice_line.get("invoice") or {}).get("state") in _POSTED


_FINISH = {
    "customer": _party,
    "supplier": _party,
    "product": _product,
    "price": _price,
    "sales_order": _order,
    "purchase_order": _order,
}
