"""What the demonstration asks of an ERP, whichever it is: seeding, its people's work, and a look past its interface."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from sandbox.demo._company import Company, Order

LineKey = tuple[str, Decimal, Decimal | None, Decimal]
"""Product, quantity, what discounts take off (None where the ERP shows none), net."""


@dataclass(frozen=True, slots=True)
class Held:
    """An order as the ERP holds it; `net` is what it reckons itself, without what it added of its own."""

    number: str
    key: str  # as `Backoffice.digests` names it
    currency: str
    net: Decimal
    freight: Decimal
    lines: Counter[LineKey] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer as the ERP holds it."""

    name: str
    city: str
    country: str


class Backoffice(Protocol):
    """One ERP and the people who work in it."""

    @property
    def name_length(self) -> int | None:
        """Of a product's name, where the ERP cuts it."""
        ...

    @property
    def patience(self) -> float:
        """Seconds within which an order that is closed in the CRM is to stand here."""
        ...

    def serving(self) -> AbstractContextManager[dict[str, str]]:
        """Serve inside the block; the addresses and secrets by which an integration finds it, as variables."""
        ...

    def seed(self, company: Company, stock: Mapping[str, Decimal]) -> None:
        """Enter products with so much on stock, and suppliers."""
        ...

    def ship(self, orders: Mapping[str, Order]) -> int:
        """Confirm every order that came, and ship those of the company's past, by the customer's number."""
        ...

    def count(self, stock: Mapping[str, Decimal]) -> None:
        """Count the stock: from now on there is so much."""
        ...

    def held(self, numbers: Iterable[str] = ()) -> dict[str, list[Held]]:
        """The orders by the customer's number; all of them if none is named."""
        ...

    def arrived(self, number: str) -> str | None:
        """The ERP's own number of an order that stands there to be carried out, by the customer's; cheap to ask."""
        ...

    def buyers(self) -> list[Buyer]:
        """The customers."""
        ...

    def deliveries(self) -> dict[str, Decimal]:
        """What was sent, as the sum of its pieces, by the delivery's number."""
        ...

    def stock(self) -> dict[str, Decimal]:
        """What may be sold, by product."""
        ...

    def digests(self) -> dict[str, str]:
        """Every record as it stands now, by kind and key; what differs next time was changed."""
        ...

    def close(self) -> None:
        """Close it."""
        ...
