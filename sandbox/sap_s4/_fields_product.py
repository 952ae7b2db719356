"""The fields of API_PRODUCT_SRV that this system serves; `_edm` explains the notation."""

from __future__ import annotations

PRODUCT = """
A_Product no=D
  key: Product
  S40 req: Product
  S4: ProductType ItemCategoryGroup Brand SerialIdentifierAssgmtProfile ManufacturerPartProfile
  S4: HandlingIndicator WarehouseProductGroup StandardHandlingUnitType SerialNumberProfile
  S4: QualityInspectionGroup AuthorizationGroup HandlingUnitType
  S2: CrossPlantStatus Division InternationalArticleNumberCat MaterialRevisionLevel WarehouseStorageCondition
  D0: CrossPlantStatusValidityDate ValidityStartDate
  D0 ro: CreationDate LastChangeDate
  S12 ro: CreatedByUser LastChangedByUser
  O7 ro: LastChangeDateTime
  B: IsMarkedForDeletion ProductIsConfigurable IsBatchManagementRequired QltyMgmtInProcmtIsActive
  B: IsRelevantForHzdsSubstances
  S40: ProductOldID ProdNoInGenProdInPrepackProd CrossPlantConfigurableProduct ProductManufacturerNumber
  N13.3 unit=WeightUnit: GrossWeight NetWeight
  S3: PurchaseOrderQuantityUnit WeightUnit CountryOfOrigin BaseUnit VolumeUnit LowLevelCode AdjustmentProfile
  S3: PreferredUnitOfMeasure UnitForMaxPackagingDimensions
  S1: SourceOfSupply VarblPurOrdUnitIsActive ProcurementRule SerialNoExplicitnessLevel IndustrySector
  S10: CompetitorID ManufacturerNumber
  S9: ProductGroup ANPCode
  S18: ProductHierarchy IndustryStandardName ProductStandardID ExternalProductGroup
  N13.3 unit=VolumeUnit: MaterialVolume
  S32: SizeOrDimensionText
  S12: ChangeNumber
  > to_Description A_ProductDescription *
  > to_Plant A_ProductPlant *
  > to_ProductBasicText A_ProductBasicText *
  > to_ProductSales A_ProductSales 0..1
  > to_ProductSalesTax A_ProductSalesTax *
  > to_ProductUnitsOfMeasure A_ProductUnitsOfMeasure *
  > to_SalesDelivery A_ProductSalesDelivery *
  > to_Valuation A_ProductValuation *

A_ProductDescription
  key: Product Language
  S40 req: Product
  S2 req: Language
  S40: ProductDescription

A_ProductBasicText
  key: Product Language
  S40 req: Product
  S2 req: Language
  S: LongText

A_ProductPlant no=D
  key: Product Plant
  S40 req: Product
  S4 req: Plant
  S3: PurchasingGroup CountryOfOrigin RegionOfOrigin MRPResponsible BaseUnit GoodsIssueUnit
  S4: ProductionInvtryManagedLoc StockDeterminationGroup SerialNumberProfile ProductLogisticsHandlingGroup
  S2: ProfileCode AvailabilityCheckType MRPType
  D0: ProfileValidityStartDate
  S10: ProfitCenter
  S17: Commodity
  N3.0: GoodsReceiptDuration
  S15: MaintenanceStatusName
  B: IsMarkedForDeletion IsCoProduct HasPostToInspectionStock IsBatchManagementRequired IsNegativeStockAllowed
  B: IsInternalBatchManaged ProductIsExciseTaxRelevant
  S1: ABCIndicator HasConsignmentCtrl ProcurementType
  N13.3 unit=BaseUnit: MinimumLotSizeQuantity MaximumLotSizeQuantity FixedLotSizeQuantity
  N13.3 unit=BaseUnit: StockInTransferQuantity StockInTransitQuantity GoodsReceiptBlockedStockQty
  S16: ConsumptionTaxCtrlCode
  S40: ProductIsConfigurable ConfigurableProduct
  S8: MaterialFreightGroup

A_ProductSales no=D
  key: Product
  S40 req: Product
  S2: SalesStatus
  D0: SalesStatusValidityDate
  S1: TaxClassification
  S4: TransportationGroup

A_ProductSalesDelivery no=D
  key: Product ProductSalesOrg ProductDistributionChnl
  S40 req: Product
  S4 req: ProductSalesOrg
  S2 req: ProductDistributionChnl
  N13.3 unit=BaseUnit: MinimumOrderQuantity DeliveryNoteProcMinDelivQty MinimumMakeToOrderOrderQty
  S4: SupplyingPlant ItemCategoryGroup RoundingProfile ProductUnitGroup
  S2: PriceSpecificationProductGroup AccountDetnProductGroup ProductSalesStatus
  S3: DeliveryQuantityUnit SalesMeasureUnit BaseUnit
  N13.3 unit=DeliveryQuantityUnit: DeliveryQuantity
  D0: ProductSalesStatusValidityDate
  B: IsMarkedForDeletion CashDiscountIsDeductible VariableSalesUnitIsNotAllowed
  S18: ProductHierarchy
  S1: LogisticsStatisticsGroup
  S40: PricingReferenceProduct
  > to_SalesTax A_ProductSalesTax *

A_ProductSalesTax
  key: Product Country TaxCategory TaxClassification
  S40 req: Product
  S3 req: Country
  S4 req: TaxCategory
  S1 req: TaxClassification

A_ProductUnitsOfMeasure
  key: Product AlternativeUnit
  S40 req: Product
  S3 req: AlternativeUnit
  N5.0 unit=BaseUnit: QuantityNumerator
  N5.0 unit=AlternativeUnit: QuantityDenominator
  N13.3 unit=VolumeUnit: MaterialVolume
  S3: VolumeUnit WeightUnit ProductMeasurementUnit LowerLevelPackagingUnit BaseUnit
  N13.3 unit=WeightUnit: GrossWeight
  S18: GlobalTradeItemNumber
  S2: GlobalTradeItemNumberCategory
  N13.3 unit=ProductMeasurementUnit: UnitSpecificProductLength UnitSpecificProductWidth
  N13.3 unit=ProductMeasurementUnit: UnitSpecificProductHeight
  N3.0: RemainingVolumeAfterNesting
  Y: MaximumStackingFactor
  N15.3: CapacityUsage
  > to_InternationalArticleNumber A_ProductUnitsOfMeasureEAN *

A_ProductUnitsOfMeasureEAN
  key: Product AlternativeUnit ConsecutiveNumber
  S40 req: Product
  S3 req: AlternativeUnit
  S5 req: ConsecutiveNumber
  S18: ProductStandardID
  S2: InternationalArticleNumberCat
  B: IsMainGlobalTradeItemNumber

A_ProductValuation no=D
  key: Product ValuationArea ValuationType
  S40 req: Product
  S4 req: ValuationArea
  S10 req: ValuationType
  S4: ValuationClass ProjectStockValuationClass ValuationClassSalesOrderStock
  S1: PriceDeterminationControl InventoryValuationProcedure ValuationCategory ProductUsageType ProductOriginType
  N12.3 unit=Currency: StandardPrice MovingAveragePrice PrevInvtryPriceInCoCodeCrcy
  N5.0: PriceUnitQty
  B: IsMarkedForDeletion IsProducedInhouse
  S12: ProdCostEstNumber
  N5.0 unit=BaseUnit: TaxBasedPricesPriceUnitQty
  D0: PriceLastChangeDate
  S5: Currency
  S3: BaseUnit
"""
