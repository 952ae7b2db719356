"""The fields of API_SALES_ORDER_SRV that this system serves; `_edm` explains the notation."""

from __future__ import annotations

SALES_ORDER = """
A_SalesOrder
  key: SalesOrder
  S10 req: SalesOrder
  S4: SalesOrderType SalesOrganization SalesOffice CustomerPurchaseOrderType IncotermsVersion
  S4: CustomerPaymentTerms CustomerPurchaseOrderSuplmnt
  S4 ro: SalesOrderTypeInternalCode ReferenceSDDocumentCategory SalesOrderApprovalReason
  S2: DistributionChannel OrganizationDivision ShippingCondition ShippingType HeaderBillingBlockReason
  S2: DeliveryBlockReason CustomerPriceGroup PriceListType CustomerAccountAssignmentGroup CustomerGroup
  S2: AdditionalValueDays
  S3: SalesGroup SDDocumentReason IncotermsClassification TaxDepartureCountry VATRegistrationCountry
  S6: SalesDistrict
  S10: SoldToParty ReferenceSDDocument
  D0 ro: CreationDate LastChangeDate
  S12 ro: CreatedByUser
  S60 ro: SenderBusinessSystemName
  S40 ro: ExternalDocumentID
  O7 ro etag: LastChangeDateTime
  O7 ro: ExternalDocLastChangeDateTime
  S35: PurchaseOrderByCustomer PurchaseOrderByShipToParty
  D0: CustomerPurchaseOrderDate SalesOrderDate PricingDate RequestedDeliveryDate FixedValueDate
  D0: BillingDocumentDate ServicesRenderedDate
  N16.3 ro unit=TransactionCurrency: TotalNetAmount
  S1 ro: OverallDeliveryStatus TotalBlockStatus OverallOrdReltdBillgStatus OverallSDDocReferenceStatus
  S1 ro: SalesDocApprovalStatus OverallSDProcessStatus TotalCreditCheckStatus OverallTotalDeliveryStatus
  S1 ro: OverallSDDocumentRejectionSts
  S5: TransactionCurrency
  B: CompleteDeliveryIsDefined
  S1: DeliveryDateTypeRule PaymentMethod CustomerTaxClassification1
  S28: IncotermsTransferLocation
  S70: IncotermsLocation1 IncotermsLocation2
  S18: AssignmentReference
  S16: AccountingDocExternalReference
  S12: ContractAccount
  > to_Item A_SalesOrderItem *
  > to_Partner A_SalesOrderHeaderPartner *
  > to_PricingElement A_SalesOrderHeaderPrElement *
  > to_SubsequentProcFlowDoc A_SalesOrderSubsqntProcFlow *
  > to_Text A_SalesOrderText *

A_SalesOrderHeaderPartner
  key: SalesOrder PartnerFunction
  S10 ro req: SalesOrder
  S2 req: PartnerFunction
  S2 ro: PartnerFunctionInternalCode
  S10: Customer Supplier ContactPerson AddressID
  S8: Personnel
  S10 ro: ReferenceBusinessPartner
  S20: VATRegistration
  > to_Address A_SalesOrderPartnerAddress *
  > to_SalesOrder A_SalesOrder 1

A_SalesOrderPartnerAddress no=CD
  key: SalesOrder PartnerFunction AddressRepresentationCode
  S10 req: SalesOrder
  S2 req: PartnerFunction
  S1 req: AddressRepresentationCode
  S2: CorrespondenceLanguage
  S80: AddresseeFullName
  S40: OrganizationName1 OrganizationName2 OrganizationName3 OrganizationName4 CityName DistrictName
  S40: StreetPrefixName1 StreetPrefixName2 StreetSuffixName1 StreetSuffixName2
  S10: PostalCode HouseNumber TransportZone POBox POBoxPostalCode PhoneExtensionNumber
  S60: StreetName
  S3: Country Region MobilePhoneCountry PhoneNumberCountry
  S4: FormOfAddress
  S15: TaxJurisdiction
  S241: EmailAddress
  S30: MobileNumber PhoneNumber
  > to_Partner A_SalesOrderHeaderPartner 1
  > to_SalesOrder A_SalesOrder 1

A_SalesOrderHeaderPrElement
  key: SalesOrder PricingProcedureStep PricingProcedureCounter
  S10 ro req: SalesOrder
  S3 req: PricingProcedureStep PricingProcedureCounter
  S4: ConditionType
  S14 ro: PricingDateTime
  D0 ro: PriceConditionDeterminationDte
  S3 ro: ConditionCalculationType ConditionSequentialNumber
  N24.9 ro: ConditionBaseValue
  N24.9: ConditionRateValue
  S5: ConditionCurrency TransactionCurrency
  N5.0 unit=ConditionQuantitySAPUnit: ConditionQuantity
  S3: ConditionQuantityUnit ConditionQuantitySAPUnit ConditionQuantityISOUnit
  S1 ro: ConditionCategory ConditionOrigin IsGroupCondition ConditionClass
  B ro: ConditionIsForStatistics ConditionIsManuallyChanged
  S10 ro: ConditionRecord
  S2 ro: TaxCode
  N16.3 ro unit=TransactionCurrency: ConditionAmount
  > to_SalesOrder A_SalesOrder 1

A_SalesOrderText
  key: SalesOrder Language LongTextID
  S10 ro req: SalesOrder
  S2 req: Language
  S4 req: LongTextID
  S -f -s: LongText
  > to_SalesOrder A_SalesOrder 1

A_SalesOrderSubsqntProcFlow no=CUD
  key: SalesOrder DocRelationshipUUID
  S10 req: SalesOrder
  G req: DocRelationshipUUID
  S10: SubsequentDocument
  S4: SubsequentDocumentCategory
  S2: ProcessFlowLevel
  S1 -f -s: OverallSDProcessStatus
  D0: CreationDate LastChangeDate
  T0: CreationTime
  > to_SalesOrder A_SalesOrder 1

A_SalesOrderItem
  key: SalesOrder SalesOrderItem
  S10 ro req: SalesOrder
  S6 req: SalesOrderItem
  S6: HigherLevelItem UnderlyingPurchaseOrderItem ReferenceSDDocumentItem
  S1 ro: HigherLevelItemUsage TotalSDDocReferenceStatus SDDocReferenceStatus AltvBsdConfSubstitutionStatus
  S1 ro: SDProcessStatus DeliveryStatus OrderRelatedBillingStatus
  S4: SalesOrderItemCategory ProductionPlant StorageLocation ShippingPoint CustomerPaymentTerms
  S40: SalesOrderItemText Material PricingReferenceMaterial
  S35: PurchaseOrderByCustomer PurchaseOrderByShipToParty MaterialByCustomer
  S40 ro: ExternalItemID
  D0: PricingDate BillingDocumentDate ServicesRenderedDate FixedValueDate
  N15.3 unit=RequestedQuantitySAPUnit: RequestedQuantity
  S3: RequestedQuantityUnit RequestedQuantitySAPUnit RequestedQuantityISOUnit ItemWeightSAPUnit
  S3: ItemWeightISOUnit ItemVolumeSAPUnit ItemVolumeISOUnit DeliveryGroup IncotermsClassification
  S3 ro: OrderQuantityUnit OrderQuantitySAPUnit OrderQuantityISOUnit ItemWeightUnit ItemVolumeUnit
  N15.3 ro unit=OrderQuantitySAPUnit: ConfdDelivQtyInOrderQtyUnit
  N15.3 ro unit=ItemWeightSAPUnit: ItemGrossWeight ItemNetWeight
  N15.3 ro unit=ItemVolumeSAPUnit: ItemVolume
  S5 ro: TransactionCurrency
  N16.3 ro unit=TransactionCurrency: NetAmount
  S4 ro: MaterialSubstitutionReason OriginalPlant
  S9: MaterialGroup
  S2: MaterialPricingGroup AdditionalValueDays ShippingType DeliveryPriority MatlAccountAssignmentGroup
  S2: CustomerGroup SalesDocumentRjcnReason ItemBillingBlockReason
  S12: ContractAccount
  S10: Batch ProfitCenter ReferenceSDDocument
  B: DeliveryDateQuantityIsFixed
  S1: DeliveryDateTypeRule ProductTaxClassification1
  S28: IncotermsTransferLocation
  S70: IncotermsLocation1 IncotermsLocation2
  N14.3 unit=TransactionCurrency: TaxAmount CostAmount
  S24: WBSElement
  N14.3 ro unit=TransactionCurrency: Subtotal1Amount
  > to_Partner A_SalesOrderItemPartner *
  > to_PricingElement A_SalesOrderItemPrElement *
  > to_SalesOrder A_SalesOrder 1
  > to_ScheduleLine A_SalesOrderScheduleLine *
  > to_SubsequentProcFlowDocItem A_SalesOrderItmSubsqntProcFlow *
  > to_Text A_SalesOrderItemText *

A_SalesOrderItemPartner
  key: SalesOrder SalesOrderItem PartnerFunction
  S10 ro req: SalesOrder
  S6 ro req: SalesOrderItem
  S2 req: PartnerFunction
  S2 ro: PartnerFunctionInternalCode
  S10: Customer Supplier ContactPerson AddressID
  S8: Personnel
  S10 ro: ReferenceBusinessPartner
  S20: VATRegistration
  > to_Address A_SalesOrderItemPartnerAddress *
  > to_SalesOrder A_SalesOrder 1
  > to_SalesOrderItem A_SalesOrderItem 1

A_SalesOrderItemPartnerAddress no=CD
  key: SalesOrder SalesOrderItem PartnerFunction AddressRepresentationCode
  S10 req: SalesOrder
  S6 req: SalesOrderItem
  S2 req: PartnerFunction
  S1 req: AddressRepresentationCode
  S2: CorrespondenceLanguage
  S80: AddresseeFullName
  S40: OrganizationName1 OrganizationName2 OrganizationName3 OrganizationName4 CityName DistrictName
  S40: StreetPrefixName1 StreetPrefixName2 StreetSuffixName1 StreetSuffixName2
  S10: PostalCode HouseNumber TransportZone POBox POBoxPostalCode PhoneExtensionNumber
  S60: StreetName
  S3: Country Region MobilePhoneCountry PhoneNumberCountry
  S4: FormOfAddress
  S15: TaxJurisdiction
  S241: EmailAddress
  S30: MobileNumber PhoneNumber
  > to_Partner A_SalesOrderItemPartner 1
  > to_SalesOrder A_SalesOrder 1
  > to_SalesOrderItem A_SalesOrderItem 1

A_SalesOrderItemPrElement
  key: SalesOrder SalesOrderItem PricingProcedureStep PricingProcedureCounter
  S10 ro req: SalesOrder
  S6 ro req: SalesOrderItem
  S3 req: PricingProcedureStep PricingProcedureCounter
  S4: ConditionType
  S14 ro: PricingDateTime
  D0 ro: PriceConditionDeterminationDte
  S3 ro: ConditionCalculationType ConditionSequentialNumber
  N24.9 ro: ConditionBaseValue
  N24.9: ConditionRateValue
  S5: ConditionCurrency TransactionCurrency
  N5.0 unit=ConditionQuantitySAPUnit: ConditionQuantity
  S3: ConditionQuantityUnit ConditionQuantitySAPUnit ConditionQuantityISOUnit
  S1 ro: ConditionCategory ConditionOrigin IsGroupCondition ConditionClass
  B ro: ConditionIsForStatistics IsRelevantForAccrual ConditionIsManuallyChanged
  S10 ro: ConditionRecord
  S2 ro: TaxCode
  N16.3 ro unit=TransactionCurrency: ConditionAmount
  > to_SalesOrder A_SalesOrder 1
  > to_SalesOrderItem A_SalesOrderItem 1

A_SalesOrderItemText
  key: SalesOrder SalesOrderItem Language LongTextID
  S10 ro req: SalesOrder
  S6 ro req: SalesOrderItem
  S2 req: Language
  S4 req: LongTextID
  S -f -s: LongText
  > to_SalesOrder A_SalesOrder 1
  > to_SalesOrderItem A_SalesOrderItem 1

A_SalesOrderItmSubsqntProcFlow no=CUD
  key: SalesOrder SalesOrderItem DocRelationshipUUID
  S10 req: SalesOrder
  S6 req: SalesOrderItem
  G req: DocRelationshipUUID
  S10: SubsequentDocument SubsqntDocItmPrecdgDocument
  S6: SubsequentDocumentItem SubsqntDocItmPrecdgDocItem
  S4: SubsequentDocumentCategory SubsqntDocItmPrecdgDocCategory
  S2: ProcessFlowLevel
  S30 -f -s: RelatedProcFlowDocStsFieldName
  S1 -f -s: SDProcessStatus AccountingTransferStatus PrelimBillingDocumentStatus
  D0: CreationDate LastChangeDate
  T0: CreationTime
  > to_SalesOrder A_SalesOrder 1
  > to_SalesOrderItem A_SalesOrderItem 1

A_SalesOrderScheduleLine
  key: SalesOrder SalesOrderItem ScheduleLine
  S10 ro req: SalesOrder
  S6 ro req: SalesOrderItem
  S4 req: ScheduleLine
  D0: RequestedDeliveryDate ConfirmedDeliveryDate
  S3: OrderQuantityUnit OrderQuantitySAPUnit OrderQuantityISOUnit
  N13.3 unit=OrderQuantitySAPUnit: ScheduleLineOrderQuantity ConfdOrderQtyByMatlAvailCheck
  N13.3 unit=OrderQuantitySAPUnit: DeliveredQtyInOrderQtyUnit OpenConfdDelivQtyInOrdQtyUnit
  N13.3 unit=OrderQuantitySAPUnit: CorrectedQtyInOrderQtyUnit
  S2: DelivBlockReasonForSchedLine
"""
