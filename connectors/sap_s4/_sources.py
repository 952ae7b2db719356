"""Where each canonical entity stands in S/4HANA: service, set, key, change field and what is read along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ORDERS = "API_SALES_ORDER_SRV"
PARTNERS = "API_BUSINESS_PARTNER"
PRODUCTS = "API_PRODUCT_SRV"
STOCK = "API_MATERIAL_STOCK_SRV"
DELIVERIES = "API_OUTBOUND_DELIVERY_SRV;v=0002"
RETURNS = "API_CUSTOMER_RETURN_SRV"


@dataclass(frozen=True, slots=True)
class Source:
    """How one entity is read.

    `changes` says what its change fields can do: `instants` (a time stamp), `days` (a day only, empty on records that
    never changed), `none` (snapshot). `expand` lists what is read along, where the system has it.
    """

    service: str
    entity_set: str
    key: str
    changes: Literal["instants", "days", "none"]
    stamp: tuple[str, ...] = ()
    condition: str | None = None
    expand: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    page: int = 5000  # most records in one page: what is read along makes some of them large


_ADDRESS = "to_BusinessPartnerAddress"
_PARTNER = (
    _ADDRESS,
    f"{_ADDRESS}/to_EmailAddress",
    f"{_ADDRESS}/to_PhoneNumber",
    "to_BusinessPartnerRole",
    "to_BusinessPartnerTax",
    "to_BuPaIdentification",
)
_DAYS = ("LastChangeDate", "CreationDate")
_PRODUCT = (
    "to_Description",
    "to_ProductUnitsOfMeasure",
    "to_SalesDelivery",
    "to_ProductSalesTax",
    "to_Plant",
    "to_Valuation",
)

SOURCES: Mapping[str, Source] = {
    "customer": Source(
        PARTNERS,
        "A_BusinessPartner",
        "BusinessPartner",
        "days",
        _DAYS,
        "Customer ne ''",
        (*_PARTNER, "to_Customer", "to_Customer/to_CustomerSalesArea", "to_Customer/to_CustomerCompany"),
        ("BusinessPartnerCategory",),
    ),
    "supplier": Source(
        PARTNERS,
        "A_BusinessPartner",
        "BusinessPartner",
        "days",
        _DAYS,
        "Supplier ne ''",
        (*_PARTNER, "to_Supplier", "to_Supplier/to_SupplierPurchasingOrg", "to_Supplier/to_SupplierCompany"),
        ("BusinessPartnerCategory",),
    ),
    "product": Source(
        PRODUCTS,
        "A_Product",
        "Product",
        "instants",
        ("LastChangeDateTime",),
        None,
        _PRODUCT,
        ("Product", "ProductType", "BaseUnit", "ProductGroup"),
    ),
    "price": Source(
        PRODUCTS,
        "A_Product",
        "Product",
        "instants",
        ("LastChangeDateTime",),
        None,
        ("to_Valuation", "to_SalesDelivery"),
    ),
    "sales_order": Source(
        ORDERS,
        "A_SalesOrder",
        "SalesOrder",
        "instants",
        ("LastChangeDateTime",),
        None,
        (
            "to_Item",
            "to_Item/to_ScheduleLine",
            "to_Item/to_PricingElement",
            "to_Partner",
            "to_Partner/to_Address",
            "to_PricingElement",
            "to_SubsequentProcFlowDoc",
        ),
        (
            "SalesOrderType",
            "SalesOrganization",
            "DistributionChannel",
            "OrganizationDivision",
            "SoldToParty",
            "to_Item.Material",
            "to_Item.RequestedQuantity",
        ),
        100,
    ),
    "shipment": Source(
        DELIVERIES,
        "A_OutbDeliveryHeader",
        "DeliveryDocument",
        "days",
        _DAYS,
        None,
        ("to_DeliveryDocumentItem", "to_DeliveryDocumentPartner"),
        page=200,
    ),
    "inventory_level": Source(STOCK, "A_MatlStkInAcctMod", "Material", "none"),
}
