"""Products: numbers, descriptions, sales areas, stamps."""

from __future__ import annotations

from sandbox.sap_s4._codes import check_unit
from sandbox.sap_s4._edm import EntitySet
from sandbox.sap_s4._errors import business
from sandbox.sap_s4._store import Record
from sandbox.sap_s4._unit import Node, Unit, attach, compact, dependants

KIND = "A_Product"


class Products:
    """The rules of API_PRODUCT_SRV; list prices are A_ProductValuation.StandardPrice per PriceUnitQty."""

    kind = KIND

    def create(self, unit: Unit, node: Node) -> Record:
        """A new product with everything nested in it."""
        head = dict(node.fields)
        for name in ("ProductType", "BaseUnit"):
            if not head.get(name):
                raise business("MM/002", f"{name} is required to create a product", target=name)
        check_unit(str(head["BaseUnit"]), "BaseUnit")
        number = str(head.get("Product") or unit.store.number(KIND, 1001)).upper()
        if unit.store.get(KIND, number) is not None:
            raise business("M3/025", f"The material {number} already exists", target="Product")
        extra = {"Product": number, "CreationDate": unit.day, "CreatedByUser": unit.user}
        document = compact(node.one, {**head, **extra})
        for children in node.children.values():
            for child in children:
                attach(document, child, {"Product": number})
        return self._settle(unit, document)

    def add(self, unit: Unit, document: Record, node: Node, inherited: Record) -> Record:
        """A new dependant of a product."""
        record = attach(document, node, {"Product": document["Product"], **inherited})
        self._settle(unit, document)
        return record

    def change(self, unit: Unit, document: Record, one: EntitySet, record: Record, fields: Record) -> None:
        """Changed fields of a product or of one of its dependants."""
        if "BaseUnit" in fields and one.name == KIND and fields["BaseUnit"] != document["BaseUnit"]:
            raise business("M3/151", "The base unit of a product cannot change", target="BaseUnit")
        record.update(fields)
        for name in [name for name in fields if record[name] == one.defaults[name] and name not in one.keys]:
            del record[name]
        self._settle(unit, document)

    def remove(self, unit: Unit, document: Record, one: EntitySet, record: Record) -> None:
        """Delete a dependant; products themselves are not deletable."""
        dependants(document, one.name).remove(record)
        self._settle(unit, document)

    def derive(self, document: Record, name: str) -> list[Record]:
        """Dependants as stored."""
        found: list[Record] = document.get("_c", {}).get(name, [])
        return found

    def touch(self, unit: Unit, document: Record) -> None:
        """Stamp a change."""
        self._settle(unit, document)

    def _settle(self, unit: Unit, document: Record) -> Record:
        document["LastChangeDateTime"] = unit.stamp_after(document.get("LastChangeDateTime"))
        document["LastChangeDate"], document["LastChangedByUser"] = unit.day, unit.user
        unit.store.put(KIND, document["Product"], document)
        return document
