"""zeep over our own `Http`: the same allow-list, limits, budget and errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests

from landbridge.net._http import Http


def soap_transport(http: Http) -> Any:
    """A transport for `zeep.Client(wsdl, transport=...)`; WSDL files are read from disk or from the system itself."""
    from zeep.transports import Transport  # zeep costs 0.3 s to import, and few systems speak SOAP

    class _Transport(Transport):
        def _load_remote_data(self, url: str) -> bytes:
            if urlsplit(url).scheme not in ("http", "https"):
                raise ValueError("a WSDL may import only from its own system")
            return http.request("GET", url).content

        def get(self, address: str, params: Any, headers: Any) -> Any:
            return _response(http.request("GET", address, params=params, headers=headers))

        def post(self, address: str, message: bytes | str, headers: Any) -> Any:
            content = message.encode() if isinstance(message, str) else message
            return _response(http.request("POST", address, content=content, headers=headers))

    return _Transport(session=requests.Session())  # type: ignore[no-untyped-call]  # zeep ships no types


def _response(reply: Any) -> requests.Response:
    response = requests.Response()
    response.status_code = reply.status
    response.headers.update(reply.headers)
    response._content = reply.content
    return response
