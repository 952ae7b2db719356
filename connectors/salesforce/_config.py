"""How to reach one Salesforce org."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from landbridge.connector import Config
from landbridge.net import Url
from landbridge.secrets import Secret


class Bulk(BaseModel):
    """From how many records on Bulk API 2.0 is used; 0 is never."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    read_above: int = Field(
        default=20_000,
        ge=0,
        description="A reading of more records than this goes on as a bulk query; 0: never.",
        examples=[20000],
    )
    write_above: int = Field(
        default=2_000,
        ge=0,
        description="More writes of one kind than this, due at once, go as one bulk job; 0: never.",
        examples=[2000],
    )


class SalesforceConfig(Config):
    """How to reach one Salesforce org: an external client app with JWT bearer or client credentials."""

    url: Url = Field(
        description="My Domain address of the org; every call goes there.", examples=["https://acme.my.salesforce.com"]
    )
    login_url: Url | None = Field(
        default=None,
        description="Where tokens are asked for; `url` by default. Client credentials work at My Domain only.",
        examples=["https://login.salesforce.com"],
    )
    audience: str | None = Field(
        default=None,
        description="The `aud` of the JWT; `login_url` by default. A sandbox org wants https://test.salesforce.com.",
        examples=["https://login.salesforce.com"],
    )
    client_id: str = Field(min_length=1, description="Consumer key of the app.", examples=["3MVG9acme"])
    client_secret: Secret | None = Field(
        default=None, description="Consumer secret, for client credentials.", examples=["env:CRM_CLIENT_SECRET"]
    )
    username: str | None = Field(
        default=None, description="The integration user, for JWT bearer.", examples=["bus@acme.example"]
    )
    private_key: Secret | None = Field(
        default=None,
        description="PEM key of the certificate that the app holds, for JWT bearer.",
        examples=["file:/run/secrets/crm.pem"],
    )
    api_version: str = Field(
        default="62.0", pattern=r"^\d{2}\.0$", description="Version of the REST API.", examples=["62.0"]
    )
    reference: str = Field(
        default="Landbridge_Id__c",
        pattern=r"^[A-Za-z]\w*$",
        description="External id field (unique, text, 80 or longer) that carries our reference on every object.",
        examples=["Landbridge_Id__c"],
    )
    use: tuple[str, ...] = Field(
        default=(),
        description="Entities that the flows use; `check` asks for the rights on these only. Empty: all.",
        examples=[["customer", "sales_order"]],
    )
    fields: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Fields to read per entity, or per object of lines; by default all that the user may see.",
        examples=[{"customer": ["Name", "Tax_Id__c", "BillingCity"]}],
    )
    filters: dict[str, str] = Field(
        default_factory=dict,
        description="A SOQL condition per entity that its records must meet.",
        examples=[{"customer": "Type = 'Customer'"}],
    )
    page_size: int = Field(default=2000, ge=200, le=2000, description="Records per page of a query.", examples=[2000])
    bulk: Bulk = Field(
        default_factory=Bulk,
        description="When Bulk API 2.0 takes over; documents with lines never go by it.",
        examples=[{"read_above": 20000, "write_above": 2000}],
    )
    overlap: int = Field(
        default=300, ge=0, description="Seconds read again: longest transaction in the org.", examples=[300]
    )

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> Self:
        jwt = self.username is not None and self.private_key is not None
        if jwt == (self.client_secret is not None):
            raise ValueError("give either client_secret, or username and private_key")
        return self
