"""The installation itself: `config/landbridge.yaml`, optional."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from landbridge.settings._duration import Duration, Size
from landbridge.settings._model import Model, Name


class Store(Model):
    """Where PostgreSQL is."""

    url: str = Field(
        "embedded",
        description="`embedded` (our own server, in the state folder) or a reference to the URL of yours.",
        examples=["env:LANDBRIDGE_STORE_URL"],
        pattern=r"^(embedded|env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$",
    )


class Retention(Model):
    """How long rows are kept; what is still in flight is never removed."""

    inbox: Duration = Field(
        timedelta(days=30), description="Received messages and the ids that tell repeats.", examples=["30d"]
    )
    bodies: Duration = Field(timedelta(days=90), description="Native, canonical and target bodies.", examples=["90d"])
    attempts: Duration = Field(timedelta(days=90), description="Attempts with what was sent.", examples=["90d"])
    history: Duration = Field(
        timedelta(days=400), description="What happened to a message, step by step.", examples=["400d"]
    )
    dead: Duration = Field(timedelta(days=400), description="Settled dead letters and quarantine.", examples=["400d"])
    runs: Duration = Field(timedelta(days=400), description="Runs of flows with their counts.", examples=["400d"])


class Limits(Model):
    """What one message may weigh."""

    body: Size = Field(16 * 2**20, description="Largest native body that is taken in.", examples=["16MiB"], ge=1024)
    field: Size = Field(8 * 2**20, description="Largest single text in a body.", examples=["8MiB"], ge=256)


class Installation(Model):
    """Settings of this installation; every one has a default."""

    environment: Name = Field(
        "production", description="File of config/environments used where none is asked for.", examples=["test"]
    )
    store: Store = Field(
        default_factory=Store, description="The store.", examples=[{"url": "env:LANDBRIDGE_STORE_URL"}]
    )
    retention: Retention = Field(
        default_factory=Retention, description="How long rows are kept.", examples=[{"inbox": "30d"}]
    )
    limits: Limits = Field(default_factory=Limits, description="Sizes.", examples=[{"body": "16MiB"}])
    schemas: str = Field(
        "schemas/canonical",
        description="Folder of the canonical schemas, relative to the project.",
        examples=["schemas/canonical"],
    )
