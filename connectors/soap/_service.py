"""Calls of the service: an envelope out, an envelope in, and a Failure for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from connectors.soap._config import SoapConfig
from connectors.soap._entity import PLACE, Call
from connectors.soap._faults import fault_of, of_answer, of_fault
from connectors.soap._port import choose
from connectors.soap._values import Reader, Writer
from landbridge.errors import Denied, Failure, Invalid, OutcomeUnknown
from landbridge.net import (
    Http,
    MessageLifetime,
    MessageSignature,
    Reply,
    SoapPort,
    authenticator,
    origin,
    outcome_of,
    read_wsdl,
    username_token,
)
from landbridge.strict import xml
from landbridge.strict.xml import Element
from landbridge.time import Clock

_ENVELOPES = ("{http://schemas.xmlsoap.org/soap/envelope/}", "{http://www.w3.org/2003/05/soap-envelope}")
_XOP = b"http://www.w3.org/2004/08/xop/include"


class Service:
    """One port of one WSDL, at one address."""

    def __init__(self, system: str, config: SoapConfig, http: Http, clock: Clock) -> None:
        self._system, self._config, self._clock = system, config, clock
        self._http = http
        self._line = authenticator(config.auth, http, clock)

    @cached_property
    def port(self) -> SoapPort:
        """The port that the configuration names; Denied where the WSDL cannot be read."""
        return choose(
            read_wsdl(self._config.wsdl, self._http, request=self._line.request).ports,
            self._config.service,
            self._config.port,
        )

    @cached_property
    def address(self) -> str:
        """Where requests go: never to a host that only the WSDL names."""
        if self._config.address is not None:
            return self._config.address
        said = self.port.address
        try:
            ours = said is not None and origin(said) == origin(self._config.url)
        except ValueError:
            ours = False
        if said is None or not ours:
            message = f"{self._system}: the WSDL says {said or 'no address'}, which is not at {self._config.url}."
            raise Denied(message, hint="Say `address:`, where requests shall go.", sent=False)
        return said

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.port.types.named)

    @cached_property
    def _writer(self) -> Writer:
        return Writer(self.port.types.named, empty_nulls=self._config.nulls == "empty")

    def call(
        self, call: Call, values: Mapping[str, Any], *, safe: bool, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call an operation: its arguments with places filled in, `body` beside them; the answer as JSON.

        Raises the Failure that a fault, a status or a value of the answer stands for.
        """
        arguments = merged(filled(call.arguments, values), body or {})
        operation = call.operation
        what = f"{self._system}: {operation}"
        if operation not in self.port.operations:
            hint = "The WSDL was changed since the configuration was read; run `landbridge check`."
            raise Denied(f"{what} is not in the WSDL.", hint=hint, sent=False)
        given = self._writer.arguments(arguments, self.port.takes(operation), operation)
        content, headers = self.port.request(operation, given, self._security())
        reply = self._line.request("POST", self.address, content=content, headers=headers, safe=safe)
        return self._answer(reply, operation, what)

    def _security(self) -> list[Any]:
        """What WS-Security adds to one envelope, the signature last: it covers the body and the time stamp."""
        ours, now = self._config.ws_security, self._clock.now()
        made: list[Any] = []
        if ours is None:
            return made
        if ours.valid is not None:
            made.append(MessageLifetime(now, timedelta(seconds=ours.valid)))
        if ours.user is not None and ours.password is not None:
            made.append(username_token(ours.user, ours.password.reveal(), created=now, digest=ours.digest))
        if ours.key is not None and ours.certificate is not None:
            made.append(MessageSignature(ours.key.reveal(), ours.certificate.reveal()))
        return made

    def _answer(self, reply: Reply, operation: str, what: str) -> dict[str, Any]:
        body = self._body(reply, what)
        if body is not None and (fault := fault_of(body)) is not None:
            raise of_fault(fault, self._config.errors, reply, what, self._clock.now())
        failure = outcome_of(reply, now=self._clock.now(), detail="")
        if failure is not None:
            raise failure
        name = self.port.answer_name(operation)
        if body is None or not len(body):
            if reply.safe and name is not None:
                raise reply.garbled(f"nothing instead of {name}")
            return {}
        found = body[0].tag.rpartition("}")[2]
        if name is not None and found != name:
            raise reply.garbled(f"{found} instead of {name}")
        answer = self._reader.value(body[0], self.port.gives(operation))
        told = answer if isinstance(answer, dict) else {}
        refused = of_answer(told, self._config.errors, what, safe=reply.safe)
        if refused is not None:
            raise refused
        return told

    def _body(self, reply: Reply, what: str) -> Element | None:
        """The Body of a reply; None where an error has no envelope, or a success no content."""
        kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "multipart/related" or _XOP in reply.content:
            raise _attachment(reply, what)
        if reply.ok and not reply.content.strip():
            return None
        try:
            root = xml.parse(reply.content, xml.Limits(max_bytes=max(len(reply.content), 1)))
        except Invalid as error:
            if not reply.ok:
                return None
            raise reply.garbled(f"no SOAP envelope ({error.message})") from None
        space = root.tag.removesuffix("Envelope")
        body = root.find(f"{space}Body") if space in _ENVELOPES else None
        if body is None and reply.ok:
            raise reply.garbled("XML that is no SOAP envelope")
        return body


def _attachment(reply: Reply, what: str) -> Failure:
    message = f"{what} answered with an attachment (MTOM, multipart/related), which is not read."
    hint = "Have the service answer without attachments, as base64 in the text."
    return Denied(message, hint=hint, status="mtom") if reply.safe else OutcomeUnknown(message, hint=hint)


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """Arguments with their places filled in; one that is a place alone and has no value is left out."""
    if isinstance(template, dict):
        made = {name: filled(inner, values) for name, inner in template.items()}
        return {name: value for name, value in made.items() if value is not None or template[name] is None}
    if isinstance(template, list):
        return [made for inner in template if (made := filled(inner, values)) is not None]
    if isinstance(template, str):
        whole = PLACE.fullmatch(template)
        if whole is not None:
            return values.get(whole[1])
        return PLACE.sub(lambda found: str(values.get(found[1], "")), template)
    return template


def merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees of arguments as one; where both say something, the second."""
    made = dict(one)
    for name, value in other.items():
        held = made.get(name)
        made[name] = merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return made
