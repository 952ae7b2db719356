"""Rows over plain HTTP: what Salesforce takes, what it refuses and with which code."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from replies_sf import code_of

from sandbox.salesforce import SalesforceError, SalesforceSandbox, long_id, read_id


def test_ids_have_two_spellings() -> None:
    assert long_id("001D000000IqhSL") == "001D000000IqhSLIAZ"  # the pair printed in Salesforce's own guide
    assert read_id("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert read_id("001d000000iqhsliaz") == "001D000000IqhSLIAZ"
    assert read_id("001D000000IqhS") is None


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"Phone": "1"}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ({"Name": "x" * 256}, "STRING_TOO_LONG", ["Name"]),
        ({"Name": "x", "Nope": 1}, "INVALID_FIELD", None),
        ({"Name": "x", "CreatedDate": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
        ({"Name": "x", "ParentId": "nonsense"}, "MALFORMED_ID", ["ParentId"]),
        ({"Name": "x", "ParentId": "001D000000IqhSL"}, "INVALID_CROSS_REFERENCE_KEY", ["ParentId"]),
        ({"Name": "x", "CurrencyIsoCode": "XXX"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["CurrencyIsoCode"]),
        ({"Name": "x", "BillingCountry": "Atlantis"}, "FIELD_INTEGRITY_EXCEPTION", ["BillingCountry"]),
        ({"Name": {"a": 1}}, "JSON_PARSER_ERROR", None),
        ({"Name": "x", "Id": "001D000000IqhSL"}, "INVALID_FIELD", ["Id"]),
    ],
)
def test_a_bad_account_is_refused(http: Any, org: SalesforceSandbox, fields: Any, code: str, named: Any) -> None:
    reply = http("POST", "/sobjects/Account", json=fields)
    assert (reply.status_code, code_of(reply)) == (400, code)
    assert reply.json()[0].get("fields") == named
    assert org.count("Account") == 0


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Freight__c": "much"}, "JSON_PARSER_ERROR"),
        ({"Freight__c": True}, "JSON_PARSER_ERROR"),
        ({"Freight__c": 1e17}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"EffectiveDate": "yesterday"}, "JSON_PARSER_ERROR"),
        ({"EffectiveDate": None}, "REQUIRED_FIELD_MISSING"),
        ({"TotalAmount": 5}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        ({"EndDate": "2020-01-01"}, "FIELD_INTEGRITY_EXCEPTION"),
    ],
)
def test_a_bad_order_change_is_refused(http: Any, org: SalesforceSandbox, shop: Any, fields: Any, code: str) -> None:
    before = org.get("Order", shop.order)
    assert code_of(http("PATCH", f"/sobjects/Order/{shop.order}", json=fields)) == code
    assert org.get("Order", shop.order) == before


def test_unique_external_ids_are_unique_whatever_their_case(http: Any, org: SalesforceSandbox) -> None:
    first = org.insert("Account", {"Name": "x", "Landbridge_Id__c": "Key-1"})
    reply = http("POST", "/sobjects/Account", json={"Name": "y", "Landbridge_Id__c": "KEY-1"})
    assert code_of(reply) == "DUPLICATE_VALUE" and first[:15] in reply.json()[0]["message"]
    org.delete("Account", first)
    assert http("POST", "/sobjects/Account", json={"Name": "y", "Landbridge_Id__c": "KEY-1"}).status_code == 201


def test_upsert_answers_201_200_and_300(http: Any, org: SalesforceSandbox) -> None:
    created = http("PATCH", "/sobjects/Account/Landbridge_Id__c/a%2Fb%20c", json={"Name": "x"})
    again = http("PATCH", "/sobjects/Account/Landbridge_Id__c/a%2Fb%20c", json={"Name": "y"})
    assert (created.status_code, created.json()["created"]) == (201, True)
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert org.records("Account", {"Landbridge_Id__c": "a/b c"})[0]["Name"] == "y"
    for _ in range(2):
        org.insert("Account", {"Name": "x", "ERP_Id__c": "twice"})
    several = http("PATCH", "/sobjects/Account/ERP_Id__c/twice", json={"Name": "z"})
    assert several.status_code == 300 and len(several.json()) == 2
    assert all(each.startswith("/services/data/v62.0/sobjects/Account/001") for each in several.json())
    body_key = http("PATCH", "/sobjects/Account/ERP_Id__c/n", json={"Name": "z", "ERP_Id__c": "n"})
    assert code_of(body_key) == "INVALID_FIELD"


def test_parents_may_be_named_by_their_external_id(http: Any, org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    fields = {"LastName": "宋", "Account": {"ERP_Id__c": "C1"}}
    made = http("POST", "/sobjects/Contact", json=fields).json()["id"]
    assert org.get("Contact", made)["AccountId"] == shop.account
    assert code_of(http("POST", "/sobjects/Contact", json={**fields, "Account": {"ERP_Id__c": "?"}})) == "INVALID_FIELD"


def test_order_rules(http: Any, org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    head = {"AccountId": shop.account, "EffectiveDate": "2026-11-21", "Status": "Draft"}
    assert code_of(http("POST", "/sobjects/Order", json={**head, "Status": "Activated"})) == "FAILED_ACTIVATION"
    for name in head:
        missing = {key: value for key, value in head.items() if key != name}
        assert code_of(http("POST", "/sobjects/Order", json=missing)) == "REQUIRED_FIELD_MISSING"
    order = http("POST", "/sobjects/Order", json=head).json()["id"]
    assert code_of(http("PATCH", f"/sobjects/Order/{order}", json={"Status": "Activated"})) == "FAILED_ACTIVATION"
    line = {"OrderId": order, "PricebookEntryId": shop.entry, "Quantity": 2.5, "UnitPrice": 9.99}
    assert code_of(http("POST", "/sobjects/OrderItem", json={"OrderId": order, "Quantity": 1, "UnitPrice": 1})) == (
        "REQUIRED_FIELD_MISSING"
    )
    made = http("POST", "/sobjects/OrderItem", json=line).json()["id"]
    assert http("PATCH", f"/sobjects/Order/{order}", json={"Status": "Activated"}).status_code == 204
    found = org.get("Order", order)
    assert (found["TotalAmount"], found["StatusCode"]) == (24.98, "Activated")
    assert org.get("OrderItem", made)["Product2Id"] == shop.product
    assert code_of(http("DELETE", f"/sobjects/Account/{shop.account}")) == "DELETE_FAILED"


def test_a_line_change_touches_the_order_only_if_the_total_moves(org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    before = org.get("Order", shop.order)["SystemModstamp"]
    org.clock.advance(60)
    org.update("OrderItem", shop.line, {"Quantity_Shipped__c": 1})
    assert org.get("Order", shop.order)["SystemModstamp"] == before
    org.update("OrderItem", shop.line, {"Quantity": 5})
    after = org.get("Order", shop.order)
    assert after["SystemModstamp"] > before and after["TotalAmount"] == 90.0
    org.delete("OrderItem", shop.line)
    assert org.get("Order", shop.order)["TotalAmount"] == 0


def test_custom_price_books_need_a_standard_price(http: Any, org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    book = org.insert("Pricebook2", {"Name": "Retail", "IsActive": True})
    other = org.insert("Product2", {"Name": "no price"})
    price = {"Pricebook2Id": book, "Product2Id": other, "UnitPrice": 1}
    assert code_of(http("POST", "/sobjects/PricebookEntry", json=price)) == "STANDARD_PRICE_NOT_DEFINED"
    price["Product2Id"] = shop.product
    assert http("POST", "/sobjects/PricebookEntry", json=price).status_code == 201
    assert code_of(http("POST", "/sobjects/PricebookEntry", json=price)) == "DUPLICATE_VALUE"


def test_merge_moves_children_and_names_the_master(org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    master = org.insert("Account", {"Name": "master"})
    org.clock.advance(5)
    org.merge("Account", master, shop.account)
    loser = org.get("Account", shop.account)
    assert (loser["IsDeleted"], loser["MasterRecordId"]) == (True, master)
    assert org.get("Order", shop.order)["AccountId"] == master
    soql = "SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true ALL ROWS"
    assert [each["MasterRecordId"] for each in org.query(soql)] == [master]


def test_unknown_paths_methods_and_tokens(http: Any) -> None:
    assert (http("GET", "/sobjects/Nope").status_code, http("GET", "/nope").status_code) == (404, 404)
    assert code_of(http("PUT", "/sobjects/Account/001D000000IqhSL")) == "NOT_FOUND"
    assert http("POST", "/sobjects/Account", data=b"{not json").json()[0]["errorCode"] == "JSON_PARSER_ERROR"
    assert code_of(http("GET", "/query/01g000000000000AAA-2000")) == "INVALID_QUERY_LOCATOR"
    http.session.headers["Authorization"] = "Bearer nonsense"
    refused = http("GET", "/limits")
    assert refused.status_code == 401
    assert refused.json() == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_the_daily_limit_is_403_and_resets_the_next_day(http: Any, org: SalesforceSandbox) -> None:
    org.api.daily_limit = 2
    assert [http("GET", "/limits").status_code for _ in range(3)] == [200, 200, 403]
    refused = http("GET", "/limits")
    assert code_of(refused) == "REQUEST_LIMIT_EXCEEDED"
    assert refused.headers["Sforce-Limit-Info"] == "api-usage=2/2"
    org.sessions.seconds = 10**6
    http.session.headers["Authorization"] = f"Bearer {org.open_session()}"
    org.clock.advance(86400)
    assert http("GET", "/limits").status_code == 200


def test_no_stale_write_with_if_unmodified_since(http: Any, org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    path = f"/sobjects/Account/{shop.account}"
    stamp = http("GET", path).headers["Last-Modified"]
    assert http("GET", path, headers={"If-Modified-Since": stamp}).status_code == 304
    org.clock.advance(60)
    org.update("Account", shop.account, {"Phone": "1"})
    late = http("PATCH", path, json={"Phone": "2"}, headers={"If-Unmodified-Since": stamp})
    assert (late.status_code, org.get("Account", shop.account)["Phone"]) == (412, "1")


def test_a_query_cursor_does_not_move_under_the_reader(http: Any, org: SalesforceSandbox) -> None:
    org.bulk_insert("Account", ({"Name": f"N{number:04d}"} for number in range(700)))
    headers = {"Sforce-Query-Options": "batchSize=200"}
    soql = "SELECT Id, Name FROM Account ORDER BY SystemModstamp, Id"
    page = http.query(soql, **headers).json()
    org.clock.advance(10)
    for record in page["records"][:50]:
        org.update("Account", record["Id"], {"Phone": "moved to the end"})
    names = [record["Name"] for record in page["records"]]
    while not page["done"]:
        page = http("GET", page["nextRecordsUrl"].removeprefix("/services/data/v62.0")).json()
        names += [record["Name"] for record in page["records"]]
    assert names == [f"N{number:04d}" for number in range(700)]


def test_the_org_lives_on_disk(folder: Any) -> None:
    first = SalesforceSandbox(folder)
    made = first.insert("Account", {"Name": "stays"})
    with pytest.raises(SalesforceError):
        first.insert("Account", {})
    first.close()
    second = SalesforceSandbox(folder)
    assert second.get("Account", made)["Name"] == "stays"
    assert (second.org_id, second.standard_pricebook_id) == (first.org_id, first.standard_pricebook_id)
    assert second.insert("Account", {"Name": "next"}) > made
    second.close()
