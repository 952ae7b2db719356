"""What the S/4HANA connector does beyond the contract of all connectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sap_s4_lab import Lab, lab, line

from connectors.sap_s4 import SapS4
from landbridge.connector import Accepted, Delivered, LineWrite, Row
from landbridge.errors import Conflict, Denied, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import NetSettings, open_http
from landbridge.secrets import Secret


@pytest.fixture
def sap() -> Iterator[Lab]:
    with lab() as one:
        yield one


def created(sap: Lab, *lines: LineWrite, **fields: object) -> tuple[Delivered, object]:
    customer = sap.customer()
    sap.product("P1")
    sap.product("P2")
    write = sap.order(customer, *(lines or (line("a", "P1", "100"), line("b", "P2", "10"))), **fields)
    outcome = sap.do(write)
    assert isinstance(outcome, Delivered), outcome
    return outcome, write


# -- session


def test_check_names_the_system_and_the_client(sap: Lab) -> None:
    assert sap.connector.check().organisation == "S4H/100"


def test_check_says_which_service_is_refused(sap: Lab) -> None:
    sap.sandbox.faults.add({"path_regex": "API_PRODUCT_SRV", "times": None}, "reply", status=403, body=b"{}")
    with pytest.raises(Denied, match="API_PRODUCT_SRV"):
        sap.connector.check()


def test_a_wrong_password_is_denied_and_not_shown(sap: Lab) -> None:
    connector = sap.connect(password=Secret.plain("wrong-password"))
    with pytest.raises(Denied) as caught:
        connector.check()
    assert "wrong-password" not in str(caught.value)


def test_an_expired_csrf_token_is_fetched_anew_and_the_order_is_created_once(sap: Lab) -> None:
    created(sap)
    sap.sandbox.faults.add({"method": "POST", "path_regex": "A_SalesOrder$"}, "stale_token")
    outcome = sap.do(sap.order(sap.customer(), line("a", "P1", "1")))
    assert isinstance(outcome, Delivered)
    assert sap.sandbox.count("A_SalesOrder") == 2


def test_a_token_that_is_refused_twice_is_no_endless_loop(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    headers = {"x-csrf-token": "Required"}
    match = {"method": "POST", "times": None}
    sap.sandbox.faults.add(match, "reply", status=403, body=b"CSRF token validation failed", headers=headers)
    assert isinstance(sap.do(sap.order(customer, line("a", "P1", "1"))), Unavailable)
    posts = [one for one in sap.sandbox.log.last if one["method"] == "POST"]
    assert len(posts) == 2


def test_oauth_tokens_are_fetched_and_renewed(sap: Lab) -> None:
    with lab(oauth_clients={"bridge": "s3cret-of-bridge"}, token_lifetime=120) as other:
        connector = other.connect(
            token_url=f"{other.url}/sap/bc/sec/oauth2/token",
            client_id="bridge",
            client_secret=Secret.plain("s3cret-of-bridge"),
        )
        assert connector.check().organisation == "S4H/100"
        other.tick(500)
        assert connector.check().user == "bridge"


# -- sales orders: create


def test_an_order_is_one_deep_insert_and_each_line_knows_its_item(sap: Lab) -> None:
    outcome, write = created(sap, PurchaseOrderByCustomer="4500017", RequestedDeliveryDate="2026-12-24")
    assert outcome.created
    assert outcome.lines == {"a": "10", "b": "20"}
    order = sap.sandbox.records("A_SalesOrder")[0]
    assert order["PurchaseOrderByCustomer"] == "4500017"
    assert order["PurchaseOrderByShipToParty"] == write.reference
    assert order["RequestedDeliveryDate"] == "2026-12-24"
    posts = [one["path"] for one in sap.sandbox.log.last if one["method"] == "POST"]
    assert len(posts) == 1
    assert posts[0].endswith("/A_SalesOrder")


def test_two_orders_with_one_customer_po_are_two_orders(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    writes = [
        sap.order(customer, line("a", "P1", "1"), reference=f"LB{n}", PurchaseOrderByCustomer="4500017") for n in (1, 2)
    ]
    outcomes = sap.connector.write("sales_order", writes)
    assert all(isinstance(one, Delivered) for one in outcomes)
    for write, outcome in zip(writes, outcomes, strict=True):
        found = sap.connector.find("sales_order", write.reference)
        assert found is not None
        assert isinstance(outcome, Delivered)
        assert found.target_id == outcome.target_id


def test_in_a_batch_one_bad_order_leaves_the_others_standing(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    good = [sap.order(customer, line("a", "P1", str(n))) for n in (1, 2)]
    bad = sap.order(customer, line("a", "NOT THERE", "1"))
    outcomes = sap.connector.write("sales_order", [good[0], bad, good[1]])
    assert [type(one) for one in outcomes] == [Delivered, Rejected, Delivered]
    assert "NOT THERE" in str(outcomes[1])
    assert "Material" in str(outcomes[1])
    assert outcomes[1].status == "M3/305"
    assert sap.sandbox.count("A_SalesOrder") == 2
    quantities = {one["RequestedQuantity"] for one in sap.sandbox.records("A_SalesOrderItem")}
    assert quantities == {"1", "2"}


def test_a_dropped_line_after_the_commit_is_unknown_and_found_by_our_reference(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    sap.product("P2")
    sap.sandbox.faults.add({"method": "POST", "path_regex": "A_SalesOrder$"}, "drop_after")
    write = sap.order(customer, line("later", "P2", "7"), line("first", "P1", "3"), reference="SO-1001")
    assert isinstance(sap.do(write), OutcomeUnknown)
    found = sap.connector.find("sales_order", "SO-1001")
    assert found is not None
    assert found.lines == {"later": "10", "first": "20"}
    assert sap.connector.find("sales_order", "SO-1002") is None


def test_a_500_after_sending_is_unknown_before_sending_it_is_not(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    sap.sandbox.faults.add({"method": "GET", "path_regex": "API_SALES_ORDER_SRV"}, "500_before")
    first = sap.do(sap.order(customer, line("a", "P1", "1")))
    assert isinstance(first, Unavailable)
    assert not first.sent
    sap.sandbox.faults.add({"method": "POST"}, "500_after")
    assert isinstance(sap.do(sap.order(customer, line("a", "P1", "1"))), OutcomeUnknown)


def test_an_html_page_after_a_create_is_unknown(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    sap.sandbox.faults.add({"method": "POST"}, "html")
    assert isinstance(sap.do(sap.order(customer, line("a", "P1", "1"))), OutcomeUnknown)


def test_an_html_page_instead_of_a_page_of_orders_is_unavailable(sap: Lab) -> None:
    sap.sandbox.faults.add({"method": "GET", "path_regex": r"A_SalesOrder\?"}, "html")
    with pytest.raises(Unavailable):
        sap.rows("sales_order")


def test_a_cut_batch_reply_is_unknown_for_every_write(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    sap.sandbox.faults.add({"method": "POST", "path_regex": "batch"}, "cut_body")
    outcomes = sap.connector.write("sales_order", [sap.order(customer, line("a", "P1", "1")) for _ in range(3)])
    assert all(isinstance(one, OutcomeUnknown) for one in outcomes)
    assert sap.sandbox.count("A_SalesOrder") == 3


def test_a_rate_limit_says_how_long_to_wait(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    sap.sandbox.faults.add({"method": "POST"}, "429", retry_after=7)
    outcome = sap.do(sap.order(customer, line("a", "P1", "1")))
    assert isinstance(outcome, Unavailable)
    assert outcome.wait == 7


def test_a_lock_by_a_user_is_tried_again(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    error = {
        "error": {
            "code": "V1/042",
            "message": {"lang": "en", "value": "Order 1 is currently being processed by user X"},
        }
    }
    sap.sandbox.faults.add({"method": "POST"}, "reply", status=400, body=error)
    outcome = sap.do(sap.order(customer, line("a", "P1", "1")))
    assert isinstance(outcome, Unavailable)
    assert outcome.wait


def test_the_ship_to_address_is_a_stage_of_its_own(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    address = {"StreetName": "Lange Str. 1", "CityName": "München", "PostalCode": "80331", "Country": "DE"}
    partners = [{"PartnerFunction": "SH", "Customer": customer, "to_Address": [address]}]
    write = sap.order(customer, line("a", "P1", "1"), to_Partner=partners)
    first = sap.do(write)
    assert isinstance(first, Accepted)
    assert first.stage == "address"
    assert first.target_id == first.handle
    sap.sandbox.faults.add({"method": "POST"}, "drop_before")
    again = replace(write, stage=first.stage, handle=first.handle)
    assert isinstance(sap.do(again), OutcomeUnknown)
    second = sap.do(again)
    assert isinstance(second, Delivered)
    assert second.lines == {"a": "10"}
    there = [one for one in sap.sandbox.records("A_SalesOrderPartnerAddress") if one["PartnerFunction"] == "SH"]
    assert there[0]["CityName"] == "München"
    assert sap.sandbox.count("A_SalesOrder") == 1
    assert second.returned is not None
    rows = sap.connector.fetch("sales_order", [second.target_id])
    assert rows[0].version == second.version


def test_a_manual_price_and_discount_make_the_total(sap: Lab) -> None:
    prices = [
        {"ConditionType": "PMP0", "ConditionRateValue": "9.80", "ConditionCurrency": "EUR", "ConditionQuantity": "1"},
        {"ConditionType": "RA00", "ConditionRateValue": "15"},
    ]
    outcome, _ = created(sap, line("a", "P1", "7", to_PricingElement=prices))
    assert outcome.returned is not None
    assert outcome.returned["TotalNetAmount"] == "58.31"
    assert outcome.returned["to_Item"][0]["NetAmount"] == "58.31"


def test_an_order_without_lines_is_refused_before_it_is_sent(sap: Lab) -> None:
    outcome = sap.do(sap.order(sap.customer()))
    assert isinstance(outcome, Rejected)
    assert not outcome.sent
    assert sap.sandbox.count("A_SalesOrder") == 0


# -- sales orders: changes


def test_header_lines_and_cancellation_change_in_one_changeset(sap: Lab) -> None:
    outcome, write = created(sap)
    sap.tick()
    a, b = write.lines
    change = sap.write(
        "sales_order",
        {**write.after, "CustomerPaymentTerms": "0002"},
        action="update",
        changed={"CustomerPaymentTerms": "0002"},
        target_id=outcome.target_id,
        expected=outcome.version,
        before=write.after,
        reference=write.reference,
        lines=(
            LineWrite("insert", "c", None, None, {**a.after, "RequestedQuantity": "30"}),
            LineWrite("update", "a", "10", a.after, {**a.after, "RequestedQuantity": "80"}),
            LineWrite("cancel", "b", "20", b.after, None),
        ),
        policy="reject_lines",
    )
    second = sap.do(change)
    assert isinstance(second, Delivered), second
    assert second.lines == {"a": "10", "b": "20", "c": "30"}
    assert second.version != outcome.version
    items = {one["SalesOrderItem"]: one for one in sap.sandbox.records("A_SalesOrderItem")}
    assert items["10"]["RequestedQuantity"] == "80"
    assert items["20"]["SalesDocumentRjcnReason"] == "01"
    assert items["30"]["RequestedQuantity"] == "30"
    assert items["30"]["PurchaseOrderByShipToParty"] == "c"
    assert sap.sandbox.records("A_SalesOrder")[0]["CustomerPaymentTerms"] == "0002"

    writes = len([one for one in sap.sandbox.log.last if one["method"] != "GET"])
    third = sap.do(replace(change, expected=second.version))
    assert isinstance(third, Delivered)
    assert third.lines == second.lines
    assert len([one for one in sap.sandbox.log.last if one["method"] != "GET"]) == writes


def test_a_change_that_fails_in_one_line_changes_none(sap: Lab) -> None:
    outcome, write = created(sap)
    a, b = write.lines
    change = replace(
        write,
        action="update",
        changed={},
        target_id=outcome.target_id,
        lines=(
            LineWrite("update", "a", "10", a.after, {**a.after, "RequestedQuantity": "80"}),
            LineWrite("update", "b", "20", b.after, {**b.after, "RequestedQuantity": "-1"}),
        ),
    )
    assert isinstance(sap.do(change), Rejected)
    assert {one["RequestedQuantity"] for one in sap.sandbox.records("A_SalesOrderItem")} == {"100", "10"}


def test_an_insert_that_was_cut_after_the_commit_is_not_inserted_twice(sap: Lab) -> None:
    outcome, write = created(sap)
    new = LineWrite("insert", "c", None, None, {**write.lines[0].after, "RequestedQuantity": "30"})
    change = replace(write, action="update", changed={}, target_id=outcome.target_id, lines=(new,))
    sap.sandbox.faults.add({"method": "POST", "path_regex": "batch"}, "drop_after")
    assert isinstance(sap.do(change), OutcomeUnknown)
    again = sap.do(change)
    assert isinstance(again, Delivered)
    assert again.lines == {"c": "30"}
    assert sap.sandbox.count("A_SalesOrderItem") == 3


def test_a_line_is_never_written_onto_the_item_of_another(sap: Lab) -> None:
    outcome, write = created(sap)
    a, b = write.lines
    swapped = replace(
        write,
        action="update",
        changed={},
        target_id=outcome.target_id,
        lines=(
            replace(a, action="update", line_key="new", line_id="20", after={**a.after, "RequestedQuantity": "1"}),
            replace(b, action="keep", line_id="20"),
        ),
    )
    result = sap.do(swapped)
    assert isinstance(result, Conflict)
    assert {one["RequestedQuantity"] for one in sap.sandbox.records("A_SalesOrderItem")} == {"100", "10"}


def test_a_field_that_sap_changed_meanwhile_is_a_conflict_and_others_are_none(sap: Lab) -> None:
    outcome, write = created(sap)
    sap.tick()
    sap.sandbox.edit("A_SalesOrder", {"SalesOrder": outcome.target_id}, {"CustomerPaymentTerms": "0009"})
    base = replace(
        write,
        action="update",
        target_id=outcome.target_id,
        expected=outcome.version,
        before={**write.after, "CustomerPaymentTerms": "0001"},
        lines=(),
    )
    clash = sap.do(replace(base, changed={"CustomerPaymentTerms": "0002"}))
    assert isinstance(clash, Conflict)
    assert (clash.ours, clash.theirs) == ("0002", "0009")
    fine = sap.do(replace(base, changed={"PurchaseOrderByCustomer": "PO-7"}))
    assert isinstance(fine, Delivered)
    order = sap.sandbox.records("A_SalesOrder")[0]
    assert (order["CustomerPaymentTerms"], order["PurchaseOrderByCustomer"]) == ("0009", "PO-7")


def test_a_change_between_our_reading_and_our_writing_is_read_again(sap: Lab) -> None:
    outcome, write = created(sap)
    sap.sandbox.faults.add(
        {"method": "PATCH"}, "reply", status=412, body={"error": {"code": "x", "message": {"value": "stale"}}}
    )
    change = replace(
        write, action="update", changed={"PurchaseOrderByCustomer": "PO-7"}, target_id=outcome.target_id, lines=()
    )
    assert isinstance(sap.do(change), Delivered)
    assert sap.sandbox.records("A_SalesOrder")[0]["PurchaseOrderByCustomer"] == "PO-7"


def test_a_deleted_order_is_rejected_line_by_line_or_left_alone_by_policy(sap: Lab) -> None:
    outcome, write = created(sap)
    base = replace(write, action="delete", after={}, changed={}, target_id=outcome.target_id, lines=())
    assert isinstance(sap.do(replace(base, policy="")), Rejected)
    assert isinstance(sap.do(replace(base, policy="ignore")), Delivered)
    assert not any(one["SalesDocumentRjcnReason"] for one in sap.sandbox.records("A_SalesOrderItem"))
    assert isinstance(sap.do(replace(base, policy="block")), Delivered)
    assert sap.sandbox.records("A_SalesOrder")[0]["DeliveryBlockReason"] == "01"
    assert isinstance(sap.do(replace(base, policy="reject_lines")), Delivered)
    assert all(one["SalesDocumentRjcnReason"] == "01" for one in sap.sandbox.records("A_SalesOrderItem"))


# -- reading


def drain(sap: Lab, entity: str, connector: SapS4, limit: int | None = None) -> list[Row]:
    """Read to the end with a fresh start after every page."""
    rows: list[Row] = []
    since: str | None = None
    for _ in range(500):
        page = next(iter(connector.read(entity, since, limit=limit)))
        rows += page.rows
        since = page.cursor
        if page.cursor is not None and '"until"' not in page.cursor:
            return rows
    raise AssertionError("reading does not end")


@pytest.mark.parametrize("paging", ["keyset", "offset"])
def test_more_orders_in_one_instant_than_a_page_are_all_read(paging: str) -> None:
    with lab(paging=paging, page=4) as sap:
        customer, _ = sap.customer(), sap.product()
        for number in range(23):
            sap.do(sap.order(customer, line("a", "P1", "1")))
            if number % 11 == 10:
                sap.tick(0.0004)
        sap.tick(60)
        connector = sap.connect(page=3)
        rows, _ = sap.rows("sales_order", connector=connector)
        assert sorted({row.key for row in rows}) == sorted(
            one["SalesOrder"] for one in sap.sandbox.records("A_SalesOrder")
        )
        resumed = drain(sap, "sales_order", connector)
        assert {row.key for row in resumed} == {row.key for row in rows}
        limited = drain(sap, "sales_order", connector, limit=2)
        assert {row.key for row in limited} == {row.key for row in rows}


def test_a_limit_is_never_exceeded_by_a_page(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    for _ in range(5):
        sap.do(sap.order(customer, line("a", "P1", "1")))
        sap.tick()
    pages = list(sap.connector.read("sales_order", None, limit=2))
    assert sum(len(page.rows) for page in pages) <= 2


def test_orders_that_change_while_they_are_read_push_none_out(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    ids = []
    for _ in range(9):
        outcome = sap.do(sap.order(customer, line("a", "P1", "1")))
        assert isinstance(outcome, Delivered)
        ids.append(outcome.target_id)
        sap.tick()
    connector = sap.connect(page=3)
    seen: set[str] = set()
    cursor = None
    for number, page in enumerate(connector.read("sales_order", None)):
        seen |= {row.key for row in page.rows}
        cursor = page.cursor
        if number == 0:
            sap.tick()
            for one in ids[:3]:
                sap.sandbox.edit("A_SalesOrder", {"SalesOrder": one}, {"PurchaseOrderByCustomer": "moved"})
    assert seen >= set(ids[3:])
    sap.tick(60)
    moved, _ = sap.rows("sales_order", cursor, connector)
    assert set(ids[:3]) <= {row.key for row in moved if row.body and row.body["PurchaseOrderByCustomer"] == "moved"}


def test_an_order_that_commits_late_is_in_the_overlap(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    sap.sandbox.faults.add({"method": "POST", "path_regex": "A_SalesOrder$"}, "commit_later", after=240)
    assert isinstance(sap.do(sap.order(customer, line("a", "P1", "1"), reference="SO-1")), OutcomeUnknown)
    sap.tick(100)
    first, cursor = sap.rows("sales_order")
    assert not first
    sap.tick(200)
    second, _ = sap.rows("sales_order", cursor)
    assert len(second) == 1


def test_the_change_stamp_keeps_seven_digits(sap: Lab) -> None:
    created(sap)
    sap.tick(60)
    rows, _ = sap.rows("sales_order")
    assert rows[0].stamp == "2026-11-02T08:00:00.1234560Z"
    assert rows[0].version is not None
    assert "1234560" in rows[0].version


def test_an_order_reads_as_plain_data(sap: Lab) -> None:
    outcome, _ = created(sap, RequestedDeliveryDate="2026-12-24")
    sap.tick(60)
    row = sap.rows("sales_order")[0][0]
    body = row.body
    assert body is not None
    assert row.key == outcome.target_id
    assert body["RequestedDeliveryDate"] == "2026-12-24"
    assert body["TotalNetAmount"] == "1100.00"
    assert isinstance(body["to_Item"], list)
    assert body["to_Item"][0]["RequestedQuantity"] == "100"
    assert "__metadata" not in str(body)
    assert "__deferred" not in str(body)
    assert "/Date(" not in str(body)
    assert outcome.returned == body


def test_shipped_and_returned_quantities_stand_in_each_item(sap: Lab) -> None:
    outcome, _ = created(sap)
    sap.sandbox.ship(outcome.target_id, {"10": 60})
    sap.sandbox.return_items(outcome.target_id, {"10": 5})
    body = sap.connector.fetch("sales_order", [outcome.target_id])[0].body
    assert body is not None
    quantities = {one["SalesOrderItem"]: (one["@shipped"], one["@returned"]) for one in body["to_Item"]}
    assert quantities == {"10": ("60", "5"), "20": ("0", "0")}


def test_a_cursor_from_the_future_or_from_nowhere_is_refused(sap: Lab) -> None:
    with pytest.raises(Denied, match="future"):
        next(iter(sap.connector.read("sales_order", '{"done":"2031-01-01T00:00:00Z"}')))
    with pytest.raises(Denied, match="cannot be read"):
        next(iter(sap.connector.read("sales_order", '{"what":1}')))


def test_partners_of_a_whole_day_are_read_again(sap: Lab) -> None:
    first = sap.customer("Erste GmbH")
    sap.tick(60)
    rows, cursor = sap.rows("customer")
    assert [row.key for row in rows] == [first]
    second = sap.customer("Zweite GmbH", supplier=True)
    third = sap.sandbox.seed_partner("Nur Lieferant", customer=False, supplier=True)
    sap.tick(3600)
    rows, cursor = sap.rows("customer", cursor)
    assert {row.key for row in rows} == {first, second}
    rows, _ = sap.rows("supplier")
    assert {row.key for row in rows} == {second, third}
    sap.tick(3 * 86400)
    rows, cursor = sap.rows("customer", cursor)
    rows, _ = sap.rows("customer", cursor)
    assert not rows


def test_partners_are_read_in_pages_of_keys_and_resume_anywhere(sap: Lab) -> None:
    keys = {sap.customer(f"Firma {number}") for number in range(10)}
    sap.tick(60)
    connector = sap.connect(page=3)
    assert {row.key for row in drain(sap, "customer", connector)} == keys
    assert {row.key for row in drain(sap, "customer", connector, limit=4)} == keys


@pytest.mark.parametrize("filterable", [False, True])
def test_deliveries_are_read_whether_or_not_they_may_be_filtered(filterable: bool) -> None:
    with lab(delivery_filterable=filterable, page=2) as sap:
        deliveries = set()
        for _ in range(5):
            outcome = sap.do(sap.order(sap.customer(), line("a", sap.product(), "10")))
            assert isinstance(outcome, Delivered)
            deliveries.add(sap.sandbox.ship(outcome.target_id, {"10": 4}, carrier="DHL", tracking="JJD00"))
        sap.tick(60)
        rows, cursor = sap.rows("shipment")
        assert {row.key for row in rows} == deliveries
        body = rows[0].body
        assert body is not None
        item = body["to_DeliveryDocumentItem"][0]
        assert (item["ReferenceSDDocumentItem"], item["ActualDeliveryQuantity"]) == ("10", "4")
        asked = [one["path"] for one in sap.sandbox.log.last if "A_OutbDeliveryHeader" in one["path"]]
        rows, _ = sap.rows("shipment", cursor)
        asked = [one["path"] for one in sap.sandbox.log.last if "A_OutbDeliveryHeader" in one["path"]]
        assert ("$filter" in asked[-1]) is filterable
        assert {row.key for row in drain(sap, "shipment", sap.connector, limit=2)} == deliveries


def test_products_and_prices_are_read_with_what_belongs_to_them(sap: Lab) -> None:
    sap.product("P1", price="12.50")
    sap.tick(60)
    product = sap.rows("product")[0][0]
    assert product.body is not None
    assert product.body["to_Description"][0]["ProductDescription"] == "Product P1"
    price = sap.rows("price")[0][0]
    assert price.body is not None
    assert (price.key, price.body["StandardPrice"], price.body["Currency"]) == ("P1|1010|", "12.50", "EUR")
    assert sap.connector.fetch("price", ["P1|1010|"])[0].key == "P1|1010|"


def test_what_is_gone_is_fetched_as_deleted(sap: Lab) -> None:
    known = sap.customer()
    rows = {row.key: row.action for row in sap.connector.fetch("customer", [known, "4711"])}
    assert rows == {known: "upsert", "4711": "delete"}


def test_the_next_link_to_another_host_is_not_followed() -> None:
    with lab(page=1) as sap:
        for _ in range(2):
            outcome = sap.do(sap.order(sap.customer(), line("a", sap.product(), "10")))
            assert isinstance(outcome, Delivered)
            sap.sandbox.ship(outcome.target_id, {"10": 4})
        answer = {"d": {"results": [], "__next": "https://elsewhere.example/sap/opu/odata/sap/X"}}
        sap.sandbox.faults.add(
            {"method": "GET", "path_regex": r"A_OutbDeliveryHeader\?"}, "reply", status=200, body=answer
        )
        with pytest.raises(Denied, match="another host"):
            sap.rows("shipment")


# -- stock


def stock(sap: Lab, materials: int, plant: str = "1010") -> None:
    for number in range(materials):
        sap.sandbox.stock_set(f"M{number:03}", plant, number + 1)


def test_a_plant_is_a_whole_snapshot_in_pages(sap: Lab) -> None:
    stock(sap, 11)
    for batch in range(7):
        sap.sandbox.stock_set("M005", "1010", 3, batch=f"B{batch}")
    stock(sap, 2, "1710")
    connector = sap.connect(page=3, plants=("1010", "1710"))
    pages = list(connector.read("inventory_level", None))
    assert [page.scope for page in pages if page.complete] == ["1010", "1710"]
    first = [row for page in pages if page.scope == "1010" for row in page.rows]
    assert len(first) == len({row.key for row in first}) == 18
    ends = [page.total for page in pages if page.complete]
    assert ends == [18, 2]
    assert sum(len(page.rows) for page in pages) == 20


def test_a_page_that_is_missing_makes_no_snapshot(sap: Lab) -> None:
    stock(sap, 10)
    empty = {"d": {"results": []}}
    sap.sandbox.faults.add(
        {"method": "GET", "path_regex": r"A_MatlStkInAcctMod\?", "nth": 3}, "reply", status=200, body=empty
    )
    pages = list(sap.connect(page=2).read("inventory_level", None))
    assert not any(page.complete for page in pages)


def test_a_reading_that_breaks_off_makes_no_snapshot(sap: Lab) -> None:
    stock(sap, 10)
    sap.sandbox.faults.add({"method": "GET", "path_regex": r"A_MatlStkInAcctMod\?", "nth": 3}, "503")
    complete = []
    with pytest.raises(Unavailable):
        for page in sap.connect(page=2).read("inventory_level", None):
            complete.append(page.complete)
    assert complete
    assert not any(complete)


def test_stock_rows_that_come_and_go_shift_none_out(sap: Lab) -> None:
    stock(sap, 10)
    seen: set[str] = set()
    pages = []
    for number, page in enumerate(sap.connect(page=3).read("inventory_level", None)):
        seen |= {str(row.body["Material"]) for row in page.rows if row.body}
        pages.append(page)
        if number == 0:
            sap.sandbox.stock_set("M000", "1010", 0)
            sap.sandbox.stock_set("M099", "1010", 1)
    assert {f"M{number:03}" for number in range(10)} | {"M099"} == seen
    assert not pages[-1].complete  # eleven rows came, ten are there: the next reading is asked


def test_sold_out_stock_is_zero_not_deleted(sap: Lab) -> None:
    stock(sap, 1)
    row = sap.rows("inventory_level")[0][0]
    assert row.body is not None
    absent = sap.connector.absent("inventory_level", row.body)
    assert absent is not None
    assert (absent["Material"], absent["MatlWrhsStkQtyInMatlBaseUnit"]) == ("M000", "0")


# -- masters


PARTNER = {
    "BusinessPartnerCategory": "2",
    "OrganizationBPName1": "北京机床厂",
    "SearchTerm1": "BJJC",
    "to_BusinessPartnerAddress": [
        {
            "StreetName": "建国路 1",
            "CityName": "北京",
            "PostalCode": "100020",
            "Country": "CN",
            "to_EmailAddress": [{"EmailAddress": "a@example.cn", "IsDefaultEmailAddress": True}],
        }
    ],
    "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}],
    "to_BusinessPartnerTax": [{"BPTaxType": "CN0", "BPTaxNumber": "91110000100001"}],
    "to_Customer": {
        "to_CustomerSalesArea": [
            {"SalesOrganization": "1010", "DistributionChannel": "10", "Division": "00", "Currency": "CNY"}
        ]
    },
}


def test_a_partner_is_created_with_roles_address_tax_and_sales_area_and_can_order(sap: Lab) -> None:
    outcome = sap.do(sap.write("customer", PARTNER, reference="LB-C-1"))
    assert isinstance(outcome, Delivered)
    found = sap.connector.find("customer", "LB-C-1")
    assert found is not None
    assert (found.target_id, found.version) == (outcome.target_id, outcome.version)
    assert sap.connector.find("customer", "LB-C-2") is None
    assert outcome.returned is not None
    assert outcome.returned["OrganizationBPName1"] == "北京机床厂"
    sap.product()
    order = sap.order(outcome.target_id, line("a", "P1", "1"), TransactionCurrency="CNY")
    assert isinstance(sap.do(order), Delivered)


def test_a_partner_changes_part_by_part(sap: Lab) -> None:
    outcome = sap.do(sap.write("customer", PARTNER, reference="LB-C-1"))
    assert isinstance(outcome, Delivered)
    address = {**PARTNER["to_BusinessPartnerAddress"][0], "CityName": "上海"}
    address["to_EmailAddress"] = [{"EmailAddress": "b@example.cn"}]
    changed = {
        "OrganizationBPName1": "上海机床厂",
        "to_BusinessPartnerAddress": [address],
        "to_BusinessPartnerTax": [
            {"BPTaxType": "CN0", "BPTaxNumber": "91110000100002"},
            {"BPTaxType": "CN1", "BPTaxNumber": "7"},
        ],
        "to_Customer": {
            "to_CustomerSalesArea": [
                {"SalesOrganization": "1010", "DistributionChannel": "10", "Division": "00", "Currency": "EUR"}
            ]
        },
    }
    update = sap.write(
        "customer", {**PARTNER, **changed}, action="update", changed=changed, target_id=outcome.target_id
    )
    second = sap.do(update)
    assert isinstance(second, Delivered), second
    body = second.returned
    assert body is not None
    assert body["OrganizationBPName1"] == "上海机床厂"
    assert [one["CityName"] for one in body["to_BusinessPartnerAddress"]] == ["上海"]
    assert [one["EmailAddress"] for one in body["to_BusinessPartnerAddress"][0]["to_EmailAddress"]] == ["b@example.cn"]
    assert {one["BPTaxType"]: one["BPTaxNumber"] for one in body["to_BusinessPartnerTax"]} == {
        "CN0": "91110000100002",
        "CN1": "7",
    }
    assert body["to_Customer"]["to_CustomerSalesArea"][0]["Currency"] == "EUR"
    writes = len([one for one in sap.sandbox.log.last if one["method"] != "GET"])
    assert isinstance(sap.do(update), Delivered)
    assert len([one for one in sap.sandbox.log.last if one["method"] != "GET"]) == writes


def test_a_customer_becomes_a_supplier_too(sap: Lab) -> None:
    outcome = sap.do(sap.write("customer", PARTNER))
    assert isinstance(outcome, Delivered)
    changed = {
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLVN00"}, {"BusinessPartnerRole": "FLVN01"}],
        "to_Supplier": {
            "to_SupplierPurchasingOrg": [{"PurchasingOrganization": "1010", "PurchaseOrderCurrency": "EUR"}]
        },
    }
    update = sap.write("supplier", changed, action="update", changed=changed, target_id=outcome.target_id)
    assert isinstance(sap.do(update), Delivered)
    assert {row.key for row in sap.rows("supplier")[0]} == {outcome.target_id}


def test_a_partner_is_blocked_by_policy_only(sap: Lab) -> None:
    customer = sap.customer()
    base = sap.write("customer", {}, action="delete", changed={}, target_id=customer)
    assert isinstance(sap.do(base), Rejected)
    assert isinstance(sap.do(replace(base, policy="ignore")), Delivered)
    assert not sap.sandbox.records("A_BusinessPartner")[0]["BusinessPartnerIsBlocked"]
    assert isinstance(sap.do(replace(base, policy="block")), Delivered)
    assert sap.sandbox.records("A_BusinessPartner")[0]["BusinessPartnerIsBlocked"]


def test_a_product_is_created_changed_and_found(sap: Lab) -> None:
    body = {
        "Product": "NEW-1",
        "ProductType": "HAWA",
        "BaseUnit": "PC",
        "ProductGroup": "L001",
        "to_Description": [{"Language": "EN", "ProductDescription": "Chai"}],
    }
    outcome = sap.do(sap.write("product", body, reference="LB-P-1"))
    assert isinstance(outcome, Delivered), outcome
    found = sap.connector.find("product", "LB-P-1")
    assert found is not None
    assert found.target_id == "NEW-1"
    changed = {
        "to_Description": [
            {"Language": "EN", "ProductDescription": "Tea"},
            {"Language": "DE", "ProductDescription": "Tee"},
        ]
    }
    update = sap.write("product", {**body, **changed}, action="update", changed=changed, target_id="NEW-1")
    second = sap.do(update)
    assert isinstance(second, Delivered), second
    assert second.returned is not None
    texts = {one["Language"]: one["ProductDescription"] for one in second.returned["to_Description"]}
    assert texts == {"EN": "Tea", "DE": "Tee"}


def test_adoption_finds_partners_by_tax_id_in_few_requests(sap: Lab) -> None:
    ids = {f"DE{number:09}": sap.customer(f"Firma {number}", tax_id=f"DE{number:09}") for number in range(600)}
    sap.sandbox.seed_partner("Nur Lieferant", customer=False, supplier=True, tax_id="DE999999999")
    before = len(sap.sandbox.log.last)
    found = sap.connector.matches("customer", [*ids, "DE999999999", "DE-none"], field="tax_id")
    assert {value: keys[0] for value, keys in found.items() if keys} == ids
    assert found["DE999999999"] == found["DE-none"] == []
    assert len(sap.sandbox.log.last) - before < 12
    assert sap.connector.matches("customer", ["DE000000007"], field="tax_id") == {"DE000000007": [ids["DE000000007"]]}


def test_keys_come_in_order_with_a_hash_that_follows_changes(sap: Lab) -> None:
    keys = [sap.customer(f"Firma {number}") for number in range(5)]
    connector = sap.connect(page=2)
    first = {one.key: one.hash for one in connector.keys("customer")}
    assert list(first) == sorted(keys)
    sap.tick(100)
    sap.sandbox.edit("A_BusinessPartner", {"BusinessPartner": keys[2]}, {"SearchTerm1": "X"})
    second = {one.key: one.hash for one in connector.keys("customer", low=keys[1], high=keys[4])}
    assert list(second) == keys[1:4]
    assert {key for key in second if first[key] != second[key]} == {keys[2]}


# -- metadata and configuration


def test_describe_tells_lengths_and_what_may_be_written(sap: Lab) -> None:
    fields = sap.connector.describe("sales_order").fields
    assert fields["PurchaseOrderByCustomer"].length == 35
    assert not fields["TotalNetAmount"].creatable
    assert fields["to_Item.Material"].required
    assert fields["to_Item.to_PricingElement.ConditionRateValue"].type == "decimal"
    assert not fields["to_Partner.to_Address.CityName"].required
    with_default = sap.connect(defaults={"sales_order": {"SalesOrderType": "OR"}})
    assert not with_default.describe("sales_order").fields["SalesOrderType"].required
    assert fields["SalesOrderType"].required


def test_a_reference_field_that_does_not_exist_is_named(sap: Lab) -> None:
    connector = sap.connect(reference={"sales_order": "YY1_Nowhere_SDH"})
    outcome = sap.do(sap.order(sap.customer(), line("a", sap.product(), "1")), connector)
    assert isinstance(outcome, Rejected)
    assert "YY1_Nowhere_SDH" in str(outcome)
    assert not outcome.sent


def test_the_customers_own_po_number_is_no_reference_field(sap: Lab) -> None:
    with pytest.raises(ValueError, match="repeats"):
        sap.connect(reference={"sales_order": "PurchaseOrderByCustomer"})


def test_a_long_reference_fits_and_stays_ours_alone(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    long = "LB-" + "x" * 60
    outcomes = [sap.do(sap.order(customer, line("l" * 50 + end, "P1", "1"), reference=long + end)) for end in "12"]
    for end, outcome in zip("12", outcomes, strict=True):
        found = sap.connector.find("sales_order", long + end)
        assert found is not None
        assert isinstance(outcome, Delivered)
        assert found.target_id == outcome.target_id
        assert outcome.lines == {"l" * 50 + end: "10"}


def test_a_discount_that_is_taken_back_is_deleted_and_nothing_else_is(sap: Lab) -> None:
    price = {"ConditionType": "PMP0", "ConditionRateValue": "10", "ConditionCurrency": "EUR", "ConditionQuantity": "1"}
    discount = {"ConditionType": "RB00", "ConditionRateValue": "3", "ConditionCurrency": "EUR"}
    outcome, write = created(sap, line("a", "P1", "1", to_PricingElement=[price, discount]))
    assert sap.sandbox.records("A_SalesOrder")[0]["TotalNetAmount"] == "7.00"
    before = write.lines[0].after
    assert before is not None
    without = LineWrite("update", "a", "10", before, {**before, "to_PricingElement": [price]})
    change = replace(write, action="update", changed={}, target_id=outcome.target_id, lines=(without,))
    second = sap.do(change)
    assert isinstance(second, Delivered), second
    assert sap.sandbox.records("A_SalesOrder")[0]["TotalNetAmount"] == "10.00"
    kinds = [one["ConditionType"] for one in sap.sandbox.records("A_SalesOrderItemPrElement")]
    assert "RB00" not in kinds
    assert "PMP0" in kinds
    assert isinstance(sap.do(change), Delivered)


def test_the_customers_own_address_needs_no_second_stage(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    address = {"StreetName": "Obere Str. 57", "CityName": "Berlin", "PostalCode": "12209", "Country": "DE"}
    partners = [{"PartnerFunction": "SH", "Customer": customer, "to_Address": [address]}]
    assert isinstance(sap.do(sap.order(customer, line("a", "P1", "1"), to_Partner=partners)), Delivered)


@pytest.mark.parametrize("documents", [("returns", "deliveries"), ()])
def test_an_order_is_told_when_only_its_followers_moved(documents: tuple[str, ...]) -> None:
    with lab(stamp_order=False, delivery_filterable=True) as sap:
        outcome = sap.do(sap.order(sap.customer(), line("a", sap.product(), "10")))
        assert isinstance(outcome, Delivered)
        connector = sap.connect(follow=documents)
        sap.tick(86400 * 2)
        _, cursor = sap.rows("sales_order", None, connector)
        sap.tick(86400 * 2)
        sap.sandbox.ship(outcome.target_id, {"10": 4})
        shipped, cursor = sap.rows("sales_order", cursor, connector)
        sap.tick(86400 * 2)
        sap.sandbox.return_items(outcome.target_id, {"10": 1})
        returned, _ = sap.rows("sales_order", cursor, connector)
        if not documents:
            assert shipped == returned == []
            return
        assert [row.body["to_Item"][0]["@shipped"] for row in shipped if row.body] == ["4"]
        assert [row.body["to_Item"][0]["@returned"] for row in returned if row.body] == ["1"]


def test_keys_and_fetch_speak_of_the_same_records_for_every_entity(sap: Lab) -> None:
    outcome, _ = created(sap)
    sap.sandbox.ship(outcome.target_id, {"10": 1})
    sap.sandbox.seed_partner("Lieferant", customer=False, supplier=True)
    sap.sandbox.stock_set("P1", "1010", 3, batch="B1")
    sap.tick(60)
    for entity in sap.connector.entities:
        keys = [one.key for one in sap.connector.keys(entity)]
        assert keys == sorted(keys)
        assert set(keys) == {row.key for row in sap.rows(entity)[0]}, entity
        rows = sap.connector.fetch(entity, [*keys, "nowhere|x"])
        assert {row.key: row.action for row in rows} == {**dict.fromkeys(keys, "upsert"), "nowhere|x": "delete"}, entity


def test_what_somebody_changed_in_sap_and_we_did_not_stays(sap: Lab) -> None:
    outcome, write = created(sap, line("a", "P1", "100", SalesOrderItemText="Tea"))
    item = {"SalesOrder": outcome.target_id, "SalesOrderItem": "10"}
    sap.sandbox.edit("A_SalesOrderItem", item, {"SalesOrderItemText": "Tea, the good one"})
    before = write.lines[0].after
    assert before is not None
    new = LineWrite("update", "a", "10", before, {**before, "RequestedQuantity": "80"})
    change = replace(write, action="update", changed={}, target_id=outcome.target_id, lines=(new,))
    assert isinstance(sap.do(change), Delivered)
    there = sap.sandbox.records("A_SalesOrderItem")[0]
    assert (there["RequestedQuantity"], there["SalesOrderItemText"]) == ("80", "Tea, the good one")


def test_a_new_city_leaves_the_street_that_was_corrected_in_sap(sap: Lab) -> None:
    outcome = sap.do(sap.write("customer", PARTNER))
    assert isinstance(outcome, Delivered)
    address = sap.sandbox.records("A_BusinessPartnerAddress")[0]
    key = {"BusinessPartner": outcome.target_id, "AddressID": address["AddressID"]}
    sap.sandbox.edit("A_BusinessPartnerAddress", key, {"StreetName": "建国门外大街 1"})
    changed = {"to_BusinessPartnerAddress": [{**PARTNER["to_BusinessPartnerAddress"][0], "CityName": "上海"}]}
    after = {**PARTNER, **changed}
    update = sap.write("customer", after, action="update", changed=changed, before=PARTNER, target_id=outcome.target_id)
    assert isinstance(sap.do(update), Delivered)
    there = sap.sandbox.records("A_BusinessPartnerAddress")[0]
    assert (there["CityName"], there["StreetName"]) == ("上海", "建国门外大街 1")


def test_orders_too_large_for_a_page_are_read_in_smaller_ones(sap: Lab) -> None:
    customer, _ = sap.customer(), sap.product()
    for _ in range(12):
        sap.do(sap.order(customer, line("a", "P1", "1")))
        sap.tick()
    config = sap.connector.config
    http = open_http("erp", config, NetSettings(max_reply=60_000), clock=sap.clock)
    connector = SapS4("erp", config, http, sap.clock)
    connector._gateway._services = sap.connector._gateway._services  # the metadata itself is larger than that
    rows, _ = sap.rows("sales_order", None, connector)
    assert len({row.key for row in rows}) == 12
