"""The installation itself: `config/landbridge.yaml`, optional."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from landbridge.settings._duration import Duration
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
    """How long rows are kept, whole months at a time; what is still in flight is never removed."""

    ids: Duration = Field(
        timedelta(days=30), description="Ids of received changes, by which repeats are known.", examples=["30d"]
    )
    inbox: Duration = Field(timedelta(days=400), description="Envelopes of received messages.", examples=["400d"])
    bodies: Duration = Field(timedelta(days=90), description="Native, canonical and target bodies.", examples=["90d"])
    attempts: Duration = Field(timedelta(days=90), description="Attempts with their outcomes.", examples=["90d"])
    history: Duration = Field(timedelta(days=400), description="What was decided, by whom and why.", examples=["400d"])
    runs: Duration = Field(timedelta(days=400), description="Runs of flows with their counts.", examples=["400d"])
    hub: Duration | None = Field(
        None,
        description="What records of the hub said before they said something else; default: for ever.",
        examples=["3650d"],
    )

    @property
    def by_table(self) -> dict[str, timedelta]:
        """The same by the store's tables, as `store.control.drop_older` takes them."""
        return {
            "receipt": self.ids,
            "inbox": self.inbox,
            "body": self.bodies,
            "attempt": self.attempts,
            "history": self.history,
            "run": self.runs,
        }


class Serve(Model):
    """Where `landbridge up` lets the webhook endpoint listen."""

    host: str = Field("127.0.0.1", description="The address; TLS stands in front of it.", examples=["127.0.0.1"])
    port: int | None = Field(
        None, ge=1, le=65535, description="The port; default: 8090, or any that is free.", examples=[8090]
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that share the address.", examples=[2])


class AirflowApi(Model):
    """The Airflow in which workers show what passed; `landbridge up` needs none of this, it knows its own."""

    url: str = Field(
        "", description="Its address; empty: nothing is shown there.", examples=["https://airflow.example"]
    )
    user: str = Field("admin", description="Who logs in.", examples=["landbridge"])
    password: str = Field(
        "env:LANDBRIDGE_AIRFLOW_PASSWORD",
        description="A reference to the password.",
        examples=["env:LANDBRIDGE_AIRFLOW_PASSWORD"],
        pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$",
    )


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
    serve: Serve = Field(
        default_factory=Serve, description="The webhook endpoint of `landbridge up`.", examples=[{"port": 8090}]
    )
    airflow: AirflowApi = Field(
        default_factory=AirflowApi,
        description="Where workers show what passed.",
        examples=[{"url": "https://airflow.example"}],
    )
    schemas: str = Field(
        "schemas/canonical",
        description="Folder of the canonical schemas, relative to the project.",
        examples=["schemas/canonical"],
    )
