"""How a system is reached: the `net:` block of `config/systems.yaml`."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from landbridge.secrets import Secret

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def _seconds(value: Any) -> Any:
    """Accept `30s`, `1.5m`, `24h` or a number of seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        found = _DURATION.fullmatch(value.strip())
        if found is None:
            raise ValueError("is not a time span; write a number with ms, s, m, h or d, such as 30s")
        return float(found[1]) * _UNITS[found[2]]
    return value


Seconds = Annotated[float, BeforeValidator(_seconds)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Rate(_Block):
    """How many requests a system takes in how long; shared by every thread and process."""

    requests: int = Field(ge=1, description="Requests in one span.", examples=[100])
    per: Seconds = Field(default=1.0, gt=0, description="The span.", examples=["1s", "24h"])


class Breaker(_Block):
    """When a system that fails is left alone, and for how long; shared by every thread and process."""

    after: int = Field(
        default=5,
        ge=0,
        le=1000,
        description="So many deliveries in a row that were not answered or not taken open it; 0: never.",
        examples=[5],
    )
    first: Seconds = Field(
        default=2.0,
        gt=0,
        description="How long it then rests, half of it jitter, before one message is let through; doubles each time.",
        examples=["2s"],
    )
    longest: Seconds = Field(default=60.0, gt=0, description="Longest rest.", examples=["1m"])


class ClientCertificate(_Block):
    """The files of mutual TLS."""

    certificate: Path = Field(description="PEM file of our certificate.", examples=["/etc/landbridge/client.crt"])
    key: Path = Field(description="PEM file of its private key.", examples=["/etc/landbridge/client.key"])


class NetSettings(_Block):
    """Limits and the way out for one system; every default is safe to leave."""

    connect: Seconds = Field(default=10.0, gt=0, description="Longest wait for a connection.", examples=["10s"])
    read: Seconds = Field(default=60.0, gt=0, description="Longest silence while a reply is awaited.", examples=["60s"])
    total: Seconds = Field(default=600.0, gt=0, description="Longest time a reply may take in all.", examples=["10m"])
    concurrency: int = Field(default=8, ge=1, le=256, description="Connections per process and host.", examples=[8])
    rate: Rate | None = Field(default=None, description="Rate budget; none by default.", examples=[{"requests": 100}])
    breaker: Breaker = Field(
        default_factory=Breaker,
        description="When deliveries to a system that fails stop, and how soon one is tried again.",
        examples=[{"after": 5, "first": "2s", "longest": "1m"}],
    )
    proxy: str | None = Field(
        default=None,
        pattern=r"^https?://[^@/\s]+/?$",
        description="Proxy on the way out, without login.",
        examples=["http://proxy.acme.example:3128"],
    )
    proxy_login: Secret | None = Field(
        default=None, description="`user:password` of the proxy.", examples=["env:PROXY_LOGIN"]
    )
    ca: Path | None = Field(
        default=None, description="PEM file of a private CA; replaces the public ones.", examples=["/etc/ssl/acme.pem"]
    )
    client_certificate: ClientCertificate | None = Field(
        default=None,
        description="Mutual TLS.",
        examples=[{"certificate": "/etc/landbridge/client.crt", "key": "/etc/landbridge/client.key"}],
    )
    max_reply: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Longest reply in bytes, unpacked.", examples=[67108864]
    )
    plain_http: bool = Field(
        default=False, description="Allow http:// to a host that is not this machine.", examples=[False]
    )
