"""The mapping of a system whose bodies are canonical already: the hub's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landbridge.errors import Finding, Invalid


class AsItIs:
    """Reads what is canonical and changes nothing; nothing is written through it."""

    digest = "canonical"

    def read(self, native: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """The body itself; the caller may change the copy."""
        return {name: _copy(value) for name, value in native.items()}

    def write(self, canonical: Mapping[str, Any], context: Any, *, creating: bool) -> dict[str, Any]:
        """Nothing is delivered to the hub: records reach it by the feeds of the systems they live in."""
        hint = f"Take the delivery to {context.system} off the flow; the flow's own feed tells the hub."
        raise Invalid([Finding("", "hub", "the hub takes no deliveries", hint)])


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _copy(inner) for name, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


AS_IT_IS = AsItIs()
