"""One system: the product it runs, how it is reached, and what it may be asked."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from landbridge.connector import Config
from landbridge.net import NetSettings
from landbridge.settings._model import Model, Name
from landbridge.signatures import Webhook


class SystemEntry(Model):
    """One entry of config/systems.yaml as it is written."""

    connector: Name = Field(description="The product, by its connector's name.", examples=["acme"])
    config: dict[str, Any] = Field(
        default_factory=dict,
        description="The connector's own settings; see its page.",
        examples=[{"url": "env:CRM_URL"}],
    )
    net: dict[str, Any] = Field(
        default_factory=dict,
        description="Proxy, private CA, client certificate, time-outs, concurrency and rate.",
        examples=[{"proxy": "http://proxy.example:3128"}],
    )
    mapping: str | None = Field(
        None,
        description="Folder of mappings/ with this instance's own files; default: the connector's name.",
        examples=["acme_emea"],
        pattern=r"^[a-z][a-z0-9_]*$",
    )
    webhook: dict[str, Any] | None = Field(
        None,
        description="How its webhooks prove themselves: standard, hmac or token, and addresses; see docs/webhooks.md.",
        examples=[{"standard": {"secrets": ["env:CRM_HOOK_SECRET"]}}],
    )
    scopes: tuple[str, ...] = Field(
        (),
        description="Organisations it is used for, where it numbers per organisation; empty: the whole system.",
        examples=[["CN01", "DE01"]],
    )


class Override(Model):
    """What an environment file may say of a system: addresses and secrets, nothing else."""

    config: dict[str, Any] = Field(
        default_factory=dict,
        description="The connector's settings that are addresses or secrets.",
        examples=[{"url": "https://crm.test.example"}],
    )
    net: dict[str, Any] = Field(
        default_factory=dict,
        description="Proxy, private CA and client certificate.",
        examples=[{"ca": "/etc/ssl/test.pem"}],
    )


class System(Model):
    """A system with everything resolved: the connector's own configuration and the network policy are typed."""

    name: str = Field(description="Its name in systems.yaml.", examples=["crm"])
    connector: str = Field(description="Its connector's name.", examples=["acme"])
    config: Config = Field(description="The connector's configuration.", examples=[{}])
    net: NetSettings = Field(default_factory=NetSettings, description="The network policy.", examples=[{}])
    mapping: str = Field(description="Folder of mappings/.", examples=["acme"])
    webhook: Webhook | None = Field(None, description="How its webhooks prove themselves.", examples=[None])
    scopes: tuple[str, ...] = Field((), description="Organisations it is used for.", examples=[["CN01"]])
