"""The fields of API_BUSINESS_PARTNER that this system serves; `_edm` explains the notation."""

from __future__ import annotations

BUSINESS_PARTNER = """
A_BusinessPartner no=D
  key: BusinessPartner
  S10 req: BusinessPartner
  S10 ro: Customer Supplier IndependentAddressID PersonNumber
  S4: AcademicTitle AuthorizationGroup BusinessPartnerGrouping FormOfAddress BusinessPartnerType
  S1: BusinessPartnerCategory IsNaturalPerson InternationalLocationNumber3
  S81 ro: BusinessPartnerFullName BusinessPartnerName
  G ro: BusinessPartnerUUID
  S2: CorrespondenceLanguage Language LegalForm NameFormat
  S12 ro: CreatedByUser LastChangedByUser
  D0 ro: CreationDate LastChangeDate
  T0 ro: CreationTime LastChangeTime
  S40: FirstName LastName OrganizationBPName1 OrganizationBPName2 OrganizationBPName3 OrganizationBPName4
  S40: AdditionalLastName GroupBusinessPartnerName1 GroupBusinessPartnerName2 MiddleName
  S10: Industry
  S7: InternationalLocationNumber1
  S5: InternationalLocationNumber2
  B: IsFemale IsMale IsSexUnknown BusinessPartnerIsBlocked IsMarkedForArchiving
  D0: OrganizationFoundationDate OrganizationLiquidationDate BirthDate
  S20: SearchTerm1 BusinessPartnerIDByExtSystem
  S26 ro: ETag
  S3: NameCountry
  S80: PersonFullName
  S6: TradingPartner
  > to_BuPaIdentification A_BuPaIdentification *
  > to_BusinessPartnerAddress A_BusinessPartnerAddress *
  > to_BusinessPartnerRole A_BusinessPartnerRole *
  > to_BusinessPartnerTax A_BusinessPartnerTaxNumber *
  > to_Customer A_Customer 0..1
  > to_Supplier A_Supplier 0..1

A_BusinessPartnerAddress
  key: BusinessPartner AddressID
  S10 req: BusinessPartner AddressID
  O0: ValidityStartDate ValidityEndDate
  S4: AuthorizationGroup
  G ro: AddressUUID
  S40: AdditionalStreetPrefixName AdditionalStreetSuffixName CareOfName CityName County District HomeCityName
  S40: POBoxLobbyName StreetPrefixName StreetSuffixName
  S6: AddressTimeZone
  S12: CityCode
  S10: CompanyPostalCode HouseNumber HouseNumberSupplementText POBox POBoxPostalCode PostalCode TransportZone
  S3: Country PrfrdCommMediumType Region
  S4 ro: FormOfAddress
  S80 ro: FullName
  S2: Language
  B: POBoxIsWithoutNumber
  S10 ro: Person
  S60: StreetName
  S15: TaxJurisdiction
  S20: AddressIDByExternalSystem
  > to_AddressUsage A_BuPaAddressUsage *
  > to_EmailAddress A_AddressEmailAddress *
  > to_MobilePhoneNumber A_AddressPhoneNumber *
  > to_PhoneNumber A_AddressPhoneNumber *
  > to_URLAddress A_AddressHomePageURL *

A_BuPaAddressUsage
  key: BusinessPartner ValidityEndDate AddressUsage AddressID
  S10 req: BusinessPartner AddressUsage AddressID
  O0 req: ValidityEndDate
  O0: ValidityStartDate
  B: StandardUsage
  S4: AuthorizationGroup

A_AddressEmailAddress
  key: AddressID Person OrdinalNumber
  S10 req: AddressID Person
  S3 req: OrdinalNumber
  B: IsDefaultEmailAddress
  S241: EmailAddress
  S20: SearchEmailAddress

A_AddressPhoneNumber
  key: AddressID Person OrdinalNumber
  S10 req: AddressID Person
  S3 req: OrdinalNumber
  S3: DestinationLocationCountry
  B: IsDefaultPhoneNumber
  S30: PhoneNumber InternationalPhoneNumber
  S10: PhoneNumberExtension
  S1: PhoneNumberType

A_AddressHomePageURL
  key: AddressID Person OrdinalNumber ValidityStartDate IsDefaultURLAddress
  S10 req: AddressID Person
  S3 req: OrdinalNumber
  D0 req: ValidityStartDate
  B req: IsDefaultURLAddress
  S50: SearchURLAddress
  I2: URLFieldLength
  S2048: WebsiteURL

A_BusinessPartnerRole no=D
  key: BusinessPartner BusinessPartnerRole
  S10 req: BusinessPartner
  S6 req: BusinessPartnerRole
  O0: ValidFrom ValidTo
  S4: AuthorizationGroup

A_BuPaIdentification
  key: BusinessPartner BPIdentificationType BPIdentificationNumber
  S10 req: BusinessPartner
  S6 req: BPIdentificationType
  S60 req: BPIdentificationNumber
  S40: BPIdnNmbrIssuingInstitute
  D0: BPIdentificationEntryDate ValidityStartDate ValidityEndDate
  S3: Country Region
  S4: AuthorizationGroup

A_BusinessPartnerTaxNumber
  key: BusinessPartner BPTaxType
  S10 req: BusinessPartner
  S4 req: BPTaxType
  S20: BPTaxNumber
  S60: BPTaxLongNumber
  S4: AuthorizationGroup

A_Customer no=CD
  key: Customer
  S10 req: Customer
  S4: AuthorizationGroup CustomerAccountGroup
  S2: BillingIsBlockedForCustomer CustomerClassification DeliveryIsBlocked OrderIsBlockedForCustomer
  S2: TaxNumberType
  S12 ro: CreatedByUser
  D0 ro: CreationDate
  S220 ro: CustomerFullName
  S80 ro: CustomerName
  B: PostingIsBlocked DeletionIndicator
  S10: Supplier CustomerCorporateGroup FiscalAddress
  S4 ro: Industry
  S7: InternationalLocationNumber1
  S16 ro: TaxNumber1
  S11 ro: TaxNumber2
  S20: VATRegistration
  > to_CustomerCompany A_CustomerCompany *
  > to_CustomerSalesArea A_CustomerSalesArea *

A_CustomerCompany no=D
  key: Customer CompanyCode
  S10 req: Customer
  S4 req: CompanyCode
  S4: APARToleranceGroup AuthorizationGroup PaymentTerms CustomerAccountGroup
  S12: AccountByCustomer
  S10: AlternativePayerAccount CustomerHeadOffice PaymentMethodsList ReconciliationAccount
  S1: CollectiveInvoiceVariant PaymentBlockingReason
  S30: CustomerAccountNote
  S5: HouseBank
  B: IsToBeLocallyProcessed ItemIsToBePaidSeparately PaytAdviceIsSentbyEDI RecordPaymentHistoryIndicator
  B: DeletionIndicator
  S15: UserAtCustomer

A_CustomerSalesArea no=D
  key: Customer SalesOrganization DistributionChannel Division
  S10 req: Customer
  S4 req: SalesOrganization
  S2 req: DistributionChannel Division
  S12: AccountByCustomer
  S4: AuthorizationGroup CustomerPaymentTerms IncotermsVersion SalesOffice SupplyingPlant CustomerAccountGroup
  S2: BillingIsBlockedForCustomer CustomerABCClassification CustomerAccountAssignmentGroup CustomerGroup
  S2: CustomerPriceGroup CustomerPricingProcedure DeliveryIsBlockedForCustomer DeliveryPriority InvoiceDate
  S2: OrderIsBlockedForCustomer PriceListType ShippingCondition
  B: CompleteDeliveryIsDefined DeletionIndicator OrderCombinationIsAllowed
  S5: Currency
  S3: IncotermsClassification ItemOrderProbabilityInPercent SalesGroup
  S70: IncotermsLocation2 IncotermsLocation1
  S28: IncotermsTransferLocation
  S1: PartialDeliveryIsAllowed
  S6: SalesDistrict
  > to_PartnerFunction A_CustSalesPartnerFunc *
  > to_SalesAreaTax A_CustomerSalesAreaTax *

A_CustSalesPartnerFunc
  key: Customer SalesOrganization DistributionChannel Division PartnerCounter PartnerFunction
  S10 req: Customer
  S4 req: SalesOrganization
  S2 req: DistributionChannel Division PartnerFunction
  S3 req: PartnerCounter
  S10: BPCustomerNumber
  S30: CustomerPartnerDescription
  B: DefaultPartner
  S4: AuthorizationGroup

A_CustomerSalesAreaTax no=D
  key: Customer SalesOrganization DistributionChannel Division DepartureCountry CustomerTaxCategory
  S10 req: Customer
  S4 req: SalesOrganization CustomerTaxCategory
  S2 req: DistributionChannel Division
  S3 req: DepartureCountry
  S1: CustomerTaxClassification

A_Supplier no=CD
  key: Supplier
  S10 req: Supplier
  S10: AlternativePayeeAccountNumber Customer FiscalAddress SupplierCorporateGroup
  S4: AuthorizationGroup SupplierAccountGroup
  S12 ro: CreatedByUser
  D0 ro: CreationDate
  B: PaymentIsBlockedForSupplier PostingIsBlocked PurchasingIsBlocked DeletionIndicator
  S220 ro: SupplierFullName
  S80 ro: SupplierName
  S20: VATRegistration
  D0: BirthDate
  S20 ro: ConcatenatedInternationalLocNo
  S4 ro: Industry
  S7: InternationalLocationNumber1
  S5: InternationalLocationNumber2
  S1: InternationalLocationNumber3 IsNaturalPerson
  S2: SupplierProcurementBlock TaxNumberType
  S16 ro: TaxNumber1
  S11 ro: TaxNumber2
  S18: TaxNumberResponsible
  > to_SupplierCompany A_SupplierCompany *
  > to_SupplierPurchasingOrg A_SupplierPurchasingOrg *

A_SupplierCompany no=D
  key: Supplier CompanyCode
  S10 req: Supplier
  S4 req: CompanyCode
  S4: AuthorizationGroup PaymentTerms APARToleranceGroup SupplierAccountGroup
  S25 ro: CompanyCodeName
  S1: PaymentBlockingReason
  B: SupplierIsBlockedForPosting ClearCustomerSupplier IsToBeLocallyProcessed ItemIsToBePaidSeparately
  B: PaymentIsToBeSentByEDI DeletionIndicator IsToBeCheckedForDuplicates
  S15: SupplierClerk
  S130: SupplierClerkURL
  S10: PaymentMethodsList ReconciliationAccount SupplierHeadOffice AlternativePayee CashPlanningGroup
  S5: HouseBank
  N3.0: CheckPaidDurationInDays
  S12: SupplierClerkIDBySupplier
  D0: SupplierCertificationDate
  S30: SupplierAccountNote

A_SupplierPurchasingOrg no=D
  key: Supplier PurchasingOrganization
  S10 req: Supplier
  S4 req: PurchasingOrganization
  S2: CalculationSchemaGroupCode ShippingCondition
  B: DeletionIndicator InvoiceIsGoodsReceiptBased PurOrdAutoGenerationIsAllowed PurchasingIsBlockedForSupplier
  S3: IncotermsClassification PurchasingGroup
  S28: IncotermsTransferLocation
  S4: IncotermsVersion PaymentTerms AuthorizationGroup SupplierAccountGroup
  S70: IncotermsLocation1 IncotermsLocation2
  N3.0: MaterialPlannedDeliveryDurn
  N14.3 unit=PurchaseOrderCurrency: MinimumOrderAmount
  S1: PricingDateControl SupplierABCClassificationCode
  S5: PurchaseOrderCurrency
  S16: SupplierPhoneNumber
  S30: SupplierRespSalesPersonName
"""
