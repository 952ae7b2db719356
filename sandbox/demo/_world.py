"""The two systems of a company, and what its people do in them."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.demo._backoffice import Backoffice
from sandbox.demo._company import Address, Company, Customer, Order
from sandbox.demo._sap import SapBackoffice
from sandbox.salesforce import SalesforceSandbox
from sandbox.sap_s4 import SapSandbox

_CRM_KINDS = (
    "Account", "Product2", "PricebookEntry", "Order", "OrderItem", "Shipment__c", "Shipment_Line__c", "Stock_Level__c",
)  # fmt: skip


class World:
    """The CRM and the ERP of one company; everything is kept under `state`.

    The ERP is an S/4HANA unless another `backoffice` is given.
    """

    def __init__(
        self,
        state: Path,
        company: Company,
        *,
        backoffice: Backoffice | None = None,
        erp_password: str = "sandbox-only",
    ) -> None:
        self.company = company
        self.crm = SalesforceSandbox(state / "crm")
        self.backoffice = backoffice or SapBackoffice(state / "erp", erp_password)
        self._orders = {po_number(order): order for order in company.orders}
        self._seen: dict[str, str] = {}

    @property
    def erp(self) -> SapSandbox:
        """The sandbox of the S/4HANA, where that is the ERP."""
        if not isinstance(self.backoffice, SapBackoffice):
            raise TypeError(f"the ERP is {type(self.backoffice).__name__}, which has no sandbox")
        return self.backoffice.erp

    def close(self) -> None:
        """Close both; what a sandbox keeps stays on disk."""
        self.crm.close()
        self.backoffice.close()

    # -- what is there before integration --------------------------------------------------------------------------

    def seed(self) -> dict[str, int]:
        """Customers in the CRM; products with stock, and suppliers, in the ERP."""
        with self.crm.state.transaction():
            for customer in self.company.customers:
                self._account(customer)
        ordered: Counter[str] = Counter()
        for order in self.company.orders:
            for line in order.lines:
                ordered[line.product] += line.quantity
        # enough to ship everything; what is left is the stock
        stock = {product.number: product.stock + ordered[product.number] for product in self.company.products}
        self.backoffice.seed(self.company, stock)
        return {
            "customers": len(self.company.customers),
            "products": len(self.company.products),
            "suppliers": len(self.company.suppliers),
        }

    # -- what people do --------------------------------------------------------------------------------------------

    def place_orders(self) -> dict[str, int]:
        """Sales people enter the orders in the CRM, once its product list has come from the ERP."""
        accounts, products = self._accounts(), self._products()
        missing = sorted({line.product for order in self.company.orders for line in order.lines} - products.keys())
        if missing:
            raise ValueError(f"the CRM has no product {', '.join(missing[:5])}; its product list has not come")
        for order in self.company.orders:
            with self.crm.state.transaction():
                self.activate(self._place(order, accounts[order.customer], products))
        return {"orders": len(self.company.orders), "lines": sum(len(order.lines) for order in self.company.orders)}

    def enter(self, order: Order) -> tuple[str, str]:
        """A sales person enters one more order, a draft as yet; its id and its number in the CRM."""
        with self.crm.state.transaction():
            created = self._place(order, self._accounts()[order.customer], self._products())
        self.company = replace(self.company, orders=(*self.company.orders, order))
        self._orders[po_number(order)] = order
        return created, (self.crm.get("Order", created) or {})["OrderNumber"]

    def enter_customer(self, customer: Customer) -> str:
        """A sales person enters one more customer in the CRM; its id there."""
        with self.crm.state.transaction():
            created = self._account(customer)
        self.company = replace(self.company, customers=(*self.company.customers, customer))
        return created

    def activate(self, order: str) -> None:
        """A sales person closes an order: from now on it is to be carried out."""
        self.crm.update("Order", order, {"Status": "Activated"})

    def _account(self, customer: Customer) -> str:
        fields = {
            "Name": customer.name,
            "AccountNumber": customer.number,
            "Type": "Customer",
            "Phone": customer.phone,
            "CurrencyIsoCode": customer.currency,
        }
        created: str = self.crm.insert("Account", fields | _address("Billing", customer.address))
        return created

    def _accounts(self) -> dict[str, str]:
        return {one["AccountNumber"]: one["Id"] for one in self.crm.records("Account") if one.get("AccountNumber")}

    def _products(self) -> dict[str, str]:
        return {one["ProductCode"]: one["Id"] for one in self.crm.records("Product2") if one.get("ProductCode")}

    def _place(self, order: Order, account: str, products: dict[str, str]) -> str:
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
        return created

    def ship(self) -> dict[str, int]:
        """The back office confirms every order that came, ships those of the company's past, and counts the stock."""
        shipped = self.backoffice.ship(self._orders)
        self.backoffice.count({product.number: product.stock for product in self.company.products})
        return {"deliveries": shipped, "stock_levels": len(self.company.products)}

    def change_order(self) -> dict[str, str]:
        """A sales person adds one piece to the first line of an order that is still open; tells its numbers.

        `changes` is the one record that this may change in the ERP, as `changed` names it.
        """
        order = next(one for one in self.company.orders if one.shipped_on is None)
        found = self.crm.records("Order", {"PoNumber": po_number(order)})[0]
        lines = self.crm.records("OrderItem", {"OrderId": found["Id"]})
        line = min(lines, key=lambda one: one["Line_Number__c"])
        [document] = self.backoffice.held([po_number(order)])[po_number(order)]
        self.crm.update("OrderItem", line["Id"], {"Quantity": line["Quantity"] + 1})
        return {
            "crm": found["OrderNumber"],
            "erp": document.number,
            "po": po_number(order),
            "changes": f"erp {document.key}",
        }

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
        found = {f"erp {key}": digest for key, digest in self.backoffice.digests().items()}
        for kind in _CRM_KINDS:
            for key, document in self.crm.state.rows(f'SELECT _id, _doc FROM "{kind}"'):
                found[f"crm {kind} {key}"] = hashlib.sha256(str(document).encode()).hexdigest()
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
