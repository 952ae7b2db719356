"""What is installed, for which years, and where it is kept; whatever is changed here is built anew."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SERIES = "8.2"
DATABASE = "erp"
PRICE_PLACES = 6
"""Of a unit price: with four, Tryton's default, a line of 100 pieces and an odd discount may be a cent off."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A Tryton with some modules; `founded` is the file beside this one that founds the company in it."""

    parts: tuple[str, ...]
    modules: tuple[str, ...]
    founded: str

    @property
    def packages(self) -> tuple[str, ...]:
        """What is fetched from the package index."""
        return tuple(f"{name}~={SERIES}.0" for name in ("trytond", *(f"trytond-{part}" for part in self.parts)))


TRADING = Recipe(
    (
        "account", "account-invoice", "account-invoice-stock", "account-product", "carrier", "company",
        "country", "currency", "party", "product", "production", "purchase", "sale", "sale-amendment",
        "sale-opportunity", "sale-shipment-cost", "stock", "stock-shipment-cost", "stock-supply",
    ),
    (
        "account_invoice_stock", "production", "purchase", "sale", "sale_amendment", "sale_opportunity",
        "sale_shipment_cost", "stock", "stock_supply",
    ),
    "_company.py",
)  # fmt: skip
"""A company that sells, ships and buys, with its books."""

PARTIES = Recipe(("company", "country", "currency", "party"), ("company", "party"), "_parties.py")
"""A company that keeps its customers and nothing else: built within a quarter of a minute."""


def years() -> list[int]:
    """The fiscal years of the company: those of Northwind's orders, and those around today."""
    now = datetime.now(UTC).year
    return [1996, 1997, 1998, now - 1, now, now + 1]


def home(recipe: Recipe = TRADING) -> Path:
    """Where a recipe's environment and templates are kept; they survive runs and are built once.

    `LANDBRIDGE_TRYTON` names another folder.
    """
    if told := os.environ.get("LANDBRIDGE_TRYTON"):
        return Path(told) if recipe is TRADING else Path(told) / recipe.founded.strip("_").removesuffix(".py")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "landbridge" / f"tryton-{SERIES}-{_digest(recipe)}"


def template_name(currency: str, recipe: Recipe = TRADING) -> str:
    """The name of a company's template; another way of founding it, or another year, is another template."""
    founded = Path(__file__).with_name(recipe.founded).read_bytes() + repr(years()).encode()
    return f"{currency}-{hashlib.sha256(founded).hexdigest()[:8]}"


def _digest(recipe: Recipe) -> str:
    told = "\n".join((*recipe.packages, *recipe.modules, str(PRICE_PLACES)))
    return hashlib.sha256(told.encode()).hexdigest()[:12]
