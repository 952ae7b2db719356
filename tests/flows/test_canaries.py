"""Canaries in every secret and every personal field: what fails, logs and is kept shows none of them.

The shipped flows run between both sandboxes, with webhooks, at DEBUG, while each kind of request meets each kind of
error; the errors repeat our secrets to us, as bad systems do. Then everything is searched, in every spelling.
"""

from __future__ import annotations

import base64
import http.client
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from canaries import Search
from desk import Desk
from house import FLOWS, House
from test_webhook_live import SYSTEMS, Endpoint

from landbridge import gate
from landbridge.errors import LandbridgeError
from landbridge.store import Store, control

pytest.importorskip("great_expectations", reason="needs the extra `quality`")

SECRETS = {
    "client secret": "c4n4ry/cl1ent+secret&1f=a",
    "password": "c4n4ry:p4ssw0rd%/+?22b",
    "webhook token": "c4n4ry-t0ken-in-the-address-33c",
    "webhook key": "c4n4ry-auth0rization-44d",
}
PERSONAL = {
    "Name": "P3rsona Nameless 55e",
    "BillingStreet": "P3rsona Street 66f",
    "BillingCity": "P3rsonaville 77a",
    "BillingPostalCode": "P3R-88b",
    "Phone": "+49 30 900990099",
    "Description": "P3rsona likes tea 99c",
}
BODIES = ("table body", "table shadow", "table staged", "table told", "table hub_")
"""Where personal values belong: bodies, kept apart so that one statement erases them, and what the hub compares."""

ERRORS: list[tuple[str, dict[str, Any]]] = [
    *(("reply", {"status": status}) for status in (302, 400, 401, 403, 404, 409, 412, 422, 429, 500, 502, 503, 504)),
    ("html", {}), ("html", {"status": 502}), ("cut_body", {}), ("drop_before", {}), ("drop_after", {}),
    ("500_after", {}), ("stale_token", {}),
]  # fmt: skip
STEPS = {
    "crm": ["/oauth2/token", "/query", "/composite", "/sobjects", "/describe"],
    "erp": ["CSRF|\\$metadata|_SRV/$", "A_BusinessPartner", "A_SalesOrder", "A_Product", "\\$batch", "A_Outb", "Stock"],
}


@pytest.fixture
def planted(
    root: Path, store: Store, clock: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[House, Endpoint]]:
    """A house with a canary in every secret."""
    monkeypatch.setattr("house.SECRET", SECRETS["client secret"])
    monkeypatch.setattr("house.PASSWORD", SECRETS["password"])
    monkeypatch.setenv("CRM_HOOK_TOKEN", SECRETS["webhook token"])
    monkeypatch.setenv("ERP_HOOK_KEY", f"Bearer {SECRETS['webhook key']}")
    house = House(root, store, clock, monkeypatch.setenv)
    house.change_project(tmp_path / "project", **SYSTEMS)
    endpoint = Endpoint(house)
    yield house, endpoint
    endpoint.server.stop()
    house.close()


def secrets_of(house: House, url: str) -> set[str]:
    """Every secret there was: what was configured, what was handed out, and the database's password."""
    return {*SECRETS.values(), *handed_out(house), url.partition("://")[2].partition("@")[0].partition(":")[2]}


def handed_out(house: House) -> set[str]:
    """Every token that the CRM gave out so far."""
    kept: set[str] = house.__dict__.setdefault("handed_out", set())
    kept |= set(house.crm.sessions._sessions)
    return kept


def repeated(house: House) -> str:
    """What a bad system says: everything that it was sent, as it came."""
    tokens = " ".join(sorted(handed_out(house))[-2:])
    basic = base64.b64encode(f"LANDBRIDGE:{SECRETS['password']}".encode()).decode()
    return f"you sent Basic {basic} and {SECRETS['password']} and {SECRETS['client secret']} and Bearer {tokens}"


def told_by(house: House, system: str, status: int) -> dict[str, Any]:
    """An error as the product writes it, with our secrets in it."""
    said = repeated(house)
    headers = (
        {"Location": f"https://elsewhere.example/?t={said[:60]}", "Retry-After": "1"} if status in (302, 429) else {}
    )
    if system == "erp":
        return {"body": {"error": {"code": "X/1", "message": {"lang": "en", "value": said}}}, "headers": headers}
    if status == 401:
        return {"body": {"error": "invalid", "error_description": said}, "headers": headers}
    return {"body": [{"message": said, "errorCode": "UNKNOWN_EXCEPTION"}], "headers": headers}


def people(house: House) -> str:
    """A customer, products and an order, with a canary in every personal field; a bad one of each beside them."""
    account = house.account(**PERSONAL)
    house.product("CHAI", 18)
    house.product("CHANG", 19)
    for fields in (
        {"Name": None},
        {"BillingCity": {"de": PERSONAL["BillingCity"]}},
        {"BillingCountryCode": "Atlantis"},
    ):
        bad = house.account(**{**PERSONAL, "Name": "P3rsona Nameless 55e bad"})
        house.crm.state.put("Account", bad, {**(house.crm.get("Account", bad) or {}), **fields})
    return account


def go(house: House, search: Search, *flows: str) -> None:
    """Run flows, whatever comes of it."""
    for flow in flows or FLOWS:
        try:
            house.run(flow)
        except LandbridgeError as error:
            search.error(error)
        for paused in house.rows("select name from flow where paused"):
            with house.store.transaction("resume") as connection:
                control.resume(connection, paused.name, house.clock.now())


def misfortune(house: House, search: Search) -> int:
    """Every step of every system meets every kind of error; how many did."""
    account = people(house)
    go(house, search)
    met = number = 0
    for kind, arguments in ERRORS:
        for system, paths in STEPS.items():
            faults = house.crm.faults if system == "crm" else house.erp.faults
            made = []
            for path in paths:
                more = told_by(house, system, arguments["status"]) if kind == "reply" else {}
                if kind == "stale_token" and system == "erp":
                    continue
                made.append(faults.add({"path_regex": path, "times": 1}, kind, **arguments, **more))
            number += 1
            house.crm.update("Account", account, {"Description": f"{PERSONAL['Description']} {number}"})
            house.order(account, [("CHAI", 1, 18, 0)], PoNumber=f"n{number}") if number % 4 == 1 else None
            handed_out(house)
            house.erp.sessions._sessions.clear()
            house.crm.sessions.revoke_all() if number % 3 == 0 else None
            go(house, search, "customers_to_erp", "orders_to_erp", "products_to_crm")
            met += sum(fault.hits for fault in made)
            faults.clear()
            house.tick(120)
    return met


def knock(house: House, endpoint: Endpoint, search: Search) -> None:
    """Webhooks, right and wrong, with the canaries in address, headers and body."""
    crm, erp = f"/hooks/crm?key={quote(SECRETS['webhook token'])}", "/hooks/erp"
    for url, headers, body in (
        (crm, {"Content-Type": "text/xml"}, b"<no/>"),
        (f"{crm}x", {"Content-Type": "text/xml"}, b"<no/>"),
        (erp, {"Authorization": f"Bearer {SECRETS['webhook key']}"}, b"{}"),
        (erp, {"Authorization": f"Bearer {SECRETS['webhook key']}", "Content-Type": "application/json"}, b"["),
        (erp, {"Authorization": f"Basic {SECRETS['webhook key']}"}, PERSONAL["Name"].encode()),
        (f"{erp}/{SECRETS['webhook token']}", {}, b"{}"),
    ):
        line = http.client.HTTPConnection("127.0.0.1", endpoint.server.port, timeout=30)  # logs nothing of its own
        line.request("POST", url, body, headers)
        reply = line.getresponse()
        assert reply.status < 500
        search.add("webhook replies", reply.read(), repr(reply.getheaders()))
        line.close()


def look_everywhere(house: House, search: Search, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """The store, the commands of an operator, the quality gate with its pages, and `ps`."""
    assert gate.look(house.installation, "customers_to_erp")
    search.store(house.store)
    operator = Desk(house.engine, tmp_path / "project", monkeypatch, capsys, house.installation.canonical)
    operator.installation = house.installation
    dead = [str(row.id) for row in house.rows("select id from outbox where state <> 'delivered' limit 20")]
    commands = [
        ["dead", "list"],
        ["dead", "list", "--json"],
        ["status"],
        ["status", "--json"],
        ["accounting"],
        ["metrics"],
    ]
    commands += [["dead", "show", id_] for id_ in dead] + [["quality", "show", "customers_to_erp"]]
    for command in commands:
        ran = operator(*command)
        search.add(f"landbridge {' '.join(command[:2])}", ran.out, ran.err)
    search.files("state folder", tmp_path / "project" / ".landbridge")
    search.files("DAGs", house.root / "dags")
    search.processes()


@pytest.mark.slow
def test_no_canary_comes_to_light(
    planted: tuple[House, Endpoint], database_url: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    house, endpoint = planted
    search = Search()
    with search.listening():
        met = misfortune(house, search)
        knock(house, endpoint, search)
        house.account(**{**PERSONAL, "Name": f"test {PERSONAL['Name']}", "Phone": f"none {PERSONAL['Name']}"})
        house.tick(600)
        house.engine.extract(house.installation.settings.flow("customers_to_erp"))  # it waits: the gate looks at it
        look_everywhere(house, search, tmp_path, monkeypatch, capsys)
    secrets = secrets_of(house, database_url)
    told = f"{met} errors met, {len(secrets)} secrets, {len(PERSONAL)} personal values, {len(search.places)} places"
    print(told)  # noqa: T201 - the figures
    assert met > 40, "too few errors were met to tell anything"
    assert len(search.places["logs"]) > 500
    assert len(search.places["errors"]) > 20
    assert any(b"you sent" in one for one in search.places["errors"] + search.places["table attempt"]), "no echo came"
    assert len(secrets) >= 12
    assert search.hits(secrets) == []
    shown = search.hits(PERSONAL.values())
    assert [hit for hit in shown if not hit[0].startswith(BODIES)] == []
    assert {canary for _, canary, _ in shown} == set(PERSONAL.values()), "a personal canary never arrived"


class Forgetful(set[str]):
    """What a house that remembers no secret scrubs by."""

    def add(self, one: str) -> None:
        return


def test_the_search_catches_an_echo_that_is_not_scrubbed(planted: tuple[House, Endpoint], monkeypatch: Any) -> None:
    house, _ = planted
    monkeypatch.setattr("landbridge.secrets._opened", Forgetful())
    search = Search()
    with search.listening():
        people(house)
        house.erp.faults.add({"method": "POST", "times": 1}, "reply", status=400, **told_by(house, "erp", 400))
        go(house, search, "customers_to_erp")
        search.store(house.store)
    found = {(place.partition("_20")[0], canary) for place, canary, _ in search.hits([SECRETS["password"]])}
    assert ("table attempt", SECRETS["password"]) in found


def test_the_search_catches_a_body_in_the_log(planted: tuple[House, Endpoint], monkeypatch: Any) -> None:
    house, _ = planted
    mapping = house.engine.parts.mappings["crm", "customer"]
    read = type(mapping).read

    def leaking(self: Any, native: Any, context: Any) -> Any:
        logging.getLogger("landbridge").debug("reading %s", native)
        return read(self, native, context)

    monkeypatch.setattr(type(mapping), "read", leaking)
    search = Search()
    with search.listening():
        people(house)
        go(house, search, "customers_to_erp")
    assert {canary for _, canary, _ in search.hits(PERSONAL.values())} == set(PERSONAL.values())


@pytest.mark.parametrize("canary", [*SECRETS.values(), "geheim-1", "geheim-12", "geheim-123", "schlüssel?ÿþ"])
def test_every_spelling_of_a_canary_is_found(canary: str) -> None:
    raw = canary.encode()
    spellings = [
        raw.hex().encode(),
        raw.hex().upper().encode(),
        quote(canary, safe="").encode(),
        canary.encode("utf-16-le"),
    ]
    for before in ("", "u", "us", "bus:", "a:b:c"):
        for after in ("", "!", "!!", "!!!"):
            whole = f"{before}{canary}{after}".encode()
            spellings += [whole, base64.b64encode(whole), base64.urlsafe_b64encode(whole)]
    for spelling in spellings:
        search = Search()
        search.add("here", b"x=" + spelling + b";")
        assert search.hits([canary]), spelling
    nothing = Search()
    nothing.add("here", base64.b64encode(b"something quite different"), "c4n4ry")
    assert nothing.hits([canary]) == []
