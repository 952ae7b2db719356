"""Bad input of every kind is told at the right place with a hint; the rest goes on and nothing is lost."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from house import House

from landbridge.cli import main
from landbridge.errors import Denied, Unavailable
from landbridge.store import control, inbox


def put(house: House, native: str, record: str, **fields: Any) -> None:
    """Give a record values that the org itself would never take: its people did not do this, a broken system did."""
    house.crm.state.put(native, record, {**(house.crm.get(native, record) or {}), **fields})


def names(house: House) -> set[str]:
    return {one["OrganizationBPName1"] for one in house.erp.records("A_BusinessPartner")}


def masters(house: House) -> str:
    """A customer and two products on both sides; returns the account."""
    account = house.account()
    house.product("CHAI", 18)
    house.product("CHANG", 19)
    house.run("customers_to_erp", "products_to_crm", "prices_to_crm")
    return account


# -- one bad record among good ones ------------------------------------------------------------------------------------


def bad_account(house: House, **fields: Any) -> str:
    """A customer that is bad, between two that are good; returns it."""
    house.account("Before")
    bad = house.account("Bad")
    put(house, "Account", bad, **fields)
    house.account("After")
    return bad


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"Name": None}, "name", id="a required field is missing"),
        pytest.param({"BillingCity": {"de": "Berlin"}}, "city", id="a wrong type: a record for a text"),
        pytest.param({"BillingCountryCode": 7}, "country", id="a wrong type: a number for a code"),
        pytest.param({"BillingCountryCode": "Atlantis"}, "country", id="a code that no list knows"),
    ],
)
def test_a_bad_record_is_quarantined_with_its_reason_and_the_rest_goes_on(
    house: House, fields: dict[str, Any], says: str
):
    bad = bad_account(house, **fields)
    house.run("customers_to_erp")
    assert names(house) == {"Before", "After"}
    [(flow, state, reason)] = house.troubles()
    assert (flow, state) == ("customers_to_erp", "quarantined")
    assert says in reason and "hint" in reason
    assert house.accounts()["customers_to_erp"].quarantined == 1
    mended = {"Name": "Bad", "BillingCountryCode": "DE"}
    house.crm.update("Account", bad, {**mended, "BillingCity": "Bonn"})
    house.run("customers_to_erp")
    assert names(house) == {"Before", "Bad", "After"}
    house.accounts()


def bad_order(house: House, account: str, **fields: Any) -> str:
    """An order whose line is bad, between two good orders; returns it."""
    house.order(account, [("CHAI", 1, 18, 0)], PoNumber="before")
    bad = house.order(account, [("CHAI", 1, 18, 0), ("CHANG", 1, 19, 0)], PoNumber="bad")
    put(house, "OrderItem", house.crm_lines(bad)[0]["Id"], **fields)
    house.order(account, [("CHAI", 1, 18, 0)], PoNumber="after")
    return bad


def purchase_orders(house: House) -> set[str]:
    return {one["PurchaseOrderByCustomer"] for one in house.erp.records("A_SalesOrder")}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        pytest.param({"Quantity": "many"}, "lines[0].quantities.ordered", id="a wrong type: a word for a quantity"),
        pytest.param({"Quantity": None}, "lines[0].quantities", id="a quantity is missing"),
        pytest.param({"UnitPrice": [1]}, "lines[0].price", id="a wrong type: a list for a price"),
        pytest.param({"Unit__c": "Handful"}, "salesforce/unit", id="a unit that the code list does not know"),
    ],
)
def test_a_bad_line_quarantines_its_order_alone(house: House, fields: dict[str, Any], says: str):
    account = masters(house)
    bad_order(house, account, **fields)
    house.run("orders_to_erp")
    assert purchase_orders(house) == {"before", "after"}
    [(flow, state, reason)] = house.troubles()
    assert (flow, state) == ("orders_to_erp", "quarantined")
    assert says in reason and "hint" in reason
    assert house.accounts()["orders_to_erp"].quarantined == 1


def test_an_order_without_lines_is_quarantined(house: House):
    account = masters(house)
    house.order(account, [("CHAI", 1, 18, 0)], PoNumber="before")
    head = {"AccountId": account, "EffectiveDate": "2026-01-05", "Status": "Draft", "CurrencyIsoCode": "EUR"}
    empty = house.crm.insert("Order", {**head, "PoNumber": "empty"})
    house.run("orders_to_erp")
    assert purchase_orders(house) == {"before"}
    [(_, state, reason)] = house.troubles()
    assert state == "quarantined" and "lines" in reason and "hint" in reason
    house.order_line(empty, 1, "CHAI", 1, 18)
    house.run("orders_to_erp")
    assert purchase_orders(house) == {"before", "empty"}


def test_an_order_of_a_customer_that_does_not_exist_waits_and_then_says_whom_it_waited_for(house: House):
    account = masters(house)
    bad = house.order(account, [("CHAI", 1, 18, 0)], PoNumber="bad")
    put(house, "Order", bad, AccountId="0015g0000009999AAA")
    house.order(account, [("CHAI", 1, 18, 0)], PoNumber="after")
    house.run("customers_to_erp", "orders_to_erp")
    assert purchase_orders(house) == {"after"}
    assert [state for _, state, _ in house.troubles()] == ["waiting"]
    house.tick(3601)
    house.run("orders_to_erp")
    [(_, state, reason)] = house.troubles()
    assert state == "dead"
    assert "crm customer 0015g0000009999AAA" in reason and "no flow has brought it" in reason and "hint" in reason
    assert house.accounts()["orders_to_erp"].dead == 1


def test_what_the_target_requires_and_refuses_is_a_dead_letter_with_its_own_words(house: House):
    account = masters(house)
    bad = house.order(account, [("CHAI", 1, 18, 0)], PoNumber="bad")
    house.order(account, [("CHAI", 1, 18, 0)], PoNumber="after")
    put(house, "OrderItem", house.crm_lines(bad)[0]["Id"], Quantity=0)
    house.run("orders_to_erp")
    assert purchase_orders(house) == {"after"}
    [(_, state, reason)] = house.troubles()
    assert state == "dead"
    assert "V1/386" in reason and "Enter a quantity greater than zero" in reason and "hint" in reason
    house.accounts()


def test_a_field_that_the_target_does_not_know_is_named_and_only_its_records_stop(house: House, tmp_path: Path):
    line = "  SearchTerm1: name | upper | cut(20)\n"
    wrong = "  SearchTrem1: {from: name, when: {name: [Bad]}}\n"
    house.change_project(tmp_path, **{"mappings/sap_s4/customer.yaml": (line, line + wrong)})
    bad_account(house)
    house.run("customers_to_erp")
    assert names(house) == {"Before", "After"}
    [(_, state, reason)] = house.troubles()
    assert state == "dead" and "SearchTrem1" in reason and "hint" in reason
    assert house.accounts()["customers_to_erp"].dead == 1


def test_an_unknown_field_of_the_source_disturbs_nobody(house: House):
    bad_account(house, Surprise__c="who made this field?", Nested__c={"a": [1]})
    house.run("customers_to_erp")
    assert names(house) == {"Before", "Bad", "After"}
    assert house.troubles() == []


def test_a_currency_without_a_rate_is_quarantined_and_names_the_pair_and_the_day(house: House, tmp_path: Path):
    old = "  TransactionCurrency: currency\n"
    new = old + "  YY1_TotalInUSD: {from: 'lines[0].price | convert(USD)', when: {currency: [SEK]}}\n"
    house.change_project(tmp_path, **{"mappings/sap_s4/sales_order.yaml": (old, new)})
    account = masters(house)
    bad = house.order(account, [("CHAI", 1, 18, 0)], PoNumber="bad")
    put(house, "Order", bad, CurrencyIsoCode="SEK")
    house.order(account, [("CHAI", 1, 18, 0)], PoNumber="after")
    house.run("orders_to_erp")
    assert purchase_orders(house) == {"after"}
    [(_, state, reason)] = house.troubles()
    assert state == "quarantined"
    assert "there is no rate from SEK to USD on 2026-01-05" in reason and "hint" in reason
    assert house.accounts()["orders_to_erp"].quarantined == 1


def test_a_field_of_10_mb_stops_nobody_else(house: House):
    bad_account(house, Name="x" * 10_000_000)
    house.run("customers_to_erp")
    assert names(house) == {"Before", "After"}
    [(_, state, reason)] = house.troubles()
    assert state == "quarantined"
    assert "name" in reason and "hint" in reason and len(reason) < 2000, "a reason does not repeat ten megabytes"
    house.accounts()


# -- a whole reply that is bad -----------------------------------------------------------------------------------------

REPLIES = {
    "an HTML error page instead of JSON": ("html", {}, "text/html instead of JSON"),
    "an HTML error page of a gateway": ("html", {"status": 502}, "502"),
    "bytes that are not UTF-8": (
        "reply",
        {"status": 200, "body": b'{"done": true, "records": [{"Id": "\xff\xfe"}]}'},
        "JSON that is broken",
    ),
    "half a reply": ("cut_body", {}, ""),
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_that_cannot_be_read_fails_the_run_and_loses_nothing(house: House, name: str):
    kind, args, says = REPLIES[name]
    house.account("Before")
    house.run("customers_to_erp")
    house.account("During")
    house.crm.faults.add({"method": "GET", "path_regex": "/query.*Name.*FROM Account"}, kind, **args)
    with pytest.raises(Unavailable) as raised:
        house.run("customers_to_erp")
    assert says in str(raised.value) and raised.value.hint
    [failed] = [run for run in house.rows("select * from run") if run.state == "failed"]
    assert failed.error == str(raised.value)
    assert names(house) == {"Before"}
    house.run("customers_to_erp")
    assert names(house) == {"Before", "During"}
    house.accounts()


@pytest.mark.parametrize("kind", ["html", "500_after", "cut_body"])
def test_an_unreadable_reply_to_a_write_is_looked_up_and_never_written_twice(house: House, kind: str):
    house.erp.faults.add({"method": "POST", "path_regex": "API_BUSINESS_PARTNER"}, kind)
    house.account("Once")
    house.run("customers_to_erp")
    [(_, state, reason)] = house.troubles()
    assert state == "unknown" and "hint" in reason
    for _ in range(6):
        house.run("customers_to_erp", wait=300)
    assert [one["OrganizationBPName1"] for one in house.erp.records("A_BusinessPartner")] == ["Once"]
    assert house.troubles() == []
    assert house.converge("customers_to_erp") == 0


def test_an_expired_token_is_renewed_in_the_middle_of_a_run(house: House):
    house.account("Before")
    house.run("customers_to_erp")
    house.account("After")
    house.crm.faults.add({"path_regex": "/query"}, "stale_token")
    house.erp.sessions._sessions.clear()  # what a restart of the application server does
    house.run("customers_to_erp")
    assert names(house) == {"Before", "After"}
    assert house.troubles() == []


def test_a_login_that_is_refused_for_good_pauses_the_flow_until_a_person_resumes_it(house: House):
    house.run("customers_to_erp")
    house.account("Waits")
    body = b"<html>Logon Error Message</html>"
    fault = house.erp.faults.add({"method": "POST", "times": None}, "reply", status=401, body=body)
    house.run("customers_to_erp")
    [paused] = house.rows("select * from flow where paused")
    assert paused.name == "customers_to_erp" and "hint" in paused.reason
    house.erp.faults.clear(fault.id)
    house.run("customers_to_erp", wait=120)
    assert names(house) == set(), "paused is paused"
    with house.store.transaction("resume") as connection:
        control.resume(connection, "customers_to_erp", house.clock.now())
    house.run("customers_to_erp")
    assert names(house) == {"Waits"}
    house.accounts()


@pytest.mark.parametrize(
    ("flow", "system", "entity"),
    [
        ("customers_to_erp", "crm", "customer"),
        ("products_to_crm", "erp", "product"),
    ],
)
def test_a_cursor_from_the_future_is_refused_instead_of_skipping_what_comes(
    house: House, flow: str, system: str, entity: str
):
    house.account("Before")
    house.product("CHAI")
    house.run(flow)
    with house.store.transaction("cursor") as connection:
        feed, cursor = inbox.feed(connection, system, entity)
        future = (house.clock.now() + timedelta(days=400)).isoformat()
        inbox.move_cursor(connection, feed, future, house.clock.now())
    with pytest.raises(Denied, match="future") as raised:
        house.run(flow)
    assert raised.value.hint
    house.account("After")
    house.product("CHANG")
    with house.store.transaction("cursor") as connection:
        inbox.move_cursor(connection, feed, cursor or "", house.clock.now())
    house.run(flow)
    assert names(house) == {"Before", "After"} or house.crm.count("Product2") == 2


# -- files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        pytest.param("config/flows/orders_to_erp.yaml", "retry:", "retry: {attempts: 9}\nretry:", "retry",
                     id="a key twice in a flow"),
        pytest.param("mappings/sap_s4/customer.yaml", "out:\n", "out:\n  SearchTerm1: name\n", "SearchTerm1",
                     id="a key twice in a mapping"),
        pytest.param("config/flows/orders_to_erp.yaml", "summary:", "sumary:", "sumary", id="an unknown key in a flow"),
        pytest.param("mappings/sap_s4/customer.yaml", "  currency: to_Customer", "  curency: to_Customer", "curency",
                     id="a canonical field that is not there"),
        pytest.param("config/flows/orders_to_erp.yaml", "attempts: 8", "attempts: many", "attempts",
                     id="a wrong type in a flow"),
        pytest.param("mappings/sap_s4/sales_order.yaml", "code(sap_s4/unit)", "code(sap_s4/unti)", "sap_s4/unti",
                     id="a code list that is not there"),
    ],
)  # fmt: skip
def test_check_tells_what_is_wrong_in_a_file_and_where(
    root: Path,
    tmp_path: Path,
    landbridge_check: Callable[[Path], tuple[int, str]],
    file: str,
    old: str,
    new: str,
    says: str,
):
    for part in ("config", "mappings", "schemas"):
        shutil.copytree(root / part, tmp_path / part)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    code, told = landbridge_check(tmp_path)
    assert code == 1
    assert says in told and f"{file}:" in told


@pytest.fixture
def landbridge_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Path], tuple[int, str]]:
    """`landbridge check` in a folder: its exit code and what it printed."""

    def run(folder: Path) -> tuple[int, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["landbridge", "check"])
        with pytest.raises(SystemExit) as left:
            main()
        found = capsys.readouterr()
        return int(left.value.code or 0), found.out + found.err

    return run


def test_an_order_of_a_product_that_nobody_brought_across_is_quarantined_where_the_flow_requires_it(house: House):
    account = masters(house)
    made_up = house.crm.insert("Product2", {"Name": "Made up", "ProductCode": "NEW", "IsActive": True})
    house.crm.insert(
        "PricebookEntry",
        {
            "Product2Id": made_up,
            "Pricebook2Id": house.crm.standard_pricebook_id,
            "UnitPrice": 1,
            "CurrencyIsoCode": "EUR",
            "IsActive": True,
        },
    )
    house.crm.update("Product2", made_up, {"QuantityUnitOfMeasure": "Each"})
    house.order(account, [("CHAI", 1, 18, 0)], PoNumber="before")
    house.order(account, [("NEW", 1, 1, 0)], PoNumber="bad")
    house.run("orders_to_erp")
    assert purchase_orders(house) == {"before"}
    [(_, state, reason)] = house.troubles()
    assert state == "quarantined"
    assert "product" in reason and made_up in reason and "hint" in reason
    assert house.accounts()["orders_to_erp"].quarantined == 1
