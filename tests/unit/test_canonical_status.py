"""The status of an order follows from its lines."""

from __future__ import annotations

from typing import Any

import pytest
from canonical_bodies import line, order, quantity

from landbridge.canonical import STATUSES, Canonical, document_status, line_state
from landbridge.errors import Invalid


@pytest.mark.parametrize(
    ("lines", "stage", "status"),
    [
        ([line("1", 10)], None, "open"),
        ([line("1", 10)], "draft", "draft"),
        ([line("1", 10)], "confirmed", "confirmed"),
        ([line("1", 10)], "shipped", "open"),
        ([line("1", 10, confirmed=10)], "confirmed", "confirmed"),
        ([line("1", 10, shipped=4)], "confirmed", "partly_shipped"),
        ([line("1", 10, shipped=10), line("2", 5)], "open", "partly_shipped"),
        ([line("1", 10, shipped=10), line("2", 5, shipped=5)], "open", "shipped"),
        ([line("1", 10, shipped=12)], "open", "shipped"),
        ([line("1", 10, shipped="10.0")], "draft", "shipped"),
        ([line("1", 10, cancelled=10)], "open", "cancelled"),
        ([line("1", 10, cancelled=4)], "open", "open"),
        ([line("1", 10, cancel_reason="Z1")], "open", "cancelled"),
        ([line("1", 10, cancelled=10), line("2", 5)], "confirmed", "confirmed"),
        ([line("1", 10, shipped=6, cancelled=4)], "open", "shipped"),
        ([line("1", 10, shipped=6, cancel_reason="Z1")], "open", "shipped"),
        ([line("1", 10, shipped=10, returned=10)], "open", "returned"),
        ([line("1", 10, shipped=10, returned=1)], "open", "partly_returned"),
        ([line("1", 10, shipped=5, returned=1, cancelled=5)], "open", "partly_returned"),
        ([line("1", 5, shipped=5, returned=5), line("2", 3, cancelled=3)], "open", "returned"),
        ([line("1", 5, shipped=5, returned=5), line("2", 3, shipped=3)], "open", "partly_returned"),
        (
            [line("1", 100, shipped=60, returned=5), line("2", 10, cancel_reason="Z1"), line("3", 30)],
            "open",
            "partly_shipped",
        ),
        ([line("1", 10)], "cancelled", "cancelled"),
        ([line("1", 10, shipped=5)], "cancelled", "shipped"),
        ([line("1", 10, shipped=5)], "closed", "closed"),
        ([line("1", 10)], "closed", "closed"),
        ([line("1", 10, shipped=10)], "closed", "shipped"),
        ([line("1", 10, shipped=None)], "open", "open"),
        ([line("1", 0)], "open", "open"),
    ],
)
def test_a_status_follows_from_the_lines(lines: list[dict[str, Any]], stage: str | None, status: str) -> None:
    for one in lines:
        for name, value in list(one["quantities"].items()):
            if value["value"] == "None":
                one["quantities"][name] = None
    assert document_status(order(*lines, status=stage)) == status


def test_a_normal_tuesday() -> None:
    """Half shipped, one returned, the rest cancelled."""
    body = order(line("A", 4, shipped=4, returned=1), line("B", 2, shipped=1, cancelled=1), line("C", 3, cancelled=3))
    assert document_status(body) == "partly_returned"
    assert [line_state(one).status for one in body["lines"]] == ["partly_returned", "shipped", "cancelled"]
    assert document_status({**body, "lines": body["lines"][1:]}) == "shipped"


def test_every_status_is_a_word_of_the_schema(root: Any) -> None:
    words = Canonical.load(root / "schemas" / "canonical").fields("sales_order")["status"].words
    assert sorted(words) == sorted(STATUSES)


def test_quantities_in_different_units_are_refused_not_added() -> None:
    mixed = line("1", 10)
    mixed["quantities"]["shipped"] = quantity(1, "XBX")
    with pytest.raises(Invalid, match=r"lines\[0\].quantities.shipped.unit: is XBX, ordered is in C62"):
        document_status(order(mixed))
