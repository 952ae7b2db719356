"""For `adopt`: which records hold a value, in few requests however many values there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._gateway import Gateway
from connectors.sap_s4._literals import any_of, chunks, text
from connectors.sap_s4._sources import Source
from landbridge.errors import Rejected

_TAX = "A_BusinessPartnerTaxNumber"
_NAMES: Mapping[str, Mapping[str, str]] = {
    "A_BusinessPartner": {"number": "BusinessPartner", "name": "OrganizationBPName1", "search_term": "SearchTerm1"},
    "A_Product": {"number": "Product", "sku": "Product", "gtin": "ProductStandardID", "old_number": "ProductOldID"},
    "A_SalesOrder": {"number": "SalesOrder"},
}
# Beyond this many filters of values it may be cheaper to read one column of the whole set: a filter of a hundred values
# costs about as much as ten pages of a thousand records.
_MANY_FILTERS = 2
_RECORDS_PER_FILTER = 10_000


class Matching:
    """Looks up ids by a field's values."""

    def __init__(self, gateway: Gateway, config: SapS4Config) -> None:
        self._gateway = gateway
        self._config = config

    def find(self, source: Source, values: Sequence[str], field: str) -> dict[str, list[str]]:
        """The ids that hold each value; values that nothing holds have an empty list."""
        found: dict[str, list[str]] = {value: [] for value in values}
        if field == "tax_id" and source.entity_set == "A_BusinessPartner":
            condition = f"BPTaxType eq {text(self._config.tax_type)}" if self._config.tax_type else None
            self._search(source, _TAX, "BPTaxNumber", condition, found)
            return self._only(source, found)
        name = _NAMES.get(source.entity_set, {}).get(field, field)
        kind = self._gateway.service(source.service)[source.entity_set]
        if not kind.filterable(name):
            raise Rejected(
                f"{source.entity_set} cannot be looked up by {field}.",
                hint=f"Use one of: {', '.join(sorted(_NAMES.get(source.entity_set, {})))}, tax_id, or an SAP field.",
                sent=False,
            )
        self._search(source, source.entity_set, name, source.condition, found)
        return found

    def _search(
        self, source: Source, entity_set: str, field: str, condition: str | None, found: dict[str, list[str]]
    ) -> None:
        cut = list(chunks(found, per_value=len(field) + 10))
        scan = len(cut) > _MANY_FILTERS
        if scan:
            scan = self._gateway.count(source.service, entity_set, None) <= _RECORDS_PER_FILTER * len(cut)
        kind = self._gateway.service(source.service)[entity_set].properties[field].type
        for bound in [None] if scan else [any_of(field, kind, chunk) for chunk in cut]:
            filters = " and ".join(part for part in (condition, bound) if part)
            for record in self._all(source, entity_set, filters, f"{source.key},{field}"):
                ids = found.get(str(record[field]).strip())
                key = str(record[source.key])
                if ids is not None and key not in ids:
                    ids.append(key)

    def _only(self, source: Source, found: dict[str, list[str]]) -> dict[str, list[str]]:
        """Leave out partners that play another role."""
        ids = [key for keys in found.values() for key in keys]
        if not ids or source.condition is None:
            return found
        right: set[str] = set()
        cut = list(chunks(ids, per_value=len(source.key) + 10))
        total = self._gateway.count(source.service, source.entity_set, None) if len(cut) > _MANY_FILTERS else None
        scan = total is not None and total <= _RECORDS_PER_FILTER * len(cut)
        for bound in [None] if scan else [any_of(source.key, "Edm.String", chunk) for chunk in cut]:
            filters = " and ".join(part for part in (source.condition, bound) if part)
            right |= {str(one[source.key]) for one in self._all(source, source.entity_set, filters, source.key)}
        return {value: [key for key in keys if key in right] for value, keys in found.items()}

    def _all(self, source: Source, entity_set: str, condition: str, select: str) -> Iterator[Mapping[str, Any]]:
        return self._gateway.all(source.service, entity_set, {"$filter": condition or None, "$select": select})
