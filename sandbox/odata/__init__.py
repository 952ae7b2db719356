"""A small OData service of v2 or v4 over customers and orders: filters, keys, entity tags, links, CSRF tokens."""

from sandbox.odata._sandbox import ODataSandbox

__all__ = ["ODataSandbox"]
