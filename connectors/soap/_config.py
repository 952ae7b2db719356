"""How to reach one SOAP service, and which operations read and write each entity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from connectors.soap import _lint
from connectors.soap._entity import Block, Call, Path_, Rule, SoapEntity, known_places
from landbridge.connector import Config
from landbridge.net import Auth, NoAuth, Url, absolute_wsdl
from landbridge.secrets import Secret


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is no time zone; write one such as Europe/Berlin or UTC")
    return name


class WsSecurity(Block):
    """What stands in the header of every request: a UsernameToken, a signature, or both."""

    user: str | None = Field(default=None, min_length=1)
    password: Secret | None = None
    digest: bool = False
    valid: int | None = Field(default=None, ge=10, le=86_400)
    key: Secret | None = None
    certificate: Secret | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.user is None) != (self.password is None) or (self.key is None) != (self.certificate is None):
            raise ValueError("`user` and `password` belong together, and so do `key` and `certificate`")
        if self.user is None and self.key is None:
            raise ValueError("give `user` and `password`, or `key` and `certificate`")
        return self


class Check(Call):
    """Which operation says who answers."""

    organisation: Path_
    user: Path_ | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        known_places(self.places(), frozenset(), "check")
        return self


class SoapConfig(Config):
    """How to reach one SOAP service, and which operations read and write each entity."""

    url: Url = Field(
        description="The system's address: where requests go if the WSDL names an address there.",
        examples=["https://erp.acme.example"],
    )
    address: Url | None = Field(
        default=None,
        description="Where requests go, whatever the WSDL says; needed where that names another host.",
        examples=["https://erp.acme.example/services/trade"],
    )
    auth: Auth = Field(
        default=NoAuth(),
        description="How HTTP is logged in to, as with the other declared connectors.",
        examples=[{"type": "basic", "user": "bus", "password": "env:ERP_PASSWORD"}],
        json_schema_extra={"environment": True},
    )
    ws_security: WsSecurity | None = Field(
        default=None,
        description="UsernameToken (`user`, `password`, `digest`), `valid` seconds of a time stamp, X.509 signature.",
        examples=[{"user": "bus", "password": "env:ERP_PASSWORD", "digest": True, "valid": 300}],
        json_schema_extra={"environment": True},
    )
    wsdl: str = Field(
        min_length=1,
        description="The WSDL: a path in the project, or an address of this system.",
        examples=["config/wsdl/trade.wsdl"],
    )
    service: str | None = Field(
        default=None, description="Service of the WSDL; the first by default.", examples=["TradeService"]
    )
    port: str | None = Field(
        default=None, description="Port of the service; the first by default.", examples=["TradeSoap12"]
    )
    check: Check = Field(
        description="The operation that says who answers, and where in its reply.",
        examples=[{"operation": "WhoAmI", "organisation": "company"}],
    )
    errors: tuple[Rule, ...] = Field(
        default=(),
        description="What faults, and values in replies, mean; the first that fits counts.",
        examples=[[{"fault": "STALE", "is": "conflict"}]],
    )
    zone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None, description="Time zone of stamps without one.", examples=["Europe/Berlin"]
    )
    nulls: Literal["omit", "empty"] = Field(
        default="omit",
        description="How null is written where the WSDL knows no xsi:nil: left out, or an empty element.",
        examples=["empty"],
    )
    overlap: int = Field(
        default=300, ge=2, description="Seconds read again: longest transaction of the writers.", examples=[300]
    )
    settle: int = Field(
        default=300, ge=1, description="Seconds after which a write without an answer has happened or never will.",
        examples=[300],
    )  # fmt: skip
    entities: dict[str, SoapEntity] = Field(
        min_length=1,
        description="Each canonical entity with its operations; see below.",
        examples=[{"customer": {"key": "id", "read": {"operation": "ListParties", "records": "party"}}}],
    )

    @field_validator("wsdl")
    @classmethod
    def _can_be_read(cls, value: str, info: ValidationInfo) -> str:
        root = (info.context or {}).get("root")
        found = absolute_wsdl(value, Path(root) if root is not None else None)
        _lint.readable(found)
        return found

    @field_validator("port")
    @classmethod
    def _is_there(cls, value: str | None, info: ValidationInfo) -> str | None:
        _lint.known_port(info.data, value)
        return value

    @field_validator("check")
    @classmethod
    def _answers(cls, value: Check, info: ValidationInfo) -> Check:
        _lint.check_call(value, info.data, ("organisation", "user"))
        return value

    @field_validator("entities")
    @classmethod
    def _fits(cls, value: dict[str, SoapEntity], info: ValidationInfo) -> dict[str, SoapEntity]:
        _lint.check_entities(value, info.data)
        return value
