"""From what a record should be to the single changes that SAP knows: it has no deep update.

Nested records are recognised by what names them in the business (a role, a tax type, a condition), never by their
place in a list. What the body does not speak of stays; only conditions and schedule lines that we delivered last and
deliver no more are deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.sap_s4._batch import Operation
from connectors.sap_s4._literals import literal
from connectors.sap_s4._metadata import EntityType, Service
from connectors.sap_s4._wire import ETAG, outward, same, same_key
from landbridge.errors import Conflict

# What names a nested record, where that is not its key. An address has a number that SAP gives; a partner of ours
# keeps one standard address, and a body without AddressID means that one.
_NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "A_BusinessPartnerAddress": ("AddressID",),
    "A_AddressEmailAddress": ("OrdinalNumber",),
    "A_AddressPhoneNumber": ("OrdinalNumber",),
    "A_BuPaIdentification": ("BPIdentificationType",),
    "A_BusinessPartnerTaxNumber": ("BPTaxType",),
    "A_BusinessPartnerRole": ("BusinessPartnerRole",),
    "A_CustomerSalesArea": ("SalesOrganization", "DistributionChannel", "Division"),
    "A_CustomerCompany": ("CompanyCode",),
    "A_SupplierPurchasingOrg": ("PurchasingOrganization",),
    "A_SupplierCompany": ("CompanyCode",),
    "A_ProductDescription": ("Language",),
    "A_ProductUnitsOfMeasure": ("AlternativeUnit",),
    "A_ProductSalesDelivery": ("ProductSalesOrg", "ProductDistributionChnl"),
    "A_ProductPlant": ("Plant",),
    "A_ProductValuation": ("ValuationArea", "ValuationType"),
    "A_SalesOrderHeaderPartner": ("PartnerFunction",),
    "A_SalesOrderPartnerAddress": ("AddressRepresentationCode",),
    "A_SalesOrderItemPrElement": ("ConditionType",),
    "A_SalesOrderHeaderPrElement": ("ConditionType",),
    "A_SalesOrderScheduleLine": ("ScheduleLine",),
    "A_SalesOrderText": ("Language", "LongTextID"),
    "A_SalesOrderItemText": ("Language", "LongTextID"),
}

_REMOVABLE = frozenset({"A_SalesOrderItemPrElement", "A_SalesOrderHeaderPrElement", "A_SalesOrderScheduleLine"})


class Planner:
    """Plans the changes of one record of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def path(self, entity_set: str, record: Mapping[str, Any]) -> str:
        """The address of one record of a set, relative to the service."""
        kind = self._service[entity_set]
        if len(kind.keys) == 1:
            name = kind.keys[0]
            return f"{entity_set}({literal(kind.properties[name].type, record[name])})"
        parts = (f"{name}={literal(kind.properties[name].type, record.get(name, ''))}" for name in kind.keys)
        return f"{entity_set}({','.join(parts)})"

    def update(
        self,
        entity_set: str,
        current: Mapping[str, Any],
        wanted: Mapping[str, Any],
        last: Mapping[str, Any] | None = None,
        *,
        moved: bool = False,
        skip: Sequence[str] = (),
    ) -> Iterator[Operation]:
        """The changes that make `current` hold what `wanted` says; none where it does already.

        `last` is what we delivered last. Where the record `moved` since, a field of it that somebody else changed
        meanwhile is a `Conflict`.
        """
        kind = self._service[entity_set]
        fields: dict[str, Any] = {}
        nested: list[str] = []
        for name, value in wanted.items():
            if name.startswith("@") or name in kind.keys or name in skip:
                continue
            if name in kind.navigations:
                nested.append(name)
            elif last is not None and name in last and last[name] == value:
                continue  # unchanged on our side: what somebody made of it in SAP stays
            elif not self._holds(kind, name, current.get(name), value):
                self._mind(kind, name, current, last if moved else None, value)
                fields[name] = value
        if fields:
            body = outward(self._service, entity_set, fields)
            yield Operation("PATCH", self.path(entity_set, current), body, entity_set, current.get(ETAG))
        for name in nested:
            old = None if last is None else last.get(name)
            yield from self._nested(entity_set, name, current, wanted[name], old, moved)

    def insert(
        self, entity_set: str, parent: Mapping[str, Any], navigation: str, record: Mapping[str, Any]
    ) -> Operation:
        """A new nested record below `parent`."""
        target = self._service[entity_set].navigations[navigation].target
        path = f"{self.path(entity_set, parent)}/{navigation}"
        return Operation("POST", path, outward(self._service, target, record), target)

    def _nested(
        self, entity_set: str, navigation: str, current: Mapping[str, Any], wanted: Any, last: Any, moved: bool
    ) -> Iterator[Operation]:
        target = self._service[entity_set].navigations[navigation].target
        there = _as_list(current.get(navigation))
        for record in _as_list(wanted):
            found = self._find(target, there, record)
            if found is None and not self._service[target].creatable:
                yield from self._below(target, current, record)
            elif found is None:
                yield self.insert(entity_set, current, navigation, record)
            else:
                old = self._find(target, _as_list(last), record)
                yield from self.update(target, found, record, old, moved=moved, skip=_NAMED_BY.get(target, ()))
        if target in _REMOVABLE:
            yield from self._remove(target, there, _as_list(wanted), _as_list(last))

    def _remove(
        self,
        entity_set: str,
        there: Sequence[Mapping[str, Any]],
        wanted: Sequence[Mapping[str, Any]],
        last: Sequence[Mapping[str, Any]],
    ) -> Iterator[Operation]:
        """What we delivered last, deliver no more, and still stands there."""
        for record in last:
            found = self._find(entity_set, there, record)
            if found is not None and self._find(entity_set, wanted, record) is None:
                yield Operation("DELETE", self.path(entity_set, found), None, entity_set, found.get(ETAG))

    def _below(self, entity_set: str, parent: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Operation]:
        """What hangs on a record that SAP makes by itself (customer and supplier follow from a partner's role)."""
        key = self._service[entity_set].keys[0]
        number = next(iter(parent.get(name) for name in self._service_keys(parent)), None)
        for name, children in record.items():
            way = self._service[entity_set].navigations.get(name)
            for child in _as_list(children) if way else []:
                assert way is not None
                body = outward(self._service, way.target, {key: number, **child})
                yield Operation("POST", way.target, body, way.target)

    def _service_keys(self, parent: Mapping[str, Any]) -> Iterator[str]:
        return (name for name in ("BusinessPartner", "Product", "SalesOrder") if name in parent)

    def _find(
        self, entity_set: str, records: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The record that has the same name in the business; without one in the body, the first of all."""
        names = _NAMED_BY.get(entity_set) or self._service[entity_set].keys
        given = [name for name in names if wanted.get(name) not in (None, "")]
        for record in records:
            if all(same_key(record.get(name, ""), wanted[name]) for name in given):
                return record
        return None

    def _holds(self, kind: EntityType, name: str, present: Any, wanted: Any) -> bool:
        known = kind.properties.get(name)
        return known is not None and same(known.type, present, wanted)

    def _mind(
        self,
        kind: EntityType,
        name: str,
        current: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        wanted: Any,
    ) -> None:
        if before is None or name not in before or name not in current:
            return
        if not self._holds(kind, name, current[name], before[name]) and not _echoes(current[name], before[name]):
            raise Conflict(
                f"{self.path(kind.set, current)}: {name} was changed in SAP from '{before[name]}' to "
                f"'{current[name]}', and here to '{wanted}'.",
                ours=wanted,
                theirs=current[name],
                hint="Choose one of the two values; the other system is then set to it.",
            )


def _echoes(present: Any, sent: Any) -> bool:
    """True if SAP holds what we sent in its own spelling: cut to its length, or in capitals."""
    left, right = str(present or "").strip().casefold(), str(sent or "").strip().casefold()
    return bool(left) and right.startswith(left)


def _as_list(value: Any) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else list(value)
