"""The objects of the sandbox's org: those of the sales cloud that the flows use, and the org's own."""

from __future__ import annotations

from sandbox.salesforce._schema import (
    Child,
    Field,
    SObject,
    checkbox,
    currency,
    external_key,
    long_text,
    lookup,
    number,
    picklist,
    read_only,
    text,
)

CURRENCIES = ("USD", "EUR", "CNY", "GBP", "CHF", "JPY", "HKD", "SGD", "TWD", "KRW", "AUD", "CAD", "SEK", "DKK", "NOK")

ORDER_STATUS = {"Draft": "Draft", "Activated": "Activated", "Cancelled": "Canceled", "Closed": "Activated"}


def _address(prefix: str) -> tuple[Field, ...]:
    return (
        Field(f"{prefix}Street", "textarea", 255),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80),
        text(f"{prefix}PostalCode", 20),
        text(f"{prefix}Country", 80),
        picklist(f"{prefix}CountryCode", restricted=True),
        read_only(Field(f"{prefix}Address", "address", filterable=False)),
    )


def _currency_code(*, fixed: bool = False) -> Field:
    chosen = picklist("CurrencyIsoCode", *CURRENCIES, restricted=True, default="USD")
    return read_only(chosen) if fixed else chosen


_KEY = external_key("Landbridge_Id__c", unique=True)
_OWNER = lookup("OwnerId", "User")

ORGANIZATION = SObject(
    "Organization",
    "00D",
    (
        text("Name", 80, required=True), text("Country", 80), text("LanguageLocaleKey", 40),
        text("DefaultCurrencyIsoCode", 3), text("InstanceName", 20), text("OrganizationType", 40),
        checkbox("IsSandbox"),
    ),
    writable=False,
)  # fmt: skip
USER = SObject(
    "User",
    "005",
    (
        text("Username", 80, required=True), text("LastName", 80, required=True), text("FirstName", 40),
        read_only(text("Name", 121)), Field("Email", "email", 128, required=True), checkbox("IsActive", True), _KEY,
    ),
    writable=False,
)  # fmt: skip
ACCOUNT = SObject(
    "Account",
    "001",
    (
        read_only(lookup("MasterRecordId", "Account")), text("Name", 255, required=True), text("AccountNumber", 40),
        picklist("Type", "Customer", "Vendor", "Partner", "Prospect", "Other"), picklist("Industry"),
        lookup("ParentId", "Account", "ChildAccounts"), Field("Phone", "phone", 40), Field("Fax", "phone", 40),
        Field("Website", "url", 255), *_address("Billing"), *_address("Shipping"), long_text("Description"),
        text("Site", 80), _OWNER, _currency_code(), text("Tax_Id__c", 40), external_key("ERP_Id__c", 40), _KEY,
    ),
)  # fmt: skip
CONTACT = SObject(
    "Contact",
    "003",
    (
        read_only(lookup("MasterRecordId", "Contact")), lookup("AccountId", "Account", "Contacts", on_delete="cascade"),
        text("LastName", 80, required=True), text("FirstName", 40), read_only(text("Name", 121)), text("Title", 128),
        Field("Email", "email", 80), Field("Phone", "phone", 40), Field("MobilePhone", "phone", 40),
        *_address("Mailing"), _OWNER, _currency_code(), external_key("ERP_Id__c", 40), _KEY,
    ),
)  # fmt: skip
PRODUCT2 = SObject(
    "Product2",
    "01t",
    (
        text("Name", 255, required=True), text("ProductCode", 255), Field("Description", "textarea", 4000),
        checkbox("IsActive"), picklist("Family"), text("StockKeepingUnit", 180),
        picklist("QuantityUnitOfMeasure", "Each", "Box", "Case", "Kilogram", "Litre"), Field("DisplayUrl", "url", 1000),
        _currency_code(), external_key("ERP_Id__c", 40), _KEY,
    ),
)  # fmt: skip
PRICEBOOK2 = SObject(
    "Pricebook2",
    "01s",
    (
        text("Name", 255, required=True), checkbox("IsActive"), read_only(checkbox("IsStandard")),
        text("Description", 255), _KEY,
    ),
)  # fmt: skip
PRICEBOOK_ENTRY = SObject(
    "PricebookEntry",
    "01u",
    (
        read_only(text("Name", 255)), read_only(text("ProductCode", 255)),
        lookup("Pricebook2Id", "Pricebook2", "PricebookEntries", required=True, updateable=False, on_delete="cascade"),
        lookup("Product2Id", "Product2", "PricebookEntries", required=True, updateable=False, on_delete="cascade"),
        currency("UnitPrice", required=True), checkbox("IsActive"), checkbox("UseStandardPrice"),
        picklist("CurrencyIsoCode", *CURRENCIES, restricted=True, default="USD", updateable=False), _KEY,
    ),
)  # fmt: skip
ORDER = SObject(
    "Order",
    "801",
    (
        lookup("AccountId", "Account", "Orders", required=True, on_delete="restrict"),
        lookup("Pricebook2Id", "Pricebook2", on_delete="restrict"), read_only(text("OrderNumber", 30, auto="{:08d}")),
        Field("EffectiveDate", "date", required=True), Field("EndDate", "date"),
        picklist("Status", *ORDER_STATUS, required=True, restricted=True),
        read_only(picklist("StatusCode", *dict.fromkeys(ORDER_STATUS.values()), restricted=True)),
        picklist("Type"), text("PoNumber", 80), Field("PoDate", "date"), text("OrderReferenceNumber", 80),
        long_text("Description"), *_address("Billing"), *_address("Shipping"),
        read_only(currency("TotalAmount", default=0)), read_only(Field("ActivatedDate", "datetime")), _OWNER,
        _currency_code(), external_key("ERP_Number__c", 20), text("ERP_Status__c", 40),
        Field("Requested_Delivery__c", "date"), currency("Freight__c"), text("Seller__c", 40),
        text("Payment_Terms__c", 40), _KEY,
    ),
)  # fmt: skip
ORDER_ITEM = SObject(
    "OrderItem",
    "802",
    (
        lookup("OrderId", "Order", "OrderItems", required=True, updateable=False, on_delete="cascade"),
        lookup("PricebookEntryId", "PricebookEntry", updateable=False, on_delete="restrict"),
        lookup("Product2Id", "Product2", updateable=False, on_delete="restrict"),
        read_only(text("OrderItemNumber", 30, auto="{:010d}")), number("Quantity", required=True),
        currency("UnitPrice", required=True), read_only(currency("ListPrice")), read_only(currency("TotalPrice")),
        Field("ServiceDate", "date"), text("Description", 255), _currency_code(fixed=True),
        Field("Discount__c", "percent", precision=5, scale=2), number("Line_Number__c", 6, 0), text("Unit__c", 20),
        number("Quantity_Shipped__c", scale=3), number("Quantity_Returned__c", scale=3),
        number("Quantity_Confirmed__c", scale=3), text("Line_Status__c", 40), _KEY,
    ),
)  # fmt: skip
SHIPMENT = SObject(
    "Shipment__c",
    "a00",
    (
        text("Name", 80), lookup("Order__c", "Order", "Shipments__r"), external_key("ERP_Number__c", 20),
        text("Carrier__c", 80), text("Tracking__c", 80), Field("Shipped_On__c", "date"),
        picklist("Status__c", "Planned", "Picked", "Shipped", "Delivered", "Cancelled"), _OWNER, _KEY,
    ),
)  # fmt: skip
SHIPMENT_LINE = SObject(
    "Shipment_Line__c",
    "a01",
    (
        read_only(text("Name", 80, auto="SL-{:08d}")),
        lookup("Shipment__c", "Shipment__c", "Shipment_Lines__r", required=True, updateable=False, on_delete="cascade"),
        lookup("Order_Item__c", "OrderItem", "Shipment_Lines__r"), lookup("Product__c", "Product2"),
        number("Quantity__c", scale=3), text("Unit__c", 20), number("Line_Number__c", 6, 0), _KEY,
    ),
)  # fmt: skip
STOCK_LEVEL = SObject(
    "Stock_Level__c",
    "a02",
    (
        read_only(text("Name", 80, auto="ST-{:08d}")), lookup("Product__c", "Product2", "Stock_Levels__r"),
        text("Product_Code__c", 255), text("Site__c", 40), text("Location__c", 40), number("Available__c", scale=3),
        number("Reserved__c", scale=3), text("Unit__c", 20), Field("As_Of__c", "datetime"), _OWNER, _KEY,
    ),
)  # fmt: skip

SOBJECTS: dict[str, SObject] = {
    each.name: each
    for each in (
        ORGANIZATION, USER, ACCOUNT, CONTACT, PRODUCT2, PRICEBOOK2, PRICEBOOK_ENTRY, ORDER, ORDER_ITEM,
        SHIPMENT, SHIPMENT_LINE, STOCK_LEVEL,
    )
}  # fmt: skip
_FOLDED = {name.lower(): each for name, each in SOBJECTS.items()}
_PREFIXES = {each.prefix: each for each in SOBJECTS.values()}


def find_sobject(name: str) -> SObject | None:
    """An object by its name in any case."""
    return _FOLDED.get(name.lower())


def sobject_of(record_id: str) -> SObject | None:
    """The object that an id belongs to, by its key prefix."""
    return _PREFIXES.get(record_id[:3])


def _children() -> dict[str, tuple[Child, ...]]:
    found: dict[str, list[Child]] = {name: [] for name in SOBJECTS}
    for each in SOBJECTS.values():
        for one in each.declared:
            if one.references:
                found[one.references].append(Child(each.name, one.name, one.children, one.on_delete))
    return {name: tuple(children) for name, children in found.items()}


CHILDREN: dict[str, tuple[Child, ...]] = _children()
