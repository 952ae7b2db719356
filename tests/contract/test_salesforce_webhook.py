"""Outbound messages of Salesforce: the sandbox's are what the WSDL says, and the connector reads them for their ids."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.salesforce import Salesforce, SalesforceConfig
from landbridge.connector import Event
from landbridge.errors import Invalid
from landbridge.net import open_http
from landbridge.secrets import Secret
from landbridge.signatures import Request
from landbridge.time import ManualClock
from sandbox._base import Clock
from sandbox.salesforce import SalesforceSandbox, long_id
from sandbox.salesforce._outbound import acknowledged

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
ACK = (
    b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><notificationsResponse'
    b' xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>%s</Ack></notificationsResponse></Body></Envelope>'
)


class Receiver:
    """Takes messages on a port of its own; `answers` are given in order, the last one from then on."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[tuple[int, bytes]] = [(200, ACK % b"true")]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.headers.append({name.lower(): value for name, value in self.headers.items()})
                receiver.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                status, body = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?key=1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def org() -> Iterator[SalesforceSandbox]:
    found = SalesforceSandbox(clock=Clock(START, frozen=True))
    yield found
    found.close()


@pytest.fixture
def crm() -> Salesforce:
    config = SalesforceConfig(url="https://x.my.salesforce.com", client_id="k", client_secret=Secret.plain("s" * 20))
    clock = ManualClock(START)
    return Salesforce("crm", config, open_http("crm", config, clock=clock), clock)


def until(what: Any, seconds: float = 10.0) -> None:
    waited = threading.Event()
    for _ in range(int(seconds * 200)):
        if what():
            return
        waited.wait(0.005)
    raise AssertionError("it does not come")


def request(body: bytes) -> Request:
    return Request({"content-type": "text/xml"}, {}, body, "127.0.0.1", START)


def parsed(crm: Salesforce, body: bytes) -> list[Event]:
    return crm.parse_webhook(request(body))


def test_a_saved_record_is_told_and_read_for_its_id_alone(org, receiver, crm):
    org.send_outbound("Account", receiver.url, fields=["Name", "Phone"])
    key = org.insert("Account", {"Name": "Königlich Essen & Söhne <AG>"})
    until(lambda: not org.outbound.waiting())
    [body] = receiver.bodies
    events = parsed(crm, body)
    assert [(one.entity, one.key, one.key_only) for one in events] == [
        ("customer", key, True), ("supplier", key, True),
    ]  # fmt: skip
    assert {one.organisation for one in events} == {org.org_id}
    assert receiver.headers[0]["soapaction"] == '""'
    assert "Söhne &amp;" not in body.decode()
    assert "K\u00f6niglich Essen &amp; S\u00f6hne &lt;AG&gt;" in body.decode()


def test_an_order_is_told_when_it_meets_the_rule(org, receiver, crm):
    org.send_outbound("Account", receiver.url, when={"Name": "B"})
    org.insert("Account", {"Name": "A"})
    wanted = org.insert("Account", {"Name": "B"})
    until(lambda: not org.outbound.waiting())
    assert {one.key for body in receiver.bodies for one in parsed(crm, body)} == {wanted}


def test_what_was_rolled_back_is_told_to_nobody(org, receiver):
    org.send_outbound("Account", receiver.url)
    with pytest.raises(RuntimeError), org.state.transaction():
        org.insert("Account", {"Name": "A"})
        raise RuntimeError
    org.insert("Account", {"Name": "B"})
    until(lambda: not org.outbound.waiting())
    assert len(receiver.bodies) == 1
    assert org.outbound.sent == [(1, 200)]


@pytest.mark.parametrize(
    "answer", [(500, b""), (200, b""), (200, ACK % b"false"), (200, b"<html>"), (202, ACK % b"true"), (401, b"no")]
)
def test_what_is_not_acknowledged_comes_again_with_the_same_id_and_newer_content(org, receiver, crm, answer):
    receiver.answers = [answer, (200, ACK % b"true")]
    org.send_outbound("Account", receiver.url, fields=["Name"])
    key = org.insert("Account", {"Name": "old"})
    until(lambda: receiver.bodies)
    until(org.clock.pending)
    org.clock.advance(1)
    assert len(receiver.bodies) == 1, "it came again too soon"
    org.state.execute("UPDATE Account SET _doc = json_set(_doc, '$.Name', 'new') WHERE _id = ?", (key,))
    org.clock.advance(60)
    until(lambda: not org.outbound.waiting())
    first, second = receiver.bodies
    ids = [re.findall(rb"<Notification><Id>(\w+)</Id>", body) for body in (first, second)]
    assert ids[0] == ids[1] != []
    assert (b">old<" in first, b">new<" in second) == (True, True)
    one, two = parsed(crm, first)[0], parsed(crm, second)[0]
    assert one.id != two.id, "newer content under an old id would be dropped as a repetition"
    assert [event.id for event in parsed(crm, first)] == [event.id for event in parsed(crm, first)]


def test_it_is_dropped_after_a_day_at_growing_distances(org, receiver):
    receiver.answers = [(503, b"")]
    org.send_outbound("Account", receiver.url)
    org.insert("Account", {"Name": "A"})
    until(lambda: receiver.bodies)
    for _ in range(40):
        before = len(org.outbound.sent)
        until(lambda: org.clock.pending() or not org.outbound.waiting())
        if not org.outbound.waiting():
            break
        org.clock.advance(timedelta(hours=2).total_seconds())
        until(lambda before=before: len(org.outbound.sent) > before or not org.outbound.waiting())
    assert org.outbound.waiting() == 0
    assert org.outbound.sender.dropped == 1
    assert 8 < len(receiver.bodies) < 20


def test_at_most_a_hundred_go_in_one_message(org, receiver, crm):
    receiver.answers = [(503, b""), (200, ACK % b"true")]
    org.send_outbound("Account", receiver.url)
    with org.state.transaction():
        keys = {org.insert("Account", {"Name": f"A{n}"}) for n in range(250)}
    until(lambda: len(org.outbound.sent) >= 3)
    org.clock.advance(60)
    until(lambda: not org.outbound.waiting())
    assert sorted(count for count, status in org.outbound.sent if status == 200) == [50, 100, 100]
    assert {one.key for body in receiver.bodies[1:] for one in parsed(crm, body)} == keys


def test_what_waits_outlives_the_process(tmp_path, receiver):
    receiver.answers = [(503, b""), (200, ACK % b"true")]
    first = SalesforceSandbox(tmp_path, clock=Clock(START, frozen=True))
    first.send_outbound("Account", receiver.url)
    first.insert("Account", {"Name": "A"})
    until(lambda: receiver.bodies)
    first.close()
    second = SalesforceSandbox(tmp_path, clock=Clock(START + timedelta(hours=1), frozen=True))
    until(lambda: not second.outbound.waiting())
    second.close()
    assert len(receiver.bodies) == 2


# -- as the WSDL says ---------------------------------------------------------------


@pytest.fixture
def schema(shared: Path, tmp_path: Path) -> etree.XMLSchema:
    """The schemas of a rule's real WSDL, with the object that we send in the place of its own."""
    wsdl = (shared / "specs/salesforce/outbound_message_notification_example.wsdl").read_text(encoding="utf-8")
    wsdl = wsdl.replace("i360__Appointment__c", "Account")
    fields = '<element name="Name" nillable="true" minOccurs="0" type="xsd:string"/>' + "".join(
        f'<element name="{name}" nillable="true" minOccurs="0" type="xsd:string"/>' for name in ("Phone", "Industry")
    )
    wsdl = re.sub(r'(<complexType name="Account">.*?<sequence>).*?(</sequence>)', rf"\1{fields}\2", wsdl, flags=re.S)
    root = etree.fromstring(wsdl.encode())
    xsd = "{http://www.w3.org/2001/XMLSchema}"
    found = {one.get("targetNamespace"): one for one in root.iter(f"{xsd}schema")}
    files = {name: f"{n}.xsd" for n, name in enumerate(found)}
    for name, one in found.items():
        for imported in one.iter(f"{xsd}import"):
            imported.set("schemaLocation", files[imported.get("namespace")])
        (tmp_path / files[name]).write_bytes(etree.tostring(one))
    return etree.XMLSchema(etree.parse(str(tmp_path / files["http://soap.sforce.com/2005/09/outbound"])))


def _content(envelope: bytes) -> Any:
    body = etree.fromstring(envelope).find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
    assert body is not None
    return body[0]


def test_message_and_acknowledgement_are_what_the_wsdl_says(org, receiver, crm, schema):
    org.send_outbound("Account", receiver.url, fields=["Name", "Phone"])
    with org.state.transaction():
        for n in range(3):
            org.insert("Account", {"Name": f"A{n}", "Phone": "1"})
    until(lambda: not org.outbound.waiting())
    schema.assertValid(_content(receiver.bodies[0]))
    answer = crm.answer_webhook(request(receiver.bodies[0]))
    schema.assertValid(_content(answer.body))
    assert answer.status == 200
    assert acknowledged(answer.body)
    broken = (
        receiver.bodies[0]
        .replace(b"<OrganizationId>", b"<OrganisationId>")
        .replace(b"</OrganizationId>", b"</OrganisationId>")
    )
    assert not schema.validate(_content(broken)), "the check finds nothing at all"


# -- what strangers send ------------------------------------------------------------

GOOD = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>'
    '<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D5g00000LNDBR</OrganizationId>'
    "<Notification><Id>04l5g0000000000</Id>"
    '<sObject xsi:type="sf:Order" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>801AAAAAAAAAAAA</sf:Id>'
    "</sObject></Notification></notifications></s:Body></s:Envelope>"
)


def test_ids_of_fifteen_letters_become_eighteen(crm):
    [event] = parsed(crm, GOOD.encode())
    assert event.key == long_id("801AAAAAAAAAAAA")
    assert event.organisation == long_id("00D5g00000LNDBR")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("801AAAAAAAAAAAA", "801AAAA' OR 1=1"),
        ("801AAAAAAAAAAAA", "801AAAAAAAAAAAAxxx"),
        ("801AAAAAAAAAAAA", ""),
        ("00D5g00000LNDBR", "00D"),
        ("<Notification>", "<Notification/><Notification>"),
        ("notifications", "something"),
        ("s:Body", "s:Header"),
        ("<s:Envelope", "<!DOCTYPE a [<!ENTITY b 'c'>]><s:Envelope"),
        ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"),
        ("</s:Envelope>", ""),
        ("<sf:Id>", "<a>" * 30 + "<sf:Id>"),
    ],
)
def test_what_is_no_outbound_message_is_invalid(crm, old, new):
    assert old in GOOD
    with pytest.raises(Invalid):
        parsed(crm, GOOD.replace(old, new).encode())


def test_more_than_a_hundred_are_none_of_salesforce(crm):
    body = GOOD
    one = body[body.index("<Notification>") : body.index("</Notification>") + len("</Notification>")]
    with pytest.raises(Invalid, match="101 notifications"):
        parsed(crm, body.replace(one, one * 101).encode())


def test_an_object_that_is_nothing_to_us_names_nothing(crm):
    body = GOOD.replace("sf:Order", "sf:Pet__c")
    assert parsed(crm, body.encode()) == []
