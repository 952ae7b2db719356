"""For `adopt`: which records hold a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.tryton._records import CHUNK, Records
from landbridge.errors import Rejected

_PARTY = {
    "number": "code",
    "tax_id": "identifiers.code",
    "vat": "identifiers.code",
    "identifiers": "identifiers.code",
    "email": "contact_mechanisms.value",
    "phone": "contact_mechanisms.value",
}
_NAMES: Mapping[str, Mapping[str, str]] = {
    "party.party": _PARTY,
    "product.product": {"number": "code", "sku": "code", "gtin": "identifiers.code", "name": "template.name"},
    "sale.sale": {"customer_po": "reference"},
    "purchase.purchase": {"customer_po": "reference"},
}


def matches(records: Records, values: Sequence[str], field: str) -> dict[str, list[str]]:
    """The ids that hold each value, ascending; values that nothing holds have an empty list."""
    path = _NAMES.get(records.model, {}).get(field, field)
    if not records.schema.readable(records.model, [path]):
        hint = f"Use one of: {', '.join(sorted(_NAMES.get(records.model, {})))}, or a field of {records.model}."
        raise Rejected(f"{records.model} cannot be looked up by {field}.", hint=hint, sent=False)
    found: dict[str, list[str]] = {value: [] for value in values}
    wanted = list(found)
    for begin in range(0, len(wanted), CHUNK):
        domain = [[path, "in", wanted[begin : begin + CHUNK]], *records.domain]
        order = [["id", "ASC"]]
        for each in records.session.call(records.model, "search_read", domain, 0, None, order, [path]):
            for value in _held(each, path):
                if value in found and str(each["id"]) not in found[value]:
                    found[value].append(str(each["id"]))
    return found


def _held(record: Mapping[str, Any], path: str) -> list[str]:
    name, _, rest = path.partition(".")
    value = record.get(f"{name}." if rest else name)
    if not rest:
        return [] if value is None else [str(value)]
    return [text for each in (value if isinstance(value, list) else [value]) if each for text in _held(each, rest)]
