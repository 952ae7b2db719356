"""SOAP: any service that has a WSDL, declared in YAML alone."""

from connectors.soap._config import SoapConfig
from connectors.soap._connector import Soap

__all__ = ["Soap", "SoapConfig"]
