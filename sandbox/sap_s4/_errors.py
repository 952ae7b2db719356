"""The one exception of this system and SAP's error envelope around it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

import orjson


class ODataError(Exception):
    """A refusal: HTTP status, SAP's message code (class/number) and text, the property it is about."""

    def __init__(
        self, status: int, code: str, text: str, *, target: str = "", more: Iterable[tuple[str, str]] = ()
    ) -> None:
        super().__init__(f"{status} {code}: {text}")
        self.status, self.code, self.text, self.target, self.more = status, code, text, target, tuple(more)


def bad_request(text: str, *, target: str = "", code: str = "/IWBEP/CM_MGW_RT/022") -> ODataError:
    """A request that is wrong in itself."""
    return ODataError(400, code, text, target=target)


def business(code: str, text: str, *, target: str = "") -> ODataError:
    """A rule of the application says no; the Gateway's own exception closes the list of details, as on real systems."""
    more = (("/IWBEP/CX_MGW_BUSI_EXCEPTION", "An exception was raised"),)
    return ODataError(400, code, text, target=target, more=more)


def not_found(text: str) -> ODataError:
    """No such entity, set or service."""
    return ODataError(404, "/IWBEP/CM_MGW_RT/020", text)


def as_json(error: ODataError, *, service: str, transaction: str, stamp: str) -> bytes:
    """The error envelope in JSON."""
    details: list[dict[str, Any]] = [
        {
            "code": code,
            "message": text,
            "propertyref": error.target if number == 0 else "",
            "severity": "error",
            "transition": False,
            "target": error.target if number == 0 else "",
        }
        for number, (code, text) in enumerate(((error.code, error.text), *error.more))
    ]
    inner = {
        "application": {
            "component_id": "",
            "service_namespace": "/SAP/",
            "service_id": service,
            "service_version": "0001",
        },
        "transactionid": transaction,
        "timestamp": stamp,
        "Error_Resolution": {
            "SAP_Transaction": "For backend administrators: use ADT feed reader or run transaction /IWFND/ERROR_LOG",
            "SAP_Note": "See SAP Note 1797736 for error analysis (https://service.sap.com/sap/support/notes/1797736)",
        },
        "errordetails": details,
    }
    message = {"lang": "en", "value": error.text}
    return orjson.dumps({"error": {"code": error.code, "message": message, "innererror": inner}})


def as_xml(error: ODataError) -> bytes:
    """The error envelope for who did not ask for JSON."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">'
        f'<code>{escape(error.code)}</code><message xml:lang="en">{escape(error.text)}</message></error>'
    ).encode()
