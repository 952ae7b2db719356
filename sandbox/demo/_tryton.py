"""Tryton as the demonstration's ERP: a real one, whose people work over the interface that its own clients use."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.demo._backoffice import Buyer, Held
from sandbox.demo._company import Address, Company, Order
from sandbox.tryton import Client, Tryton
from sandbox.tryton._company import CATEGORY, SHIPPING

Record = dict[str, Any]
_UNITS = {"PC": "u", "KG": "kg"}
_BATCH = 100  # records per call: the server's time goes by records, and a call must not hold the one writer for long
_SHIPPING = ("assign_try", "pick", "pack", "ship", "do")
_OPEN = ("draft", "waiting", "assigned", "picked")


class TrytonBackoffice:
    """A Tryton of its own, gone when it is closed."""

    name_length: int | None = None
    patience = 60.0  # an order is quoted, confirmed and processed, each a call, and one writer does it all

    def __init__(self, folder: Path, currency: str) -> None:
        self.erp = Tryton(folder, currency=currency)
        self.people: Client = self.erp.people
        self._products: dict[str, int] = {}
        self._before: set[int] = set()

    def close(self) -> None:
        """End it."""
        self.erp.stop()

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        """It serves since it was made."""
        yield {
            "DEMO_ERP_URL": self.erp.url,
            "DEMO_ERP_USER": self.erp.user,
            "DEMO_ERP_PASSWORD": self.erp.password,
        }

    # -- people ----------------------------------------------------------------------------------------------------

    def seed(self, company: Company, stock: Mapping[str, Decimal]) -> None:
        """Enter products, their stock by an inventory, suppliers and carriers; a call for each kind."""
        people = self.people
        units = {row["symbol"]: row["id"] for row in people.rows("product.uom", [], ["symbol"])}
        category = people.one("product.category", [["name", "=", CATEGORY]])["id"]
        rows = []
        for product in company.products:
            unit = units[_UNITS[product.unit]]
            rows.append(
                {
                    "name": product.name,
                    "type": "goods",
                    "default_uom": unit,
                    "sale_uom": unit,
                    "salable": True,
                    "list_price": product.price,
                    "account_category": category,
                    "products": [["create", [{"suffix_code": product.number}]]],
                }
            )
        people.create("product.template", rows)
        self._products = {row["code"]: row["id"] for row in people.rows("product.product", [], ["code"])}
        self.count(stock)
        countries = {row["code"]: row["id"] for row in people.rows("country.country", [], ["code"])}
        people.create(
            "party.party",
            [
                {
                    "name": supplier.name,
                    "addresses": [["create", [_address(supplier.address, countries)]]],
                    "contact_mechanisms": [["create", [{"type": "phone", "value": supplier.phone}]]]
                    if supplier.phone
                    else [],
                }
                for supplier in company.suppliers
            ],
        )
        self._carriers(sorted({order.carrier for order in company.orders if order.carrier}))
        self._before = set(people.search("party.party"))

    def _carriers(self, names: Sequence[str]) -> None:
        parties = self.people.create("party.party", [{"name": name} for name in names])
        service = self._products[SHIPPING]
        rows = [{"party": party, "carrier_product": service, "carrier_cost_method": "product"} for party in parties]
        self.people.create("carrier", rows)

    def count(self, stock: Mapping[str, Decimal]) -> None:
        """Count the stock: an inventory of the warehouse's storage."""
        warehouse = self.people.one("stock.location", [["type", "=", "warehouse"]], ["storage_location"])
        lines = [{"product": self._products[code], "quantity": float(number)} for code, number in stock.items()]
        inventory = {"location": warehouse["storage_location"], "lines": [["create", lines]]}
        self.people.press("stock.inventory", "confirm", self.people.create("stock.inventory", [inventory]))

    def ship(self, orders: Mapping[str, Order]) -> int:
        """Assign, pick, pack, ship and deliver the past's orders, each on its day and by its carrier."""
        people = self.people
        carriers = {row["party."]["name"]: row["id"] for row in people.rows("carrier", [], ["party.name"])}
        sales = people.rows("sale.sale", [["state", "=", "processing"]], ["reference", "shipments"])
        wanted: list[tuple[int, Record]] = []
        for sale in sales:
            order = orders.get(sale["reference"] or "")
            if order is not None and order.shipped_on is not None:
                values = {"effective_date": order.shipped_on, "reference": f"TR{order.number}"}
                if order.carrier:
                    values["carrier"] = carriers[order.carrier]
                wanted += [(shipment, values) for shipment in sale["shipments"]]
        for part in _parts(wanted):
            pairs = [value for shipment, values in part for value in ([shipment], values)]
            people.call("model.stock.shipment.out.write", *pairs)
            for button in _SHIPPING:
                people.press("stock.shipment.out", button, [shipment for shipment, _ in part])
        return len(wanted)

    # -- looking ---------------------------------------------------------------------------------------------------

    def held(self, numbers: Iterable[str] = ()) -> dict[str, list[Held]]:
        """The orders by their reference; lines that Tryton or our freight added are apart."""
        wanted = list(numbers)
        where = [["reference", "in", wanted]] if wanted else []
        lines = defaultdict(list)
        fields = ["sale", "product.code", "quantity", "amount", "shipment_cost"]
        for row in self.people.rows("sale.line", [["type", "=", "line"], *_inside("sale", where)], fields):
            lines[row["sale"]].append(row)
        found = defaultdict(list)
        for head in self.people.rows("sale.sale", where, ["number", "reference", "currency.code", "untaxed_amount"]):
            own: Counter[Any] = Counter()
            freight = added = Decimal(0)
            for row in lines[head["id"]]:
                code = (row["product."] or {}).get("code")
                if row["shipment_cost"] is not None:
                    added += row["amount"]
                elif code is None:  # what the order is charged beside its products
                    freight += row["amount"]
                else:
                    own[code, _plain(row["quantity"]), None, _plain(row["amount"])] += 1
            found[head["reference"] or ""].append(
                Held(
                    number=head["number"] or "",
                    key=f"sale.sale {head['id']}",
                    currency=head["currency."]["code"],
                    net=head["untaxed_amount"] - freight - added,
                    freight=freight,
                    lines=own,
                )
            )
        return dict(found)

    def arrived(self, number: str) -> str | None:
        """A sale that is confirmed or further."""
        where = [["reference", "=", number], ["state", "in", ["confirmed", "processing", "done"]]]
        found = self.people.rows("sale.sale", where, ["number"])
        return found[0]["number"] if found else None

    def buyers(self) -> list[Buyer]:
        """The parties that came after the company had entered its own."""
        fields = ["name", "addresses.city", "addresses.country.code"]
        found = []
        for row in self.people.rows("party.party", [], fields):
            if row["id"] not in self._before:
                at = (row["addresses."] or [{}])[0]
                found.append(Buyer(row["name"], at.get("city") or "", (at.get("country.") or {}).get("code") or ""))
        return found

    def deliveries(self) -> dict[str, Decimal]:
        """Customer shipments that left."""
        rows = self.people.rows("stock.shipment.out", [["state", "in", ["shipped", "done"]]], ["number"])
        numbers = {row["id"]: row["number"] for row in rows}
        found = {number: Decimal(0) for number in numbers.values()}
        where = [
            ["shipment", "like", "stock.shipment.out,%"],
            ["to_location.type", "=", "customer"],
            ["state", "!=", "cancelled"],
        ]
        for move in self.people.rows("stock.move", where, ["shipment", "quantity"]):
            number = numbers.get(int(str(move["shipment"]).rpartition(",")[2]))
            if number is not None:
                found[number] += Decimal(str(move["quantity"]))
        return found

    def stock(self) -> dict[str, Decimal]:
        """What lies in the warehouse, by product."""
        warehouse = self.people.search("stock.location", [["type", "=", "warehouse"]])
        where = [["type", "=", "goods"]]
        rows = self.people.rows("product.product", where, ["code", "quantity"], locations=warehouse)
        return {row["code"]: _plain(row["quantity"] or 0) for row in rows}

    def digests(self) -> dict[str, str]:
        """Each record with what belongs to it; a shipment that has not left yet belongs to its order."""
        found: dict[str, list[Any]] = {}
        for model, fields in _KEPT.items():
            for row in self.people.rows(model, [], fields):
                found[f"{model} {row['id']}"] = [row]
        self._collect(found, "party.address", "party.party", "party", ["party", "street", "city", "country"])
        self._collect(found, "sale.line", "sale.sale", "sale", ["sale", "product", "quantity", "unit_price"])
        sales = {
            shipment: row["id"]
            for row in self.people.rows("sale.sale", [], ["shipments"])
            for shipment in row["shipments"]
        }
        for row in self.people.rows("stock.shipment.out", [], ["number", "state", "write_date"]):
            if row["state"] in _OPEN and row["id"] in sales:
                found[f"sale.sale {sales[row['id']]}"].append(row)
            else:
                found[f"stock.shipment.out {row['id']}"] = [row]
        for code, quantity in self.stock().items():
            found[f"stock {code}"] = [str(quantity)]
        return {key: hashlib.sha256(repr(_sorted(parts)).encode()).hexdigest() for key, parts in found.items()}

    def _collect(self, found: dict[str, list[Any]], model: str, owner: str, link: str, fields: Sequence[str]) -> None:
        for row in self.people.rows(model, [], [*fields, "write_date"]):
            found[f"{owner} {row[link]}"].append(row)


_KEPT = {
    "party.party": ["name", "code", "active", "write_date"],
    "product.template": ["name", "list_price", "active", "write_date"],
    "product.product": ["code", "active", "write_date"],
    "sale.sale": ["number", "reference", "state", "untaxed_amount", "tax_amount", "party", "write_date"],
}


def _inside(link: str, where: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[f"{link}.{name}", *rest] for name, *rest in where]


def _address(address: Address, countries: Mapping[str, int]) -> Record:
    return {
        "street_unstructured": address.street,
        "city": address.city,
        "postal_code": address.postal_code,
        "country": countries[address.country],
    }


def _parts(rows: list[tuple[int, Record]]) -> Iterator[list[tuple[int, Record]]]:
    for at in range(0, len(rows), _BATCH):
        yield rows[at : at + _BATCH]


def _sorted(rows: Iterable[Any]) -> list[Any]:
    return [sorted(row.items(), key=lambda pair: pair[0]) if isinstance(row, dict) else row for row in rows]


def _plain(value: Any) -> Decimal:
    return Decimal(str(value)).normalize() + 0
