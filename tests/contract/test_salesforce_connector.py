"""What the Salesforce connector does beyond the contract: its own logins, lines, merges, prices, limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from bench_salesforce import REFERENCE, SalesforceBench
from connectors_under_test import REGISTRY
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from suite import Inbox, as_update, delivered, outcome_of

from connectors.salesforce import SalesforceConfig
from landbridge.connector import Delivered, LineWrite, Write
from landbridge.errors import Conflict, Denied, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import LocalBudget, Usage

QUIET = 10_000.0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[SalesforceBench]:
    made = SalesforceBench(REGISTRY["salesforce"], tmp_path)
    made.start()
    yield made
    made.close()
    made.stop()


def write(entity: str, reference: str, body: dict[str, Any], **change: Any) -> Write:
    made = Write(entity, "create", uuid4(), 1, f"key-{reference}", reference, body, dict(body))
    return dataclasses.replace(made, **change)


def calls(bench: SalesforceBench, part: str) -> list[dict[str, Any]]:
    return [entry for entry in bench.org.app.log.last if part in entry["path"]]


# --- login


def keys(folder: Path) -> tuple[Path, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "key.pem"
    path.write_bytes(pem)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return path, public.decode()


def test_it_logs_in_by_jwt_bearer(bench, tmp_path):
    path, public = keys(tmp_path)
    bench.org.register_client("jwt-key", certificate_pem=public, username="bus@acme.example")
    raw = {"client_id": "jwt-key", "client_secret": None, "username": "bus@acme.example", "private_key": f"file:{path}"}
    assert bench.connector(**raw).check().organisation == bench.org.org_id
    (tmp_path / "key.pem").write_text("no key at all")
    with pytest.raises(Denied, match="holds no usable RSA key") as caught:
        bench.connector(**raw).check()
    assert "no key at all" not in str(caught.value)


def test_a_wrong_secret_is_denied_with_the_reason(bench):
    (bench.folder / "secret").write_text("wrong-secret-000")
    with pytest.raises(Denied, match="invalid_client") as caught:
        bench.connector().check()
    assert not caught.value.sent
    assert "wrong-secret-000" not in str(caught.value)


def test_an_org_that_lives_elsewhere_is_denied(bench):
    body = {"access_token": "t0ken-000000", "instance_url": "https://evil.example", "id": "https://x/id/00D/005"}
    bench.fault("login", "reply", status=200, body=body)
    with pytest.raises(Denied, match="another address"):
        bench.connector().check()


def test_one_new_login_serves_all_threads_and_a_second_401_is_denied(bench):
    connector = bench.connector()
    connector.check()
    before = len(calls(bench, "/oauth2/token"))
    bench.expire_session()
    connector.fetch("customer", [bench.account])
    assert len(calls(bench, "/oauth2/token")) == before + 1
    bench.fault("read", "reply", times=2, status=401, body=[{"errorCode": "INVALID_SESSION_ID", "message": "gone"}])
    with pytest.raises(Denied, match="INVALID_SESSION_ID"):
        connector.fetch("customer", [bench.account])


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"client_secret": "env:A", "username": "u", "private_key": "file:/k"},
        {"username": "u"},
        {"private_key": "file:/k"},
    ],
)
def test_one_way_to_log_in_must_be_whole(raw):
    with pytest.raises(ValidationError, match="give either client_secret"):
        SalesforceConfig.model_validate({"url": "https://a.example", "client_id": "k", **raw})


# --- reading


def order(bench: SalesforceBench, lines: int = 2) -> str:
    made = bench.org.insert("Order", {**bench.native_document(), "Status": "Draft"})
    for _ in range(lines):
        bench.org.insert("OrderItem", {"OrderId": made, **bench.native_line("5")})
    return made


def test_a_merged_account_is_told_with_its_master_and_a_deleted_one_without(bench):
    winner, loser, gone = bench.create(3)
    connector, inbox = bench.connector(), Inbox()
    inbox.take(connector, "customer")
    bench.tick()
    bench.org.merge("Account", winner, loser)
    bench.org.delete("Account", gone)
    bench.tick()
    told = {row.key: (row.action, row.into) for row in inbox.take(connector, "customer")}
    assert told[loser] == ("merge", winner)
    assert told[gone] == ("delete", None)
    fetched = {row.key: row.action for row in connector.fetch("customer", [winner, loser, gone])}
    assert fetched == {winner: "upsert", loser: "merge", gone: "delete"}


def test_an_order_comes_with_its_lines_and_their_products_and_without_deleted_lines(bench):
    made = order(bench, lines=3)
    lines = bench.org.records("OrderItem", {"OrderId": made})
    bench.org.delete("OrderItem", lines[0]["Id"])
    [row] = bench.connector().fetch("sales_order", [made])
    records = row.body["OrderItems"]["records"]
    assert [line["Id"] for line in records] == [line["Id"] for line in lines[1:]]
    assert records[0]["Product2"] == {"ProductCode": "P1", "QuantityUnitOfMeasure": None}
    assert "attributes" not in row.body
    assert "attributes" not in records[0]
    assert bench.connector().line_key("sales_order", records[0]) == lines[1]["Id"]


def test_more_lines_than_a_page_of_the_sub_query_are_read_to_their_end(bench):
    made = order(bench, lines=0)
    row = {"OrderId": made, **bench.native_line("1")}
    assert bench.org.bulk_insert("OrderItem", (dict(row) for _ in range(450))) == 450
    [found] = bench.connector().fetch("sales_order", [made])
    records = found.body["OrderItems"]["records"]
    assert len({line["Id"] for line in records}) == 450
    assert found.body["OrderItems"]["done"] is True


def test_a_change_of_a_line_alone_brings_its_order(bench):
    made, other = order(bench), order(bench)
    connector, inbox = bench.connector(), Inbox()
    inbox.take(connector, "sales_order")
    assert {made, other} <= inbox.known()
    bench.tick(QUIET)
    inbox.take(connector, "sales_order")
    bench.tick(QUIET)
    line = bench.org.records("OrderItem", {"OrderId": made})[0]["Id"]
    before = bench.org.get("Order", made)["SystemModstamp"]
    bench.org.update("OrderItem", line, {"Discount__c": 15})
    assert bench.org.get("Order", made)["SystemModstamp"] == before, "Salesforce moves the line's stamp only"
    bench.tick()
    fresh = inbox.take(connector, "sales_order")
    assert [row.key for row in fresh] == [made]
    assert 15 in [each["Discount__c"] for each in fresh[0].body["OrderItems"]["records"]]


def test_a_quiet_org_is_not_read_again(bench):
    bench.create(50)
    connector, inbox = bench.connector(), Inbox()
    inbox.take(connector, "customer")
    bench.tick(QUIET)
    inbox.take(connector, "customer")
    assert [page for page in connector.read("customer", inbox.cursor) if page.rows] == []
    bench.change(bench.account, "again")
    assert [row.key for row in inbox.take(connector, "customer")] == [bench.account]


def test_reading_starts_at_an_instant_that_a_person_gives(bench):
    [old] = bench.create(1)
    bench.tick(QUIET)
    since = bench.clock.now().isoformat()
    [new] = bench.create(1)
    for text in (since, since.replace("+00:00", "Z"), since.removesuffix("+00:00")):
        found = {row.key for page in bench.connector().read("customer", text) for row in page.rows}
        assert (new in found, old in found) == (True, False)
    with pytest.raises(Rejected, match="cannot be read"):
        list(bench.connector().read("customer", "yesterday"))


def test_a_filter_holds_for_every_way_of_reading(bench):
    vendor = bench.org.insert("Account", {"Name": "V", "Type": "Vendor"})
    connector = bench.connector(filters={"supplier": "Type = 'Vendor'"})
    assert [row.key for page in connector.read("supplier", None) for row in page.rows] == [vendor]
    assert [each.key for each in connector.keys("supplier")] == [vendor]


def test_fields_can_be_named_and_a_wrong_name_is_refused(bench):
    connector = bench.connector(fields={"customer": ["Name"]})
    [row] = connector.fetch("customer", [bench.account])
    assert set(row.body) == {"Id", "IsDeleted", "SystemModstamp", "MasterRecordId", REFERENCE, "Name"}
    for wrong in ("Nome", "Name FROM User --"):
        with pytest.raises(Rejected) as caught:
            bench.connector(fields={"customer": [wrong]}).fetch("customer", [bench.account])
        assert caught.value.hint


def test_a_query_that_is_too_long_is_refused_before_it_is_sent(bench):
    connector = bench.connector(fields={"customer": [f"Field_{index}__c" for index in range(2000)]})
    with pytest.raises(Rejected, match="characters") as caught:
        connector.fetch("customer", [bench.account])
    assert not caught.value.sent


def test_adoption_finds_ids_by_a_field_without_regard_to_case(bench):
    one = bench.org.insert("Account", {"Name": "A", "Tax_Id__c": "DE1"})
    two = bench.org.insert("Account", {"Name": "B", "Tax_Id__c": "de1"})
    found = bench.connector().matches("customer", ["DE1", "' OR Name != '", "FR2"], field="Tax_Id__c")
    assert {key: sorted(ids) for key, ids in found.items()} == {"DE1": sorted([one, two])}
    with pytest.raises(Rejected):
        bench.connector().matches("customer", ["x"], field="Name = 'x' OR Name")


# --- writing


def test_two_hundred_records_take_one_call(bench):
    connector = bench.connector()
    connector.check()
    outcomes = connector.write("customer", [write("customer", f"r{i}", bench.native("t")) for i in range(200)])
    assert all(isinstance(each, Delivered) and each.created for each in outcomes)
    assert len(calls(bench, "/composite/sobjects")) == 1


def test_the_same_record_twice_in_one_call_ends_as_the_last_one_says(bench):
    connector = bench.connector()
    outcomes = connector.write(
        "customer", [write("customer", "same", bench.native("one")), write("customer", "same", bench.native("two"))]
    )
    assert [each.created for each in outcomes] == [True, False]
    [account] = bench.effects("customer", "same")
    assert account["Description"] == "two"


def test_updates_go_by_id_and_send_what_changed_only(bench):
    connector = bench.connector()
    made = delivered(connector, write("customer", "u", bench.native("before")))
    bench.org.update("Account", made.target_id, {"BillingCity": "Berlin"})  # theirs, not ours to overwrite
    after = {**bench.native("after")}
    change = write("customer", "u", after, before=bench.native("before"), changed={"Description": "after"})
    delivered(connector, as_update(change, made.target_id))
    account = bench.org.get("Account", made.target_id)
    assert (account["Description"], account["BillingCity"]) == ("after", "Berlin")


def test_an_adopted_record_gets_our_reference(bench):
    delivered(bench.connector(), as_update(write("customer", "adopted", {"Phone": "1"}), bench.account))
    assert bench.org.get("Account", bench.account)[REFERENCE] == "adopted"
    assert bench.connector().find("customer", "adopted").target_id == bench.account


def test_a_locked_row_is_unavailable_and_the_others_go_on(bench):
    bench.fault("write", "row_lock", rows=[1])
    outcomes = bench.connector().write("customer", [write("customer", f"l{i}", bench.native("t")) for i in range(3)])
    assert isinstance(outcomes[0], Delivered)
    assert isinstance(outcomes[1], Unavailable)
    assert outcomes[1].status == "UNABLE_TO_LOCK_ROW"
    assert isinstance(outcomes[2], Delivered)


def test_a_value_that_another_record_holds_is_a_conflict(bench):
    bench.org.insert("Account", {"Name": "Holder", "Tax_Id__c": "DE9"})
    bench.fault(
        "write",
        "reply",
        status=200,
        body=[
            {
                "success": False,
                "errors": [{"statusCode": "DUPLICATE_VALUE", "message": "duplicate value found: ERP_Id__c duplicates"}],
            }
        ],
    )
    outcome = outcome_of(bench.connector(), write("customer", "dup", bench.native("t")))
    assert isinstance(outcome, Conflict)
    bench.fault(
        "write",
        "reply",
        status=200,
        body=[{"success": False, "errors": [{"statusCode": "DUPLICATE_VALUE", "message": f"duplicate: {REFERENCE}"}]}],
    )
    outcome = outcome_of(bench.connector(), write("customer", "dup", bench.native("t")))
    assert isinstance(outcome, Unavailable), "another write of ours made it; the next attempt updates it"


def test_an_update_of_a_deleted_record_is_a_conflict(bench):
    [key] = bench.create(1)
    bench.org.delete("Account", key)
    outcome = outcome_of(bench.connector(), as_update(write("customer", "d", bench.native("t")), key))
    assert isinstance(outcome, Conflict)
    assert outcome.status == "ENTITY_IS_DELETED"


def test_results_that_do_not_fit_the_records_are_unknown(bench):
    bench.fault("write", "reply", status=200, body=[{"success": True, "id": "x"}])
    outcomes = bench.connector().write("customer", [write("customer", f"n{i}", bench.native("t")) for i in range(2)])
    assert all(isinstance(each, OutcomeUnknown) for each in outcomes)


def test_the_daily_limit_is_told_to_the_budget_and_waits(bench):
    heard: list[Usage] = []

    class Listening(LocalBudget):
        def learn(self, usage: Usage) -> None:
            heard.append(usage)

    connector = bench.connector(budget=Listening(None, bench.clock))
    connector.fetch("customer", [bench.account])
    assert heard[-1].limit == 1_000_000
    assert heard[-1].used >= 1
    body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    bench.fault("write", "reply", status=403, body=body)
    outcome = outcome_of(connector, write("customer", "x", bench.native("t")))
    assert isinstance(outcome, Unavailable)
    assert outcome.wait == 900.0


def test_a_new_order_is_activated_after_its_lines(bench):
    made = delivered(bench.connector(), bench.document_write("so-1", {"a": "2", "b": "3"}))
    assert bench.org.get("Order", made.target_id)["Status"] == "Activated"
    line = bench.org.get("OrderItem", made.lines["a"])
    assert (line[REFERENCE], line["Quantity"]) == ("so-1#a", 2)
    assert bench.connector().find("sales_order", "so-1").lines == made.lines


def test_a_refused_line_decides_about_its_document_and_no_other(bench):
    good, bad = bench.document_write("good", {"a": "1"}), bench.document_write("bad", {"a": "1", "b": "0"})
    first, second = bench.connector().write("sales_order", [bad, good])
    assert isinstance(first, Rejected)
    assert "line b" in first.message
    assert isinstance(second, Delivered)


def test_status_and_quantities_come_back_onto_the_same_lines(bench):
    made = order(bench)
    lines = [line["Id"] for line in bench.org.records("OrderItem", {"OrderId": made})]
    body = {"ERP_Number__c": "4711", "ERP_Status__c": "partly shipped"}
    changes = tuple(
        LineWrite("update", line, line, None, {"Quantity_Shipped__c": shipped, "Line_Status__c": "open"})
        for line, shipped in zip(lines, ("3", "0.5"), strict=True)
    )
    done = delivered(bench.connector(), as_update(write("sales_order", "s", body, lines=changes), made))
    assert done.lines == {line: line for line in lines}
    assert bench.org.get("Order", made)["ERP_Status__c"] == "partly shipped"
    assert [bench.org.get("OrderItem", line)["Quantity_Shipped__c"] for line in lines] == [3, 0.5]
    again = tuple(dataclasses.replace(line, action="keep", before=line.after) for line in changes)
    before = len(calls(bench, "/composite"))
    delivered(
        bench.connector(),
        as_update(write("sales_order", "s", body, lines=again, before=body, changed={}), made),
    )
    assert len(calls(bench, "/composite")) == before, "what is the same is not written"


def test_a_shipment_is_written_with_its_lines(bench):
    made = order(bench)
    item = bench.org.records("OrderItem", {"OrderId": made})[0]["Id"]
    line = {"Order_Item__c": item, "Quantity__c": "3", "Unit__c": "EA"}
    shipment = write(
        "shipment",
        "ship-1",
        {"Order__c": made, "ERP_Number__c": "80001", "Status__c": "Shipped"},
        lines=(LineWrite("insert", "10", None, None, line),),
    )
    first = delivered(bench.connector(), shipment)
    second = delivered(bench.connector(), shipment)
    assert (first.target_id, first.lines) == (second.target_id, second.lines)
    [held] = bench.org.records("Shipment_Line__c", {"Shipment__c": first.target_id})
    assert (held["Quantity__c"], held["Order_Item__c"], held[REFERENCE]) == (3, item, "ship-1#10")


def test_a_price_goes_onto_the_entry_that_stands(bench):
    price = write("price", "p-1", {"Product2Id": bench.product, "UnitPrice": "19.50", "CurrencyIsoCode": "USD"})
    made = delivered(bench.connector(), price)
    assert not made.created
    entry = bench.org.get("PricebookEntry", made.target_id)
    assert (entry["UnitPrice"], entry[REFERENCE]) == (19.5, "p-1")
    assert bench.org.count("PricebookEntry") == 1
    euro = write("price", "p-2", {"Product2Id": bench.product, "UnitPrice": "18", "CurrencyIsoCode": "EUR"})
    euro = dataclasses.replace(euro, after={**euro.after, "IsActive": True})
    assert delivered(bench.connector(), euro).created
    assert not delivered(bench.connector(), euro).created
    assert bench.org.count("PricebookEntry") == 2


def test_a_deletion_does_what_its_policy_says(bench):
    connector = bench.connector()
    for policy, there in (("ignore", True), ("delete", False)):
        made = delivered(connector, write("customer", policy, bench.native("t")))
        gone = write("customer", policy, {}, action="delete", target_id=made.target_id, policy=policy)
        delivered(connector, gone)
        assert bool(bench.effects("customer", policy)) is there
    block = write("product", "b", {}, action="delete", target_id=bench.product, policy="block")
    delivered(connector, block)
    assert bench.org.get("Product2", bench.product)["IsActive"] is False
    refused = write("customer", "x", {}, action="delete", target_id=bench.account, policy="block")
    assert isinstance(outcome_of(connector, refused), Rejected)


def test_a_line_key_too_long_for_the_field_is_still_one_line(bench):
    key = "k" * 80
    made = [delivered(bench.connector(), bench.document_write("long", {key: "1"})) for _ in range(2)]
    assert made[0].lines == made[1].lines
    assert len(bench.line_quantities("long")) == 1


def test_describe_tells_the_lines_fields_by_their_path(bench):
    fields = bench.connector().describe("sales_order").fields
    assert fields["OrderItems.Quantity"].type == "decimal"
    assert fields["Status"].codes
    assert not fields["OrderNumber"].creatable
    assert fields["AccountId"].required
