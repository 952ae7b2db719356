"""Bulk API 2.0 of the sandbox: an unmodified simple-salesforce, and what only a plain client can see."""

from __future__ import annotations

import csv
import io

import pytest
from simple_salesforce.bulk2 import ColumnDelimiter, LineEnding
from simple_salesforce.exceptions import SalesforceOperationError


@pytest.fixture
def at_once(org):
    org.bulk.queue = org.bulk.work = 0.0
    return org


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ingest(http, **fields):
    body = {
        "object": "Account",
        "operation": "upsert",
        "externalIdFieldName": "ERP_Id__c",
        "contentType": "CSV",
        **fields,
    }
    reply = http("POST", "/jobs/ingest", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def upload(http, job, text: str):
    return http("PUT", f"/jobs/ingest/{job['id']}/batches", data=text.encode(), headers={"Content-Type": "text/csv"})


def close(http, job, state="UploadComplete"):
    return http("PATCH", f"/jobs/ingest/{job['id']}", json={"state": state})


def test_simple_salesforce_upserts_with_results_per_row(at_once, sf):
    kept = at_once.insert("Account", {"Name": "Old", "ERP_Id__c": "E1", "Description": "stays"})
    rows = [
        {"ERP_Id__c": "E1", "Name": '茶, "quoted"\nsecond line', "Description": ""},
        {"ERP_Id__c": "E2", "Name": "New", "Description": "#N/A"},
        {"ERP_Id__c": "E3", "Name": "x" * 300, "Description": "too long"},
    ]
    [done] = sf.bulk2.Account.upsert(records=rows, external_id_field="ERP_Id__c")
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (3, 1)
    good = {row["ERP_Id__c"]: row for row in table(sf.bulk2.Account.get_successful_records(done["job_id"]))}
    [bad] = table(sf.bulk2.Account.get_failed_records(done["job_id"]))
    assert (good["E1"]["sf__Id"], good["E1"]["sf__Created"], good["E2"]["sf__Created"]) == (kept, "false", "true")
    assert bad["sf__Error"].startswith("STRING_TOO_LONG:")
    assert bad["ERP_Id__c"] == "E3"
    assert table(sf.bulk2.Account.get_unprocessed_records(done["job_id"])) == []
    assert at_once.get("Account", kept)["Description"] == "stays"  # an empty cell leaves the field alone
    assert at_once.get("Account", kept)["Name"] == rows[0]["Name"]


def test_simple_salesforce_inserts_updates_and_deletes_in_any_dialect(at_once, sf):
    dialect = {"column_delimiter": ColumnDelimiter.CARET, "line_ending": LineEnding.CRLF}
    [done] = sf.bulk2.Contact.insert(records=[{"LastName": f"C{n}"} for n in range(450)], **dialect)
    assert done["numberRecordsFailed"] == 0
    ids = [each["Id"] for each in at_once.records("Contact")]
    [done] = sf.bulk2.Contact.update(records=[{"Id": each, "Email": "a@b.example"} for each in ids])
    assert done["numberRecordsProcessed"] == 450
    [done] = sf.bulk2.Contact.delete(records=[{"Id": each} for each in ids[:3]])
    assert at_once.count("Contact") == 447
    assert {each.get("Email") for each in at_once.records("Contact")} == {"a@b.example"}


def test_simple_salesforce_queries_by_pages(at_once, sf):
    at_once.bulk_insert("Account", ({"Name": f'A "{n}", 茶'} for n in range(2500)))
    pages = list(
        sf.bulk2.Account.query("SELECT Id, Name, CreatedDate, IsDeleted FROM Account ORDER BY Id", max_records=999)
    )
    rows = [row for page in pages for row in table(page)]
    assert [len(table(page)) for page in pages] == [999, 999, 502]
    assert [row["Name"] for row in rows] == [f'A "{n}", 茶' for n in range(2500)]
    assert rows[0]["CreatedDate"] == "2026-11-21T08:00:00.000Z"
    assert rows[0]["IsDeleted"] == "false"


def test_simple_salesforce_hears_of_a_failed_job(at_once, sf):
    with pytest.raises(SalesforceOperationError, match="Field name not found : Nope__c"):
        sf.bulk2.Account.insert(records=[{"Name": "a", "Nope__c": "x"}])


def test_a_job_moves_with_the_clock(org, http):
    job = ingest(http)
    assert job["state"] == "Open"
    assert job["contentUrl"] == f"services/data/v62.0/jobs/ingest/{job['id']}/batches"
    assert upload(http, job, "ERP_Id__c,Name\nE1,One\n").status_code == 201
    assert upload(http, job, "ERP_Id__c,Name\nE1,One\n").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert close(http, job).json()["state"] == "UploadComplete"
    assert http("GET", f"/jobs/ingest/{job['id']}/successfulResults").status_code == 400
    org.clock.advance(1)
    assert http("GET", f"/jobs/ingest/{job['id']}").json()["state"] == "InProgress"
    assert org.count("Account") == 0
    org.clock.advance(1)
    assert org.count("Account") == 1  # by the clock alone, nobody had to ask
    done = http("GET", f"/jobs/ingest/{job['id']}").json()
    assert (done["state"], done["numberRecordsProcessed"]) == ("JobComplete", 1)
    assert close(http, job, "Aborted").status_code == 400
    assert [each["id"] for each in http("GET", "/jobs/ingest").json()["records"]] == [job["id"]]
    assert http("DELETE", f"/jobs/ingest/{job['id']}").status_code == 204
    assert http("GET", f"/jobs/ingest/{job['id']}").status_code == 404


def test_an_aborted_job_has_no_effect_and_gives_its_rows_back(org, http):
    job = ingest(http)
    upload(http, job, "ERP_Id__c,Name\nE1,One\n")
    assert close(http, job, "Aborted").json()["state"] == "Aborted"
    org.clock.advance(60)
    assert org.count("Account") == 0
    assert table(http("GET", f"/jobs/ingest/{job['id']}/unprocessedrecords").text) == [
        {"ERP_Id__c": "E1", "Name": "One"}
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ERP_Id__c,Name\r\nE1,One\r\n", "LineEnding is invalid"),
        ('ERP_Id__c,Name\nE1,"One\n', "Failed to parse CSV"),
        ("ERP_Id__c,Name\nE1\n", "number of columns"),
        ("Name\nOne\n", "Field name not found : ERP_Id__c"),
        ("", "content is empty|LineEnding"),
    ],
)
def test_content_that_is_no_csv_of_the_dialect_fails_the_job(at_once, http, text, message):
    job = ingest(http)
    upload(http, job, text)
    done = close(http, job).json()
    assert done["state"] == "Failed"
    assert any(each in done["errorMessage"] for each in message.split("|"))
    assert at_once.count("Account") == 0


def test_limits_and_refusals(at_once, http):
    at_once.bulk.most_bytes = 20
    job = ingest(http)
    assert upload(http, job, "ERP_Id__c,Name\nE1,One\n").status_code == 413
    assert (
        http("POST", "/jobs/ingest", json={"object": "Nope", "operation": "insert"}).json()[0]["errorCode"]
        == "INVALIDENTITY"
    )
    assert http("POST", "/jobs/ingest", json={"object": "Account", "operation": "upsert"}).status_code == 400
    for soql in (
        "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
        "SELECT COUNT() FROM Account",
        "SELECT BillingAddress FROM Account",
    ):
        reply = http("POST", "/jobs/query", json={"operation": "query", "query": soql})
        assert (reply.status_code, reply.json()[0]["errorCode"]) == (400, "API_ERROR"), soql


def test_faults_fail_the_job_or_lock_rows(at_once, http):
    at_once.faults.add(
        {"method": "PATCH", "path_regex": "/jobs/ingest"}, "bulk_failed", rows=1, message="Timeout : again"
    )
    job = ingest(http)
    upload(http, job, "ERP_Id__c,Name\nE1,One\nE2,Two\n")
    assert close(http, job).json()["errorMessage"] == "Timeout : again"
    at_once.faults.add({"method": "PATCH", "path_regex": "/jobs/ingest"}, "row_lock", rows=[1])
    job = ingest(http)
    upload(http, job, "ERP_Id__c,Name\nE1,One\nE2,Two\n")
    close(http, job)
    [failed] = table(http("GET", f"/jobs/ingest/{job['id']}/failedResults").text)
    assert failed["sf__Error"].startswith("UNABLE_TO_LOCK_ROW:")
    assert failed["ERP_Id__c"] == "E2"
