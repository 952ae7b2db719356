"""What the S/4HANA connector does beyond the contract of all connectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sap_s4_lab import Lab, lab, line

from landbridge.connector import Accepted, Delivered, LineWrite
from landbridge.errors import Conflict, Denied, OutcomeUnknown, Rejected, Unavailable
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
