"""The fields of stock, outbound delivery and customer return that this system serves; `_edm` explains the notation."""

from __future__ import annotations

MATERIAL_STOCK = """
A_MaterialStock no=CUD
  key: Material
  S40 req: Material
  S3: MaterialBaseUnit
  > to_MatlStkInAcctMod A_MatlStkInAcctMod *

A_MatlStkInAcctMod no=CUD
  key: Material Plant StorageLocation Batch Supplier Customer WBSElementInternalID
  key: SDDocument SDDocumentItem InventorySpecialStockType InventoryStockType
  S40 req: Material
  S4 req: Plant StorageLocation
  S10 req: Batch Supplier Customer SDDocument
  S8 req: WBSElementInternalID
  S6 req: SDDocumentItem
  S1 req: InventorySpecialStockType
  S2 req: InventoryStockType
  S24: WBSElementExternalID
  S3: MaterialBaseUnit
  N31.14 unit=MaterialBaseUnit: MatlWrhsStkQtyInMatlBaseUnit
  > to_MaterialStock A_MaterialStock 1
"""

OUTBOUND_DELIVERY = """
A_OutbDeliveryHeader
  key: DeliveryDocument
  S6 ro -f -s req: Shippinglocationtimezone Receivinglocationtimezone
  D7 -c -f -s: ActualGoodsMovementDate DeliveryDate PickingDate PlannedGoodsIssueDate
  T0 ro -f -s: ActualGoodsMovementTime CreationTime
  S35 -c -f -s: BillOfLading
  B ro -f -s: CompleteDeliveryIsDefined
  S12 ro -f -s: CreatedByUser LastChangedByUser
  D7 ro -f -s: CreationDate DocumentDate LastChangeDate
  S2 -c -f -s: DeliveryBlockReason DeliveryPriority
  S10 ro -f -s req: DeliveryDocument
  S4 ro -f -s: DeliveryDocumentType SalesOrganization SDDocumentCategory
  S4 ro -f -s etag: DeliveryVersion
  N15.3 -c -f -s: HeaderGrossWeight HeaderNetWeight
  S3 -c -f -s: HeaderWeightUnit IncotermsClassification
  S28 -c -f -s: IncotermsTransferLocation
  S20 -c -f -s: MeansOfTransport
  S4 -c -f -s: MeansOfTransportType
  S1 ro -f -s: OverallDelivReltdBillgStatus OverallGoodsMovementStatus OverallPickingStatus
  S1 ro -f -s: OverallSDProcessStatus
  S6 -c -f -s: ProposedDeliveryRoute
  S2 ro -f -s: ShippingCondition ShippingType
  S4 -u -f -s: ShippingPoint
  S10 ro -f -s: ShipToParty SoldToParty
  S5 ro -f -s: TransactionCurrency
  S25 -c -f -s: UnloadingPointName
  > to_DeliveryDocumentPartner A_OutbDeliveryPartner *
  > to_DeliveryDocumentItem A_OutbDeliveryItem *

A_OutbDeliveryItem no=C
  key: DeliveryDocument DeliveryDocumentItem
  N13.3 -c -f -s: ActualDeliveredQtyInBaseUnit
  S4 ro -f -s etag: DeliveryVersion
  N13.3 -f -s: ActualDeliveryQuantity
  S3 ro -f -s: BaseUnit GoodsMovementType
  S10 -c -f -s: Batch
  S12 ro -f -s: CreatedByUser
  D7 ro -f -s: CreationDate LastChangeDate
  T0 ro -f -s: CreationTime
  S10 -u -f -s req: DeliveryDocument
  S6 ro -f -s req: DeliveryDocumentItem
  S4 ro -f -s: DeliveryDocumentItemCategory Plant ReferenceSDDocumentCategory SDDocumentCategory
  S40 -c -f -s: DeliveryDocumentItemText
  S3 -u -f -s: DeliveryQuantityUnit
  S1 ro -f -s: DeliveryRelatedBillingStatus GoodsMovementStatus PickingStatus SalesDocumentItemType
  S1 ro -f -s: SDProcessStatus StockType
  N5.0 ro -f -s: DeliveryToBaseQuantityDnmntr DeliveryToBaseQuantityNmrtr
  S2 ro -f -s: DistributionChannel Division
  S6 ro -f -s: HigherLevelItem
  N15.3 -c -f -s: ItemGrossWeight ItemNetWeight
  S3 -c -f -s: ItemWeightUnit
  S40 ro -f -s: Material
  S35 -c -f -s: MaterialByCustomer
  S9 ro -f -s: MaterialGroup
  N13.3 ro -f -s: OriginalDeliveryQuantity
  S10 -u -f -s: ReferenceSDDocument
  S6 -u -f -s: ReferenceSDDocumentItem
  S4 -c -f -s: StorageLocation

A_OutbDeliveryPartner no=CUD
  key: PartnerFunction SDDocument
  S10 ro -f -s req: AddressID ContactPerson Customer SDDocument Supplier
  S2 ro -f -s req: PartnerFunction
  S8 ro -f -s req: Personnel
  S6 ro -f -s req: SDDocumentItem
"""

CUSTOMER_RETURN = """
A_CustomerReturn
  key: CustomerReturn
  S10 req: CustomerReturn
  S4: CustomerReturnType SalesOrganization
  S2: DistributionChannel OrganizationDivision
  S10: SoldToParty ReferenceSDDocument
  D0 ro: CreationDate LastChangeDate
  S12 ro: CreatedByUser
  O7 ro etag: LastChangeDateTime
  S35: PurchaseOrderByCustomer
  D0: CustomerReturnDate RequestedDeliveryDate
  N16.3 ro unit=TransactionCurrency: TotalNetAmount
  S5: TransactionCurrency
  S3: SDDocumentReason
  S4 ro: ReferenceSDDocumentCategory
  S1 ro: OverallSDProcessStatus OverallSDDocumentRejectionSts
  > to_Item A_CustomerReturnItem *

A_CustomerReturnItem
  key: CustomerReturn CustomerReturnItem
  S10 ro req: CustomerReturn
  S6 req: CustomerReturnItem
  S4: CustomerReturnItemCategory ProductionPlant StorageLocation
  S40: CustomerReturnItemText Material
  S35: PurchaseOrderByCustomer
  N15.3 unit=RequestedQuantityUnit: RequestedQuantity
  S3: RequestedQuantityUnit ReturnReason
  S5 ro: TransactionCurrency
  N16.3 ro unit=TransactionCurrency: NetAmount
  S2: SalesDocumentRjcnReason
  S10: ReferenceSDDocument
  S6: ReferenceSDDocumentItem
  S4 ro: ReferenceSDDocumentCategory
  S1 ro: SDProcessStatus
  > to_CustomerReturn A_CustomerReturn 1
"""
