"""Each kind of fault does what its name says, on the wire and in the records."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from sandbox._base.faults import KINDS
from sandbox.salesforce import SalesforceSandbox

POST = {"method": "POST", "path_regex": "/sobjects/Account$"}


def create(http: Any, name: str = "x", **more: Any) -> requests.Response:
    return http("POST", "/sobjects/Account", json={"Name": name}, **more)


@pytest.mark.parametrize(
    ("kind", "args", "status", "effects"),
    [
        ("429", {"retry_after": 7}, 429, 0),
        ("503", {"retry_after": 3}, 503, 0),
        ("500_before", {}, 500, 0),
        ("500_after", {}, 500, 1),
        ("html", {}, 200, 0),
        ("html", {"status": 502}, 502, 0),
        ("stale_token", {}, 401, 0),
        ("reply", {"status": 409, "body": [{"errorCode": "X"}]}, 409, 0),
        ("row_lock", {}, 400, 0),
        ("hang", {"seconds": 0.1}, 201, 1),
        ("hang", {"seconds": 0.1, "effect": "before"}, 201, 1),
    ],
)
def test_faults_that_answer(
    http: Any, org: SalesforceSandbox, kind: str, args: dict[str, Any], status: int, effects: int
) -> None:
    fault = org.faults.add(POST, kind, **args)
    reply = create(http)
    assert (reply.status_code, org.count("Account"), fault.hits) == (status, effects, 1)
    assert reply.headers.get("Retry-After") == (str(args["retry_after"]) if "retry_after" in args else None)
    if kind == "html":
        assert reply.headers["Content-Type"].startswith("text/html") and reply.text.startswith("<!DOCTYPE")
    if kind == "row_lock":
        assert reply.json()[0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    if kind != "stale_token":
        assert create(http).status_code == 201
    else:
        assert create(http).status_code == 401  # the token stays revoked


@pytest.mark.parametrize(
    ("kind", "args", "effects"),
    [
        ("drop_before", {}, 0),
        ("drop_after", {}, 1),
        ("cut_body", {}, 1),
        ("commit_later", {}, 0),
        ("hang", {"seconds": 0.05, "reply": False}, 0),
        ("hang", {"seconds": 0.05, "reply": False, "effect": "before"}, 1),
    ],
)
def test_faults_that_cut_the_line(
    http: Any, org: SalesforceSandbox, kind: str, args: dict[str, Any], effects: int
) -> None:
    org.faults.add(POST, kind, **args)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        create(http)
    assert org.count("Account") == effects
    assert create(http).status_code == 201


def test_every_kind_is_played_by_these_tests() -> None:
    tested = {
        mark.args[1][row][0]
        for test in (test_faults_that_answer, test_faults_that_cut_the_line)
        for mark in test.pytestmark
        for row in range(len(mark.args[1]))
    }
    assert tested >= set(KINDS)


def test_commit_later_commits_when_the_clock_gets_there_with_the_early_stamp(http: Any, org: SalesforceSandbox) -> None:
    org.faults.add(POST, "commit_later", after=240)
    with pytest.raises(requests.ConnectionError):
        create(http, "late")
    arrived = org.clock.now()
    org.clock.advance(120)
    assert create(http, "early").status_code == 201
    org.clock.advance(119)
    assert [each["Name"] for each in org.records("Account")] == ["early"]
    org.clock.advance(1)
    late = org.records("Account", {"Name": "late"})[0]
    assert late["SystemModstamp"] == arrived.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    # a reader that stood at the newest stamp must look back to find it
    (newest,) = org.query("SELECT MAX(SystemModstamp) newest FROM Account")
    assert late["SystemModstamp"] < newest["newest"]


def test_commit_later_outlives_the_token_it_came_with(http: Any, org: SalesforceSandbox) -> None:
    org.faults.add(POST, "commit_later", after=9000)
    with pytest.raises(requests.ConnectionError):
        create(http, "late")
    org.clock.advance(9001)
    assert org.count("Account") == 1


def test_a_client_that_gives_up_on_a_hang_leaves_no_effect(http: Any, org: SalesforceSandbox) -> None:
    org.faults.add(POST, "hang", seconds=20)
    with pytest.raises(requests.Timeout):
        create(http, timeout=0.2)
    assert create(http, "second").status_code == 201
    assert [each["Name"] for each in org.records("Account")] == ["second"]


def test_matching_by_place_times_body_and_seeded_chance(http: Any, org: SalesforceSandbox) -> None:
    org.faults.add({**POST, "nth": 2, "times": 2}, "503")
    assert [create(http).status_code for _ in range(5)] == [201, 503, 503, 201, 201]
    org.faults.clear()
    org.faults.add({**POST, "body_regex": "SO-1001", "times": None}, "503")
    assert [create(http, name).status_code for name in ("SO-1001", "SO-1002", "SO-1001")] == [503, 201, 503]
    org.faults.clear()
    chances = []
    for _ in range(2):
        org.faults.add({**POST, "probability": 0.5, "seed": 42, "times": None}, "503")
        chances.append([create(http).status_code for _ in range(12)])
        org.faults.clear()
    assert chances[0] == chances[1] and set(chances[0]) == {201, 503}
    with pytest.raises(ValueError, match="no kind"):
        org.faults.add(POST, "earthquake")


def test_the_control_api_does_all_of_it_over_http(http: Any, org: SalesforceSandbox, shop: SimpleNamespace) -> None:
    control = f"{http.url}/__sandbox__"

    def ask(method: str, path: str, **more: Any) -> Any:
        return http.session.request(method, f"{control}/{path}", timeout=5, **more).json()

    assert ask("POST", "faults", json={"match": POST, "kind": "503"})["kind"] == "503"
    assert [create(http).status_code for _ in range(2)] == [503, 201]
    assert ask("GET", "faults")[0]["hits"] == 1
    assert ask("DELETE", "faults") == []
    assert "error" in ask("POST", "faults", json={"kind": "earthquake"})
    assert ask("GET", "clock")["now"] == "2026-11-21T08:00:00+00:00"
    assert ask("POST", "clock", json={"advance": 90})["now"] == "2026-11-21T08:01:30+00:00"
    assert ask("POST", "clock", json={"set": "2027-01-01T00:00:00+00:00"})["now"].startswith("2027-01-01")
    assert ask("GET", "counts")["Account"] == 2
    assert [each["Id"] for each in ask("GET", "records/Account", params={"ERP_Id__c": "C1"})] == [shop.account]
    log = ask("GET", "requests")
    assert log["counts"] == {"POST /services/data/v62.0/sobjects/Account": 2}
    assert [(each["status"], each["fault"]) for each in log["last"]] == [(503, "503"), (201, None)]
    assert ask("DELETE", "requests")["last"] == []


def test_a_late_commit_by_the_control_api(http: Any, org: SalesforceSandbox) -> None:
    org.faults.add(POST, "commit_later", after=60)
    with pytest.raises(requests.ConnectionError):
        create(http)
    moved = http.session.post(f"{http.url}/__sandbox__/clock", json={"advance": 61}, timeout=5).json()
    assert (moved["pending"], org.count("Account")) == (0, 1)


def test_parallel_upserts_of_one_key_make_one_record(http: Any, org: SalesforceSandbox) -> None:
    statuses: list[int] = []

    def upsert() -> None:
        path = f"{http.base}/sobjects/Account/Landbridge_Id__c/one"
        with requests.Session() as own:
            own.trust_env, own.verify = False, http.session.verify
            headers = {"Authorization": http.session.headers["Authorization"]}
            statuses.append(own.patch(path, json={"Name": "x"}, headers=headers, timeout=10).status_code)

    threads = [threading.Thread(target=upsert) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(statuses), org.count("Account")) == ([200] * 7 + [201], 1)
