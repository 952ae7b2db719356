"""Envelopes of SOAP 1.1 and 1.2: read, answered, and refused with a fault."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

from sandbox._base import Reply

Element = ElementTree.Element
NAMESPACE = "urn:landbridge:sandbox:trade"
SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_MEDIA = {SOAP11: "text/xml; charset=utf-8", SOAP12: "application/soap+xml; charset=utf-8"}
for _prefix, _space in {"soap": SOAP11, "env": SOAP12, "wsse": WSSE, "t": NAMESPACE}.items():
    ElementTree.register_namespace(_prefix, _space)


@dataclass
class SoapError(Exception):
    """A refusal: whose fault it is, the service's own code, the field, and words for a person."""

    code: str
    message: str
    field: str = ""
    receiver: bool = False
    security: bool = False


@dataclass(frozen=True)
class Request:
    """One call: the version of its envelope, its header, and the element that names the operation."""

    version: str
    header: Element | None
    body: Element

    @property
    def operation(self) -> str:
        """The name of what is asked."""
        return self.body.tag.partition("}")[2]


def read(content: bytes) -> Request:
    """The call in an envelope; SoapError if it is none."""
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise SoapError("MALFORMED", f"The request is not XML: {error}") from None
    version = root.tag[1:].partition("}")[0]
    if version not in _MEDIA or not root.tag.endswith("}Envelope"):
        raise SoapError("MALFORMED", "The request is no SOAP envelope")
    body = root.find(f"{{{version}}}Body")
    if body is None or len(body) != 1:
        raise SoapError("MALFORMED", "The body holds not exactly one element")
    return Request(version, root.find(f"{{{version}}}Header"), body[0])


def answer(version: str, element: Element) -> Reply:
    """A successful reply."""
    return Reply(200, _written(version, element), media_type=_MEDIA[version])


def refusal(version: str, error: SoapError) -> Reply:
    """A fault, with the status that the HTTP binding of the version asks for."""
    fault = Element(f"{{{version}}}Fault")
    if version == SOAP11:
        who = "wsse:FailedAuthentication" if error.security else "soap:Server" if error.receiver else "soap:Client"
        _text(fault, "faultcode", who)
        _text(fault, "faultstring", error.message)
        detail = ElementTree.SubElement(fault, "detail")
        status = 500
    else:
        code = ElementTree.SubElement(fault, f"{{{version}}}Code")
        _text(code, f"{{{version}}}Value", "env:Receiver" if error.receiver else "env:Sender")
        if error.security:
            inner = ElementTree.SubElement(code, f"{{{version}}}Subcode")
            _text(inner, f"{{{version}}}Value", "wsse:FailedAuthentication")
        reason = ElementTree.SubElement(fault, f"{{{version}}}Reason")
        _text(reason, f"{{{version}}}Text", error.message)
        detail = ElementTree.SubElement(fault, f"{{{version}}}Detail")
        status = 500 if error.receiver else 400
    told = ElementTree.SubElement(detail, f"{{{NAMESPACE}}}tradeFault")
    _text(told, f"{{{NAMESPACE}}}code", error.code)
    if error.field:
        _text(told, f"{{{NAMESPACE}}}field", error.field)
    return Reply(status, _written(version, fault), media_type=_MEDIA[version])


def _written(version: str, element: Element) -> bytes:
    envelope = Element(f"{{{version}}}Envelope")
    ElementTree.SubElement(envelope, f"{{{version}}}Body").append(element)
    written: bytes = ElementTree.tostring(envelope, encoding="utf-8", xml_declaration=True)
    return written


def _text(parent: Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text
