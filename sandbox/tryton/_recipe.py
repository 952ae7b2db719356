"""What is installed, for which years, and where it is kept; whatever is changed here is built anew."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

SERIES = "8.2"
PACKAGES = tuple(
    f"{name}~={SERIES}.0"
    for name in (
        "trytond",
        *(
            f"trytond-{module}"
            for module in (
                "account", "account-invoice", "account-invoice-stock", "account-product", "carrier", "company",
                "country", "currency", "party", "product", "production", "purchase", "sale", "sale-amendment",
                "sale-opportunity", "sale-shipment-cost", "stock", "stock-shipment-cost", "stock-supply",
            )
        ),
    )
)  # fmt: skip
MODULES = (
    "account_invoice_stock", "production", "purchase", "sale", "sale_amendment", "sale_opportunity",
    "sale_shipment_cost", "stock", "stock_supply",
)  # fmt: skip
DATABASE = "erp"
PRICE_PLACES = 6
"""Of a unit price: with four, Tryton's default, a line of 100 pieces and an odd discount may be a cent off."""


def years() -> list[int]:
    """The fiscal years of the company: those of Northwind's orders, and those around today."""
    now = datetime.now(UTC).year
    return [1996, 1997, 1998, now - 1, now, now + 1]


def home() -> Path:
    """Where this recipe's environment and templates are kept; they survive runs and are built once.

    `LANDBRIDGE_TRYTON` names another folder.
    """
    if told := os.environ.get("LANDBRIDGE_TRYTON"):
        return Path(told)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "landbridge" / f"tryton-{SERIES}-{_digest()}"


def template_name(currency: str) -> str:
    """The name of a company's template; another way of founding it, or another year, is another template."""
    founded = Path(__file__).with_name("_company.py").read_bytes() + repr(years()).encode()
    return f"{currency}-{hashlib.sha256(founded).hexdigest()[:8]}"


def _digest() -> str:
    return hashlib.sha256("\n".join((*PACKAGES, *MODULES, str(PRICE_PLACES))).encode()).hexdigest()[:12]
