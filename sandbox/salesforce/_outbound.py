"""Outbound messages: what a rule of the org sends when a record is saved, as SOAP, until the receiver acknowledges it.

As the real ones: at most 100 notifications in a message, each with an id of its own that stays the same when it is sent
again; the content is the record's as it stands when the message leaves; nothing is signed; what is not acknowledged
comes again at growing distances up to two hours, and is dropped after a day; no order is kept.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from sandbox._base import Clock, Document, State
from sandbox._base.sender import Sender, call
from sandbox._base.state import Collection
from sandbox.salesforce._ids import make_id
from sandbox.salesforce._schema import SObject

MOST = 100
LONGEST = timedelta(hours=2)
DROPPED = timedelta(hours=24)
_RULES, _WAITING = "OutboundRule", "OutboundNotification"
_NS = "http://soap.sforce.com/2005/09/outbound"
_HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""', "Accept": "text/xml"}
_SESSION = "00D!sandbox"
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """One message that left: which records it named, when, how long the answer took, and whether it was taken."""

    records: tuple[str, ...]
    at: datetime
    seconds: float
    status: int
    taken: bool


class Outbound:
    """The org's rules and the notifications that wait; `sent` holds (notifications, status) of every message."""

    def __init__(
        self, state: State, clock: Clock, org_id: str, pod: str, *, first: float = 15.0, ca: str | None = None
    ) -> None:
        self._state, self._org, self._pod, self._ca = state, org_id, pod, ca
        state.define(Collection(_RULES))
        self._rules: dict[str, list[Document]] = {}
        self._clock = clock
        self.sent: list[tuple[int, int]] = []
        self.messages: deque[Message] = deque(maxlen=_REMEMBERED)
        self._know_rules()
        self.sender = Sender(
            state, clock, _WAITING, self._send, most=MOST, first=timedelta(seconds=first), longest=LONGEST,
            dropped=DROPPED,
        )  # fmt: skip

    def add(
        self, sobject: SObject, url: str, fields: tuple[str, ...], when: Mapping[str, Any], *, session: bool = False
    ) -> str:
        """Send these fields of every record that is saved so that it meets `when`; returns the action's id."""
        for name in (*fields, *when):
            if sobject.find(name) is None:
                raise ValueError(f"salesforce sandbox: {sobject.name} has no field {name}")
        action = make_id("04k", self._pod, self._state.next_number("id:OutboundRule"))
        rule = {"id": action, "sobject": sobject.name, "url": url, "fields": [*fields], "when": {**when}}
        self._state.put(_RULES, action, {**rule, "session": session})
        self._know_rules()
        return action

    def remove(self, action: str) -> None:
        """Send no more for a rule; what waits is dropped."""
        with self._state.transaction():
            self._state.delete(_RULES, action)
            self.sender.drop(action)
        self._know_rules()

    def saved(self, sobject: SObject, record: Document) -> None:
        """Queue what a saved record's rules ask for; part of the transaction that saves it."""
        for rule in self._rules.get(sobject.name, ()):
            if all(record.get(name) == value for name, value in rule["when"].items()):
                id_ = make_id("04l", self._pod, self._state.next_number("id:OutboundNotification"))
                self.sender.add(rule["id"], id_, {"record": record["Id"]})

    def waiting(self) -> int:
        """How many notifications are not acknowledged yet."""
        return self.sender.waiting()

    def close(self) -> None:
        """Send no more; what waits stays."""
        self.sender.close()

    def _know_rules(self) -> None:
        found: dict[str, list[Document]] = {}
        for rule in self._state.find(_RULES, order="_id"):
            found.setdefault(rule["sobject"], []).append(rule)
        self._rules = found

    def _send(self, action: str, waiting: list[Document]) -> bool:
        rule = self._state.get(_RULES, action)
        if rule is None:
            return True
        records = ((one["id"], self._state.get(rule["sobject"], one["record"])) for one in waiting)
        alive = [(id_, record) for id_, record in records if record is not None and not record["IsDeleted"]]
        if not alive:
            return True
        at, began = self._clock.now(), time.perf_counter()
        status, _, answer = call("POST", rule["url"], self.message(rule, alive), _HEADERS, ca=self._ca)
        self.sent.append((len(alive), status))
        taken = status == 200 and acknowledged(answer)
        named = tuple(record["Id"] for _, record in alive)
        self.messages.append(Message(named, at, time.perf_counter() - began, status, taken))
        return taken

    def message(self, rule: Document, told: list[tuple[str, Document]]) -> bytes:
        """The SOAP of one message, as the WSDL of its rule describes it."""
        soap = f"https://landbridge.my.salesforce.com/services/Soap/{{}}/62.0/{self._org[:15]}"
        session = f"<SessionId>{_SESSION}</SessionId>" if rule["session"] else '<SessionId xsi:nil="true"/>'
        notifications = "".join(_notification(rule, id_, record) for id_, record in told)
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
            ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
            f'<soapenv:Body><notifications xmlns="{_NS}"><OrganizationId>{self._org}</OrganizationId>'
            f"<ActionId>{rule['id']}</ActionId>{session}<EnterpriseUrl>{soap.format('c')}</EnterpriseUrl>"
            f"<PartnerUrl>{soap.format('u')}</PartnerUrl>{notifications}</notifications></soapenv:Body>"
            "</soapenv:Envelope>"
        ).encode()


def _notification(rule: Document, id_: str, record: Document) -> str:
    chosen = {"Id": record["Id"], **{name: record.get(name) for name in rule["fields"] if name != "Id"}}
    fields = "".join(
        f"<sf:{name}>{escape(_shown(value))}</sf:{name}>" for name, value in chosen.items() if value is not None
    )
    sobject = f'<sObject xsi:type="sf:{rule["sobject"]}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
    return f"<Notification><Id>{id_}</Id>{sobject}{fields}</sObject></Notification>"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def acknowledged(answer: bytes) -> bool:
    """Whether an answer says `Ack` true."""
    try:
        found = ElementTree.fromstring(answer).find(f".//{{{_NS}}}notificationsResponse/{{{_NS}}}Ack")
    except ElementTree.ParseError:
        return False
    return found is not None and (found.text or "").strip() in ("true", "1")
