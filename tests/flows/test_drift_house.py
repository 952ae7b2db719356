"""Schema drift between both real sandboxes: what an administrator changes pauses what needs it, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from house import FLOWS, House

from landbridge.store import control
from sandbox.salesforce import altered


def paused(house: House) -> dict[str, str]:
    with house.store.reading() as connection:
        return {route: " ".join(causes.values()) for route, causes in control.paused_routes(connection).items()}


@pytest.fixture
def started(house: House) -> House:
    """A house whose systems were asked once and are as their mappings think."""
    first = house.installation.check_drift()
    assert first.stopping == [] and first.unreached == {} and paused(house) == {}, first.stopping
    assert ("crm", "sales_order") in first.first and ("erp", "sales_order") in first.first
    again = house.installation.check_drift()
    assert again.first == [] and again.news == [] and again.stopping == []
    return house


def test_what_nobody_uses_pauses_nothing_and_is_told_once(started: House) -> None:
    with altered(started.crm, "Account", "Site", dropped=True):
        found = started.installation.check_drift()
        assert [str(one) for one in found.news] == ["Account.Site is not there any more; no route needs it."]
        assert found.stopping == [] and paused(started) == {}
        assert started.installation.check_drift().news == []
    assert [one.field for one in started.installation.check_drift().news] == ["Site"]  # it is back, which is news


def test_a_field_that_is_written_but_that_no_source_fills_pauses_nothing(started: House) -> None:
    with altered(started.crm, "Stock_Level__c", "Reserved__c", dropped=True):  # the ERP tells no reserved stock
        found = started.installation.check_drift()
        assert found.stopping == [] and [one.field for one in found.news] == ["Reserved__c"] and paused(started) == {}
    with altered(started.crm, "Order", "Freight__c", updateable=False, createable=False):
        # written at creation only, and order_status_to_crm creates none; orders_to_erp reads it as before
        assert started.installation.check_drift().stopping == [] and paused(started) == {}


def test_a_field_that_one_route_writes_pauses_that_route_and_names_the_line(started: House) -> None:
    with altered(started.crm, "Order", "ERP_Status__c", dropped=True):
        found = started.installation.check_drift()
        assert list(paused(started)) == ["order_status_to_crm/crm"]
        [change] = found.stopping
        assert change.lines == ("mappings/salesforce/sales_order.yaml:60:3",)
        assert "Order.ERP_Status__c is not there any more." in paused(started)["order_status_to_crm/crm"]
        assert found.paused == ["order_status_to_crm/crm"]
        assert started.installation.check_drift().paused == []  # said once, stands on
        assert list(paused(started)) == ["order_status_to_crm/crm"]
    back = started.installation.check_drift()
    assert back.resumed == ["order_status_to_crm/crm"] and paused(started) == {}


def test_a_text_that_became_shorter_pauses_unless_the_line_cuts(started: House, tmp_path: Path) -> None:
    with altered(started.crm, "Shipment__c", "Carrier__c", length=20):
        found = started.installation.check_drift()
        assert list(paused(started)) == ["shipments_to_crm/crm"]
        assert "took 80 signs and takes 20" in found.stopping[0].message
        old = next(
            line for line in (started.root / "mappings/salesforce/shipment.yaml").read_text().splitlines()
            if line.strip().startswith("Carrier__c:")
        )  # fmt: skip
        started.change_project(tmp_path, **{"mappings/salesforce/shipment.yaml": (old, f"{old} | cut(20)")})
        assert started.installation.check_drift().resumed == ["shipments_to_crm/crm"] and paused(started) == {}
        assert started.installation.check_drift().stopping == []


def test_a_field_that_became_read_only_or_of_another_type_or_required_pauses(started: House) -> None:
    with altered(started.crm, "Shipment__c", "Shipped_On__c", createable=False, updateable=False):
        assert [one.kind for one in started.installation.check_drift().stopping] == ["read_only"]
        assert list(paused(started)) == ["shipments_to_crm/crm"]
    assert started.installation.check_drift().resumed == ["shipments_to_crm/crm"]
    with altered(started.crm, "Stock_Level__c", "Available__c", type="string", length=20):
        assert [one.kind for one in started.installation.check_drift().stopping] == ["retyped"]
        assert list(paused(started)) == ["inventory_to_crm/crm"]
    assert started.installation.check_drift().resumed == ["inventory_to_crm/crm"]
    with altered(started.crm, "Product2", "DisplayUrl", required=True):
        [change] = started.installation.check_drift().stopping
        assert (change.kind, change.message) == (
            "required",
            "Product2.DisplayUrl is required for a new record and is not written.",
        )
        assert list(paused(started)) == ["products_to_crm/crm"]
    assert started.installation.check_drift().resumed == ["products_to_crm/crm"]


def test_a_value_that_our_code_list_writes_and_the_field_lost(started: House) -> None:
    with altered(started.crm, "Shipment__c", "Status__c", values=("Planned", "Shipped"), restricted=True):
        [change] = started.installation.check_drift().stopping
        assert change.kind == "codes" and "'Cancelled'" in change.message and "'Delivered'" in change.message
        assert list(paused(started)) == ["shipments_to_crm/crm"]


def test_nothing_is_lost_when_a_field_of_the_source_is_renamed(started: House, tmp_path: Path) -> None:
    house = started
    house.product("CHAI", price=18)
    customer = house.account()
    house.converge(*FLOWS)
    assert house.order(customer, [("CHAI", 10, 18, 0)], Freight__c=12) and house.converge(*FLOWS)
    house.order(customer, [("CHAI", 5, 18, 0)], Freight__c=32)
    with altered(house.crm, "Order", "Freight__c", to="Freight_Cost__c"):
        found = house.installation.check_drift()
        assert list(paused(house)) == ["orders_to_erp/erp"]
        [change] = found.stopping
        assert change.renamed == "Freight_Cost__c" and "was it renamed?" in change.hint
        assert {line.rpartition(":")[0] for line in change.lines} == {"mappings/salesforce/sales_order.yaml:33"}
        house.restart()  # a long-running connector would go on asking for the old field
        house.account("Around the Horn")
        house.run(*FLOWS)
        assert len(house.erp.records("A_SalesOrder")) == 1  # the second order waits
        assert len(house.erp.records("A_BusinessPartner")) == 2  # the others go on
        file = "mappings/salesforce/sales_order.yaml"
        text = (house.root / file).read_text(encoding="utf-8")
        mended = text.replace("when: {Freight__c:", "when: {Freight_Cost__c:").replace(
            "amount: Freight__c,", "amount: Freight_Cost__c,"
        )
        house.change_project(tmp_path, **{file: (text, mended)})
        found = house.installation.check_drift()
        assert found.resumed == ["orders_to_erp/erp"] and found.again >= 1, found
        house.converge(*FLOWS)
    assert house.troubles() == []
    first, second = (one["SalesOrder"] for one in house.erp.records("A_SalesOrder"))
    assert [_freight(house, one) for one in (first, second)] == [12, 32], "each with its freight"


def test_a_persons_pause_is_never_lifted_by_a_comparison(started: House) -> None:
    with started.store.transaction("pause") as connection:
        control.pause_route(connection, "order_status_to_crm/crm", "person", "we look at it", started.clock.now())
    with altered(started.crm, "Order", "ERP_Status__c", dropped=True):
        started.installation.check_drift()
        assert "we look at it" in paused(started)["order_status_to_crm/crm"]
        assert "is not there any more" in paused(started)["order_status_to_crm/crm"]
    started.installation.check_drift()
    assert paused(started) == {"order_status_to_crm/crm": "we look at it"}


def test_a_system_that_is_somebody_else_or_does_not_answer_changes_nothing(started: House) -> None:
    with altered(started.crm, "Order", "ERP_Status__c", dropped=True):
        started.installation.check_drift()
        before = paused(started)
        started.crm_server.stop()
        found = started.installation.check_drift()
        assert list(found.unreached) == ["crm"] and paused(started) == before and found.resumed == []


def _freight(house: House, order: str) -> int:
    elements = house.erp.records("A_SalesOrderHeaderPrElement", SalesOrder=order)
    return sum(int(float(one["ConditionRateValue"])) for one in elements)


def history(house: House) -> list[Any]:
    return house.rows("select event, actor, flow, detail from history order by at, id")


def test_the_history_says_what_changed_and_who_paused(started: House) -> None:
    with altered(started.crm, "Order", "ERP_Status__c", dropped=True):
        started.installation.check_drift()
    started.clock.advance(60)
    started.installation.check_drift()
    told = [(row.event, row.actor, row.flow) for row in history(started)]
    assert told == [
        ("drift", "drift", None),
        ("paused", "drift", "order_status_to_crm"),
        ("drift_gone", "drift", None),
        ("resumed", "drift", "order_status_to_crm"),
    ]
