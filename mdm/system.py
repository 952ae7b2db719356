"""The hub as a system of config/systems.yaml: flows subscribe to its feeds, and nothing is read or written there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from landbridge.connector import Config, Connector, Entity, Fields, Found, Identity, KeyHash, Outcome, Page, Row, Write
from landbridge.connector import connector as declared_as
from landbridge.errors import Rejected


class HubConfig(Config):
    """Nothing is to be set: what the hub keeps is declared in config/mdm."""

    speaks_http: ClassVar[bool] = False


@declared_as("hub", config=HubConfig)
class HubSystem(Connector[HubConfig]):
    """Golden records as feeds. A change reaches them in the transaction that made it, so there is nothing to poll."""

    canonical = True
    entities: ClassVar[Mapping[str, Entity]] = {
        "customer": Entity("customer", key="id"),
        "supplier": Entity("supplier", key="id"),
        "product": Entity("product", key="id"),
    }

    def check(self) -> Identity:
        """The hub is part of the store: it answers as itself."""
        return Identity("hub")

    def describe(self, entity: str) -> Fields:
        """No fields but the canonical ones, which schemas/ tells."""
        return Fields(entity)

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """Nothing: what changed was put into the inbox when it changed."""
        return iter(())

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """Nothing: `landbridge steward show` shows a golden record."""
        return []

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """Nothing to reconcile: the hub's feed and its golden records are one transaction."""
        return iter(())

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """Refused: records reach the hub by the feeds of the systems they live in."""
        hint = "Take the delivery to the hub off the flow; the flow's own feed tells it."
        return [Rejected("The hub takes no deliveries.", hint=hint) for _ in writes]

    def find(self, entity: str, reference: str) -> Found | None:
        """Nothing is ever written here."""
        return None

    def close(self) -> None:
        """There is no connection."""
