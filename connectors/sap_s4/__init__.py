"""SAP S/4HANA (cloud and on premise) by its OData V2 services; docs/connectors/sap_s4.md says what it promises."""

from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._connector import SapS4

__all__ = ["SapS4", "SapS4Config"]
