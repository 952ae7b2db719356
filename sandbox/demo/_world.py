"""The two systems of a company, and what its people do in them."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

from sandbox.demo._company import Address, Company, Order
from sandbox.salesforce import SalesforceSandbox
from sandbox.sap_s4 import SapSandbox

ERP_USER = "LANDBRIDGE"
_CRM_KINDS = (
    "Account", "Product2", "PricebookEntry", "Order", "OrderItem", "Shipment__c", "Shipment_Line__c", "Stock_Level__c",
)  # fmt: skip
_ERP_KINDS = ("A_BusinessPartner", "A_Product", "A_SalesOrder", "A_OutbDeliveryHeader", "A_MaterialStock")


class World:
    """The CRM and the ERP of one company; everything is kept under `state`."""

    def __init__(self, state: Path, company: Company, *, erp_password: str = "sandbox-only") -> None:
        self.company = company
        self.crm = SalesforceSandbox(state / "crm")
        self.erp = SapSandbox(state / "erp", users={ERP_USER: erp_password})
        self._orders = {order.number: order for order in company.orders}
        self._seen: dict[str, str] = {}

    def close(self) -> None:
        """Close both; their state stays on disk."""
        self.crm.close()
        self.erp.close()

    # -- what is there before integration --------------------------------------------------------------------------

    def seed(self) -> dict[str, int]:
        """Customers in the CRM; products with stock, and suppliers, in the ERP."""
        with self.crm.state.transaction():
            for customer in self.company.customers:
                fields = {
                    "Name": customer.name,
                    "AccountNumber": customer.number,
                    "Type": "Customer",
                    "Phone": customer.phone,
                    "CurrencyIsoCode": customer.currency,
                }
                self.crm.insert("Account", fields | _address("Billing", customer.address))
        ordered: Counter[str] = Counter()
        for order in self.company.orders:
            for line in order.lines:
                ordered[line.product] += line.quantity
        for product in self.company.products:
            self.erp.seed_product(
                product.number,
                product.name,
                price=product.price,
                currency=product.currency,
                unit=product.unit,
                group=product.group,
                names=product.names,
                discontinued=product.discontinued,
                stock=product.stock + ordered[product.number],  # enough to ship everything; what is left is the stock
            )
        for supplier in self.company.suppliers:
            at = supplier.address
            self.erp.seed_partner(
                supplier.name, customer=False, supplier=True, country=at.country, city=at.city[:40],
                street=at.street[:60], postal_code=at.postal_code[:10], phone=supplier.phone,
            )  # fmt: skip
        return {
            "customers": len(self.company.customers),
            "products": len(self.company.products),
            "suppliers": len(self.company.suppliers),
        }

    # -- what people do --------------------------------------------------------------------------------------------

    def place_orders(self) -> dict[str, int]:
        """Sales people enter the orders in the CRM, once its product list has come from the ERP."""
        accounts = {one["AccountNumber"]: one["Id"] for one in self.crm.records("Account") if one.get("AccountNumber")}
        products = {one["ProductCode"]: one["Id"] for one in self.crm.records("Product2") if one.get("ProductCode")}
        missing = sorted({line.product for order in self.company.orders for line in order.lines} - products.keys())
        if missing:
            raise ValueError(f"the CRM has no product {', '.join(missing[:5])}; its product list has not come")
        for order in self.company.orders:
            with self.crm.state.transaction():
                self._place(order, accounts[order.customer], products)
        return {"orders": len(self.company.orders), "lines": sum(len(order.lines) for order in self.company.orders)}

    def _place(self, order: Order, account: str, products: dict[str, str]) -> None:
        head = {
            "AccountId": account,
            "PoNumber": po_number(order),
            "EffectiveDate": order.ordered_on.isoformat(),
            "Requested_Delivery__c": order.requested_on.isoformat(),
            "Status": "Draft",
            "CurrencyIsoCode": order.currency,
            "Freight__c": float(order.freight),
        }
        created = self.crm.insert("Order", head | _address("Shipping", order.ship_to))
        for number, line in enumerate(order.lines, 1):
            fields: dict[str, Any] = {
                "OrderId": created,
                "Product2Id": products[line.product],
                "Quantity": line.quantity,
                "UnitPrice": float(line.price),
                "Discount__c": float(line.discount),
                "Line_Number__c": number,
            }
            self.crm.insert("OrderItem", fields)
        self.crm.update("Order", created, {"Status": "Activated"})

    def ship(self) -> dict[str, int]:
        """The back office confirms every order that came, ships those of the company's past, and counts the stock."""
        shipped = 0
        for found in self.erp.records("A_SalesOrder"):
            order = self._orders.get(found.get("PurchaseOrderByCustomer", "").removeprefix("PO-"))
            if order is None:
                continue
            self.erp.confirm(found["SalesOrder"])
            if order.shipped_on is not None:
                self.erp.ship(
                    found["SalesOrder"], on=order.shipped_on.isoformat(), carrier=order.carrier,
                    tracking=f"TR{order.number}",
                )  # fmt: skip
                shipped += 1
        for product in self.company.products:
            self.erp.stock_set(product.number, quantity=product.stock)
        return {"deliveries": shipped, "stock_levels": len(self.company.products)}

    def change_order(self) -> dict[str, str]:
        """A sales person adds one piece to the first line of an order that is still open; tells both numbers of it."""
        order = next(one for one in self.company.orders if one.shipped_on is None)
        found = self.crm.records("Order", {"PoNumber": po_number(order)})[0]
        lines = self.crm.records("OrderItem", {"OrderId": found["Id"]})
        line = min(lines, key=lambda one: one["Line_Number__c"])
        self.crm.update("OrderItem", line["Id"], {"Quantity": line["Quantity"] + 1})
        document = next(
            one for one in self.erp.records("A_SalesOrder") if one["PurchaseOrderByCustomer"] == po_number(order)
        )
        return {"crm": found["OrderNumber"], "erp": document["SalesOrder"], "po": po_number(order)}

    def example(self) -> dict[str, str]:
        """An order worth following: shipped, with more than one line; by its ids in both systems."""
        past = [one for one in self.company.orders if one.shipped_on is not None]
        order = max(past, key=lambda one: (min(len(one.lines), 3), one.number))
        found = self.crm.records("Order", {"PoNumber": po_number(order)})[0]
        documents = self.erp.records("A_SalesOrder", PurchaseOrderByCustomer=po_number(order))
        return {"crm": found["Id"], "number": found["OrderNumber"], "erp": documents[0]["SalesOrder"]}

    # -- what changed ----------------------------------------------------------------------------------------------

    def mark(self) -> dict[str, int]:
        """Remember every record of both systems as it is now."""
        self._seen = self._digests()
        return {"records": len(self._seen)}

    def changed(self) -> list[str]:
        """The records that are new, gone or different since `mark`, as `system kind key`."""
        now = self._digests()
        return sorted(key for key in now.keys() | self._seen.keys() if now.get(key) != self._seen.get(key))

    def _digests(self) -> dict[str, str]:
        found = {}
        for system, state, kinds in (("crm", self.crm.state, _CRM_KINDS), ("erp", self.erp.store.state, _ERP_KINDS)):
            for kind in kinds:
                for key, document in state.rows(f'SELECT _id, _doc FROM "{kind}"'):
                    found[f"{system} {kind} {key}"] = hashlib.sha256(str(document).encode()).hexdigest()
        return found


def po_number(order: Order) -> str:
    """The customer's own number of an order; unique in this company, unlike in real life."""
    return f"PO-{order.number}"


def _address(prefix: str, address: Address) -> dict[str, str]:
    fields = {
        f"{prefix}Street": address.street,
        f"{prefix}City": address.city,
        f"{prefix}State": address.region,
        f"{prefix}PostalCode": address.postal_code,
        f"{prefix}CountryCode": address.country,
    }
    return {name: value for name, value in fields.items() if value}
