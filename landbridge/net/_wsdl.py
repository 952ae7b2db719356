"""A WSDL read once per process: its ports, their operations, and the envelope of a request."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from landbridge.errors import Failure, Rejected
from landbridge.net._http import Http
from landbridge.net._wsdl_files import Documents, Request, refused
from landbridge.net._wsdl_types import SoapType, Types

ENVELOPES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
_ACTION = re.compile(r"[^\x00-\x20\x7f\"\\]*")
_BROKEN = (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, NotImplementedError)
_lock = threading.Lock()
_read: dict[tuple[str, str], Wsdl] = {}


def read_wsdl(location: str, http: Http | None = None, *, request: Request | None = None) -> Wsdl:
    """The WSDL at a path or at an address of the system, parsed once per process until a file of it changes.

    `request` asks for what `http` allows, with credentials.
    Raises Denied where it may not or cannot be read: a DTD, an entity, an import from elsewhere, a broken schema.
    """
    key = (location, repr(http) if http is not None and "://" in location else "")
    with _lock:
        held = _read.get(key)
        if held is None or held.changed():
            held = _read[key] = Wsdl(location, http, request)
        return held


class Wsdl:
    """What one WSDL offers."""

    def __init__(self, location: str, http: Http | None, request: Request | None = None) -> None:
        from zeep import Settings, exceptions
        from zeep.wsdl import Document

        self._documents = Documents(location, http, request)

        settings = Settings(strict=True, forbid_dtd=True, forbid_entities=True, force_https=False)
        transport: Any = self._documents  # all that zeep asks of one is `load`
        try:
            with warnings.catch_warnings(record=True) as told:  # zeep leaves out what it cannot resolve, and warns
                self._document: Any = Document(location, transport, settings=settings)
            self.ports = tuple(self._ports())
        except Failure:
            raise
        except (exceptions.Error, *_BROKEN) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            hint = "Check it with another SOAP client; what it imports must lie beside it."
            raise refused(f"the WSDL {location} cannot be understood: {reason}.", hint) from None
        if self.ports and told and not any(port.operations for port in self.ports):
            hint = "A message or type that it names is not in it; look at its imports."
            raise refused(f"the WSDL {location} cannot be understood: {told[0].message}.", hint)
        if not self.ports:
            raise refused(f"the WSDL {location} has no SOAP port.", "Name the WSDL that has a service with an address.")

    def changed(self) -> bool:
        """Whether a local file is not the one that was read."""
        for path, known in self._documents.files.items():
            try:
                found = path.stat()
            except OSError:
                return True
            if (found.st_size, found.st_mtime_ns) != known:
                return True
        return False

    def _ports(self) -> Iterator[SoapPort]:
        types = Types(self._document.types, self._documents.facets)
        for service in self._document.services.values():
            for port in service.ports.values():
                version = _version(port.binding)
                if version is not None:
                    yield SoapPort(service.name, port.name, version, port.binding, port.binding_options, types)


def _version(binding: Any) -> str | None:
    spaces = getattr(binding, "nsmap", {})
    return next((version for version, space in ENVELOPES.items() if spaces.get("soap-env") == space), None)


class SoapPort:
    """One port of a service: its operations by name, what they take and give, and the requests."""

    def __init__(self, service: str, name: str, version: str, binding: Any, options: Any, types: Types) -> None:
        self.service = service
        self.name = name
        self.version = version
        self.address: str | None = (options or {}).get("address")
        self.types = types
        self._binding = binding
        self._inputs: dict[str, SoapType] = {}
        self._outputs: dict[str, SoapType] = {}

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The names of all operations, sorted."""
        return tuple(sorted(self._binding._operations))

    @property
    def envelope(self) -> str:
        """The namespace of its envelopes."""
        return ENVELOPES[self.version]

    def takes(self, operation: str) -> SoapType:
        """The arguments of an operation."""
        if operation not in self._inputs:
            self._inputs[operation] = self._message(self._binding._operations[operation].input)
        return self._inputs[operation]

    def gives(self, operation: str) -> SoapType:
        """What an operation answers, inside the one element of its body."""
        if operation not in self._outputs:
            self._outputs[operation] = self._message(self._binding._operations[operation].output)
        return self._outputs[operation]

    def answer_name(self, operation: str) -> str | None:
        """The name of the element that an answer's body holds; None where services choose it (rpc)."""
        known = self._binding._operations[operation]
        body = getattr(known.output, "body", None)
        return str(body.name) if body is not None and known.style != "rpc" else None

    def _message(self, message: Any) -> SoapType:
        body = getattr(message, "body", None)
        if body is None or body.type is None:
            return SoapType("", "mapping")
        return self.types.of(body.type, "", body.name)

    def request(
        self, operation: str, arguments: Mapping[str, Any], security: Sequence[Any] = ()
    ) -> tuple[bytes, dict[str, str]]:
        """The bytes and headers of a request; Rejected, unsent, where the arguments do not fit the WSDL.

        Arguments are values of zeep: plain texts and numbers, mappings, lists, `nil()` and `typed()`.
        """
        from zeep import exceptions, wsa
        from zeep.wsdl import utils

        addressing: Any = wsa.WsAddressingPlugin  # zeep ships no types
        written: Any = utils.etree_to_string
        known = self._binding._operations[operation]
        if not _ACTION.fullmatch(known.soapaction or ""):
            raise refused(f"the SOAPAction of {operation} holds a quote, a space or a line break.", "Mend the WSDL.")
        try:
            made = known.create(**arguments)
            self._binding._set_http_headers(made, known)
            envelope, headers = made.content, made.headers
            if known.abstract.wsa_action:
                options = {"address": self.address or ""}
                envelope, headers = addressing().egress(envelope, headers, known, options)
            for each in security:
                envelope, headers = each.apply(envelope, headers)
        except (exceptions.Error, *_BROKEN) as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            hint = "Compare the mapping with what the operation takes in the WSDL."
            raise Rejected(f"{operation}: the request cannot be written: {reason}.", hint=hint, sent=False) from None
        return written(envelope), {str(name): str(value) for name, value in headers.items()}


def nil() -> Any:
    """The value that is written as `xsi:nil`."""
    from zeep import xsd

    return xsd.Nil


def typed(kind: SoapType, values: Mapping[str, Any]) -> Any:
    """Values of a type that stands for the declared one, written with `xsi:type`."""
    return kind.source(**values)


def is_wsdl_path(location: str) -> bool:
    """Whether a WSDL is named by a path and not by an address."""
    return "://" not in location


def absolute_wsdl(location: str, root: Path | None) -> str:
    """A path of the project as it can be opened from anywhere; addresses stay as they are."""
    return str((root or Path()) / location) if is_wsdl_path(location) else location
