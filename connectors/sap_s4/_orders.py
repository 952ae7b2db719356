"""Sales orders: deep insert, item by item changes in one changeset, and lines that keep their identity.

Each item carries our line key in a field of its own, so that after an unknown outcome the pairs of line and item are
read, never guessed from positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.sap_s4._batch import Operation
from connectors.sap_s4._changes import Planner
from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._metadata import Service
from connectors.sap_s4._plan import Plan
from connectors.sap_s4._reference import fit
from connectors.sap_s4._wire import ETAG, outward, same_key
from landbridge.connector import LineWrite, Write
from landbridge.errors import Conflict, Rejected

ORDER, ITEM = "A_SalesOrder", "A_SalesOrderItem"
PARTNERS, ADDRESS = "to_Partner", "to_Address"
STAGE = "address"
Record = Mapping[str, Any]


class Orders:
    """Plans what a sales order needs."""

    def __init__(self, config: SapS4Config, service: Service) -> None:
        self._config = config
        self._service = service
        self._planner = Planner(service)
        self._field = config.reference_field("sales_order")

    def reference(self, text: str) -> str:
        """Our reference as it stands in the order."""
        return fit(text, self._length(ORDER, self._field))

    def line_reference(self, line_key: str) -> str:
        """Our line key as it stands in the item."""
        return fit(line_key, self._length(ITEM, self._config.line_reference))

    def pairs(self, write_lines: Sequence[LineWrite], items: Sequence[Record]) -> dict[str, str]:
        """Line key → item number, by what stands in the items."""
        there = {str(item.get(self._config.line_reference) or ""): str(item["SalesOrderItem"]) for item in items}
        found = {line.line_key: there.get(self.line_reference(line.line_key)) for line in write_lines}
        return {key: item for key, item in found.items() if item is not None}

    def all_pairs(self, body: Record) -> dict[str, str]:
        """What each item of an order says our line key is; items that carry the order's own reference have none."""
        inherited = str(body.get(self._field) or "")
        found = {}
        for item in body.get("to_Item") or []:
            key = str(item.get(self._config.line_reference) or "")
            if key and key != inherited:
                found[key] = str(item["SalesOrderItem"])
        return found

    def create(self, write: Write) -> Plan:
        """One deep insert: header, partners, items with prices and dates."""
        header = {
            **self._config.defaults.get("sales_order", {}),
            **write.after,
            self._field: self.reference(write.reference),
        }
        lines = [line for line in write.lines if line.action != "cancel"]
        if not lines:
            raise Rejected(
                f"The sales order {write.reference} has no line.", hint="SAP creates no empty order.", sent=False
            )
        header["to_Item"] = [self._item(line) for line in lines]
        partners: Sequence[Record] = write.after.get(PARTNERS) or []
        if partners:
            header[PARTNERS] = [_without(partner, ADDRESS) for partner in partners]
        operation = Operation("POST", ORDER, outward(self._service, ORDER, header), ORDER)
        stage = STAGE if any(partner.get(ADDRESS) for partner in partners) else None
        return Plan(write, ORDER, [operation], created=True, stage=stage)

    def address(self, write: Write, current: Record) -> Plan:
        """The second stage of a create: the address that partners cannot bring along."""
        plan = self._plan(write, current)
        plan.created = True
        wanted = {PARTNERS: [partner for partner in write.after.get(PARTNERS) or [] if partner.get(ADDRESS)]}
        plan.operations = self._guarded(current, list(self._planner.update(ORDER, current, wanted)))
        return plan

    def addressed(self, write: Write, current: Record) -> bool:
        """True if the order has the address already, as when goods go to the customer's own."""
        return not self.address(write, current).operations

    def update(self, write: Write, current: Record) -> Plan:
        """Header, lines and address in one changeset; nothing where SAP holds it all."""
        moved = write.expected is not None and current.get(ETAG) != write.expected
        wanted = {name: value for name, value in write.changed.items() if name not in ("to_Item", self._field)}
        plan = self._plan(write, current)
        operations = list(self._planner.update(ORDER, current, wanted, write.before, moved=moved))
        for line in write.lines:
            operations += self._line(write, line, current, moved)
        plan.operations = self._guarded(current, operations)
        return plan

    def cancel(self, write: Write, current: Record) -> Plan:
        """A deleted or cancelled order, as the flow's policy says."""
        plan = self._plan(write, current)
        if write.policy in ("reject_lines", "close"):
            operations = [op for item in current.get("to_Item") or [] for op in self._reject(item)]
        elif write.policy == "block":
            body = {"DeliveryBlockReason": self._config.block_reason}
            operations = list(self._planner.update(ORDER, current, body))
        else:
            raise Rejected(
                f"{write.reference}: SAP deletes no sales order, and policy '{write.policy or 'none'}' is not known.",
                hint="Set the policy of the flow to reject_lines, block or ignore.",
                sent=False,
            )
        plan.operations = self._guarded(current, operations)
        return plan

    def _plan(self, write: Write, current: Record) -> Plan:
        known = {line.line_key: line.line_id for line in write.lines if line.line_id is not None}
        lines = {**known, **self.pairs(write.lines, current.get("to_Item") or [])}
        return Plan(write, ORDER, target_id=str(current["SalesOrder"]), lines=lines, version=current.get(ETAG))

    def _item(self, line: LineWrite) -> dict[str, Any]:
        return {**(line.after or {}), self._config.line_reference: self.line_reference(line.line_key)}

    def _line(self, write: Write, line: LineWrite, current: Record, moved: bool) -> Iterator[Operation]:
        if line.action == "keep":
            return
        item = self._item_of(write, line, current)
        if line.action == "cancel":
            if item is not None and write.policy != "ignore":
                yield from self._reject(item)
        elif item is None:
            if line.action == "update":
                raise Conflict(
                    f"Order {current['SalesOrder']} has no item {line.line_id} any more, where {line.line_key} stood.",
                    ours=line.after,
                    theirs=None,
                    hint="Look who deleted it in SAP; cancel the line at the source, or enter it anew.",
                )
            operation = self._planner.insert(ORDER, current, "to_Item", self._item(line))
            operation.line = line.line_key
            yield operation
        else:
            yield from self._planner.update(ITEM, item, line.after or {}, line.before, moved=moved)

    def _item_of(self, write: Write, line: LineWrite, current: Record) -> Record | None:
        """The item of a line: by our key in it, else by the number we were given; never one of another line's."""
        ours = self.line_reference(line.line_key)
        items: Sequence[Record] = current.get("to_Item") or []
        for item in items:
            if item.get(self._config.line_reference) == ours:
                return item
        if line.line_id is None:
            return None
        found = next((item for item in items if same_key(item["SalesOrderItem"], line.line_id)), None)
        carried = str(found.get(self._config.line_reference) or "") if found else ""
        others = {self.line_reference(other.line_key) for other in write.lines} - {ours}
        if carried and carried in others:
            raise Conflict(
                f"Item {line.line_id} of order {current['SalesOrder']} carries line {carried}, not {line.line_key}.",
                ours=line.line_key,
                theirs=carried,
                hint="Mend the cross-reference of the line; nothing was written.",
            )
        return found

    def _reject(self, item: Record) -> Iterator[Operation]:
        if not item.get("SalesDocumentRjcnReason"):
            wanted = {"SalesDocumentRjcnReason": self._config.rejection_reason}
            yield from self._planner.update(ITEM, item, wanted)

    def _guarded(self, current: Record, operations: list[Operation]) -> list[Operation]:
        """Items have no entity tag of their own: a change of the header with its tag goes first and guards them all."""
        if not operations or (operations[0].entity_set == ORDER and operations[0].method == "PATCH"):
            return operations
        field = self._field if self._field in current else "PurchaseOrderByCustomer"
        body = outward(self._service, ORDER, {field: current.get(field, "")})
        guard = Operation("PATCH", self._planner.path(ORDER, current), body, ORDER, current.get(ETAG))
        return [guard, *operations]

    def _length(self, entity_set: str, field: str) -> int | None:
        known = self._service[entity_set].properties.get(field)
        if known is None:
            raise Rejected(
                f"{entity_set} has no field {field} in this system to carry our reference.",
                hint="Set `reference` or `line_reference` of the system to a field that exists, such as a YY1_ field.",
                sent=False,
            )
        return known.length


def _without(record: Record, name: str) -> dict[str, Any]:
    return {field: value for field, value in record.items() if field != name}
