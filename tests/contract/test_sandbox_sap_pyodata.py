"""The unmodified SAP client `pyodata` works against the SAP sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyodata
import pytest
import requests
from pyodata.exceptions import HttpError

from sandbox._base import serve
from sandbox.sap_s4 import SapSandbox

SERVICE = "/sap/opu/odata/sap/API_SALES_ORDER_SRV/"


@pytest.fixture(scope="module")
def system() -> Iterator[tuple[SapSandbox, str]]:
    sap = SapSandbox()
    sap.seed_partner("Blauer See Delikatessen", number="10001", city="Mannheim")
    sap.seed_product("CHAI", "Chai", price="18.00", stock=500)
    sap.seed_product("CHANG", "Chang", price="19.00", stock=500)
    with serve(sap.app) as served:
        yield sap, served.url
    sap.close()


@pytest.fixture
def session(system: tuple[SapSandbox, str]) -> requests.Session:
    session = requests.Session()
    session.auth = ("LANDBRIDGE", "sandbox-only")
    answer = session.head(system[1] + SERVICE, headers={"x-csrf-token": "fetch"}, timeout=10)
    session.headers["x-csrf-token"] = answer.headers["x-csrf-token"]
    return session


@pytest.fixture
def client(system: tuple[SapSandbox, str], session: requests.Session) -> Any:
    return pyodata.Client(system[1] + SERVICE, session)


def matching(request: Any, etag: str) -> Any:
    """The client sends no If-Match by itself; its own `add_headers` is how a caller adds one."""
    request.add_headers({"If-Match": etag})
    return request


def new_order(client: Any, reference: str) -> Any:
    return (
        client.entity_sets.A_SalesOrder.create_entity()
        .set(
            SalesOrderType="OR",
            SalesOrganization="1010",
            DistributionChannel="10",
            OrganizationDivision="00",
            SoldToParty="10001",
            PurchaseOrderByShipToParty=reference,
            RequestedDeliveryDate=datetime(2026, 12, 1, tzinfo=UTC),
            to_Item=[
                {"Material": "CHAI", "RequestedQuantity": "10"},
                {
                    "Material": "CHANG",
                    "RequestedQuantity": "3",
                    "to_PricingElement": [
                        {"ConditionType": "PMP0", "ConditionRateValue": "15.2"},
                        {"ConditionType": "K007", "ConditionRateValue": "5"},
                    ],
                },
            ],
        )
        .execute()
    )


def test_deep_create_returns_the_whole_order(client: Any) -> None:
    order = new_order(client, "PY-1")
    assert order.SalesOrder.isdigit()
    # 10 × 18.00 + (3 × 15.20 = 45.60 less 5 % = 2.28)
    assert str(order.TotalNetAmount) == "223.32"
    assert order.RequestedDeliveryDate.date().isoformat() == "2026-12-01"


def test_get_with_expand_brings_the_lines(client: Any) -> None:
    number = new_order(client, "PY-2").SalesOrder
    order = client.entity_sets.A_SalesOrder.get_entity(number).expand("to_Item").execute()
    assert [(line.SalesOrderItem, line.Material, str(line.RequestedQuantity)) for line in order.to_Item] == [
        ("10", "CHAI", "10"),
        ("20", "CHANG", "3"),
    ]


def test_list_filters_orders_and_follows_pages(client: Any, system: tuple[SapSandbox, str]) -> None:
    wanted = [new_order(client, f"PAGE-{number}").SalesOrder for number in range(5)]
    system[0].reader.page = 2
    try:
        found, request = (
            [],
            client.entity_sets.A_SalesOrder.get_entities().filter("startswith(PurchaseOrderByShipToParty,'PAGE-')"),
        )
        page = request.execute()
        found += page
        while page.next_url:
            page = client.entity_sets.A_SalesOrder.get_entities().next_url(page.next_url).execute()
            found += page
    finally:
        system[0].reader.page = 1000
    assert [one.SalesOrder for one in found] == wanted
    newest = client.entity_sets.A_SalesOrder.get_entities().order_by("SalesOrder desc").top(1).execute()
    assert newest[0].SalesOrder == wanted[-1]


def test_count_counts(client: Any) -> None:
    new_order(client, "COUNTED")
    request = client.entity_sets.A_SalesOrder.get_entities().filter("PurchaseOrderByShipToParty eq 'COUNTED'")
    assert request.count().execute() == 1
    page = client.entity_sets.A_SalesOrder.get_entities().count(inline=True).top(1).execute()
    assert page.total_count >= 1


def test_update_without_if_match_is_428_and_with_the_header_goes_through(
    client: Any, session: requests.Session
) -> None:
    number = new_order(client, "PY-3").SalesOrder
    update = client.entity_sets.A_SalesOrder.update_entity(number).set(PurchaseOrderByCustomer="4500017")
    with pytest.raises(HttpError) as refused:
        update.execute()
    assert refused.value.response.status_code == 428
    etag = client.entity_sets.A_SalesOrder.get_entity(number).execute().etag
    matching(
        client.entity_sets.A_SalesOrder.update_entity(number).set(PurchaseOrderByCustomer="4500017"), etag
    ).execute()
    assert client.entity_sets.A_SalesOrder.get_entity(number).execute().PurchaseOrderByCustomer == "4500017"
    with pytest.raises(HttpError) as stale:
        matching(client.entity_sets.A_SalesOrder.update_entity(number).set(PurchaseOrderByCustomer="x"), etag).execute()
    assert stale.value.response.status_code == 412


def test_a_batch_reads_and_changes(client: Any) -> None:
    number = new_order(client, "PY-4").SalesOrder
    batch = client.create_batch()
    batch.add_request(client.entity_sets.A_SalesOrder.get_entity(number))
    changes = client.create_changeset()
    changes.add_request(
        matching(client.entity_sets.A_SalesOrder.update_entity(number).set(PurchaseOrderByCustomer="B1"), "*")
    )
    key = {"SalesOrder": number, "SalesOrderItem": "10"}
    changes.add_request(client.entity_sets.A_SalesOrderItem.update_entity(**key).set(RequestedQuantity="12"))
    batch.add_request(changes)
    read, _ = batch.execute()
    assert read.PurchaseOrderByShipToParty == "PY-4"
    order = client.entity_sets.A_SalesOrder.get_entity(number).expand("to_Item").execute()
    assert (order.PurchaseOrderByCustomer, str(order.to_Item[0].RequestedQuantity)) == ("B1", "12")
