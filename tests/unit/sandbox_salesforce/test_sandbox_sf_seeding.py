"""Seeding, sessions and the plans that keep a big org fast."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.salesforce import SalesforceSandbox


def test_bulk_insert_makes_the_same_records_as_insert(org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    (order,) = org.load("Order", [{"AccountId": shop.account, "EffectiveDate": "2026-11-20", "Status": "Draft"}])
    line = {"OrderId": order, "PricebookEntryId": shop.entry, "Quantity": 3, "UnitPrice": 18}
    assert org.bulk_insert("OrderItem", [line]) == 1
    own = {"Id", "OrderId", "OrderItemNumber"}
    (loaded,) = org.records("OrderItem", {"OrderId": order})
    single = org.get("OrderItem", shop.line)
    assert {k: v for k, v in loaded.items() if k not in own} == {k: v for k, v in single.items() if k not in own}
    assert org.get("Order", order)["TotalAmount"] == 54.0
    (entry,) = org.load("PricebookEntry", [{"Product2Id": shop.product, "Pricebook2Id": shop.book, "UnitPrice": 1}])
    assert org.get("PricebookEntry", entry)["ProductCode"] == "P1"


def test_bulk_insert_takes_any_number_in_order(org: SalesforceSandbox) -> None:
    assert org.bulk_insert("Account", ({"Name": f"N{number}"} for number in range(5001))) == 5001
    assert [each["Name"] for each in org.records("Account")] == [f"N{number}" for number in range(5001)]


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Id FROM Order WHERE SystemModstamp >= 2026-01-01T00:00:00Z ORDER BY SystemModstamp, Id",
        "SELECT Id FROM Account WHERE LastModifiedDate > 2026-01-01T00:00:00Z ORDER BY LastModifiedDate, Id LIMIT 10",
        "SELECT Id FROM Order WHERE Landbridge_Id__c = 'x'",
        "SELECT Id FROM OrderItem WHERE OrderId IN ('8015g0000000001')",
    ],
)
def test_the_queries_of_a_reader_run_on_an_index(org: SalesforceSandbox, soql: str) -> None:
    plans: list[str] = []
    chunks = org.state.chunks

    def explained(sql: str, params: Any = (), size: int = 1) -> Any:
        plans.extend(str(row[3]) for row in org.state.rows(f"EXPLAIN QUERY PLAN {sql}", params))
        return chunks(sql, params, size)

    org.state.chunks = explained  # type: ignore[method-assign]  # watched, not replaced
    org.query(soql)
    assert any("SEARCH t USING" in plan for plan in plans), plans
    assert not any("SCAN" in plan or "TEMP B-TREE" in plan for plan in plans), plans


def test_the_oldest_cursors_are_dropped(http: Any, org: SalesforceSandbox) -> None:
    org.bulk_insert("Account", ({"Name": f"N{number}"} for number in range(300)))
    pages = [
        http.query("SELECT Id FROM Account", **{"Sforce-Query-Options": "batchSize=200"}).json() for _ in range(52)
    ]
    paths = [page["nextRecordsUrl"].removeprefix("/services/data/v62.0") for page in (pages[0], pages[-1])]
    assert [http("GET", path).status_code for path in paths] == [400, 200]
    assert http("GET", paths[0]).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert org.state.count("_cursor") == 2 * 50


def test_refresh_tokens_and_credentials_in_the_body(http: Any, org: SalesforceSandbox) -> None:
    user = org.register_client("app", secret="s3cret")
    form = {"client_id": "app", "client_secret": "s3cret"}

    def ask(**more: str) -> Any:
        return http.session.post(f"{http.url}/services/oauth2/token", data={**form, **more}, auth=(), timeout=5)

    http.session.headers.pop("Authorization")
    assert ask(grant_type="client_credentials").json()["token_type"] == "Bearer"
    granted = ask(grant_type="refresh_token", refresh_token=org.sessions.issue_refresh_token("app", user))
    http.session.headers["Authorization"] = f"Bearer {granted.json()['access_token']}"
    assert http("GET", "/limits").status_code == 200
    who = http.session.get(f"{http.url}/services/oauth2/userinfo", timeout=5).json()
    assert (who["user_id"], who["organization_id"]) == (user, org.org_id)
    org.sessions.revoke_all()
    assert http("GET", "/limits").status_code == 401
    http.session.headers.pop("Authorization")
    refusals = [
        (ask(grant_type="refresh_token", refresh_token="x"), "invalid_grant"),
        (ask(grant_type="client_credentials", client_secret="no"), "invalid_client"),
        (ask(grant_type="client_credentials", client_id="no"), "invalid_client_id"),
        (ask(grant_type="password"), "unsupported_grant_type"),
        (ask(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion="x.y.z"), "invalid_grant"),
    ]
    for reply, error in refusals:
        assert (reply.status_code, reply.json()["error"]) == (400, error)


def test_an_address_too_long_is_refused_before_anything_reads_it(http: Any) -> None:
    fields = ", ".join(["Name"] * 3000)
    assert http.query(f"SELECT {fields} FROM Account").status_code == 414


def test_replication_windows_are_checked(http: Any, org: SalesforceSandbox) -> None:
    def window(start: str, end: str) -> Any:
        return http("GET", "/sobjects/Account/updated/", params={"start": start, "end": end})

    made = org.insert("Account", {"Name": "x"})
    org.clock.advance(300)
    found = window("2026-11-21T07:59:59+00:00", "2026-11-21T08:04:00Z").json()
    assert found == {"ids": [made], "latestDateCovered": "2026-11-21T08:04:00.000+0000"}
    for start, end in [
        ("2026-11-21T08:00:05Z", "2026-11-21T08:00:55Z"),
        ("2026-09-01T00:00:00Z", "2026-11-21T00:00:00Z"),
    ]:
        assert window(start, end).json()[0]["errorCode"] == "INVALID_REPLICATION_DATE"


def test_every_country_of_the_sample_company_is_on_the_list(org: SalesforceSandbox, shared: Path) -> None:
    with (shared / "data" / "northwind" / "customers.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            fields = {"Name": row["company_name"], "BillingCountry": row["country"], "BillingCity": row["city"]}
            made = org.get("Account", org.insert("Account", fields))
            assert len(made["BillingCountryCode"]) == 2, row["country"]
