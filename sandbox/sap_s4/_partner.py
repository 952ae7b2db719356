"""Business partners: names, roles that make customers and suppliers, addresses, stamps."""

from __future__ import annotations

import uuid

from sandbox.sap_s4._codes import check_country, check_currency
from sandbox.sap_s4._edm import EntitySet
from sandbox.sap_s4._errors import business
from sandbox.sap_s4._store import Record, Store
from sandbox.sap_s4._unit import Node, Unit, attach, compact, dependants

KIND = "A_BusinessPartner"
ROLES = "A_BusinessPartnerRole"
ADDRESS = "A_BusinessPartnerAddress"
_CUSTOMER_ROLES, _SUPPLIER_ROLES = {"FLCU00", "FLCU01"}, {"FLVN00", "FLVN01"}
_OF_CUSTOMER = {
    "A_Customer",
    "A_CustomerSalesArea",
    "A_CustomerCompany",
    "A_CustSalesPartnerFunc",
    "A_CustomerSalesAreaTax",
}
_OF_SUPPLIER = {"A_Supplier", "A_SupplierCompany", "A_SupplierPurchasingOrg"}
_ALWAYS = "9999-12-31T00:00:00.0000000"
_SPACE = uuid.UUID("8f14e45f-ceea-467f-a1d6-2f2d1b7c9a10")


class Partners:
    """The rules of API_BUSINESS_PARTNER."""

    kind = KIND

    def __init__(self, sets: dict[str, EntitySet]) -> None:
        self._sets = sets

    def create(self, unit: Unit, node: Node) -> Record:
        """A new partner with everything nested in it."""
        head = dict(node.fields)
        category = head.get("BusinessPartnerCategory")
        if category not in ("1", "2", "3"):
            raise business("R11/124", "Enter a business partner category: 1, 2 or 3", target="BusinessPartnerCategory")
        needed = {"1": "LastName", "2": "OrganizationBPName1", "3": "GroupBusinessPartnerName1"}[str(category)]
        if not head.get(needed):
            raise business("R11/401", f"{needed} is required for category {category}", target=needed)
        number = str(head.get("BusinessPartner") or unit.store.number(KIND, 1000001))
        if unit.store.get(KIND, number) is not None:
            raise business("R11/657", f"Business partner {number} already exists", target="BusinessPartner")
        document = compact(
            node.one,
            {
                "BusinessPartnerGrouping": "BP02",
                **head,
                "BusinessPartner": number,
                "BusinessPartnerUUID": str(uuid.uuid5(_SPACE, number)),
                "CreatedByUser": unit.user,
                "CreationDate": unit.day,
                "CreationTime": unit.clock,
            },
        )
        roles = node.children.pop("to_BusinessPartnerRole", [])
        for nav, allowed in (("to_Customer", _CUSTOMER_ROLES), ("to_Supplier", _SUPPLIER_ROLES)):
            if node.children.get(nav) and not any(role.fields.get("BusinessPartnerRole") in allowed for role in roles):
                raise business("R11/600", f"{nav} needs one of the roles {', '.join(sorted(allowed))}", target=nav)
        keys = {"BusinessPartner": number, "Customer": number, "Supplier": number}
        for children in node.children.values():
            for child in children:
                self._add(unit, document, child, keys)
        for role in roles:
            self._add(unit, document, role, keys)
        return self._settle(unit, document)

    def add(self, unit: Unit, document: Record, node: Node, inherited: Record) -> Record:
        """A new dependant of a partner."""
        number = document["BusinessPartner"]
        keys = {"BusinessPartner": number, "Customer": number, "Supplier": number, **inherited}
        self._need_side(document, node.one.name)
        record = self._add(unit, document, node, keys)
        self._settle(unit, document)
        return record

    def change(self, unit: Unit, document: Record, one: EntitySet, record: Record, fields: Record) -> None:
        """Changed fields of a partner or of one of its dependants."""
        if "Country" in fields and one.name == ADDRESS:
            check_country(str(fields["Country"]))
        if fields.get("Currency") and one.name == "A_CustomerSalesArea":
            check_currency(str(fields["Currency"]))
        record.update(fields)
        for name in [name for name in fields if record[name] == one.defaults[name] and name not in one.keys]:
            del record[name]
        self._settle(unit, document)

    def remove(self, unit: Unit, document: Record, one: EntitySet, record: Record) -> None:
        """Delete a dependant; partners themselves are not deletable."""
        dependants(document, one.name).remove(record)
        self._settle(unit, document)

    def derive(self, document: Record, name: str) -> list[Record]:
        """Dependants as stored."""
        found: list[Record] = document.get("_c", {}).get(name, [])
        return found

    def touch(self, unit: Unit, document: Record) -> None:
        """Stamp a change."""
        self._settle(unit, document)

    def _need_side(self, document: Record, name: str) -> None:
        number = document["BusinessPartner"]
        if name in _OF_CUSTOMER and not document.get("Customer"):
            raise business("R11/601", f"Business partner {number} is not a customer: add role FLCU01 first")
        if name in _OF_SUPPLIER and not document.get("Supplier"):
            raise business("R11/602", f"Business partner {number} is not a supplier: add role FLVN01 first")

    def _add(self, unit: Unit, document: Record, node: Node, keys: Record) -> Record:
        name, fields = node.one.name, node.fields
        if name == ADDRESS:
            check_country(str(fields.get("Country", "")))
            number = str(fields.get("AddressID") or unit.store.number("AddressID", 20001))
            defaults = {"ValidityStartDate": f"{unit.day}T00:00:00.0000000", "ValidityEndDate": _ALWAYS}
            unique = str(uuid.uuid5(_SPACE, f"address {number}"))
            node.fields = {**defaults, **fields, "AddressID": number, "AddressUUID": unique}
            self._number_channels(node)
        if name == ROLES:
            node.fields = {"ValidTo": _ALWAYS, "ValidFrom": f"{unit.day}T00:00:00.0000000", **fields}
            self._take_role(document, str(fields.get("BusinessPartnerRole", "")), unit)
        if name == "A_CustomerSalesArea" and fields.get("Currency"):
            check_currency(str(fields["Currency"]))
        if name == "A_Customer":
            for area in node.children.get("to_CustomerSalesArea", ()):
                if area.fields.get("Currency"):
                    check_currency(str(area.fields["Currency"]))
        return attach(document, node, keys)

    def _number_channels(self, node: Node) -> None:
        for nav in ("to_EmailAddress", "to_PhoneNumber", "to_MobilePhoneNumber", "to_URLAddress"):
            for number, child in enumerate(node.children.get(nav, ()), start=1):
                child.fields.setdefault("Person", "")
                child.fields.setdefault("OrdinalNumber", str(number))

    def _take_role(self, document: Record, role: str, unit: Unit) -> None:
        if not role:
            raise business("R11/603", "BusinessPartnerRole is required", target="BusinessPartnerRole")
        number = document["BusinessPartner"]
        for roles, side, name in (
            (_CUSTOMER_ROLES, "Customer", "A_Customer"),
            (_SUPPLIER_ROLES, "Supplier", "A_Supplier"),
        ):
            if role in roles:
                document[side] = number
                if not dependants(document, name):
                    dependants(document, name).append({side: number})
                record = dependants(document, name)[0]
                record.setdefault("CreationDate", unit.day)
                record.setdefault("CreatedByUser", unit.user)

    def _settle(self, unit: Unit, document: Record) -> Record:
        first = " ".join(filter(None, (document.get("FirstName"), document.get("LastName"))))
        parts = [document.get(f"OrganizationBPName{number}") for number in (1, 2)]
        name = (first or " ".join(filter(None, parts)) or document.get("GroupBusinessPartnerName1", ""))[:81]
        document["BusinessPartnerFullName"] = document["BusinessPartnerName"] = name
        if document.get("SearchTerm1"):
            document["SearchTerm1"] = document["SearchTerm1"].upper()
        for side in ("Customer", "Supplier"):
            for record in dependants(document, f"A_{side}"):
                record[f"{side}Name"] = name[:80]
                record[f"{side}FullName"] = name
        for address in dependants(document, ADDRESS):
            address["FullName"] = name[:80]
        document["_stamp"] = unit.stamp_after(document.get("_stamp"))
        document["ETag"] = document["_stamp"].replace("-", "").replace("T", "").replace(":", "").replace(".", "")
        document["LastChangeDate"], document["LastChangeTime"] = unit.day, unit.clock
        document["LastChangedByUser"] = unit.user
        document["_looked"] = True
        unit.store.put(KIND, document["BusinessPartner"], document)
        return document


def customer_of(store: Store, number: str) -> Record | None:
    """The partner of a customer number, or None if it is no customer."""
    document = store.get(KIND, number)
    return document if document is not None and document.get("Customer") else None


def sales_area(customer: Record, head: Record) -> Record:
    """The customer's data for the sales area of an order; empty if it has none."""
    wanted = tuple(head.get(name) for name in ("SalesOrganization", "DistributionChannel", "OrganizationDivision"))
    for area in dependants(customer, "A_CustomerSalesArea"):
        if (area["SalesOrganization"], area["DistributionChannel"], area["Division"]) == wanted:
            return area
    return {}


def default_address(store: Store, number: str, address: str) -> Record:
    """A partner's address in the words of a document address; the first one if none is named."""
    partner = store.get(KIND, number)
    if partner is None:
        return {}
    addresses = dependants(partner, ADDRESS)
    found = next((one for one in addresses if one["AddressID"] == address), addresses[0] if addresses else {})
    same = ("CityName", "PostalCode", "StreetName", "HouseNumber", "Country", "Region", "TransportZone", "POBox")
    record = {name: found[name] for name in same if found.get(name)}
    record["AddresseeFullName"] = partner.get("BusinessPartnerFullName", "")[:80]
    record["OrganizationName1"] = partner.get("OrganizationBPName1", "")
    if found.get("District"):
        record["DistrictName"] = found["District"]
    return {name: value for name, value in record.items() if value}
