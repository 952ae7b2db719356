"""Rates of currencies, dated: what one unit of a currency is in another, from a day on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from decimal import Decimal

from landbridge.errors import ConfigError, Problem
from landbridge.strict import Node
from landbridge.translator._nodes import day_of, elements, keys_of
from landbridge.translator._values import Refused, to_decimal

Rates = dict[tuple[str, str], list[tuple[str, Decimal]]]  # (from, to) -> [(from which day, rate)], oldest first


def read_rates(nodes: Iterable[Node]) -> Rates:
    """The rates of all files together; raises ConfigError with every problem."""
    problems: list[Problem] = []
    found: Rates = {}
    for node in nodes:
        problems += keys_of(node, {"rates", "summary", "rows"}, {"rates", "rows"})
        for row in elements(node, "rows") if node.is_mapping else ():
            problems += _row(row, found)
    if problems:
        raise ConfigError(problems)
    for days in found.values():
        days.sort()
    return found


def _row(row: Node, found: Rates) -> list[Problem]:
    needed = {"from", "to", "since", "rate"}
    problems = keys_of(row, needed, needed)
    if problems:
        return problems
    since = day_of(row, "since", date.min, problems).isoformat()
    pair = (str(row["from"].value), str(row["to"].value))
    for key, code in zip(("from", "to"), pair, strict=True):
        if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
            problems.append(row[key].problem("a currency such as EUR is needed here."))
    rate = Decimal(0)
    with suppress(Refused):  # what is no number is no rate: told below
        rate = to_decimal(row["rate"].value)
    if not (rate.is_finite() and rate > 0):
        problems.append(row["rate"].problem('a rate above zero is needed here, such as "1.0852".'))
    days = found.setdefault(pair, [])
    if any(day == since for day, _ in days):
        problems.append(row["since"].problem(f"{pair[0]} to {pair[1]} has a rate from {since} already."))
    days.append((since, rate))
    return problems
