"""The back office: what people in the ERP do, for tests and the demo, past the OData services."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox._base.clock import Clock
from sandbox.sap_s4._availability import KIND as STOCK
from sandbox.sap_s4._availability import QUANTITY, ROWS
from sandbox.sap_s4._delivery import Deliveries
from sandbox.sap_s4._edm import EntitySet, Service
from sandbox.sap_s4._order import KIND as ORDER
from sandbox.sap_s4._order import Orders
from sandbox.sap_s4._order_views import LINES
from sandbox.sap_s4._pricing import LINE as ELEMENTS
from sandbox.sap_s4._read import Reader
from sandbox.sap_s4._status import settle_status
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._unit import Unit, dependants
from sandbox.sap_s4._values import as_decimal, show_decimal, ticks
from sandbox.sap_s4._write import Writer

Number = str | int | float | Decimal
Area = tuple[str, str, str]


class Office:
    """Seeds, goods movements and changes by hand; every action is one transaction at the sandbox clock's now."""

    def __init__(
        self,
        services: Mapping[str, Service],
        store: Store,
        reader: Reader,
        writer: Writer,
        orders: Orders,
        deliveries: Deliveries,
        clock: Clock,
        *,
        plant: str,
        area: Area,
    ) -> None:
        self._services, self._store, self._reader, self._writer = services, store, reader, writer
        self._orders, self._deliveries, self._clock = orders, deliveries, clock
        self.plant, self.area = plant, area

    def seed_partner(
        self,
        name: str,
        *,
        number: str | None = None,
        customer: bool = True,
        supplier: bool = False,
        country: str = "DE",
        city: str = "",
        street: str = "",
        postal_code: str = "",
        tax_id: str | None = None,
        tax_type: str = "DE0",
        currency: str = "EUR",
        areas: Sequence[Area] | None = None,
        email: str | None = None,
        phone: str | None = None,
        search_term: str = "",
    ) -> str:
        """A business partner with one address; returns its number."""
        address: Record = {"Country": country, "CityName": city, "StreetName": street, "PostalCode": postal_code}
        if email:
            address["to_EmailAddress"] = [{"EmailAddress": email, "IsDefaultEmailAddress": True}]
        if phone:
            address["to_PhoneNumber"] = [{"PhoneNumber": phone, "IsDefaultPhoneNumber": True}]
        body: Record = {
            "BusinessPartnerCategory": "2",
            "OrganizationBPName1": name[:40],
            "OrganizationBPName2": name[40:80],
            "SearchTerm1": search_term or name[:20],
            "to_BusinessPartnerAddress": [address],
            "to_BusinessPartnerRole": [],
        }
        if number:
            body["BusinessPartner"] = number
        if tax_id:
            body["to_BusinessPartnerTax"] = [{"BPTaxType": tax_type, "BPTaxNumber": tax_id}]
        if customer:
            body["to_BusinessPartnerRole"] += [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}]
            body["to_Customer"] = {"to_CustomerSalesArea": [_area(one, currency) for one in areas or [self.area]]}
        if supplier:
            body["to_BusinessPartnerRole"] += [{"BusinessPartnerRole": "FLVN00"}, {"BusinessPartnerRole": "FLVN01"}]
        created: str = self._create("API_BUSINESS_PARTNER", "A_BusinessPartner", body)["BusinessPartner"]
        return created

    def seed_product(
        self,
        number: str,
        name: str,
        *,
        price: Number | None = None,
        currency: str = "EUR",
        per: int = 1,
        unit: str = "PC",
        group: str = "",
        stock: Number | None = None,
        names: Mapping[str, str] | None = None,
        ean: str | None = None,
        units: Sequence[Mapping[str, str]] = (),
        areas: Sequence[Area] | None = None,
        plant: str | None = None,
        discontinued: bool = False,
    ) -> str:
        """A product with descriptions, plant, sales areas, list price (A_ProductValuation) and stock."""
        plant = plant or self.plant
        texts = {"EN": name, **(names or {})}
        body: Record = {
            "Product": number,
            "ProductType": "HAWA",
            "BaseUnit": unit,
            "ProductGroup": group,
            "to_Description": [{"Language": key, "ProductDescription": text[:40]} for key, text in texts.items()],
            "to_Plant": [{"Plant": plant}],
            "to_SalesDelivery": [
                {"ProductSalesOrg": org, "ProductDistributionChnl": channel, "SupplyingPlant": plant}
                for org, channel in dict.fromkeys((one[0], one[1]) for one in areas or [self.area])
            ],
            "to_ProductUnitsOfMeasure": [
                {"AlternativeUnit": unit, "QuantityNumerator": "1", "QuantityDenominator": "1", "BaseUnit": unit},
                *[dict(one) for one in units],
            ],
        }
        if discontinued:
            body["CrossPlantStatus"] = "01"
        if ean:
            body["ProductStandardID"] = ean
        if price is not None:
            value = {"ValuationArea": plant, "ValuationType": "", "Currency": currency, "PriceUnitQty": str(per)}
            body["to_Valuation"] = [{**value, "StandardPrice": show_decimal(as_decimal(price), money=True)}]
        created: str = self._create("API_PRODUCT_SRV", "A_Product", body)["Product"]
        if stock is not None:
            self.stock_set(created, plant, stock)
        return created

    def stock_set(
        self,
        material: str,
        plant: str | None = None,
        quantity: Number = 0,
        *,
        location: str = "101A",
        batch: str = "",
        stock_type: str = "01",
        special: str = "",
    ) -> None:
        """Set one row of stock; a quantity of 0 removes it."""
        plant = plant or self.plant
        with self._store.transaction():
            document = self._store.get(STOCK, material)
            if document is None:
                product = self._store.get("A_Product", material) or {}
                document = {"Material": material, "MaterialBaseUnit": product.get("BaseUnit", "PC")}
            key: Record = {
                "Material": material,
                "Plant": plant,
                "StorageLocation": location,
                "Batch": batch,
                "InventorySpecialStockType": special,
                "InventoryStockType": stock_type,
                **dict.fromkeys(("Supplier", "Customer", "WBSElementInternalID", "SDDocument", "SDDocumentItem"), ""),
            }
            rows = [
                row for row in dependants(document, ROWS) if any(row.get(name) != value for name, value in key.items())
            ]
            if as_decimal(quantity):
                amount = show_decimal(as_decimal(quantity))
                rows.append({**key, "MaterialBaseUnit": document["MaterialBaseUnit"], QUANTITY: amount})
            document["_c"][ROWS] = rows
            self._store.put(STOCK, material, document)

    def confirm(self, order: str) -> None:
        """Confirm every open line in full, whatever stock says."""
        with self._store.transaction():
            document = self._must(ORDER, order)
            for line in dependants(document, LINES):
                if not line.get("SalesDocumentRjcnReason"):
                    line["ConfdDelivQtyInOrderQtyUnit"] = line.get("RequestedQuantity", "0")
            self._orders.touch(self._unit(), document)

    def ship(
        self,
        order: str,
        lines: Mapping[str, Number] | None = None,
        *,
        on: str | None = None,
        carrier: str | None = None,
        tracking: str | None = None,
        post: bool = True,
    ) -> str:
        """Deliver {line: quantity} (None: all that is open), pick it, post the goods issue; returns the delivery."""
        with self._store.transaction():
            unit = self._unit()
            document = self._must(ORDER, order)
            wanted = {key: as_decimal(value) for key, value in lines.items()} if lines else _open(document)
            delivery = self._deliveries.deliver(unit, order, wanted)
            number: str = delivery["DeliveryDocument"]
            if carrier or tracking:
                delivery["MeansOfTransport"], delivery["BillOfLading"] = (carrier or "")[:20], (tracking or "")[:35]
                self._store.put("A_OutbDeliveryHeader", number, delivery)
            if post:
                self._deliveries.pick(unit, number)
                self._deliveries.post_goods_issue(unit, number, on)
        return number

    def return_items(self, order: str, lines: Mapping[str, Number], *, reason: str = "001") -> str:
        """Customers send goods back: a returns order in API_CUSTOMER_RETURN_SRV; returns its number."""
        with self._store.transaction():
            wanted = {key: as_decimal(value) for key, value in lines.items()}
            number: str = self._deliveries.give_back(self._unit(), order, wanted, reason)["CustomerReturn"]
        return number

    def ship_all(self, *, limit: int = 1000, carrier: str | None = None) -> list[str]:
        """Ship all open orders that stock suffices for; returns the deliveries."""
        found: list[str] = []
        for _, document in self._store.scan(ORDER, "", [], [("_id", False)], 500):
            if len(found) >= limit:
                break
            if document.get("OverallSDProcessStatus") == "C" or document.get("DeliveryBlockReason"):
                continue
            wanted = {key: float(value) for key, value in _open(document).items() if self._enough(document, key, value)}
            if wanted:
                found.append(self.ship(document["SalesOrder"], wanted, carrier=carrier))
        return found

    def edit(self, name: str, key: Mapping[str, str], fields: Record) -> None:
        """Change an entity of any set as a user would, without ETag."""
        one = self._find(name)[1]
        with self._store.transaction():
            found = self._reader.by_key(one, dict(key))
            if found is None:
                raise LookupError(f"sap_s4: no {name} with key {dict(key)}")
            self._writer.change(self._unit(), one, found, fields, "*", whole=False)

    def create(self, name: str, body: Record) -> Record:
        """Create an entity of any set as a user would."""
        return self._create(self._find(name)[0].name, name, body)

    def bulk_seed(
        self, orders: int, *, seed: int = 1, customers: Sequence[str] = (), products: Sequence[str] = (), lines: int = 3
    ) -> int:
        """Many plausible orders at once, past the rules, one second apart up to now; returns how many."""
        customers = list(customers) or [self.seed_partner(f"Bulk customer {number}") for number in range(20)]
        products = list(products) or [
            self.seed_product(f"BULK{number:04}", f"Bulk product {number}", price=10 + number) for number in range(50)
        ]
        dice = random.Random(seed)
        first = int(self._store.state.next_number("SalesOrder", start=1000001, take=orders))
        begin = self._clock.now() - timedelta(seconds=orders)
        return self._store.put_many(ORDER, self._bulk(dice, first, orders, begin, customers, products, lines))

    def _bulk(
        self,
        dice: random.Random,
        first: int,
        count: int,
        begin: datetime,
        customers: Sequence[str],
        products: Sequence[str],
        lines: int,
    ) -> Iterator[tuple[str, Record]]:
        org, channel, division = self.area
        for number in range(count):
            moment = begin + timedelta(seconds=number)
            document: Record = {
                "SalesOrder": str(first + number),
                "SalesOrderType": "OR",
                "SalesOrganization": org,
                "DistributionChannel": channel,
                "OrganizationDivision": division,
                "SoldToParty": dice.choice(customers),
                "PurchaseOrderByCustomer": f"PO-{dice.randrange(10**6):06}",
                "PurchaseOrderByShipToParty": f"BULK-{first + number}",
                "TransactionCurrency": "EUR",
                "CreationDate": ticks(moment)[:10],
                "SalesOrderDate": ticks(moment)[:10],
                "RequestedDeliveryDate": ticks(moment + timedelta(days=7))[:10],
                "LastChangeDateTime": ticks(moment),
                "LastChangeDate": ticks(moment)[:10],
            }
            total = Decimal(0)
            for position in range(1, dice.randint(1, 2 * lines - 1) + 1):
                quantity, price = dice.randint(1, 50), Decimal(dice.randint(100, 99999)) / 100
                total += price * quantity
                material = dice.choice(products)
                key = {"SalesOrder": document["SalesOrder"], "SalesOrderItem": str(position * 10)}
                dependants(document, LINES).append(
                    {
                        **key,
                        "Material": material,
                        "SalesOrderItemText": material,
                        "SalesOrderItemCategory": "TAN",
                        "RequestedQuantity": str(quantity),
                        "RequestedQuantityUnit": "PC",
                        "OrderQuantityUnit": "PC",
                        "ProductionPlant": self.plant,
                        "TransactionCurrency": "EUR",
                        "NetAmount": show_decimal(price * quantity, money=True),
                    }
                )
                element = {"ConditionType": "PPR0", "PricingProcedureStep": "10", "PricingProcedureCounter": "1"}
                value = {
                    "ConditionRateValue": show_decimal(price),
                    "ConditionCurrency": "EUR",
                    "ConditionQuantity": "1",
                }
                dependants(document, ELEMENTS).append({**key, **element, **value})
            document["TotalNetAmount"] = show_decimal(total, money=True)
            settle_status(document)
            yield document["SalesOrder"], document

    def actions(self) -> dict[str, Callable[..., Any]]:
        """What the control API may call by name."""
        names = (
            "seed_partner", "seed_product", "bulk_seed", "stock_set", "confirm",
            "ship", "ship_all", "return_items", "edit", "create",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def _enough(self, document: Record, number: str, quantity: Decimal) -> bool:
        line = next(one for one in dependants(document, LINES) if one["SalesOrderItem"] == number)
        stock = self._store.get(STOCK, line["Material"])
        rows = dependants(stock, ROWS) if stock else []
        return any(
            row["Plant"] == line["ProductionPlant"] and as_decimal(row.get(QUANTITY)) >= quantity for row in rows
        )

    def _create(self, service: str, name: str, body: Record) -> Record:
        found = self._services[service]
        with self._store.transaction():
            return self._writer.create(self._unit(), found, found.sets[name], body)[1]

    def _find(self, name: str) -> tuple[Service, EntitySet]:
        for service in self._services.values():
            if name in service.sets:
                return service, service.sets[name]
        raise LookupError(f"sap_s4: no entity set {name}")

    def _must(self, kind: str, key: str) -> Record:
        document = self._store.get(kind, key)
        if document is None:
            raise LookupError(f"sap_s4: no {kind} {key}")
        return document

    def _unit(self) -> Unit:
        return Unit(self._store, self._clock.now().astimezone(UTC), "BACKOFFICE")


def _area(area: Area, currency: str) -> Record:
    org, channel, division = area
    return {"SalesOrganization": org, "DistributionChannel": channel, "Division": division, "Currency": currency}


def _open(document: Record) -> dict[str, Decimal]:
    """What is left to deliver per line."""
    found = {}
    for line in dependants(document, LINES):
        left = as_decimal(line.get("RequestedQuantity")) - as_decimal(line.get("_shipped"))
        if left > 0 and not line.get("SalesDocumentRjcnReason"):
            found[line["SalesOrderItem"]] = left
    return found
