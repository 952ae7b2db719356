"""sObject Collections and Composite over plain HTTP."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from replies_sf import code_of

from sandbox.salesforce import SalesforceSandbox

PATH = "/composite/sobjects"


def accounts(*names: str | None, **more: Any) -> list[dict[str, Any]]:
    return [{"attributes": {"type": "Account"}, "Name": name, **more} for name in names]


def test_rows_stand_alone_unless_all_or_none(http: Any, org: SalesforceSandbox) -> None:
    rows = accounts("a", None, "c")
    loose = http("POST", PATH, json={"records": rows}).json()
    assert [(each["success"], "id" in each) for each in loose] == [(True, True), (False, False), (True, True)]
    assert loose[1]["errors"] == [
        {"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [Name]", "fields": ["Name"]}
    ]
    assert [each["Name"] for each in org.records("Account")] == ["a", "c"]
    strict = http("POST", PATH, json={"allOrNone": True, "records": rows})
    assert strict.status_code == 200
    codes = [each["errors"][0]["statusCode"] for each in strict.json()]
    rolled = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert codes == [rolled, "REQUIRED_FIELD_MISSING", rolled]
    assert org.count("Account") == 2


def test_two_hundred_and_no_more(http: Any, org: SalesforceSandbox) -> None:
    refused = http("POST", PATH, json={"records": accounts(*["x"] * 201)})
    assert (code_of(refused), org.count("Account")) == ("EXCEEDED_ID_LIMIT", 0)
    results = http("POST", PATH, json={"records": accounts(*[f"n{number}" for number in range(200)])}).json()
    assert [org.get("Account", each["id"])["Name"] for each in results] == [f"n{number}" for number in range(200)]


def test_update_upsert_delete_and_retrieve(http: Any, org: SalesforceSandbox) -> None:
    key = "Landbridge_Id__c"
    rows = accounts("a", **{key: "1"}) + accounts("b", **{key: "2"}) + accounts("c", **{key: "2"})
    results = http("PATCH", f"{PATH}/Account/{key}", json={"records": rows}).json()
    assert results[0]["created"] is True
    assert [each["errors"][0]["statusCode"] for each in results[1:]] == ["DUPLICATE_VALUE"] * 2
    first = results[0]["id"]
    second = org.insert("Account", {"Name": "old"})
    changes = [{"attributes": {"type": "Account"}, "id": each, "Name": "new"} for each in (first, second, "001x")]
    changed = http("PATCH", PATH, json={"records": changes}).json()
    assert [each["success"] for each in changed] == [True, True, False]
    read = http("GET", f"{PATH}/Account", params={"ids": f"{second},{first},001D000000IqhSL", "fields": "Name"}).json()
    assert [each and each["Name"] for each in read] == ["new", "new", None]
    gone = http("DELETE", PATH, params={"ids": f"{first},{first}", "allOrNone": "false"}).json()
    assert [each["success"] for each in gone] == [True, False]
    assert gone[1]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"


def test_found_twice_is_an_error_of_that_row_only(http: Any, org: SalesforceSandbox) -> None:
    for _ in range(2):
        org.insert("Account", {"Name": "x", "ERP_Id__c": "twice"})
    rows = accounts("a", ERP_Id__c="twice") + accounts("b", ERP_Id__c="once")
    results = http("PATCH", f"{PATH}/Account/ERP_Id__c", json={"records": rows}).json()
    assert [each["success"] for each in results] == [False, True]
    assert results[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


def test_a_locked_row_is_refused_once(http: Any, org: SalesforceSandbox) -> None:
    org.faults.add({"method": "POST", "path_regex": PATH}, "row_lock", rows=[1])
    first, again = (http("POST", PATH, json={"records": accounts("a", "b")}).json() for _ in range(2))
    assert [each["success"] for each in first] == [True, False]
    assert first[1]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"
    assert [each["success"] for each in again] == [True, True]


def step(method: str, url: str, name: str, body: Any = None) -> dict[str, Any]:
    whole = {"method": method, "url": f"/services/data/v62.0{url}", "referenceId": name}
    return {**whole, "body": body} if body is not None else whole


@pytest.fixture
def order_steps(shop: SimpleNamespace) -> list[dict[str, Any]]:
    head = {"AccountId": "@{buyer.id}", "EffectiveDate": "2026-11-21", "Status": "Draft"}
    line = {"OrderId": "@{head.id}", "PricebookEntryId": shop.entry, "Quantity": 1, "UnitPrice": 2}
    return [
        step("POST", "/sobjects/Account", "buyer", {"Name": "new"}),
        step("POST", "/sobjects/Order", "head", head),
        step("POST", "/sobjects/OrderItem", "line", line),
        step("GET", "/query?q=SELECT+TotalAmount+FROM+Order+WHERE+Id='@{head.id}'", "total"),
        step("PATCH", "/sobjects/Account/@{buyer.id}", "touch", {"Description": "of @{total.records[0].TotalAmount}"}),
    ]


def test_later_calls_use_the_results_of_earlier_ones(http: Any, org: SalesforceSandbox, order_steps: Any) -> None:
    replies = http("POST", "/composite", json={"allOrNone": True, "compositeRequest": order_steps}).json()
    results = replies["compositeResponse"]
    assert [each["httpStatusCode"] for each in results] == [201, 201, 201, 200, 204]
    assert [each["referenceId"] for each in results] == ["buyer", "head", "line", "total", "touch"]
    assert org.get("Account", results[0]["body"]["id"])["Description"] == "of 2.0"


def test_all_or_none_rolls_the_whole_composite_back(http: Any, org: SalesforceSandbox, order_steps: Any) -> None:
    before = org.counts()
    order_steps[2]["body"]["Quantity"] = 0
    replies = http("POST", "/composite", json={"allOrNone": True, "compositeRequest": order_steps})
    assert replies.status_code == 200
    results = replies.json()["compositeResponse"]
    codes = [each["body"][0]["errorCode"] for each in results]
    halted = "PROCESSING_HALTED"
    assert codes == [halted, halted, "FIELD_INTEGRITY_EXCEPTION", halted, halted]
    assert {each["httpStatusCode"] for each in results} == {400}
    assert org.counts() == before


def test_without_all_or_none_only_what_depends_fails(http: Any, org: SalesforceSandbox, order_steps: Any) -> None:
    order_steps[1]["body"]["Status"] = "Nope"
    replies = http("POST", "/composite", json={"allOrNone": False, "compositeRequest": order_steps[:3]}).json()
    results = replies["compositeResponse"]
    assert [each["httpStatusCode"] for each in results] == [201, 400, 400]
    assert results[2]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert org.get("Account", results[0]["body"]["id"])["Name"] == "new"


def test_composite_takes_25_calls(http: Any) -> None:
    many = [step("GET", "/limits", f"n{number}") for number in range(26)]
    assert code_of(http("POST", "/composite", json={"compositeRequest": many})) == "LIMIT_EXCEEDED"
    assert len(http("POST", "/composite", json={"compositeRequest": many[:25]}).json()["compositeResponse"]) == 25
