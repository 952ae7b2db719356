"""The services that this system offers, assembled from their field lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sandbox.sap_s4._edm import EntitySet, Function, Property, Service, read_property, read_sets
from sandbox.sap_s4._fields_logistics import CUSTOMER_RETURN, MATERIAL_STOCK, OUTBOUND_DELIVERY
from sandbox.sap_s4._fields_order import SALES_ORDER
from sandbox.sap_s4._fields_partner import BUSINESS_PARTNER
from sandbox.sap_s4._fields_product import PRODUCT

# Which fields of a root document are columns of the store, so that filters and sorting on them stay fast with a
# million documents.
INDEXED: Mapping[str, tuple[str, ...]] = {
    "A_SalesOrder": (
        "LastChangeDateTime",
        "PurchaseOrderByShipToParty",
        "PurchaseOrderByCustomer",
        "SoldToParty",
        "CreationDate",
        "LastChangeDate",
    ),
    "A_BusinessPartner": ("LastChangeDate", "SearchTerm1", "BusinessPartnerIDByExtSystem", "CreationDate"),
    "A_Product": ("LastChangeDateTime", "ProductStandardID", "ProductOldID"),
    "A_MaterialStock": (),
    "A_OutbDeliveryHeader": ("LastChangeDate", "CreationDate", "ActualGoodsMovementDate"),
    "A_CustomerReturn": ("LastChangeDateTime", "ReferenceSDDocument"),
}
# Fields of dependants by which their root is found.
LOOKED_UP: Mapping[str, tuple[str, ...]] = {
    "A_BusinessPartnerAddress": ("AddressID",),
    "A_BusinessPartnerTaxNumber": ("BPTaxNumber",),
    "A_BuPaIdentification": ("BPIdentificationNumber",),
    "A_OutbDeliveryItem": ("ReferenceSDDocument",),
    "A_CustomerReturnItem": ("ReferenceSDDocument",),
}
_MESSAGE = "SystemMessageVariable1 SystemMessageVariable2 SystemMessageVariable3 SystemMessageVariable4"


def _report() -> tuple[Property, ...]:
    spec = [("S20", "SystemMessageIdentification"), ("S3", "SystemMessageNumber"), ("S1", "SystemMessageType")]
    spec += [("S50", name) for name in _MESSAGE.split()]
    spec += [("S10", "Batch"), ("S3", "DeliveryQuantityUnit"), ("N13.3", "ActualDeliveryQuantity")]
    spec += [("S40", "DeliveryDocumentItemText"), ("S40", "Material"), ("S6", "DeliveryDocumentItem")]
    spec += [("S10", "DeliveryDocument")]
    return tuple(read_property(name, kind, ["ro", "-f", "-s"]) for kind, name in spec)


def services(*, delivery_filterable: bool = False) -> dict[str, Service]:
    """All services by name; `delivery_filterable` gives the delivery service the flags of the 2024 edition."""
    deliveries = read_sets(
        OUTBOUND_DELIVERY,
        "A_OutbDeliveryHeader",
        ("DeliveryDocument", "SDDocument"),
        {"to_DeliveryDocumentPartner": (("DeliveryDocument", "SDDocument"),)},
    )
    if delivery_filterable:
        deliveries = {name: _filterable(one) for name, one in deliveries.items()}
    functions = {
        name: Function(name, (("DeliveryDocument", "S", 10),), "PickingReport")
        for name in ("PickAllItems", "PostGoodsIssue")
    }
    partner_keys = ("BusinessPartner", "Customer", "Supplier")
    found = (
        Service("API_SALES_ORDER_SRV", "0001", read_sets(SALES_ORDER, "A_SalesOrder", ("SalesOrder",))),
        Service("API_BUSINESS_PARTNER", "0001", read_sets(BUSINESS_PARTNER, "A_BusinessPartner", partner_keys)),
        Service("API_PRODUCT_SRV", "0001", read_sets(PRODUCT, "A_Product", ("Product",))),
        Service("API_MATERIAL_STOCK_SRV", "0001", read_sets(MATERIAL_STOCK, "A_MaterialStock", ("Material",))),
        Service("API_OUTBOUND_DELIVERY_SRV", "0002", deliveries, functions, {"PickingReport": _report()}),
        Service("API_CUSTOMER_RETURN_SRV", "0001", read_sets(CUSTOMER_RETURN, "A_CustomerReturn", ("CustomerReturn",))),
    )
    return {one.name: one for one in found}


def _filterable(one: EntitySet) -> EntitySet:
    if one.name == "A_OutbDeliveryPartner":  # the 2024 edition opens header and lines only
        return one
    opened = {name: replace(prop, filterable=True, sortable=True) for name, prop in one.properties.items()}
    return replace(one, properties=opened)
