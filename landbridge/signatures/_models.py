"""How a system's webhooks are verified, as `systems.yaml` declares it."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from landbridge.secrets import Secret

_Header = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9\-]{0,63}$")]
_Secrets = Annotated[tuple[Secret, ...], Field(min_length=1, max_length=4)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StandardWebhooks(_Model):
    """Standard Webhooks 1.0.0: HMAC-SHA256 over id, time stamp and body; several signatures while keys change."""

    secrets: _Secrets = Field(
        description="Signing secrets (whsec_…); the old one stays beside the new one while the sender changes over.",
        examples=[["env:CRM_HOOK_SECRET"]],
    )
    tolerance: int = Field(
        300, ge=1, le=3600, description="Seconds by which the time stamp may differ from our clock.", examples=[300]
    )


class Hmac(_Model):
    """A plain HMAC of the body in a header, with a time stamp before it where the sender signs one."""

    header: _Header = Field(description="The header with the signature.", examples=["X-Signature"])
    secrets: _Secrets = Field(
        description="Keys; the old one beside the new one while they change.", examples=[["env:CRM_HOOK_KEY"]]
    )
    algorithm: Literal["sha256", "sha384", "sha512", "sha1"] = Field(
        "sha256", description="The hash; sha1 only where the sender has nothing better.", examples=["sha256"]
    )
    encoding: Literal["hex", "base64"] = Field("hex", description="How the signature is written.", examples=["hex"])
    prefix: str = Field("", max_length=20, description="What stands before it.", examples=["sha256="])
    timestamp: _Header | None = Field(
        None,
        description="Header with the seconds since 1970 that are signed as `timestamp.body`; none: the body alone.",
        examples=["X-Timestamp"],
    )
    tolerance: int = Field(
        300, ge=1, le=3600, description="Seconds by which that time stamp may differ from our clock.", examples=[300]
    )
    id: _Header | None = Field(
        None, description="Header with the delivery's id, the same when it is sent again.", examples=["X-Delivery"]
    )


class Token(_Model):
    """A shared secret in a header or in the address: no proof of the content, so take it over TLS only."""

    secrets: _Secrets = Field(description="Tokens that are valid.", examples=[["env:CRM_HOOK_TOKEN"]])
    header: _Header | None = Field(None, description="The header that holds it.", examples=["X-Hook-Token"])
    query: str | None = Field(
        None, pattern=r"^\w{1,64}$", description="The parameter of the address that holds it.", examples=["key"]
    )

    @model_validator(mode="after")
    def _in_one_place(self) -> Self:
        if (self.header is None) == (self.query is None):
            raise ValueError("say either header or query")
        return self


Proof = StandardWebhooks | Hmac | Token


class Webhook(_Model):
    """What a webhook of a system must show; all that is declared must hold, and one of the three proofs is needed."""

    standard: StandardWebhooks | None = Field(
        None, description="Standard Webhooks.", examples=[{"secrets": ["env:CRM_HOOK_SECRET"]}]
    )
    hmac: Hmac | None = Field(
        None, description="A plain HMAC.", examples=[{"header": "X-Signature", "secrets": ["env:CRM_HOOK_KEY"]}]
    )
    token: Token | None = Field(
        None, description="A shared token.", examples=[{"query": "key", "secrets": ["env:CRM_HOOK_TOKEN"]}]
    )
    addresses: tuple[IPv4Network | IPv6Network, ...] = Field(
        (),
        description="Networks the sender may come from; with a token, all there is where a vendor signs nothing.",
        examples=[["192.0.2.0/24"]],
    )
    max_bytes: int = Field(1 << 20, ge=1024, le=1 << 25, description="Longest body, unpacked.", examples=[1 << 20])

    @model_validator(mode="after")
    def _proven(self) -> Self:
        if not (self.standard or self.hmac or self.token):
            raise ValueError("say how it is proven: standard, hmac or token; an address alone is no proof")
        return self

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """The proofs that are asked for."""
        return tuple(proof for proof in (self.standard, self.hmac, self.token) if proof is not None)


def tolerance(proof: StandardWebhooks | Hmac) -> timedelta:
    """How far a time stamp may be from our clock."""
    return timedelta(seconds=proof.tolerance)
