"""SOAP beyond the contract: values, faults, hostile replies, paging, and declarations that do not fit."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zeep
from bench_soap import ENTITIES, PASSWORD, Soap12Bench, SoapBench
from connectors_under_test import REGISTRY
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from suite import Inbox, as_update, delivered, outcome_of
from zeep.wsse.username import UsernameToken

from connectors.soap import SoapConfig
from connectors.soap._values import Writer
from landbridge.connector import Delivered
from landbridge.errors import ConfigError, Conflict, Denied, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Http, read_wsdl, soap_transport
from landbridge.strict import yaml

NS = 'xmlns="urn:landbridge:sandbox:trade" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.fixture(params=[SoapBench, Soap12Bench], ids=["1.1", "1.2"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SoapBench]:
    made = request.param(REGISTRY["soap"], tmp_path)
    made.start()
    yield made
    made.close()
    made.stop()


@pytest.fixture
def one(tmp_path: Path) -> Iterator[SoapBench]:
    made = SoapBench(REGISTRY["soap"], tmp_path)
    made.start()
    yield made
    made.close()
    made.stop()


def envelope(body: str, space: str = "http://schemas.xmlsoap.org/soap/envelope/") -> bytes:
    return f'<s:Envelope xmlns:s="{space}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def told(bench: SoapBench, record: str) -> dict[str, Any]:
    """What a reply with this record becomes."""
    bench.house.garbling = envelope(f"<GetPartiesResponse {NS}>{record}</GetPartiesResponse>")
    [row] = bench.connector().fetch("customer", ["P1"])
    assert row.body is not None
    return row.body


def test_values_are_exact_and_nil_is_not_absent(one: SoapBench) -> None:
    body = told(
        one,
        '<party version="7"><id>P1</id><name> a </name><note xsi:nil="true"/>'
        "<creditLimit>0012345678901234567.10</creditLimit><foundedOn>2026-01-05+02:00</foundedOn><active>1</active>"
        '<email>x</email><address kind="main"><city/></address>'
        "<changedAt>2026-01-05T08:00:00.123456789Z</changedAt></party>",
    )
    assert body == {
        "version": 7,
        "id": "P1",
        "name": " a ",
        "note": None,
        "creditLimit": "0012345678901234567.10",
        "foundedOn": "2026-01-05",
        "active": True,
        "email": "x",
        "address": [{"kind": "main", "city": ""}],
        "changedAt": "2026-01-05T08:00:00.123456789Z",
    }
    assert "taxNumber" not in body


def test_a_value_that_does_not_fit_its_type_stays_its_text(one: SoapBench) -> None:
    body = told(
        one,
        "<party version='v7'><id>P1</id><creditLimit>n/a</creditLimit><foundedOn>0000-00-00</foundedOn>"
        "<active>maybe</active><changedAt>2026-01-05T08:00:00Z</changedAt></party>",
    )
    assert (body["version"], body["creditLimit"], body["active"]) == ("v7", "n/a", "maybe")
    assert body["foundedOn"] == "0000-00-00"


def test_what_the_wsdl_does_not_know_is_told_by_name(one: SoapBench) -> None:
    body = told(
        one,
        "<party><id>P1</id><changedAt>2026-01-05T08:00:00Z</changedAt><new><a>1</a><a>2</a><b/></new></party>",
    )
    assert body["new"] == {"a": ["1", "2"], "b": ""}


def test_the_houses_own_client_sees_what_we_wrote(bench: SoapBench) -> None:
    """zeep's client, unmodified, against the same house: over our line, and with its own WS-Security."""
    body = {
        **bench.native("by us"),
        "address": [{"kind": "main", "city": "上海", "country": "CN"}],
        "email": "a@b.example",
    }
    write = dataclasses.replace(bench.write("R1"), after=body, changed=body)
    made = delivered(bench.connector(), write)
    transport = soap_transport(Http("house", bench.server.url))
    token = UsernameToken("landbridge", PASSWORD, use_digest=True, created=bench.clock.now(), zulu_timestamp=True)
    client = zeep.Client(f"{bench.server.url}/trade?wsdl", transport=transport, wsse=token, port_name=bench.port_name)
    [party] = client.service.GetParties(id=[made.target_id])
    assert (party.name, party.note, str(party.creditLimit)) == ("Made in 上海", "by us", "12.50")
    assert party.address[0].country == "CN"
    assert party.email == "a@b.example"


def test_a_choice_and_repeated_elements_are_written(one: SoapBench) -> None:
    body = {**one.native("x"), "phone": "1", "address": [{"kind": "main"}, {"kind": "ship", "city": "Bonn"}]}
    write = dataclasses.replace(one.write("R1"), after=body, changed=body)
    delivered(one.connector(), write)
    [record] = one.effects("customer", "R1")
    assert record["phone"] == "1"
    assert [each["kind"] for each in record["address"]] == ["main", "ship"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"nmae": "x"}, "no field 'nmae'"),
    ({"name": "x" * 81}, "80 characters, not 81"),
    ({"creditLimit": "a lot"}, "takes a number"),
    ({"foundedOn": "05.01.2026"}, "takes a date"),
    ({"active": "yes"}, "true or false"),
    ({"note": ["a", "b"]}, "one value, not a list"),
    ({"address": [{"kind": "main", "country": "XX"}]}, "one of its codes"),
    ({"address": [{"city": "Bonn"}]}, "kind is required"),
    ({"address": "Bonn"}, "mapping of fields"),
    ({"name": None}, "required and null"),
    ({"name": {"a": 1}}, "takes a string"),
]


@pytest.mark.parametrize(("change", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_does_not_fit_the_wsdl_is_never_sent(one: SoapBench, change: dict[str, Any], words: str) -> None:
    body = {**one.native("x"), **change}
    connector = one.connector()
    one.house.app.log.clear()
    outcome = outcome_of(connector, dataclasses.replace(one.write("R1"), after=body, changed=body))
    assert isinstance(outcome, Rejected)
    assert words in outcome.message
    assert outcome.sent is False
    assert outcome.hint
    assert not one.house.app.log.counts


# --- hostile and broken replies

BILLION = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>'
OUTSIDE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>'
REPLIES = {
    "bomb": BILLION,
    "external entity": OUTSIDE,
    "deep": envelope("<a>" * 5000 + "</a>" * 5000),
    "other answer": envelope(f"<WhoAmIResponse {NS}><company>x</company></WhoAmIResponse>"),
    "no envelope": b"<a/>",
    "no body": b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>',
    "cut": envelope("<a/>")[:-9],
}


@pytest.mark.parametrize("case", REPLIES)
def test_a_hostile_reply_is_unavailable_after_a_read_and_unknown_after_a_write(one: SoapBench, case: str) -> None:
    one.house.garbling = REPLIES[case]
    connector = one.connector()
    with pytest.raises(Unavailable) as caught:
        list(connector.read("customer", None))
    assert caught.value.hint
    assert "root:" not in str(caught.value)
    assert isinstance(outcome_of(connector, one.write("R1")), OutcomeUnknown)


ATTACHMENTS = {
    "multipart": ("multipart/related; boundary=x", b"--x\r\n\r\n<a/>\r\n--x--"),
    "xop": ("text/xml", envelope('<a><x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:1"/></a>')),
}


@pytest.mark.parametrize("case", ATTACHMENTS)
def test_an_attachment_is_refused(one: SoapBench, case: str) -> None:
    one.house.garbling_type, one.house.garbling = ATTACHMENTS[case]
    connector = one.connector()
    with pytest.raises(Denied, match="attachment") as caught:
        list(connector.read("customer", None))
    assert caught.value.hint
    assert isinstance(outcome_of(connector, one.write("R1")), OutcomeUnknown)


# --- faults


def fault(code: str, detail: str = "", text: str = "no") -> bytes:
    return envelope(
        f"<s:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring><detail>{detail}</detail></s:Fault>"
    )


FAULTS = {
    "s:Client": (Rejected, Rejected),
    "s:Client.Invalid": (Rejected, Rejected),
    "s:Server": (Unavailable, OutcomeUnknown),
    "s:VersionMismatch": (Denied, Denied),
    "wsse:FailedAuthentication": (Denied, Denied),
}


@pytest.mark.parametrize("code", FAULTS)
@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_becomes_its_outcome(one: SoapBench, code: str, status: int) -> None:
    for body in ("FindParties", "SaveParty"):
        one.house.faults.add({"body_regex": body, "times": None}, "reply", status=status, body=fault(code))
    read, written = FAULTS[code]
    with pytest.raises(read):
        list(one.connector().read("customer", None))
    outcome = outcome_of(one.connector(), one.write("R1"))
    assert isinstance(outcome, written), outcome


def test_rules_come_first_and_say_what_to_do(one: SoapBench) -> None:
    rules = [
        {"fault": "LOCKED", "is": "unavailable"},
        {"fault": "QuotaFault", "is": "denied", "hint": "Buy more."},
        {"path": "party.note", "value": "ERR", "is": "rejected", "message": "party.name"},
    ]
    connector = one.connector(errors=rules)
    save = {"body_regex": "SaveParty", "times": 1}
    one.house.faults.add(save, "reply", status=500, body=fault("s:Server", "<c>LOCKED</c>"))
    assert isinstance(outcome_of(connector, one.write("R1")), Unavailable)
    one.house.faults.add(save, "reply", status=500, body=fault("s:Server", "<q:QuotaFault xmlns:q='q'/>"))
    denied = outcome_of(connector, one.write("R1"))
    assert isinstance(denied, Denied)
    assert denied.hint == "Buy more."
    answer = f"<SavePartyResponse {NS}><party><name>Too late</name><note>ERR</note></party></SavePartyResponse>"
    one.house.faults.add(save, "reply", status=200, body=envelope(answer))
    refused = outcome_of(connector, one.write("R1"))
    assert isinstance(refused, Rejected)
    assert "Too late" in refused.message


def test_a_stale_version_is_a_conflict(bench: SoapBench) -> None:
    connector = bench.connector()
    write = bench.write("R1")
    made = delivered(connector, write)
    bench.change(made.target_id, "by them")
    outcome = outcome_of(connector, as_update(write, made.target_id, made.version))
    assert isinstance(outcome, Conflict)
    assert bench.effects("customer", "R1")[0]["note"] == "by them"


def test_a_wrong_password_is_denied_and_not_told(one: SoapBench) -> None:
    (one.folder / "secret").write_text("another-password", encoding="utf-8")
    with pytest.raises(Denied) as caught:
        one.connector().check()
    assert "another-password" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"digest": False}, {"digest": True}, {"digest": True, "valid": 60}])
def test_ws_security_lets_in(one: SoapBench, settings: dict[str, Any]) -> None:
    ours = {**one.raw_config()["ws_security"], **settings}
    connector = one.connector(ws_security=ours)
    assert connector.check().user == "landbridge"
    assert connector.check().user == "landbridge", "a nonce of its own for every request"


def rsa_pair(folder: Path) -> tuple[str, str]:
    """A certificate and its RSA key, made now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "landbridge")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=1))
    pem = serialization.Encoding.PEM
    (folder / "crt").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return str(folder / "crt"), str(folder / "key")


def test_a_signature_covers_body_and_time_stamp(one: SoapBench) -> None:
    xmlsec = pytest.importorskip("xmlsec")
    signature = pytest.importorskip("zeep.wsse.signature")
    lxml = pytest.importorskip("lxml.etree")
    certificate, key = rsa_pair(one.folder)
    ours = {**one.raw_config()["ws_security"], "valid": 60, "key": f"file:{key}", "certificate": f"file:{certificate}"}
    connector = one.connector(ws_security=ours)
    assert connector.check().organisation
    port, security = connector._service.port, connector._service._security()
    content, _ = port.request("FindPartyByReference", {"externalRef": "R1"}, security)
    checked = signature.MemorySignature(Path(key).read_bytes(), Path(certificate).read_bytes())
    checked.verify(lxml.fromstring(content))
    assert content.count(b'Reference URI="#') >= 2, "body and time stamp"
    for old, new in ((b">R1<", b">R2<"), (b"Expires>20", b"Expires>30")):
        assert old in content
        with pytest.raises((xmlsec.Error, zeep.exceptions.SignatureVerificationFailed)):
            checked.verify(lxml.fromstring(content.replace(old, new)))


def test_a_key_that_is_none_is_denied(one: SoapBench) -> None:
    pytest.importorskip("xmlsec")
    ours = {"key": f"file:{one.folder / 'secret'}", "certificate": f"file:{one.folder / 'secret'}"}
    with pytest.raises(Denied, match="cannot be signed") as caught:
        one.connector(ws_security=ours).check()
    assert PASSWORD not in str(caught.value)


# --- reading


def test_offset_paging_sees_that_the_list_was_moved_under_it(one: SoapBench) -> None:
    """Records of one instant leave it between two pages: none of those that stay is missed."""
    order = {"customerId": one.buyer, "orderedOn": "2026-01-05", "lines": []}
    keys = [one.house.put("order", order) for _ in range(35)]
    one.tick(400)
    connector, inbox = one.connector(), Inbox()
    pages = connector.read("sales_order", None)
    for number, page in enumerate(pages):
        inbox.rows += page.rows
        if number < 2:
            one.house.put("order", {"id": keys[number], "note": "moved"})
    assert set(keys) <= inbox.known(), sorted(set(keys) - inbox.known())


def test_a_page_that_comes_for_ever_is_refused(one: SoapBench) -> None:
    one.create(30)
    read = {**ENTITIES["customer"]["read"], "sorted": False}
    read["arguments"] = {"changedSince": "{since}", "pageSize": "{size}", "page": 1}
    read["paging"] = "none"
    entity = {**ENTITIES["customer"], "read": {**read, "paging": "offset", "arguments": {**read["arguments"]}}}
    with pytest.raises(Exception, match=r"needs an argument that is \{offset\}"):
        one.connector(entities={"customer": entity})
    party = "<party><id>P1</id><name>x</name><changedAt>2026-01-05T08:00:00Z</changedAt></party>" * 10
    one.house.garbling = envelope(f"<FindPartiesResponse {NS}><total>900</total>{party}</FindPartiesResponse>")
    with pytest.raises(Rejected, match="the same as the one before"):
        list(one.connector().read("customer", None))


def test_a_list_that_is_not_sorted_is_not_taken_for_sorted(one: SoapBench) -> None:
    stamps = [f"2026-01-05T08:00:{59 - second:02d}Z" for second in range(10)]
    party = "".join(f"<party><id>P{n}</id><changedAt>{at}</changedAt></party>" for n, at in enumerate(stamps))
    one.house.garbling = envelope(f"<FindPartiesResponse {NS}><total>900</total>{party}</FindPartiesResponse>")
    with pytest.raises(Rejected, match="not sorted") as caught:
        list(one.connector().read("customer", None))
    assert "sorted: false" in caught.value.hint


def test_a_service_that_gives_less_than_was_asked_for_is_read_to_the_end(one: SoapBench) -> None:
    keys = []
    for _ in range(5):
        keys += one.create(4)
        one.tick(10)
    read = {key: value for key, value in ENTITIES["customer"]["read"].items() if key != "total"}
    read["arguments"] = {**read["arguments"], "pageSize": "4"}  # whatever we ask for, it gives four
    entity = {**ENTITIES["customer"], "read": {**read, "size": 500, "sorted": False}}
    inbox = Inbox()
    inbox.take(one.connector(entities={"customer": entity}), "customer")
    assert set(keys) <= inbox.known()


def test_a_total_is_reached_by_what_came_not_by_what_was_asked_for(one: SoapBench) -> None:
    keys = []
    for _ in range(5):
        keys += one.create(4)
        one.tick(10)
    read = {**ENTITIES["customer"]["read"], "size": 7, "sorted": False}
    read["arguments"] = {**read["arguments"], "pageSize": "4"}
    inbox = Inbox()
    inbox.take(one.connector(entities={"customer": {**ENTITIES["customer"], "read": read}}), "customer")
    assert set(keys) <= inbox.known()


def test_a_list_that_ends_before_its_total_is_told_read_anew_and_no_key_is_missed(one: SoapBench) -> None:
    keys = one.create(25)
    one.tick(10)
    read = {**ENTITIES["customer"]["read"], "sorted": False}
    entities = {"customer": {**ENTITIES["customer"], "read": read}}
    cut = envelope(f"<FindPartiesResponse {NS}><total>26</total></FindPartiesResponse>")
    known: set[str] = set()
    cursor = None

    def run() -> None:
        nonlocal cursor
        for page in one.connector(entities=entities).read("customer", cursor):
            known.update(row.key for row in page.rows)
            cursor = page.cursor

    for _ in range(2):  # the second run goes on where the first one failed, and begins anew
        one.house.faults.add({"body_regex": "FindParties", "times": 1, "nth": 2}, "reply", status=200, body=cut)
        with pytest.raises(Unavailable, match="of 26 records came"):
            run()
        one.house.faults.clear()
        assert not set(keys) <= known
    run()
    assert set(keys) <= known
    one.house.faults.add({"body_regex": "FindParties", "times": 1, "nth": 2}, "reply", status=200, body=cut)
    with pytest.raises(Unavailable, match="another number"):
        list(one.connector(entities=entities).keys("customer"))


def test_local_stamps_need_a_zone_and_are_asked_for_in_it(one: SoapBench) -> None:
    """At the end of summer time local time runs back an hour: the list counts as sorted all the same."""
    stamps = ["2026-10-25T02:50:00", "2026-10-25T02:10:00", "2026-10-25T03:10:00"]
    party = "".join(f"<party><id>P{n}</id><changedAt>{at}</changedAt></party>" for n, at in enumerate(stamps))
    one.house.garbling = envelope(f"<FindPartiesResponse {NS}><total>900</total>{party}</FindPartiesResponse>")
    with pytest.raises(Rejected, match="no time zone") as caught:
        list(one.connector().read("customer", None))
    assert "zone" in caught.value.hint
    one.tick(400 * 86400)
    page = next(iter(one.connector(zone="Europe/Berlin").read("customer", None)))
    assert page.rows[2].stamp == "2026-10-25T02:10:00+00:00"
    seen: list[bytes] = []
    connector = one.connector(zone="Europe/Berlin")
    send = connector.http.request
    connector.http.request = lambda *args, **more: seen.append(more["content"]) or send(*args, **more)
    next(iter(connector.read("customer", "2026-10-25T02:10:00Z")))
    assert b"changedSince>2026-10-25T03:05:00<" in seen[0], "five minutes before the newest, without a zone"


def test_an_empty_answer_to_a_read_is_no_empty_list(one: SoapBench) -> None:
    one.house.garbling = envelope("")
    with pytest.raises(Unavailable, match="nothing instead of FindPartiesResponse"):
        list(one.connector().read("customer", None))


def test_a_wsdl_behind_a_login_is_asked_for_with_it(one: SoapBench) -> None:
    auth = {"type": "basic", "user": "landbridge", "password": f"file:{one.folder / 'secret'}"}
    seen: list[str] = []
    connector = one.connector(wsdl=f"{one.server.url}/trade?wsdl", auth=auth, ws_security=None)
    send = connector.http.request
    connector.http.request = lambda method, url, **more: (
        seen.append(method + str(more["headers"])) or send(method, url, **more)
    )
    assert connector.check().user == "landbridge"
    assert all("Authorization" in each for each in seen if each.startswith("GET"))


def test_without_a_stamp_the_list_is_a_snapshot(one: SoapBench) -> None:
    keys = one.create(25)
    one.remove(keys[0])
    read = {**ENTITIES["customer"]["read"], "arguments": {"page": "{page}", "pageSize": "{size}"}}
    entity = {"key": "id", "deleted": "deleted", "read": read}
    connector = one.connector(entities={"customer": entity})
    assert connector.entity("customer").snapshot
    pages = list(connector.read("customer", None))
    assert [page.complete for page in pages] == [False, False, True]
    assert {row.key for page in pages for row in page.rows} == {*keys[1:], one.buyer}
    assert pages[-1].total == 25
    one.house.faults.add({"body_regex": "FindParties", "nth": 2}, "reply", status=200, body=envelope(
        f"<FindPartiesResponse {NS}><total>26</total></FindPartiesResponse>"
    ))  # fmt: skip
    assert not any(page.complete for page in connector.read("customer", None)), "a total that disagrees with the rows"


def test_an_expired_cursor_of_the_service_begins_the_pass_anew(tmp_path: Path) -> None:
    bench = Soap12Bench(REGISTRY["soap"], tmp_path)
    bench.start()
    try:
        keys = bench.create(25)
        inbox = Inbox()
        inbox.take(bench.connector(), "customer", pages=1)
        bench.house.trade.forget_searches()
        inbox.take(bench.connector(), "customer")
        assert set(keys) <= inbox.known()
    finally:
        bench.close()
        bench.stop()


# --- addresses


def test_the_address_of_the_wsdl_is_not_trusted(one: SoapBench) -> None:
    with pytest.raises(Denied, match="http://localhost/trade, which is not at") as caught:
        one.connector(address=None).check()
    assert "address" in caught.value.hint
    remote = one.connector(address=None, wsdl=f"{one.server.url}/trade?wsdl")
    assert remote.check().organisation == "Harbour Trading", "its own WSDL names its own address"


# --- declarations

HEAD = """
url: http://127.0.0.1:1
wsdl: {wsdl}
check: {{operation: WhoAmI, organisation: company}}
entities:
  customer:
"""


def problems(root: Path, entity: str, head: str = HEAD) -> list[str]:
    text = head.format(wsdl=root / "sandbox/soap/trade.wsdl") + "".join(f"    {line}\n" for line in entity.splitlines())
    with pytest.raises(ConfigError) as caught:
        yaml.validate(yaml.load(text, file="systems.yaml"), SoapConfig)
    return [str(problem) for problem in caught.value.problems]


def test_all_problems_come_at_once_with_their_places_and_what_was_meant(root: Path) -> None:
    found = problems(
        root,
        "key: ident\nstamp: changedat\nreference: externalRf\n"
        'read: {operation: FindParties, arguments: {changedSnce: "{since}"}, records: partys}\n'
        "upsert: {operation: SaveParti, body: party}\n"
        'fetch: {operation: GetParties, arguments: {id: "{ids}"}, records: party}\n'
        "lines: {path: adress, key: id, reference: x}",
    )
    text = "\n".join(found)
    for wanted in (
        "systems.yaml:10:61  entities.customer.read.arguments.changedSnce: FindParties takes no 'changedSnce'. "
        "Did you mean 'changedSince'?",
        "Did you mean 'party'?",
        "the WSDL has no operation 'SaveParti'. Did you mean 'SaveParty'?",
    ):
        assert wanted in text, text
    assert len(found) >= 3


def test_fields_of_the_record_are_looked_up(root: Path) -> None:
    found = problems(
        root,
        "key: ident\nstamp: changedat\nreference: externalRf\ndeleted: deletd\n"
        'read: {operation: FindParties, arguments: {changedSince: "{since}"}, records: party}\n'
        "upsert: {operation: SaveParty, arguments: {x: 1}, body: party, id: party.idd}\n"
        "lines: {path: address, key: id, reference: kind}",
    )
    text = "\n".join(found)
    for word in ("'ident'", "'changedat'", "'externalRf'", "'deletd'", "'x'", "'idd'", "a line has no 'id'"):
        assert word in text, (word, text)
    assert text.count("Did you mean") >= 4
    assert all(line.startswith("systems.yaml:") for line in found)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("wsdl: nowhere.wsdl", "nowhere.wsdl: no such file"),
        ("wsdl: {wsdl}\nport: Trade13", "no port */Trade13"),
        ("wsdl: {wsdl}\nnulls: none", "'omit' or 'empty'"),
    ],
)
def test_a_wrong_setting_is_told_at_its_place(root: Path, line: str, words: str) -> None:
    head = HEAD.replace("wsdl: {wsdl}", line)
    read = "key: id\nread: {operation: FindParties, records: party}"
    [problem] = problems(root, read, head)
    assert words in problem


@pytest.mark.parametrize(
    ("entity", "words"),
    [
        ("key: id", "needs `read`"),
        ("key: id\nupsert: {operation: SaveParty, body: party}", "`reference` is needed"),
        (
            'key: id\nread: {operation: FindParties, records: party, arguments: {changedSince: "{since}"}}',
            "needs `stamp`",
        ),
        ('key: id\nread: {operation: FindParties, records: party, arguments: {page: "{pgae}"}}', "{pgae} is not known"),
        ("key: id\nread: {operation: FindParties, records: party, paging: cursor}", "{cursor}"),
        ("key: a..b\nread: {operation: FindParties, records: party}", "is a path"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(root: Path, entity: str, words: str) -> None:
    assert words in "\n".join(problems(root, entity))


def test_a_path_in_the_project_begins_at_its_folder(root: Path, tmp_path: Path) -> None:
    text = (
        HEAD.format(wsdl="sandbox/soap/trade.wsdl")
        + "    key: id\n    read: {operation: FindParties, records: party}\n"
    )
    found = yaml.validate(yaml.load(text, file="x"), SoapConfig, context={"root": root})
    assert Path(found.wsdl) == root / "sandbox/soap/trade.wsdl"


def vendors(root: Path, name: str) -> str:
    path = root.parent / "shared" / "specs" / name
    if not path.is_file():
        pytest.skip(f"{name} is not on this machine")
    return str(path)


LISTED = """
url: https://hr.example
wsdl: {wsdl}
check: {{operation: Get_Workers, organisation: version}}
entities:
  customer:
    key: Worker_Data.Worker_ID
    read:
      operation: Get_Workers
      arguments:
        Request_Criteria:
          Transaction_Log_Criteria_Data: [{{Transaction_Date_Range_Data: {{{since}: "2026-01-01"}}}}]
        Response_Filter: {{Page: "{{page}}", Count: "{{size}}"}}
      records: Response_Data.Worker
      paging: page
      total: Response_Results.Total_Results
"""


def test_a_vendors_own_operation_is_declared_and_looked_into(root: Path) -> None:
    wsdl = vendors(root, "workday/Human_Resources.wsdl")
    good = LISTED.format(wsdl=wsdl, since="Updated_From")
    assert yaml.validate(yaml.load(good, file="s.yaml"), SoapConfig).entities["customer"].snapshot
    with pytest.raises(ConfigError, match="Did you mean 'Updated_From'"):
        yaml.validate(yaml.load(LISTED.format(wsdl=wsdl, since="Updated_Form"), file="s.yaml"), SoapConfig)


def test_a_record_of_a_derived_type_is_written_as_the_vendor_wants_it(root: Path) -> None:
    [port] = read_wsdl(vendors(root, "netsuite/netsuite.wsdl")).ports
    record = {"_type": "Customer", "externalId": "R1", "companyName": "Acme", "creditLimit": "12.50"}
    given = Writer(port.types.named).arguments({"record": record}, port.takes("upsert"), "upsert")
    text = port.request("upsert", given)[0].decode()
    assert re.search(r'type="\w+:Customer"', text)
    assert 'externalId="R1"' in text
    assert ">12.50</" in text
    with pytest.raises(Rejected, match="no field 'companyNmae'") as caught:
        Writer(port.types.named).arguments(
            {"record": {"_type": "Customer", "companyNmae": "x"}}, port.takes("upsert"), "u"
        )
    assert "companyName" in caught.value.hint


def test_grades_follow_from_what_is_declared(one: SoapBench) -> None:
    whole = ENTITIES["customer"]
    base = {name: whole[name] for name in ("key", "stamp", "reference", "read")}
    save = {"operation": "SaveParty", "body": "party", "record": "party"}
    cases: dict[str, dict[str, Any]] = {
        "B": {"upsert": save},
        "C": {"create": save, "find": whole["find"]},
        "D": {"create": save},
    }
    for grade, declared in cases.items():
        config = {**one.raw_config(), "entities": {"customer": {**base, **declared}}}
        assert REGISTRY["soap"].connector.declared(config)["customer"].create == grade
    assert isinstance(outcome_of(one.connector(), one.write("graded")), Delivered)


def test_describe_tells_lines_and_codes(one: SoapBench) -> None:
    fields = one.connector().describe("sales_order").fields
    assert fields["lines"].type == "array"
    assert fields["lines.quantity"].type == "decimal"
    assert fields["lines.quantity"].required
    assert fields["status"].codes == ("open", "closed", "cancelled")
    assert fields["customerId"].length == 20
