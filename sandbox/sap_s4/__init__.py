"""A local SAP S/4HANA that speaks OData V2 the way the vendor's metadata and documentation say."""

from sandbox.sap_s4._sandbox import SapSandbox

__all__ = ["SapSandbox"]
