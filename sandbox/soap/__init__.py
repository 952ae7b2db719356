"""A small trading house with a SOAP service: parties, orders with lines, faults, WS-Security."""

from sandbox.soap._sandbox import SoapSandbox

__all__ = ["SoapSandbox"]
