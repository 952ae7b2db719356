"""SOQL: the parser, the types of values, and a property test against a naive filter in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox._base import Clock
from sandbox.salesforce import SalesforceError, SalesforceSandbox
from sandbox.salesforce._soql import parse

NAMES = ["Alpha", "alpha", "Beta", "b_ta", "100%", "O'Neil", "back\\slash", "茶", "", None]
SPOTS = [None, 0, 1, 2.5, -3, 100]
DAYS = [None, "2026-01-01", "2026-11-20", "2026-11-21", "2026-12-31"]


@pytest.fixture(scope="module")
def few() -> Iterator[SalesforceSandbox]:
    """Orders with every mix of the values above, some deleted."""
    org = SalesforceSandbox(clock=Clock(datetime(2026, 11, 21, 8, tzinfo=UTC), frozen=True))
    accounts = [org.insert("Account", {"Name": name or "nameless", "Site": name}) for name in NAMES]
    rows = (
        {
            "AccountId": accounts[number % len(accounts)],
            "EffectiveDate": "2026-01-02",
            "Status": ("Draft", "Activated")[number % 2],
            "PoNumber": NAMES[number % len(NAMES)],
            "Freight__c": SPOTS[number % len(SPOTS)],
            "Requested_Delivery__c": DAYS[number % len(DAYS)],
        }
        for number in range(60)
    )
    org.bulk_insert("Order", rows)
    for order in org.records("Order", limit=3):
        org.delete("Order", order["Id"])
    yield org
    org.close()


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def leaf(field: str, values: list[Any], show: Any) -> st.SearchStrategy[Any]:
    """(SOQL, predicate over a record) of one comparison."""
    known = [value for value in values if value not in (None, "")]

    def fold(value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    def compare(op: str, value: Any) -> Any:
        tests = {
            "=": lambda got: fold(got) == fold(value),
            "!=": lambda got: fold(got) != fold(value),
            "<": lambda got: got is not None and fold(got) < fold(value),
            ">=": lambda got: got is not None and fold(got) >= fold(value),
        }
        return f"{field} {op} {show(value)}", lambda record: tests[op](record.get(field))

    def among(listed: list[Any], negated: bool) -> Any:
        folded = [fold(each) for each in listed]
        text = f"{field} {'NOT ' if negated else ''}IN ({', '.join(map(show, listed))})"
        return text, lambda record: (fold(record.get(field)) in folded) != negated

    empty = st.sampled_from(["=", "!="]).map(
        lambda op: (f"{field} {op} null", lambda record: (record.get(field) is None) == (op == "="))
    )
    return st.one_of(
        st.builds(compare, st.sampled_from(["=", "!=", "<", ">="]), st.sampled_from(known)),
        st.builds(among, st.lists(st.sampled_from(known), min_size=1, max_size=3), st.booleans()),
        empty,
    )


LEAVES = st.one_of(
    leaf("PoNumber", NAMES, quoted),
    leaf("Freight__c", SPOTS, str),
    leaf("Requested_Delivery__c", DAYS, str),
    st.sampled_from(["%a%", "A_pha", "B%", "%\\%", "_", "b\\_ta", "%'%"]).map(
        lambda text: (
            f"PoNumber LIKE '{text.replace(chr(39), chr(92) + chr(39))}'",
            lambda record: naive_like(text, record.get("PoNumber")),
        )
    ),
)


def naive_like(pattern: str, text: str | None) -> bool:
    """LIKE as Salesforce means it: % any run, _ any character, a backslash before either the character itself."""
    if text is None:
        return False
    rule, place = "", 0
    while place < len(pattern):
        char = pattern[place]
        if char == "\\":
            place += 1
            rule += re.escape(pattern[place])
        else:
            rule += {"%": ".*", "_": "."}.get(char, re.escape(char))
        place += 1
    return re.fullmatch(rule, text, re.IGNORECASE | re.DOTALL) is not None


def joined(parts: list[Any], op: str) -> Any:
    text = f" {op} ".join(f"({soql})" for soql, _ in parts)
    return text, lambda record: (all if op == "AND" else any)(test(record) for _, test in parts)


CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda part: (f"NOT ({part[0]})", lambda record: not part[1](record))),
        st.builds(joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from(["AND", "OR"])),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CONDITIONS)
def test_where_selects_what_a_naive_filter_selects(few: SalesforceSandbox, case: Any) -> None:
    soql, test = case
    wanted = [record["Id"] for record in few.records("Order") if test(record)]
    found = [record["Id"] for record in few.query(f"SELECT Id FROM Order WHERE {soql} ORDER BY Id")]
    assert found == wanted, soql


def test_the_property_would_notice_a_wrong_filter(few: SalesforceSandbox) -> None:
    """The negative control: a filter that treats null as unknown differs from SOQL's two values."""
    wrong = [record["Id"] for record in few.records("Order") if record.get("PoNumber") not in (None, "Alpha", "alpha")]
    found = [record["Id"] for record in few.query("SELECT Id FROM Order WHERE PoNumber != 'Alpha' ORDER BY Id")]
    assert found != wrong and set(wrong) < set(found)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.permutations(["Freight__c", "PoNumber", "Id"]),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.integers(0, 70),
    st.integers(0, 70),
)
def test_order_limit_and_offset(
    few: SalesforceSandbox, fields: list[str], down: list[bool], limit: int, offset: int
) -> None:
    records = few.records("Order")
    for name, descending in reversed(list(zip(fields, down, strict=True))):
        filled = sorted(
            (each for each in records if each.get(name) is not None),
            key=lambda each: each[name].lower() if name == "PoNumber" else each[name],
            reverse=descending,
        )
        records = [each for each in records if each.get(name) is None] + filled
    terms = ", ".join(
        f"{name} {'DESC' if descending else 'ASC'}" for name, descending in zip(fields, down, strict=True)
    )
    found = few.query(f"SELECT Id FROM Order ORDER BY {terms} LIMIT {limit} OFFSET {offset}")
    assert [each["Id"] for each in found] == [each["Id"] for each in records[offset : offset + limit]]


def test_parents_children_and_semi_joins(org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    soql = (
        "SELECT o.OrderNumber, Account.Name, Account.Owner.Username, "
        "(SELECT Quantity, PricebookEntry.Product2.ProductCode FROM OrderItems ORDER BY Line_Number__c), "
        "(SELECT Id FROM Shipments__r) "
        "FROM Order o WHERE Account.ERP_Id__c = 'c1' AND Id IN (SELECT OrderId FROM OrderItem WHERE Quantity > 2)"
    )
    (order,) = org.query(soql)
    assert order["Account"]["Name"] == "Müller & Söhne"
    assert order["Account"]["Owner"]["Username"] == "admin@landbridge.example"
    (line,) = order["OrderItems"]["records"]
    assert (line["Quantity"], line["PricebookEntry"]["Product2"]["ProductCode"]) == (3.0, "P1")
    assert order["Shipments__r"] is None
    assert org.query("SELECT Id FROM Order WHERE Id IN (SELECT OrderId FROM OrderItem WHERE Quantity > 3)") == []


def test_counts_and_groups(few: SalesforceSandbox) -> None:
    page = few.queries.run("SELECT COUNT() FROM Order WHERE Status = 'Draft'", "", few.clock.now().date())
    assert page == {"totalSize": len(few.records("Order", {"Status": "Draft"})), "done": True, "records": []}
    rows = few.query("SELECT Status, COUNT(Id) n, MAX(Freight__c) FROM Order GROUP BY Status ORDER BY Status")
    assert [(row["Status"], row["expr0"]) for row in rows] == [("Activated", 100), ("Draft", 1)]
    assert sum(row["n"] for row in rows) == few.count("Order")


def test_dates_and_named_ranges(few: SalesforceSandbox) -> None:
    def days(condition: str) -> set[str]:
        soql = f"SELECT Requested_Delivery__c FROM Order WHERE Requested_Delivery__c {condition}"
        return {record["Requested_Delivery__c"] for record in few.query(soql)}

    assert days("= TODAY") == {"2026-11-21"}
    assert days("= YESTERDAY") == {"2026-11-20"}
    assert days("> TODAY") == {"2026-12-31"}
    assert days("= LAST_N_DAYS:2") == {"2026-11-20", "2026-11-21"}
    assert days("< THIS_MONTH") == {"2026-01-01"}
    assert few.query("SELECT Id FROM Order WHERE CreatedDate > 2026-11-21T08:00:00Z") == []
    # milliseconds are ignored, offsets are honoured
    assert len(few.query("SELECT Id FROM Order WHERE CreatedDate >= 2026-11-21T09:00:00.999+01:00")) == 57


@pytest.mark.parametrize(
    ("soql", "code", "words"),
    [
        ("SELECT Nope FROM Account", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", "sObject type 'Nope' is not supported"),
        ("SELECT Owner.Nope.X FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nope'"),
        ("SELECT Id, (SELECT Id FROM Nopes) FROM Account", "INVALID_TYPE", "relationship 'Nopes'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Site = 'b' OR Site = 'c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Account WHERE Name = 'it's'", "MALFORMED_QUERY", "ERROR at Row:1"),
        ("SELECT Id FROM Account WHERE Name = 'x\\q'", "MALFORMED_QUERY", "Illegal character sequence"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed"),
        ("SELECT Id FROM Order WHERE Freight__c = '5'", "INVALID_FIELD", "must be of type double"),
        ("SELECT Id FROM Order WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD", "of type dateTime"),
        ("SELECT Id FROM Order WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "of type dateTime"),
        ("SELECT Id FROM Order WHERE EffectiveDate = 2026-13-01", "MALFORMED_QUERY", "Invalid date"),
        ("SELECT Id FROM Order WHERE AccountId = 'short'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT"),
        ("SELECT Id FROM Account; DROP TABLE Account", "MALFORMED_QUERY", "ERROR"),
    ],
)
def test_a_bad_query_is_refused_with_the_vendors_code(few: SalesforceSandbox, soql: str, code: str, words: str) -> None:
    with pytest.raises(SalesforceError) as refused:
        few.query(soql)
    assert refused.value.code == code
    assert words in refused.value.message


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_parses_or_is_malformed(text: str) -> None:
    try:
        parse(f"SELECT Id FROM Account WHERE {text}")
    except SalesforceError as refused:
        assert refused.code == "MALFORMED_QUERY"


@given(st.text(max_size=30).filter(str.strip))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_found_again_by_its_quoted_literal(few: SalesforceSandbox, text: str) -> None:
    name = text.strip().encode("utf-8", "ignore").decode()
    if not name or "\x00" in name:
        return
    made = few.insert("Contact", {"LastName": name})
    found = few.query(f"SELECT Id, LastName FROM Contact WHERE LastName = {quoted(name)}")
    assert made in {each["Id"] for each in found}
    assert {each["LastName"].lower() for each in found} == {name.lower()}


def test_fields_functions_give_all_fields(few: SalesforceSandbox) -> None:
    (record,) = few.query("SELECT FIELDS(ALL) FROM Account ORDER BY Id LIMIT 1")
    assert record["Name"] == "Alpha" and "Landbridge_Id__c" in record and "BillingAddress" in record
    (record,) = few.query("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1")
    assert set(record) == {"attributes", "Tax_Id__c", "ERP_Id__c", "Landbridge_Id__c"}
