"""Outbound messages: SOAP that names up to 100 changed records, unsigned, sent again until `Ack` says true.

A message carries the fields somebody chose, as they stand when it leaves and in no order: it is read for its records'
ids alone, and the records are fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b

from connectors.salesforce._entities import ENTITIES
from landbridge.connector import Answer, Event
from landbridge.errors import Finding, Invalid
from landbridge.strict import xml

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_SOBJECT = "{urn:sobject.enterprise.soap.sforce.com}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_MOST = 100
_LIMITS = xml.Limits(max_depth=12, max_elements=100_000, max_attributes=64)

ACK = Answer(
    200,
    b'<?xml version="1.0" encoding="UTF-8"?>'
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    b"</soapenv:Body></soapenv:Envelope>",
    {"Content-Type": "text/xml; charset=utf-8"},
)
"""What Salesforce waits for; without it the message comes again for 24 hours."""


def events_of(body: bytes) -> list[Event]:
    """The records that an outbound message names; Invalid where it is none."""
    message = _message(xml.parse(body, _LIMITS))
    organisation = _id(message, f"{_OUTBOUND}OrganizationId")
    found = message.findall(f"{_OUTBOUND}Notification")
    if not 1 <= len(found) <= _MOST:
        raise _invalid(f"it has {len(found)} notifications; 1 to {_MOST} are sent at once")
    return [event for one in found for event in _events(one, organisation)]


def _message(root: xml.Element) -> xml.Element:
    if root.tag != f"{_SOAP}Envelope":
        raise _invalid("its root is no SOAP 1.1 envelope")
    body = root.find(f"{_SOAP}Body")
    message = body.find(f"{_OUTBOUND}notifications") if body is not None else None
    if message is None:
        raise _invalid("it holds no notifications")
    return message


def _events(notification: xml.Element, organisation: str) -> Iterator[Event]:
    """One event per entity that stands on the object: an account is a customer, or a supplier, as the flows say."""
    record = notification.find(f"{_OUTBOUND}sObject")
    if record is None:
        raise _invalid("a notification has no sObject")
    native = record.get(_TYPE, "").rpartition(":")[2]
    key = _id(record, f"{_SOBJECT}Id")
    # With the content as it stands in this message: one that waits is sent under its old id with newer content.
    id_ = f"{_id(notification, f'{_OUTBOUND}Id')}:{_digest(record)}"
    for entity, declared in ENTITIES.items():
        if declared.native == native:
            yield Event(entity, key, id=f"{id_}:{entity}", organisation=organisation)


def _digest(record: xml.Element) -> str:
    told = blake2b(digest_size=8)
    for element in record.iter():
        told.update(f"{element.tag}\x00{element.text or ''}\x00".encode())
    return told.hexdigest()


def _id(parent: xml.Element, name: str) -> str:
    """An id in its long form, which is how the REST API writes it."""
    element = parent.find(name)
    text = (element.text or "").strip() if element is not None else ""
    if not _ID.fullmatch(text):
        raise _invalid(f"{name.rpartition('}')[2]} of {parent.tag.rpartition('}')[2]} is no Salesforce id")
    marks = "".join(
        _CHECK[sum(1 << place for place, char in enumerate(text[at : at + 5]) if char.isupper())] for at in (0, 5, 10)
    )
    if text[15:].upper() not in ("", marks):
        raise _invalid("an id's check letters do not fit its case")
    return text[:15] + marks


def _invalid(why: str) -> Invalid:
    hint = "Send it from an outbound message of Setup; see docs/webhooks.md."
    return Invalid([Finding("", "outbound_message", f"this is no outbound message: {why}", hint)])
