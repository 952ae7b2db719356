"""How to reach one OData service, and which entity set each entity is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from connectors.declarative._block import Block, Check, Flag, Scalar, Texts, Zone
from landbridge.connector import Config
from landbridge.net import Auth, NoAuth, Url

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$")]


class ODataLines(Block):
    """The lines of a document: a navigation property that is read with it, and written line by line."""

    under: Name
    key: Name
    reference: Name | None = None
    cancel: dict[str, Scalar] = Field(default_factory=dict)


class EntitySet(Block):
    """One entity: its set, how changes are seen, what is written."""

    set: Name
    stamp: Name | None = None
    zone: Zone | None = None
    ordered: bool = True
    filter: str | None = Field(default=None, min_length=1)
    select: tuple[Name, ...] = ()
    expand: tuple[str, ...] = ()
    count: bool = True
    deleted: Annotated[
        Flag | None, BeforeValidator(lambda value: {"path": value} if isinstance(value, str) else value)
    ] = None
    lines: ODataLines | None = None
    reference: Name | None = None
    upsert: bool = False
    delete: bool = False
    policies: dict[str, dict[str, Scalar]] = Field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    overlap: int | None = Field(default=None, ge=0)
    settle: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.upsert or self.delete or self.policies) and self.reference is None:
            raise ValueError("`reference` is needed where something is written: the property for our reference")
        if self.reference is not None and self.lines is not None and self.lines.reference is None:
            raise ValueError("`lines.reference` is needed where documents are written: the property for our line key")
        return self


class ODataConfig(Config):
    """How to reach one OData service, and which entity set each entity is."""

    url: Url = Field(
        description="Root of the service; `$metadata` stands below it.", examples=["https://erp.acme.example/odata/v4"]
    )
    protocol: Literal["v2", "v4"] = Field(default="v4", description="Version of OData.", examples=["v2"])
    auth: Auth = Field(
        default_factory=NoAuth,
        description="How to log in: none, basic, bearer, api_key, oauth2, jwt or hmac.",
        examples=[{"type": "basic", "user": "BUS", "password": "env:ERP_PASSWORD"}],
        json_schema_extra={"environment": True},
    )
    headers: Texts = Field(default_factory=dict, description="Headers of every request.", examples=[{"Company": "10"}])
    parameters: Texts = Field(
        default_factory=dict, description="Parameters of every request.", examples=[{"sap-client": "100"}]
    )
    entities: dict[str, EntitySet] = Field(
        min_length=1,
        description="Each canonical entity with its set; see below.",
        examples=[{"customer": {"set": "Customers", "stamp": "ModifiedAt", "reference": "ExternalRef"}}],
    )
    check: Check | None = Field(
        default=None,
        description="The call that says who answers; without it the address counts as the organisation.",
        examples=[{"path": "Companies(1)", "organisation": "Name"}],
    )
    csrf: bool = Field(default=False, description="Whether writes need a fetched X-CSRF-Token.", examples=[True])
    change: Literal["PATCH", "MERGE", "PUT"] = Field(
        default="PATCH", description="Method of changes; older v2 services know MERGE only.", examples=["MERGE"]
    )
    page_size: int = Field(default=500, ge=1, le=50_000, description="`$top` of a page.", examples=[500])
    overlap: int = Field(
        default=300, ge=0, description="Seconds read again: longest transaction plus clock skew.", examples=[300]
    )
    settle: int = Field(
        default=300,
        ge=1,
        description="Seconds after which a call without an answer has had its effect or never will.",
        examples=[300],
    )


_ENTITIES = TypeAdapter(dict[str, EntitySet])


def written_sets(config: Mapping[str, Any]) -> dict[str, EntitySet]:
    """The entities of a configuration as it is written, its addresses and secrets still unopened."""
    return _ENTITIES.validate_python(config.get("entities", {}))
