"""The steward's API: what it answers, what it refuses, its contract, and that nothing personal is told unasked."""

from __future__ import annotations

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from _contracted import answers
from starlette.testclient import TestClient
from steward_bench import terminal, twins

from landbridge.errors import LandbridgeError
from landbridge.secrets import Secret
from mdm.steward.api import application, openapi, token_of

TOKEN = "t0ken-of-this-test-alone"
SECRETS = ("Acme", "acme", "Stuttgart", "stuttgart", "123456", "Hauptstr", "Bolzen")


@pytest.fixture
def world(root, tmp_path, store, clock, monkeypatch, capsys):
    made, landbridge = terminal(root, tmp_path, store, clock, monkeypatch, capsys)
    made.app = application(landbridge.installation, Secret.plain(TOKEN))
    made.client = TestClient(made.app, headers={"Authorization": f"Bearer {TOKEN}"}, raise_server_exceptions=False)
    return made


def ask(world, path, code=200, **query):
    answer = world.client.get(f"/v1/{path}", params=query)
    assert answer.status_code == code, answer.text
    return answer.json()


def tell(world, path, code=200, **body):
    answer = world.client.post(f"/v1/{path}", json={"by": "a person"} | body)
    assert answer.status_code == code, answer.text
    return answer.json()


def test_a_steward_looks_decides_and_takes_back(world):
    assert ask(world, "entities") == {"entities": ["customer"]}
    [waiting] = ask(world, "customer/queue")
    assert {waiting["a"]["named"], waiting["b"]["named"]} == {"crm:1", "shop:1"}
    shown = ask(world, "customer/pair", a="crm:1", b="shop:1")
    assert sum(s["bits"] + s["rarity_bits"] for s in shown["steps"]) == pytest.approx(shown["weight"], abs=1e-9)
    pair = {"these": ["crm:1"], "those": ["shop:1"]}
    tried = tell(world, "customer/decisions", verdict="same", dry_run=True, **pair)
    assert tried["decision"] is None and [one["named"] for one, _ in tried["preview"]["moved"]] == ["shop:1"]
    assert ask(world, "customer/decisions") == []
    made = tell(world, "customer/decisions", verdict="same", reason="called them", **pair)["decision"]
    assert world.record("shop", "1").subject == world.record("crm", "1").record
    [kept] = ask(world, "customer/decisions")
    assert (kept["id"], kept["actor"], kept["reason"]) == (made, "a person", "called them")
    assert len(ask(world, "customer/golden", id="shop:1")["members"]) == 2
    assert tell(world, "customer/undo", decision=made, dry_run=True)["undone"] is False
    assert tell(world, "customer/undo", decision=made)["undone"] is True
    assert world.record("shop", "1").subject == world.record("shop", "1").record


def test_notices_are_dismissed_and_taken_back_and_the_status_counts_them(world):
    world.shop.put("customer", "9", {"name": "无"})
    world.run()
    [notice] = ask(world, "customer/notices")
    assert (notice["kind"], notice["about"], notice["dismissed"]) == ("unidentified", "shop:9", None)
    assert ask(world, "status")[0]["notices"] == {"unidentified": 1}
    made = tell(world, "customer/dismissals", notice=notice["id"], reason="a till")["dismissal"]
    assert ask(world, "customer/notices") == []
    [shown] = ask(world, "customer/notices", dismissed=True)
    assert (shown["dismissed"]["actor"], shown["dismissed"]["reason"]) == ("a person", "a till")
    assert ask(world, "status")[0]["notices"] == {"unidentified": 0}
    tell(world, "customer/dismissals", 422, notice=notice["id"])
    assert tell(world, "customer/undo", decision=made)["undone"] is True
    assert len(ask(world, "customer/notices")) == 1


def test_pairs_of_a_pattern_are_decided_only_as_they_were_shown(world):
    twins(world, "Bremen", "Kiel")
    pair = {"a": "crm:10", "b": "shop:10"}
    shown = ask(world, "customer/alike", **pair)
    count = shown["pairs"]
    assert count >= 2 and len(shown["sample"]) == min(count, 5)
    again = {"verdict": "same", "pattern": shown["pattern"], "pairs": count, **pair}
    refused = tell(world, "customer/alike", code=409, **again | {"pairs": count + 1})
    assert "Look at them again" in refused["hint"]
    assert tell(world, "customer/alike", code=409, **again | {"pattern": "name=0"})
    assert tell(world, "customer/alike", **again | {"dry_run": True})["decisions"] == []
    assert len(tell(world, "customer/alike", **again)["decisions"]) == count
    assert world.record("shop", "11").subject == world.record("crm", "11").subject


def test_labels_are_blind_and_each_persons_own(world):
    [shown] = ask(world, "customer/labels", by="a person")
    assert shown.keys() == {"a", "b", "named", "fields"}
    assert tell(world, "customer/labels", a=shown["a"], b=shown["b"], verdict="same") == {"kept": True}
    assert ask(world, "customer/labels", by="a person") == []
    assert len(ask(world, "customer/labels", by="another")) == 1
    assert world.record("shop", "1").subject != world.record("crm", "1").subject


@pytest.mark.parametrize(
    ("path", "query", "code", "why"),
    [
        ("supplier/queue", {}, 404, "keeps customer"),
        ("customer/nothing", {}, 404, ""),
        ("customer/pair", {"a": "crm:1", "b": "crm:99"}, 422, "not known to the hub"),
        ("customer/pair", {"a": "crm:1"}, 422, "does not fit"),
        ("customer/queue", {"most": "0"}, 422, "does not fit"),
        ("customer/queue", {"mots": "5"}, 422, "does not fit"),
        ("customer/golden", {"id": "crm:1", "known_at": "2001-01-01T00:00:00Z"}, 422, "did not know"),
        ("customer/golden", {"id": "crm:1", "known_at": "2001-01-01T00:00:00"}, 422, "does not fit"),
        ("customer/pair", {"a": "crm:1\x00", "b": "crm:2"}, 422, "does not fit"),
    ],
)
def test_what_makes_no_sense_is_a_problem_with_a_hint(world, path, query, code, why):
    told = ask(world, path, code=code, **query)
    assert told["status"] == code and why in told["title"] and told["hint"]


def test_a_contradiction_is_a_409_that_names_the_other_decision(world):
    pair = {"these": ["crm:1"], "those": ["shop:1"]}
    made = tell(world, "customer/decisions", verdict="different", **pair)["decision"]
    told = tell(world, "customer/decisions", code=409, verdict="same", **pair)
    assert made in told["hint"]
    told = tell(world, "customer/decisions", code=422, verdict="pin", these=["crm:1"], attribute="nmae", value=1)
    assert told["findings"][0]["path"] == "attribute"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer tökén"]
)
def test_who_does_not_show_the_token_learns_nothing(world, header):
    client = TestClient(world.app, headers={} if header is None else {"Authorization": header.encode("latin-1")})
    for path in ("/v1/entities", "/v1/customer/queue", "/v1/supplier/queue"):
        answer = client.get(path)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert client.post("/v1/customer/undo", content=b"x" * 100_000).status_code == 401
    assert client.get("/health").json() == {"status": "ok"}


def test_a_long_or_deep_body_is_refused(world):
    post = world.client.post
    assert post("/v1/customer/undo", content=b"[" * 70_000).status_code == 413
    assert post("/v1/customer/undo", content=b"[" * 1_000).status_code == 422
    assert post("/v1/customer/undo", content=b"{").status_code == 422
    pieces = iter([b"x" * 1_000] * 100)
    assert post("/v1/customer/undo", content=pieces).status_code == 413


def test_personal_values_are_told_only_where_they_are_asked_for_and_never_logged(world, caplog):
    caplog.set_level(logging.DEBUG)
    tell(world, "customer/decisions", verdict="pin", these=["crm:1"], attribute="name", value="Acme pinned")
    pair = {"a": "crm:1", "b": "shop:1"}
    for path, query in (
        ("queue", {}), ("pair", pair), ("alike", pair), ("golden", {"id": "crm:1"}), ("decisions", {}),
        ("labels", {"by": "x"}), ("notices", {}),
    ):  # fmt: skip
        said = world.client.get(f"/v1/customer/{path}", params=query).text
        assert not any(secret in said for secret in SECRETS), path
        if path != "notices":
            open_ = world.client.get(f"/v1/customer/{path}", params=query | {"personal": "true"}).text
            assert "Acme" in open_, path
    ours = [one for one in caplog.records if one.name.startswith("landbridge")]
    assert not any(secret in f"{one.getMessage()} {one.__dict__}" for one in ours for secret in SECRETS)


def test_what_breaks_inside_is_told_without_what_it_was_about(world, caplog, monkeypatch):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("Acme Maschinenbau is not right")

    monkeypatch.setattr(type(world.hub), "hub", fail)
    told = ask(world, "customer/queue", code=500)
    assert "Acme" not in str(told) and "Acme" not in caplog.text and "RuntimeError" in caplog.text


def test_many_who_ask_at_once_wait_for_their_turn(world):
    body = {"verdict": "same", "these": ["crm:1"], "those": ["shop:1"], "by": "x", "dry_run": True}
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(world.client.post, "/v1/customer/decisions", json=body) for _ in range(40)]
        assert {one.result().status_code for one in asked} == {200}


def test_the_contract_names_every_route_and_no_other(world):
    routes = {
        (route.path, method.lower())
        for route in world.app.routes
        for method in route.methods
        if method != "HEAD"
    }  # fmt: skip
    document = openapi()
    assert {(path, method) for path, found in document["paths"].items() for method in found} == routes
    assert all(
        "security" in one for path, found in document["paths"].items() if "/v1/" in path for one in found.values()
    )
    assert world.client.get("/openapi.json").json() == document
    for path in document["paths"]:
        if path.startswith("/v1/"):
            bare = TestClient(world.app)
            assert bare.get(path.replace("{entity}", "customer")).status_code in (401, 405)


def test_the_token_is_made_once_for_its_owner_alone(tmp_path):
    made = token_of(tmp_path)
    file = tmp_path / "steward.token"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and len(made.reveal()) >= 40
    assert token_of(tmp_path).reveal() == made.reveal()
    file.chmod(0o644)
    with pytest.raises(LandbridgeError, match="Others than its owner"):
        token_of(tmp_path)


def test_a_token_of_ones_own_is_a_reference_and_not_short(tmp_path, monkeypatch):
    monkeypatch.setenv("STEWARD_TOKEN", TOKEN)
    assert token_of(tmp_path, "env:STEWARD_TOKEN").reveal() == TOKEN
    monkeypatch.setenv("STEWARD_TOKEN", "short")
    with pytest.raises(LandbridgeError, match="shorter than 16"):
        token_of(tmp_path, "env:STEWARD_TOKEN")
    with pytest.raises(LandbridgeError, match="plain value"):
        token_of(tmp_path, TOKEN)
    assert not (tmp_path / "steward.token").exists()


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False], ids=["with the token", "as a stranger"])
def test_every_answer_is_one_that_the_document_names(world, known):
    def kept(case: Any) -> None:
        if known and "entity" in (case.path_parameters or {}):
            case.path_parameters["entity"] = "customer"

    header = {"Authorization": f"Bearer {TOKEN if known else 'guess'}"}
    statuses = answers(world.app, header, 30, prepared=kept)
    assert sum(count for status, count in statuses.items() if status >= 500) == 0
    assert statuses.get(422 if known else 401, 0) > 20
