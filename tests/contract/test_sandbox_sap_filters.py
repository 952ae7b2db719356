"""Random filters, orders and page sizes give exactly the rows that a plain evaluation over all records gives."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sap_client import ORDERS, Client

from sandbox._base import Clock, serve
from sandbox.sap_s4 import SapSandbox

Test = Callable[[dict[str, Any]], bool]
COMPARE = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
SEED = 4711


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[SapSandbox, Client]]:
    sap = SapSandbox(clock=Clock(datetime(2026, 11, 21, 0, 1, tzinfo=UTC), frozen=True))
    customers = [sap.seed_partner(f"Customer {number}") for number in range(3)]
    sap.bulk_seed(120, seed=SEED, customers=customers)
    with serve(sap.app) as served:
        yield sap, Client(served.url)
    sap.close()


def comparison(dice: random.Random, records: list[dict[str, Any]]) -> tuple[str, Test]:
    record = dice.choice(records)
    word = dice.choice(list(COMPARE))
    test = COMPARE[word]
    name = dice.choice(
        (
            *("SalesOrder", "SoldToParty", "PurchaseOrderByCustomer", "SalesOrderType", "TotalNetAmount"),
            *("CreationDate", "LastChangeDateTime", "CompleteDeliveryIsDefined", "CustomerGroup"),
        )
    )
    value = record[name]
    if name == "TotalNetAmount":
        return f"{name} {word} {value}M", lambda row: test(Decimal(row[name]), Decimal(value))
    if name == "CreationDate":
        return f"{name} {word} datetime'{value}T00:00:00'", lambda row: test(row[name], value)
    if name == "LastChangeDateTime":
        return f"{name} {word} datetimeoffset'{value}Z'", lambda row: test(row[name], value)
    if name == "CompleteDeliveryIsDefined":
        return f"{name} eq false", lambda row: row[name] is False
    return f"{name} {word} '{value}'", lambda row: test(row[name], value)


def expression(dice: random.Random, records: list[dict[str, Any]], depth: int) -> tuple[str, Test]:
    kind = dice.choice(["and", "or", "not", "one", "text"]) if depth else "one"
    if kind == "one":
        return comparison(dice, records)
    if kind == "text":
        digits = str(dice.randint(0, 99))
        return (
            f"substringof('{digits}',PurchaseOrderByShipToParty)",
            lambda row: digits in row["PurchaseOrderByShipToParty"],
        )
    left, left_test = expression(dice, records, depth - 1)
    if kind == "not":
        return f"not ({left})", lambda row: not left_test(row)
    right, right_test = expression(dice, records, depth - 1)
    if kind == "and":
        return (
            f"({left}) and {right}" if dice.random() < 0.5 else f"{left} and ({right})",
            lambda row: left_test(row) and right_test(row),
        )
    return f"({left} or {right})", lambda row: left_test(row) or right_test(row)


def every_page(client: Client, path: str, **options: Any) -> tuple[list[dict[str, Any]], str]:
    answer = client.one(ORDERS, path, inlinecount="allpages", **options)
    rows, count = list(answer["results"]), answer["__count"]
    while "__next" in answer:
        answer = client.http.get(answer["__next"], timeout=10).json()["d"]
        rows += answer["results"]
    return rows, count


@pytest.mark.parametrize("round_", range(60))
def test_a_random_filter_finds_what_it_should(system: tuple[SapSandbox, Client], round_: int) -> None:
    sap, client = system
    dice = random.Random(f"{SEED}/{round_}")
    records = sap.records("A_SalesOrder")
    text, test = expression(dice, records, 3)
    name, down = dice.choice(["SalesOrder", "LastChangeDateTime", "TotalNetAmount", "SoldToParty"]), dice.random() < 0.5
    sap.reader.page = dice.choice([1, 3, 10, 1000])
    sap.reader.paging = dice.choice(["keyset", "offset"])
    rows, count = every_page(client, "A_SalesOrder", filter=text, orderby=f"{name}{' desc' if down else ''}")
    wanted = [row for row in records if test(row)]
    key: Callable[[dict[str, Any]], Any] = lambda row: Decimal(row[name]) if name == "TotalNetAmount" else row[name]  # noqa: E731 - one line beside the table it sorts
    shown = f"seed {SEED}/{round_}: {text} by {name}"
    assert sorted(row["SalesOrder"] for row in rows) == sorted(row["SalesOrder"] for row in wanted), shown
    assert count == str(len(wanted)), shown
    values = {row["SalesOrder"]: key(row) for row in records}
    order = [values[row["SalesOrder"]] for row in rows]
    assert order == sorted(order, reverse=down), shown


@pytest.mark.parametrize("round_", range(10))
def test_lines_can_be_filtered_by_their_own_fields(system: tuple[SapSandbox, Client], round_: int) -> None:
    sap, client = system
    dice = random.Random(f"lines {SEED}/{round_}")
    sap.reader.page, sap.reader.paging = dice.choice([2, 7, 1000]), "keyset"
    records = sap.records("A_SalesOrderItem")
    some = dice.choice(records)
    limit = dice.randint(1, 50)
    text = f"RequestedQuantity le {limit} and (Material eq '{some['Material']}' or SalesOrderItem eq '20')"
    wanted = {
        (row["SalesOrder"], row["SalesOrderItem"])
        for row in records
        if Decimal(row["RequestedQuantity"]) <= limit
        and (row["Material"] == some["Material"] or row["SalesOrderItem"] == "20")
    }
    rows, count = every_page(client, "A_SalesOrderItem", filter=text)
    assert {(row["SalesOrder"], row["SalesOrderItem"]) for row in rows} == wanted, f"seed {SEED}/{round_}"
    assert (len(rows), count) == (len(wanted), str(len(wanted)))
