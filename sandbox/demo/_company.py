"""What a trading company has before anything is integrated; amounts are exact and rounded to cents at the door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

_CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """Half-up to two places."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `country` is ISO 3166."""

    street: str
    city: str
    region: str
    postal_code: str
    country: str


@dataclass(frozen=True, slots=True)
class Customer:
    """Who buys; kept in the CRM."""

    number: str
    name: str
    address: Address
    phone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Supplier:
    """Who delivers to us; kept in the ERP."""

    number: str
    name: str
    address: Address
    phone: str


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold; kept in the ERP. `names` are by SAP language key, `stock` is what stands there in the end."""

    number: str
    name: str
    price: Decimal
    currency: str
    unit: str
    stock: Decimal
    group: str = ""
    names: dict[str, str] = field(default_factory=dict)
    discontinued: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order; `discount` in percent."""

    product: str
    quantity: int
    price: Decimal
    discount: Decimal

    @property
    def gross(self) -> Decimal:
        """Quantity times price."""
        return self.quantity * self.price

    @property
    def net(self) -> Decimal:
        """The declared rounding: each line half-up to cents, after its discount."""
        return cents(self.gross * (1 - self.discount / 100))


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer ordered; `shipped_on` is the day the back office will ship it, None if it will not."""

    number: str
    customer: str
    ordered_on: date
    requested_on: date
    shipped_on: date | None
    carrier: str
    freight: Decimal
    ship_to: Address
    currency: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the lines; freight is apart."""
        return sum((line.net for line in self.lines), Decimal(0))


@dataclass(frozen=True, slots=True)
class Company:
    """Everything the demonstration begins with."""

    customers: tuple[Customer, ...]
    products: tuple[Product, ...]
    suppliers: tuple[Supplier, ...]
    orders: tuple[Order, ...]
