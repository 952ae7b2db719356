"""The SAP S/4HANA sandbox as the demonstration's ERP."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox._base import serve
from sandbox.demo._backoffice import Buyer, Held, LineKey
from sandbox.demo._company import Company, Order
from sandbox.sap_s4 import SapSandbox

ERP_USER = "LANDBRIDGE"
_KINDS = ("A_BusinessPartner", "A_Product", "A_SalesOrder", "A_OutbDeliveryHeader", "A_MaterialStock")
_DISCOUNTS = {"RB00", "RA00", "RA01", "K007", "HA00"}
_NEWEST = 20
_ARRIVED = """
SELECT _id FROM (SELECT _id, _doc FROM "A_SalesOrder" ORDER BY _id DESC LIMIT ?)
WHERE json_extract(_doc, '$.PurchaseOrderByCustomer') = ?"""


class SapBackoffice:
    """An S/4HANA whose state is kept under a folder."""

    name_length: int | None = 40
    patience = 10.0

    def __init__(self, state: Path, password: str) -> None:
        self.erp = SapSandbox(state, users={ERP_USER: password})
        self._password = password

    def close(self) -> None:
        """Close it; its state stays on disk."""
        self.erp.close()

    @contextmanager
    def serving(self) -> Iterator[dict[str, str]]:
        """Serve OData inside the block."""
        with serve(self.erp.app) as served:
            yield {"DEMO_ERP_URL": served.url, "DEMO_ERP_USER": ERP_USER, "DEMO_ERP_PASSWORD": self._password}

    # -- people ----------------------------------------------------------------------------------------------------

    def seed(self, company: Company, stock: Mapping[str, Decimal]) -> None:
        """Enter products with stock, and suppliers."""
        for product in company.products:
            self.erp.seed_product(
                product.number,
                product.name,
                price=product.price,
                currency=product.currency,
                unit=product.unit,
                group=product.group,
                names=product.names,
                discontinued=product.discontinued,
                stock=stock[product.number],
            )
        for supplier in company.suppliers:
            at = supplier.address
            self.erp.seed_partner(
                supplier.name, customer=False, supplier=True, country=at.country, city=at.city[:40],
                street=at.street[:60], postal_code=at.postal_code[:10], phone=supplier.phone,
            )  # fmt: skip

    def ship(self, orders: Mapping[str, Order]) -> int:
        """Confirm every order that came, ship those of the past."""
        shipped = 0
        for found in self.erp.records("A_SalesOrder"):
            order = orders.get(found.get("PurchaseOrderByCustomer", ""))
            if order is None:
                continue
            self.erp.confirm(found["SalesOrder"])
            if order.shipped_on is not None:
                self.erp.ship(
                    found["SalesOrder"], on=order.shipped_on.isoformat(), carrier=order.carrier,
                    tracking=f"TR{order.number}",
                )  # fmt: skip
                shipped += 1
        return shipped

    def count(self, stock: Mapping[str, Decimal]) -> None:
        """Count the stock."""
        for product, quantity in stock.items():
            self.erp.stock_set(product, quantity=quantity)

    # -- looking ---------------------------------------------------------------------------------------------------

    def held(self, numbers: Iterable[str] = ()) -> dict[str, list[Held]]:
        """The orders by the customer's number."""
        wanted = set(numbers)
        lines, elements = defaultdict(list), defaultdict(list)
        for line in self.erp.records("A_SalesOrderItem"):
            lines[line["SalesOrder"]].append(line)
        for element in self.erp.records("A_SalesOrderItemPrElement"):
            elements[element["SalesOrder"], element["SalesOrderItem"]].append(element)
        freight = {
            one["SalesOrder"]: _decimal(one.get("ConditionRateValue"))
            for one in self.erp.records("A_SalesOrderHeaderPrElement", ConditionType="HD00")
        }
        found = defaultdict(list)
        for head in self.erp.records("A_SalesOrder"):
            number, theirs = head["SalesOrder"], head.get("PurchaseOrderByCustomer", "")
            if wanted and theirs not in wanted:
                continue
            found[theirs].append(
                Held(
                    number=number,
                    key=f"A_SalesOrder {number}",
                    currency=head["TransactionCurrency"],
                    net=_decimal(head["TotalNetAmount"]),
                    freight=freight.get(number, Decimal(0)),
                    lines=Counter(_line(line, elements[number, line["SalesOrderItem"]]) for line in lines[number]),
                )
            )
        return dict(found)

    def arrived(self, number: str) -> str | None:
        """Among the newest orders: the table is not searched."""
        found = self.erp.store.state.rows(_ARRIVED, (_NEWEST, number))
        return str(found[0][0]) if found else None

    def buyers(self) -> list[Buyer]:
        """Business partners in the role of a customer."""
        roles = self.erp.records("A_BusinessPartnerRole", BusinessPartnerRole="FLCU01")
        customers = {one["BusinessPartner"] for one in roles}
        places = {one["BusinessPartner"]: one for one in self.erp.records("A_BusinessPartnerAddress")}
        found = []
        for partner in self.erp.records("A_BusinessPartner"):
            if partner["BusinessPartner"] in customers:
                words = "".join(partner.get(f"OrganizationBPName{number}") or "" for number in (1, 2, 3, 4))
                at = places.get(partner["BusinessPartner"], {})
                found.append(Buyer(words, at.get("CityName", ""), at.get("Country", "")))
        return found

    def deliveries(self) -> dict[str, Decimal]:
        """Outbound deliveries."""
        found = {one["DeliveryDocument"]: Decimal(0) for one in self.erp.records("A_OutbDeliveryHeader")}
        for item in self.erp.records("A_OutbDeliveryItem"):
            found[item["DeliveryDocument"]] += _decimal(item["ActualDeliveryQuantity"])
        return found

    def stock(self) -> dict[str, Decimal]:
        """Unrestricted stock."""
        found: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.erp.records("A_MatlStkInAcctMod", InventoryStockType="01"):
            found[row["Material"]] += _decimal(row["MatlWrhsStkQtyInMatlBaseUnit"])
        return dict(found)

    def digests(self) -> dict[str, str]:
        """Documents with what belongs to them."""
        found = {}
        for kind in _KINDS:
            for key, document in self.erp.store.state.rows(f'SELECT _id, _doc FROM "{kind}"'):
                found[f"{kind} {key}"] = hashlib.sha256(str(document).encode()).hexdigest()
        return found


def _line(line: dict[str, Any], elements: list[dict[str, Any]]) -> LineKey:
    off = sum(
        (-_decimal(one.get("ConditionAmount")) for one in elements if one["ConditionType"] in _DISCOUNTS), Decimal(0)
    )
    return line["Material"], _plain(line["RequestedQuantity"]), _plain(off), _plain(line["NetAmount"])


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value if value not in (None, "") else 0))


def _plain(value: Any) -> Decimal:
    return _decimal(value).normalize() + 0
