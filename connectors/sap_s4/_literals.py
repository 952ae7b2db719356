"""OData V2 literals and URLs: how values, keys and queries are spelled in an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

# Gateway refuses longer addresses (8 KB of request line); filters are cut into chunks below this.
LONGEST_URL = 6_000

_PLAIN = "$,()'/:=*-_.~!@"


def text(value: str) -> str:
    """A string literal: quotes doubled."""
    return "'" + value.replace("'", "''") + "'"


def literal(edm_type: str, value: object) -> str:
    """A value of an Edm type as a literal of a filter or a key; dates are given as ISO text."""
    if value is None:
        return "null"
    if edm_type == "Edm.DateTime":
        stamp = str(value)
        return f"datetime'{stamp if 'T' in stamp else stamp + 'T00:00:00'}'"
    if edm_type == "Edm.DateTimeOffset":
        return f"datetimeoffset'{value}'"
    if edm_type == "Edm.Guid":
        return f"guid'{value}'"
    if edm_type == "Edm.Decimal":
        return f"{value}m"
    if edm_type == "Edm.Int64":
        return f"{value}L"
    if edm_type == "Edm.Boolean":
        return "true" if value in (True, "true") else "false"
    if edm_type in {"Edm.Int16", "Edm.Int32", "Edm.Byte", "Edm.SByte", "Edm.Double"}:
        return str(value)
    return text(str(value))


def any_of(field: str, edm_type: str, values: Iterable[str]) -> str:
    """A filter that is true for each of the values; V2 has no `in`."""
    return "(" + " or ".join(f"{field} eq {literal(edm_type, value)}" for value in values) + ")"


def address(path: str, query: Mapping[str, object] | None = None) -> str:
    """A path with its query, percent-encoded the way Gateway reads it (spaces as %20, never as plus)."""
    parts = [f"{name}={quote(str(value), safe=_PLAIN)}" for name, value in (query or {}).items() if value is not None]
    return quote(path, safe=_PLAIN + ";%") + ("?" + "&".join(parts) if parts else "")


def chunks(values: Iterable[str], *, per_value: int, budget: int = LONGEST_URL) -> Iterable[list[str]]:
    """Cut values into lists whose filters fit into an address; `per_value` is what the field's name costs."""
    chunk: list[str] = []
    cost = 0
    for value in values:
        price = per_value + len(quote(text(value)))
        if chunk and cost + price > budget:
            yield chunk
            chunk, cost = [], 0
        chunk.append(value)
        cost += price
    if chunk:
        yield chunk
