"""How to reach one S/4HANA system, and what our documents look like there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from landbridge.connector import Config
from landbridge.net import Url
from landbridge.secrets import Secret
from landbridge.settings import Duration

REFERENCES = {"sales_order": "PurchaseOrderByShipToParty", "product": "ProductOldID"}


class SapS4Config(Config):
    """One client of one S/4HANA system, cloud or on premise, by its OData V2 services."""

    url: Url = Field(
        description="Address of the system; the path of the services is added where it is missing.",
        examples=["https://my300000-api.s4hana.cloud.sap"],
    )
    client: str = Field(default="", pattern=r"^(\d{3})?$", description="SAP client (`sap-client`).", examples=["100"])
    language: str = Field(default="EN", min_length=2, max_length=2, description="Log-on language.", examples=["EN"])
    user: str | None = Field(default=None, description="Communication user (basic log-on).", examples=["LANDBRIDGE"])
    password: Secret | None = Field(default=None, description="Its password.", examples=["env:SAP_PASSWORD"])
    token_url: Url | None = Field(
        default=None,
        description="Token address of OAuth 2 client credentials, instead of user and password.",
        examples=["https://my300000.s4hana.cloud.sap/sap/bc/sec/oauth2/token"],
    )
    client_id: str | None = Field(default=None, description="OAuth 2 client.", examples=["landbridge"])
    client_secret: Secret | None = Field(default=None, description="Its secret.", examples=["env:SAP_CLIENT_SECRET"])
    api_key: Secret | None = Field(default=None, description="Key of an API gateway.", examples=["env:SAP_API_KEY"])
    page: int = Field(default=500, ge=1, le=5000, description="Records in one page.", examples=[500])
    batch: int = Field(default=50, ge=1, le=500, description="Most changesets in one `$batch`.", examples=[50])
    settle: Mapping[str, Duration] = Field(
        default_factory=dict,
        description="Per entity: how long after an unknown outcome SAP may still commit.",
        examples=[{"sales_order": "15m"}],
    )
    overlap: Duration = Field(
        default=timedelta(minutes=5),
        description="How far a cursor looks back: longest transaction plus difference of clocks.",
        examples=["5m"],
    )
    time_zone: str = Field(
        default="UTC", description="The system's own time zone; days of change are written in it.", examples=["CET"]
    )
    reference: Mapping[str, str] = Field(
        default_factory=dict,
        description="Per entity: the field that carries our reference; never the customer's own PO number.",
        examples=[{"sales_order": "YY1_LandbridgeKey_SDH"}],
    )
    line_reference: str = Field(
        default="PurchaseOrderByShipToParty",
        description="The field of an order's item that carries our line key.",
        examples=["YY1_LandbridgeLine_SDI"],
    )
    identification: str = Field(
        default="BUP001",
        max_length=6,
        description="Identification type under which a business partner carries our reference.",
        examples=["BUP001"],
    )
    tax_type: str | None = Field(
        default=None, description="Tax number category that `adopt` looks at; all by default.", examples=["DE0"]
    )
    rejection_reason: str = Field(
        default="01",
        max_length=2,
        description="Reason that cancels a line (`SalesDocumentRjcnReason`).",
        examples=["61"],
    )
    block_reason: str = Field(
        default="01", max_length=2, description="Delivery block that policy `block` sets on an order.", examples=["01"]
    )
    plants: tuple[str, ...] = Field(
        default=(),
        description="Plants whose stock is read, each a snapshot of its own; all in one by default.",
        examples=[["1010", "1710"]],
    )
    delivery_service: Literal["API_OUTBOUND_DELIVERY_SRV", "API_OUTBOUND_DELIVERY_SRV;v=0002"] = Field(
        default="API_OUTBOUND_DELIVERY_SRV;v=0002",
        description="Name of the delivery service; without a version Gateway answers with the first.",
        examples=["API_OUTBOUND_DELIVERY_SRV;v=0002"],
    )
    follow: tuple[Literal["returns", "deliveries"], ...] = Field(
        default=("returns",),
        description="Documents whose change makes their order be read again, where SAP does not stamp the order.",
        examples=[["returns", "deliveries"]],
    )
    defaults: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict,
        description="Per entity: fields of a new record that the mapping leaves out.",
        examples=[{"sales_order": {"SalesOrderType": "OR"}}],
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError) as error:
            raise ValueError(f"'{value}' is no time zone; write one such as Europe/Berlin") from error
        return value

    @field_validator("reference")
    @classmethod
    def _ours_alone(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        if "PurchaseOrderByCustomer" in value.values():
            raise ValueError(
                "PurchaseOrderByCustomer is the customer's own number and repeats; "
                "choose PurchaseOrderByShipToParty or a YY1_ field"
            )
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> SapS4Config:
        basic, oauth = bool(self.user and self.password), bool(self.token_url and self.client_id and self.client_secret)
        if basic == oauth:
            raise ValueError("give either user and password, or token_url, client_id and client_secret")
        return self

    def reference_field(self, entity: str) -> str:
        """The field of an entity that carries our reference."""
        return self.reference.get(entity) or REFERENCES[entity]
