"""Reads a company from CSV files in Northwind's shape; what is crooked in them is made straight here, at the door."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

from sandbox.demo._company import Address, Company, Customer, Line, Order, Product, Supplier, cents
from sandbox.salesforce._countries import country_code

CURRENCY = "USD"  # Northwind names none
_Row = dict[str, str]
_T = TypeVar("_T")
_FILES = {
    "customers": ("customer_id", "company_name", "address", "city", "country"),
    "products": ("product_id", "product_name", "unit_price", "units_in_stock"),
    "suppliers": ("supplier_id", "company_name", "country"),
    "orders": ("order_id", "customer_id", "order_date"),
    "order_details": ("order_id", "product_id", "unit_price", "quantity", "discount"),
}


class CompanyError(ValueError):
    """The files are not a company; the message says which file and line, and what is wrong."""


def read_northwind(folder: Path) -> Company:
    """The company in a folder of customers, products, suppliers, orders and order_details; shippers are optional."""
    rows = {name: _read(folder, name, needed) for name, needed in _FILES.items()}
    carriers = {row["shipper_id"]: row["company_name"] for row in _optional(folder, "shippers")}
    lines: dict[str, list[Line]] = defaultdict(list)
    for row in rows["order_details"]:
        lines[row["order_id"]].append(_line(row))
    known = {f"P-{row['product_id']}" for row in rows["products"]}
    strays = sorted({line.product for each in lines.values() for line in each} - known)
    if strays:
        raise CompanyError(f"order_details.csv names products that products.csv does not have: {', '.join(strays[:5])}")
    return Company(
        customers=tuple(_customer(row) for row in rows["customers"]),
        products=tuple(_product(row) for row in rows["products"]),
        suppliers=tuple(_supplier(row) for row in rows["suppliers"]),
        orders=tuple(_order(row, carriers, tuple(lines[row["order_id"]])) for row in rows["orders"]),
    )


def _read(folder: Path, name: str, needed: tuple[str, ...]) -> list[_Row]:
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise CompanyError(f"{path} is not there; needed are {', '.join(f'{one}.csv' for one in _FILES)}")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in needed if column not in (reader.fieldnames or ())]
        if missing:
            raise CompanyError(f"{path.name}: the column {', '.join(missing)} is missing in the first line")
        return [{**row, "": f"{path.name}:{reader.line_num}"} for row in reader]


def _optional(folder: Path, name: str) -> list[_Row]:
    return _read(folder, name, ("shipper_id", "company_name")) if (folder / f"{name}.csv").is_file() else []


def _customer(row: _Row) -> Customer:
    return Customer(row["customer_id"], row["company_name"], _address(row), row.get("phone", ""), CURRENCY)


def _supplier(row: _Row) -> Supplier:
    return Supplier(f"S-{row['supplier_id']}", row["company_name"], _address(row), row.get("phone", ""))


def _product(row: _Row) -> Product:
    return Product(
        number=f"P-{row['product_id']}",
        name=row["product_name"],
        price=cents(_number(row, "unit_price")),
        currency=CURRENCY,
        unit="PC",  # quantity_per_unit describes the package; what is counted are packages
        stock=_number(row, "units_in_stock"),
        group=row.get("category_id", ""),
        discontinued=row.get("discontinued") == "1",
    )


def _line(row: _Row) -> Line:
    return Line(
        product=f"P-{row['product_id']}",
        quantity=int(_number(row, "quantity")),
        price=cents(_number(row, "unit_price")),
        discount=cents(_number(row, "discount") * 100),
    )


def _order(row: _Row, carriers: dict[str, str], lines: tuple[Line, ...]) -> Order:
    ordered = _day(row, "order_date")
    if ordered is None:
        raise CompanyError(f"{row['']}: order_date is empty")
    return Order(
        number=row["order_id"],
        customer=row["customer_id"],
        ordered_on=ordered,
        requested_on=_day(row, "required_date") or ordered,
        shipped_on=_day(row, "shipped_date"),
        carrier=carriers.get(row.get("ship_via", ""), ""),
        freight=cents(_number(row, "freight")) if row.get("freight") else Decimal(0),
        ship_to=_address(row, "ship_"),
        currency=CURRENCY,
        lines=lines,
    )


def _address(row: _Row, prefix: str = "") -> Address:
    def get(name: str) -> str:
        return row.get(f"{prefix}{name}", "").strip()

    country = country_code(get("country"))
    if country is None:
        raise CompanyError(f"{row['']}: {prefix}country '{get('country')}' is no country of ISO 3166")
    return Address(get("address"), get("city"), get("region"), get("postal_code"), country)


def _parsed(row: _Row, name: str, parse: Callable[[str], _T]) -> _T:
    try:
        return parse(row[name])
    except (ValueError, InvalidOperation, KeyError):
        raise CompanyError(f"{row['']}: {name} '{row.get(name, '')}' cannot be read") from None


def _number(row: _Row, name: str) -> Decimal:
    return _parsed(row, name, Decimal)


def _day(row: _Row, name: str) -> date | None:
    return _parsed(row, name, lambda text: date.fromisoformat(text[:10])) if row.get(name) else None
