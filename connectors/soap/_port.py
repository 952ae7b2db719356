"""Which port of a WSDL is meant."""

from __future__ import annotations

from landbridge.errors import Denied
from landbridge.net import SoapPort


def choose(ports: tuple[SoapPort, ...], service: str | None, port: str | None) -> SoapPort:
    """The first port of these names; Denied if there is none."""
    for each in ports:
        if service in (None, each.service) and port in (None, each.name):
            return each
    known = ", ".join(f"{each.service}/{each.name}" for each in ports)
    raise Denied(f"the WSDL has no port {service or '*'}/{port or '*'}.", hint=f"Known: {known}.", sent=False)
