"""The declared rounding, on small sums that are told by hand and on all of Northwind."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from canonical_bodies import line, money, order, quantity

from landbridge.canonical import Canonical, line_net, order_totals
from landbridge.errors import Invalid

D = Decimal


def percent(value: str) -> dict[str, str]:
    return {"kind": "percent", "value": value}


@pytest.mark.parametrize(
    ("amount", "price", "discounts", "net"),
    [
        ("12", "14", [], "168.00"),
        ("3", "0.335", [], "1.01"),
        ("1", "2.345", [], "2.35"),
        ("-1", "2.345", [], "-2.35"),
        ("10", "9.80", [percent("15")], "83.30"),
        ("1", "30.30", [percent("15.0000006")], "25.76"),
        ("1", "100", [percent("12.345")], "87.65"),
        ("1", "100", [percent("10"), percent("10")], "80.00"),
        ("4", "25", [{"kind": "amount", "amount": "7.5"}], "92.50"),
        ("4", "25", [percent("5"), {"kind": "amount", "amount": "0.005"}], "94.99"),
        ("99999999999999999999", "99999999.99", [], "9999999998999999999900000000.01"),
    ],
)
def test_a_line_is_rounded_once_half_up(amount: str, price: str, discounts: list[Any], net: str) -> None:
    assert str(line_net(D(amount), D(price), discounts)) == net


def test_a_price_is_per_so_many_units() -> None:
    assert line_net(D(250), D("18.00"), per=D(100)) == D("45.00")
    assert line_net(D(1), D(1), per=D(3)) == D("0.33")


def priced(key: str, ordered: Any, amount: str, **others: Any) -> dict[str, Any]:
    price = {**money(amount), "per": quantity(others.pop("per", 1))}
    return line(key, ordered, price=price, **others)


def test_an_order_is_the_sum_of_its_rounded_lines_with_freight_and_tax_apart() -> None:
    body = order(
        priced("1", 1, "0.335"),
        priced("2", 1, "0.335", discounts=[percent("10")], tax=[{"code": "A", "rate": "19", "amount": "0.06"}]),
        line("3", 1, net=money("5.00")),
        line("4", 1),
        charges=[{"kind": "freight", "amount": money("32.38"), "tax": [{"amount": "6.15"}]}],
        discounts=[{"kind": "amount", "amount": "1.00"}],
    )
    totals = order_totals(body)
    assert totals.net == D("5.64")  # 0.34 + 0.30 + 5.00, each line rounded before the sum
    assert (totals.charges, totals.tax, totals.discount) == (D("32.38"), D("6.21"), D("1.04"))
    assert totals.gross == D("5.64") - 1 + D("32.38") + D("6.21")
    assert totals.as_body()["net"] == {"amount": "5.64", "currency": "EUR"}
    assert totals.as_body()["lines"] == 4


def test_totals_fit_the_schema(root: Path) -> None:
    body = order(priced("1", 3, "1.115"))
    body["totals"] = order_totals(body).as_body()
    Canonical.load(root / "schemas" / "canonical").check("sales_order", body)


def test_what_cannot_be_added_is_refused_with_its_place() -> None:
    dollars = priced("1", 1, "1")
    dollars["price"]["currency"] = "USD"
    with pytest.raises(Invalid, match=r"lines\[0\].price.currency: is in USD, the document in EUR"):
        order_totals(order(dollars))
    boxes = priced("1", 1, "1")
    boxes["price"]["per"]["unit"] = "XBX"
    with pytest.raises(Invalid, match=r"the price is per XBX, the quantity in C62"):
        order_totals(order(boxes))
    with pytest.raises(Invalid, match="per nothing"):
        order_totals(order(priced("1", 1, "1", per=0)))
    with pytest.raises(Invalid, match=r"charges\[0\]"):
        order_totals(order(charges=[{"kind": "freight", "amount": money(1, "USD")}]))


def test_northwind_comes_to_its_declared_totals(shared: Path, root: Path) -> None:
    """Each order against a sum in whole fractions that knows nothing of our code."""
    canonical = Canonical.load(root / "schemas" / "canonical")
    orders: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (shared / "data" / "northwind" / "order_details.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            orders[row["order_id"]].append(row)
    discounted, total = 0, D(0)
    for number, rows in orders.items():
        lines, cents = [], 0
        for row in rows:
            price = D(row["unit_price"]).quantize(D("0.01"), ROUND_HALF_UP)  # 9.80000019 at the door
            rate = D(row["discount"]) * 100  # 15.0000006: taken at 2 places by the rounding
            discounted += rate > 0
            discounts = [percent(format(rate, "f"))] if rate else []
            lines.append(priced(row["product_id"], row["quantity"], str(price), discounts=discounts))
            hundredths = round(float(row["discount"]) * 100)
            exact = Fraction(int(price * 100) * int(row["quantity"]) * (100 - hundredths), 100)
            cents += int(exact + Fraction(1, 2))
        body = order(*lines, number=number)
        canonical.check("sales_order", body)
        assert order_totals(body).net == D(cents) / 100
        total += order_totals(body).net
    assert (len(orders), sum(map(len, orders.values())), discounted) == (830, 2155, 838)
    assert abs(total - D("1265793.04")) < D("1")  # the sum that Northwind is known for
