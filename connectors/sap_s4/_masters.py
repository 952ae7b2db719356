"""Master records: business partners and products, made by one deep insert and changed part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sap_s4._batch import Operation
from connectors.sap_s4._changes import Planner
from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._metadata import Service
from connectors.sap_s4._plan import Plan
from connectors.sap_s4._reference import fit
from connectors.sap_s4._wire import ETAG, outward
from landbridge.connector import Write
from landbridge.errors import Rejected

_GUARDS = {"A_BusinessPartner": "SearchTerm1"}
_BLOCKS: Mapping[str, Mapping[str, Any]] = {
    "A_BusinessPartner": {"BusinessPartnerIsBlocked": True},
    "A_Product": {"IsMarkedForDeletion": True},
}
_IDENTIFICATION = "to_BuPaIdentification"


class Masters:
    """Plans what a partner or a product needs."""

    def __init__(self, config: SapS4Config, service: Service, entity: str, entity_set: str) -> None:
        self._config = config
        self._service = service
        self._entity = entity
        self._set = entity_set
        self._planner = Planner(service)

    def reference(self, text: str) -> str:
        """Our reference as it stands in the record."""
        if self._set == "A_BusinessPartner":
            return fit(text, self._service["A_BuPaIdentification"].properties["BPIdentificationNumber"].length)
        known = self._service[self._set].properties.get(self._config.reference_field(self._entity))
        return fit(text, known.length if known else None)

    def create(self, write: Write) -> Plan:
        """One deep insert that carries our reference."""
        body = {**self._config.defaults.get(self._entity, {}), **write.after}
        if self._set == "A_BusinessPartner":
            ours = {
                "BPIdentificationType": self._config.identification,
                "BPIdentificationNumber": self.reference(write.reference),
            }
            others = [
                one
                for one in body.get(_IDENTIFICATION) or []
                if one.get("BPIdentificationType") != self._config.identification
            ]
            body[_IDENTIFICATION] = [*others, ours]
        else:
            body[self._config.reference_field(self._entity)] = self.reference(write.reference)
        operation = Operation("POST", self._set, outward(self._service, self._set, body), self._set)
        return Plan(write, self._set, [operation], created=True)

    def update(self, write: Write, current: Mapping[str, Any]) -> Plan:
        """Only what differs from what SAP holds."""
        moved = write.expected is not None and current.get(ETAG) != write.expected
        operations = list(self._planner.update(self._set, current, write.changed, write.before, moved=moved))
        return self._plan(write, current, operations)

    def cancel(self, write: Write, current: Mapping[str, Any]) -> Plan:
        """SAP deletes no master record; by policy it is blocked, never by default."""
        if write.policy != "block":
            raise Rejected(
                f"{write.reference}: SAP deletes no {self._entity}; policy '{write.policy or 'none'}' is no help.",
                hint="Set the policy of the flow to block or ignore.",
                sent=False,
            )
        return self._plan(write, current, list(self._planner.update(self._set, current, _BLOCKS[self._set])))

    def _plan(self, write: Write, current: Mapping[str, Any], operations: list[Operation]) -> Plan:
        guard = _GUARDS.get(self._set)
        first = operations[0].entity_set if operations else self._set
        if guard and first != self._set and current.get(ETAG):
            body = {guard: current.get(guard) or ""}
            operations.insert(
                0, Operation("PATCH", self._planner.path(self._set, current), body, self._set, current[ETAG])
            )
        key = self._service[self._set].keys[0]
        return Plan(write, self._set, operations, target_id=str(current[key]), version=current.get(ETAG))
