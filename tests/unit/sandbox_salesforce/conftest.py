"""A fresh org per test, served over TLS, with an unmodified simple-salesforce and a plain HTTP client on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests
from simple_salesforce import Salesforce

from sandbox._base import Clock, Served, self_signed, serve
from sandbox.salesforce import SalesforceSandbox

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def org() -> Iterator[SalesforceSandbox]:
    sandbox = SalesforceSandbox(clock=Clock(START, frozen=True))
    yield sandbox
    sandbox.close()


@pytest.fixture
def served(org: SalesforceSandbox, tls: tuple[str, str]) -> Iterator[Served]:
    with serve(org.app, tls=tls) as server:
        yield server


@pytest.fixture
def session(tls: tuple[str, str]) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        opened.verify = tls[0]
        yield opened


@pytest.fixture
def sf(org: SalesforceSandbox, served: Served, session: requests.Session) -> Salesforce:
    return Salesforce(instance_url=served.url, session_id=org.open_session(), session=session, version="62.0")


class Http:
    """Plain calls of the REST API with a good token."""

    def __init__(self, org: SalesforceSandbox, served: Served, verify: str) -> None:
        self.base = f"{served.url}/services/data/v62.0"
        self.url = served.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = verify
        self.session.headers["Authorization"] = f"Bearer {org.open_session()}"

    def __call__(self, method: str, path: str, **more: object) -> requests.Response:
        return self.session.request(method, self.base + path, timeout=more.pop("timeout", 10), **more)

    def query(self, soql: str, **headers: str) -> requests.Response:
        return self("GET", "/query", params={"q": soql}, headers=headers)


@pytest.fixture
def http(org: SalesforceSandbox, served: Served, tls: tuple[str, str]) -> Iterator[Http]:
    client = Http(org, served, tls[0])
    yield client
    client.session.close()


@pytest.fixture
def shop(org: SalesforceSandbox) -> SimpleNamespace:
    """One customer, one product with its price, one order with one line."""
    book = org.standard_pricebook_id
    account = org.insert("Account", {"Name": "Müller & Söhne", "ERP_Id__c": "C1"})
    product = org.insert("Product2", {"Name": "Tee 茶", "ProductCode": "P1", "IsActive": True})
    price = {"Product2Id": product, "Pricebook2Id": book, "UnitPrice": 18, "IsActive": True}
    entry = org.insert("PricebookEntry", price)
    head = {"AccountId": account, "EffectiveDate": "2026-11-20", "Status": "Draft", "Pricebook2Id": book}
    order = org.insert("Order", head)
    line = org.insert("OrderItem", {"OrderId": order, "PricebookEntryId": entry, "Quantity": 3, "UnitPrice": 18})
    return SimpleNamespace(book=book, account=account, product=product, entry=entry, order=order, line=line)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"
