"""Proof of faithfulness: the widely used client simple-salesforce, unmodified, works against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceResourceNotFound,
)

from sandbox._base import Served
from sandbox.salesforce import SalesforceSandbox


class ToSandbox(HTTPAdapter):
    """Sends what the client addresses to *.salesforce.com to the sandbox; the client itself is untouched."""

    def __init__(self, url: str) -> None:
        self.target = urlsplit(url)
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = urlunsplit(urlsplit(request.url)._replace(netloc=self.target.netloc))
        return super().send(request, *args, **kwargs)


def test_create_get_update_delete(sf: Salesforce) -> None:
    made = sf.Account.create({"Name": "深圳茶叶有限公司", "BillingCountry": "China", "BillingCity": "深圳"})
    assert made["success"] is True
    got = sf.Account.get(made["id"])
    assert (got["Name"], got["BillingCountryCode"]) == ("深圳茶叶有限公司", "CN")
    assert got["BillingAddress"]["city"] == "深圳"
    assert sf.Account.update(made["id"][:15], {"Phone": "0755 1"}) == 204
    assert sf.Account.get(made["id"])["Phone"] == "0755 1"
    assert sf.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound) as gone:
        sf.Account.get(made["id"])
    assert gone.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"


def test_upsert_creates_then_updates_and_reports_several(sf: Salesforce, org: SalesforceSandbox) -> None:
    assert sf.Account.upsert("Landbridge_Id__c/a-1", {"Name": "Erste"}) == 201
    assert sf.Account.upsert("Landbridge_Id__c/a-1", {"Name": "Zweite"}) == 200
    assert [each["Name"] for each in org.records("Account")] == ["Zweite"]
    assert sf.Account.get_by_custom_id("Landbridge_Id__c", "a-1")["Name"] == "Zweite"
    for name in ("x", "y"):
        org.insert("Account", {"Name": name, "ERP_Id__c": "twice"})
    with pytest.raises(SalesforceMoreThanOneRecord) as several:
        sf.Account.upsert("ERP_Id__c/twice", {"Name": "z"})
    assert len(several.value.content) == 2
    assert org.count("Account") == 3


def test_query_pages_with_query_more(sf: Salesforce, org: SalesforceSandbox) -> None:
    org.bulk_insert("Account", ({"Name": f"N{number:05d}"} for number in range(4100)))
    first = sf.query("SELECT Id, Name FROM Account ORDER BY Name")
    assert (first["totalSize"], first["done"], len(first["records"])) == (4100, False, 2000)
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    again = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert second == again and second["records"][0]["Name"] == "N02000"
    every = sf.query_all("SELECT Name FROM Account ORDER BY Name")
    assert [each["Name"] for each in every["records"]] == [f"N{number:05d}" for number in range(4100)]
    assert sum(1 for _ in sf.query_all_iter("SELECT Id FROM Account LIMIT 2500")) == 2500


def test_query_all_sees_the_deleted(sf: Salesforce, org: SalesforceSandbox) -> None:
    kept, gone = (org.insert("Account", {"Name": name}) for name in ("kept", "gone"))
    org.delete("Account", gone)
    assert [each["Id"] for each in sf.query("SELECT Id FROM Account")["records"]] == [kept]
    found = sf.query("SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True)
    assert [each["Id"] for each in found["records"]] == [gone]


def test_collections_through_composite(sf: Salesforce, org: SalesforceSandbox) -> None:
    rows = [{"attributes": {"type": "Account"}, "Name": name} for name in ("a", "", "c")]
    results = sf.restful("composite/sobjects", method="POST", json={"allOrNone": False, "records": rows})
    assert [each["success"] for each in results] == [True, False, True]
    assert results[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    upserts = [{"attributes": {"type": "Account"}, "Name": "d", "Landbridge_Id__c": key} for key in ("1", "2")]
    path = "composite/sobjects/Account/Landbridge_Id__c"
    assert [each["created"] for each in sf.restful(path, method="PATCH", json={"records": upserts})] == [True, True]
    assert [each["created"] for each in sf.restful(path, method="PATCH", json={"records": upserts})] == [False, False]
    assert org.count("Account") == 4


def test_errors_arrive_as_the_clients_own_exceptions(sf: Salesforce, org: SalesforceSandbox) -> None:
    with pytest.raises(SalesforceMalformedRequest) as missing:
        sf.Account.create({"Phone": "1"})
    assert missing.value.content == [
        {"message": "Required fields are missing: [Name]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]}
    ]
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        sf.query("SELECT FROM Account")
    assert malformed.value.content[0]["errorCode"] == "MALFORMED_QUERY"
    org.clock.advance(7201)
    with pytest.raises(SalesforceExpiredSession) as expired:
        sf.query("SELECT Id FROM Account")
    assert expired.value.content == [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]


def test_describe_limits_and_the_limit_header(sf: Salesforce) -> None:
    described = {field["name"]: field for field in sf.OrderItem.describe()["fields"]}
    assert described["Landbridge_Id__c"]["externalId"] is True and described["Landbridge_Id__c"]["length"] == 64
    assert described["OrderId"]["referenceTo"] == ["Order"] and described["OrderId"]["updateable"] is False
    assert described["TotalPrice"]["createable"] is False
    assert "Stock_Level__c" in {each["name"] for each in sf.describe()["sobjects"]}
    assert sf.limits()["DailyApiRequests"]["Max"] == 1_000_000
    assert sf.api_usage["api-usage"].used == 3 and sf.api_usage["api-usage"].total == 1_000_000


def test_replication_by_the_client(sf: Salesforce, org: SalesforceSandbox) -> None:
    kept, gone = (org.insert("Account", {"Name": name}) for name in ("kept", "gone"))
    org.delete("Account", gone)
    org.clock.advance(120)
    start, end = org.clock.now() - timedelta(minutes=10), org.clock.now()
    assert sf.Account.updated(start, end)["ids"] == [kept]
    assert [each["id"] for each in sf.Account.deleted(start, end)["deletedRecords"]] == [gone]


@pytest.fixture
def routed(served: Served, session: requests.Session) -> requests.Session:
    session.mount("https://", ToSandbox(served.url))
    return session


@pytest.fixture(scope="module")
def key_pair() -> tuple[str, str]:
    """(private key, certificate), made here and now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "landbridge")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def test_jwt_bearer_login(org: SalesforceSandbox, routed: requests.Session, key_pair: tuple[str, str]) -> None:
    private, certificate = key_pair
    org.register_client("app", certificate_pem=certificate, username="sync@example.com")
    sf = Salesforce(username="sync@example.com", consumer_key="app", privatekey=private, session=routed)
    assert sf.Account.create({"Name": "by JWT"})["success"]
    user = org.records("User", {"Username": "sync@example.com"})[0]["Id"]
    assert org.records("Account")[0]["CreatedById"] == user


@pytest.mark.filterwarnings("ignore:[\\s\\S]*connected app policy")  # the client's own advice about approving an app
def test_jwt_signed_by_another_key_is_refused(org: SalesforceSandbox, routed: requests.Session, key_pair: Any) -> None:
    org.register_client("app", certificate_pem=key_pair[1], username="sync@example.com")
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"):
        Salesforce(username="sync@example.com", consumer_key="app", privatekey=stranger.decode(), session=routed)
    with pytest.raises(SalesforceAuthenticationFailed, match="approved"):
        Salesforce(username="other@example.com", consumer_key="app", privatekey=key_pair[0], session=routed)


def test_client_credentials_login(org: SalesforceSandbox, routed: requests.Session) -> None:
    org.register_client("app", secret="s3cret")
    sf = Salesforce(consumer_key="app", consumer_secret="s3cret", domain="acme.my", session=routed)
    assert sf.query("SELECT Id FROM Organization")["records"][0]["Id"] == org.org_id
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        Salesforce(consumer_key="app", consumer_secret="wrong", domain="acme.my", session=routed)
