"""A plain HTTP client for the tests of the SAP sandbox: no cleverness, every header visible."""

from __future__ import annotations

from typing import Any

import requests

from sandbox._base import serve
from sandbox.sap_s4 import SapSandbox

ROOT = "/sap/opu/odata/sap/"
ORDERS, PARTNERS, PRODUCTS = "API_SALES_ORDER_SRV", "API_BUSINESS_PARTNER", "API_PRODUCT_SRV"
STOCK, DELIVERIES, RETURNS = "API_MATERIAL_STOCK_SRV", "API_OUTBOUND_DELIVERY_SRV;v=0002", "API_CUSTOMER_RETURN_SRV"


class Switch:
    """An ASGI app that passes everything to `app`, so that one server outlives many systems."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Client:
    """One logged-in session; `send` adds the CSRF token."""

    def __init__(self, url: str, user: str = "LANDBRIDGE", password: str = "sandbox-only") -> None:
        self.url = url
        self.http = requests.Session()
        self.http.auth = (user, password)
        self.http.headers["Accept"] = "application/json"
        self.token = ""

    def address(self, service: str, path: str = "") -> str:
        return f"{self.url}{ROOT}{service}/{path}"

    def get(self, service: str, path: str = "", **options: Any) -> requests.Response:
        params = {name if name.startswith("sap") else f"${name}": value for name, value in options.items()}
        return self.http.get(self.address(service, path), params=params, timeout=30)

    def rows(self, service: str, path: str, **options: Any) -> list[dict[str, Any]]:
        answer = self.get(service, path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]["results"]

    def one(self, service: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self.get(service, path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["d"]

    def fetch(self) -> str:
        answer = self.http.get(self.address(ORDERS), headers={"x-csrf-token": "Fetch"}, timeout=30)
        self.token = answer.headers["x-csrf-token"]
        return self.token

    def send(
        self, method: str, service: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        if not self.token:
            self.fetch()
        given = {"x-csrf-token": self.token, **(headers or {})}
        if body is not None:
            more["json"] = body
        return self.http.request(method, self.address(service, path), headers=given, timeout=30, **more)

    def create(self, service: str, path: str, body: Any) -> dict[str, Any]:
        answer = self.send("POST", service, path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()["d"]


def order_body(customer: str, *lines: tuple[str, str], reference: str = "SO-1", **more: Any) -> dict[str, Any]:
    """The smallest order: (material, quantity) per line."""
    return {
        "SalesOrderType": "OR",
        "SalesOrganization": "1010",
        "DistributionChannel": "10",
        "OrganizationDivision": "00",
        "SoldToParty": customer,
        "PurchaseOrderByShipToParty": reference,
        "to_Item": [{"Material": material, "RequestedQuantity": quantity} for material, quantity in lines],
        **more,
    }


__all__ = [
    "DELIVERIES",
    "ORDERS",
    "PARTNERS",
    "PRODUCTS",
    "RETURNS",
    "ROOT",
    "STOCK",
    "Client",
    "SapSandbox",
    "order_body",
    "serve",
]
