"""All keys of a set, each with a hash of its change stamp, for `reconcile`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sap_s4._gateway import Gateway
from connectors.sap_s4._literals import text
from connectors.sap_s4._sources import Source

SORTED = frozenset({"customer", "supplier", "product", "sales_order"})
"""The entities whose keys come in ascending order by themselves; of the others all are held at once to be sorted."""
_TELLING = ("LastChangeTime", "ETag", "DeliveryVersion")


class Keys:
    """Reads keys without bodies."""

    def __init__(self, gateway: Gateway, page: int) -> None:
        self._gateway = gateway
        self._page = page

    def read(self, source: Source, low: str | None, high: str | None) -> Iterator[tuple[str, bytes]]:
        """Keys from `low` on and below `high`, by key where SAP can sort them; else all, in SAP's order."""
        kind = self._gateway.service(source.service)[source.entity_set]
        stamps = [name for name in (*source.stamp, *_TELLING) if name in kind.properties]
        select = ",".join([source.key, *stamps])
        if not (kind.filterable(source.key) and kind.sortable(source.key)):
            for record in self._gateway.all(source.service, source.entity_set, {"$select": select}):
                yield self._hash(source, stamps, record)
            return
        last, operator = low, "ge"
        while True:
            bounds = [source.condition] if source.condition else []
            bounds += [f"{source.key} {operator} {text(last)}"] if last else []
            bounds += [f"{source.key} lt {text(high)}"] if high else []
            query = {
                "$filter": " and ".join(bounds) or None,
                "$select": select,
                "$orderby": source.key,
                "$top": self._page,
            }
            answer = self._gateway.get(source.service, source.entity_set, query)
            for record in answer["results"]:
                last, operator = str(record[source.key]), "gt"
                yield self._hash(source, stamps, record)
            if not answer["results"] or (len(answer["results"]) < self._page and "__next" not in answer):
                return

    def _hash(self, source: Source, stamps: list[str], record: Mapping[str, Any]) -> tuple[str, bytes]:
        content = "|".join(str(record.get(name)) for name in stamps)
        return str(record[source.key]), hashlib.sha256(content.encode()).digest()
