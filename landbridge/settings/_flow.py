"""One flow: which feed it subscribes to, what happens on the way, and where the messages go."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from landbridge.settings._duration import Duration
from landbridge.settings._model import Model, Name

Scalar = str | int | bool | None
ResolvePolicy = Literal["match", "require", "none"]
DeletePolicy = Literal["block", "reject_lines", "ignore", "delete", "close"]
MergePolicy = Literal["ignore", "relink", "block"]
Realtime = Literal["worker", "airflow", "dag"]


def _listed(value: Any) -> Any:
    """One value may be written without its brackets."""
    return list(value) if isinstance(value, list | tuple) else [value]


_ONE: dict[str, Any] = {"type": ["string", "integer", "boolean", "null"]}
Values = Annotated[
    tuple[Scalar, ...], BeforeValidator(_listed), WithJsonSchema({"anyOf": [_ONE, {"type": "array", "items": _ONE}]})
]
"""The values that a condition allows: one, or a list of them."""

Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""One text, or a list of them."""


class Start(Model):
    """Where the first run of a new flow begins."""

    documents: Literal["open", "all"] = Field(
        "all",
        description="Take only documents that are still open at the first run, or all of them.",
        examples=["open"],
    )
    since: date | None = Field(
        None, description="Leave out what was last changed before this day.", examples=["2026-01-01"]
    )


class Extract(Model):
    """Which feed the flow subscribes to: a system and one of its entities."""

    source: Name = Field(
        alias="from", description="System that is read, by its name in systems.yaml.", examples=["crm"]
    )
    entity: Name = Field(description="Canonical entity that is read.", examples=["sales_order"])
    every: Duration = Field(
        timedelta(minutes=15),
        description="How often the feed is polled; a feed that several flows share is read at the shortest.",
        examples=["15m"],
    )
    fastest: Duration | None = Field(
        None,
        description="The resident worker polls as often as this while changes come, and ever slower, up to `every`, "
        "while none do; default: the worker does not poll.",
        examples=["5s"],
    )
    webhook: bool = Field(
        False, description="Also take the system's webhooks for this entity; polling stays as the net.", examples=[True]
    )
    start: Start = Field(
        default_factory=Start, description="Where the first run begins.", examples=[{"documents": "open"}]
    )
    scope: Texts = Field(
        (), description="Read only these organisations of the system; empty: all it is set up for.", examples=[["CN01"]]
    )


class Check(Model):
    """What a canonical body must satisfy beyond its schema."""

    quality: Name | Literal["none"] = Field(
        "none", description="Rules in config/quality/NAME.yaml, or none.", examples=["sales_order"]
    )
    on_fail: Literal["quarantine", "warn", "stop"] = Field(
        "quarantine",
        description="A bad record is set aside with its reasons, passes with a warning, or stops the flow.",
        examples=["quarantine"],
    )


class Derive(Model):
    """Makes another document of the message between resolve and translate: won opportunity → order per seller."""

    entity: Name = Field(description="Canonical entity that is made.", examples=["sales_order"])
    source: Name = Field(alias="from", description="Canonical entity it is made from.", examples=["opportunity"])
    when: dict[str, Values] | str = Field(
        default_factory=dict,
        description="Status, or conditions on canonical paths, at which it is made.",
        examples=["won", {"status": ["won"]}],
    )
    split_by: str | None = Field(
        None, description="Canonical path; one document is made per value of it.", examples=["seller"]
    )
    key: str = Field(
        "{number}", description="Number of the new document; {path} stands for a canonical value.",
        examples=["{number}/{seller}"],
    )  # fmt: skip

    @property
    def conditions(self) -> dict[str, tuple[Scalar, ...]]:
        """The conditions by canonical path; a bare word is a status."""
        return {"status": (self.when,)} if isinstance(self.when, str) else self.when


class Route(Model):
    """One target of a flow."""

    to: Name = Field(description="System that is written, by its name in systems.yaml.", examples=["erp"])
    entity: Name = Field(
        "", description="Canonical entity that is written there; default: the flow's own.", examples=["sales_order"]
    )
    after: tuple[Name, ...] = Field(
        (),
        description="Entities the record refers to that must have a target id first; it waits for them by itself.",
        examples=[["customer", "product"]],
    )
    when: dict[str, Values] = Field(
        default_factory=dict,
        description="Deliver only messages whose canonical value at each path is one of these.",
        examples=[{"status": ["confirmed"]}],
    )
    create: bool = Field(
        True,
        description="False: only records that the target has already are written; others are counted as suppressed.",
        examples=[False],
    )
    on_delete: DeletePolicy = Field(
        "ignore",
        description=(
            "What a deletion at the source does here: nothing (ignore), block the record, reject_lines of the document,"
            " close it, or delete it."
        ),
        examples=["reject_lines"],
    )
    on_merge: MergePolicy = Field(
        "relink",
        description=(
            "What a merge at the source does here: relink our cross-reference to the survivor (nothing is written),"
            " block the loser's record, or ignore it."
        ),
        examples=["relink"],
    )
    name: Name | None = Field(
        None, description="Tells two routes of one flow to one system and entity apart.", examples=["direct"]
    )


class Retry(Model):
    """How long a delivery is tried again before it is a dead letter; waits double, with jitter."""

    attempts: int = Field(8, ge=1, le=1000, description="Most attempts.", examples=[8])
    first: Duration = Field(timedelta(seconds=2), description="Wait before the second attempt.", examples=["2s"])
    longest: Duration = Field(timedelta(minutes=10), description="Longest wait between attempts.", examples=["10m"])
    within: Duration = Field(timedelta(hours=24), description="No attempt later than this.", examples=["24h"])

    @model_validator(mode="after")
    def _in_order(self) -> Retry:
        if not self.first <= self.longest <= self.within:
            raise ValueError("first, longest and within must grow in this order")
        return self


class Unknown(Model):
    """What happens after an attempt whose outcome nobody knows."""

    settle: Duration | None = Field(
        None,
        description="Ask the target no earlier than this; default: what its connector declares for the entity.",
        examples=["15m"],
    )


HUB_ROUTE = "hub"
"""What the only route of a flow is called that delivers to no system."""


class Flow(Model):
    """One file of config/flows: a subscription to a feed and its routes. The file is named after the flow."""

    flow: Name = Field(description="The flow's name, the same as its file's.", examples=["orders_to_erp"])
    summary: str = Field(
        "", description="One sentence for people: what goes where, and how soon.",
        examples=["Orders closed in the CRM become ERP sales orders, within a second."],
    )  # fmt: skip
    owner: str = Field("", description="Who is asked when it stops.", examples=["sales-ops"])
    extract: Extract = Field(description="Where messages come from.", examples=[{"from": "crm", "entity": "customer"}])
    check: Check = Field(
        default_factory=Check, description="Quality rules, and what failing does.", examples=[{"quality": "customer"}]
    )
    resolve: dict[Name, ResolvePolicy] = Field(
        default_factory=dict,
        description=(
            "Per referenced entity: match gives an unknown record a subject of its own, require quarantines it,"
            " none leaves the reference as it came. Default: match."
        ),
        examples=[{"customer": "match", "product": "require"}],
    )
    derive: Derive | None = Field(
        None, description="Makes another document of the message before it is translated.",
        examples=[{"entity": "sales_order", "from": "opportunity", "when": "won"}],
    )  # fmt: skip
    deliver: tuple[Route, ...] = Field(
        description="The routes. None (`[]`): the records only go to the master-data hub, which then must keep the "
        "entity.",
        examples=[[{"to": "erp", "entity": "sales_order"}], []],
    )
    retry: Retry = Field(default_factory=Retry, description="Attempts and waits.", examples=[{"attempts": 8}])
    unknown: Unknown = Field(
        default_factory=Unknown, description="Attempts of unknown outcome.", examples=[{"settle": "15m"}]
    )
    wait_for_parents: Duration = Field(
        timedelta(hours=1),
        description="After this long a record that waits for its parents says which one is missing and why.",
        examples=["1h"],
    )
    batch: int = Field(
        500, ge=1, le=500,
        description="Messages that are worked on at a time, in one transaction; fewer where records are large.",
        examples=[100],
    )  # fmt: skip
    enabled: bool = Field(True, description="False: nothing runs; what was received stays.", examples=[False])
    realtime: Realtime = Field(
        "worker",
        description="What drains what webhooks and `fastest` bring: the resident worker, the continuous DAG (airflow) "
        "or the flow's own DAG (dag).",
        examples=["airflow"],
    )

    @model_validator(mode="before")
    @classmethod
    def _same_entity(cls, value: Any) -> Any:
        """A route that names no entity writes the one that the flow carries."""
        if not isinstance(value, dict) or not isinstance(value.get("deliver"), list | tuple):
            return value
        source = value.get("derive") or value.get("extract")
        entity = source.get("entity") if isinstance(source, dict) else None
        if not isinstance(entity, str):
            return value  # that is told of the source itself
        routes = [{"entity": entity, **route} if isinstance(route, dict) else route for route in value["deliver"]]
        return {**value, "deliver": routes}

    @property
    def name(self) -> str:
        """The flow's name."""
        return self.flow

    @property
    def feed(self) -> tuple[str, str]:
        """The feed it subscribes to: (system, entity)."""
        return (self.extract.source, self.extract.entity)

    @property
    def live(self) -> bool:
        """Whether anything of it comes in real time: by webhook, or because a worker polls it."""
        return self.enabled and (self.extract.webhook or self.extract.fastest is not None)

    @property
    def entity(self) -> str:
        """The canonical entity that stands in the outbox: the derived one where the flow derives."""
        return self.derive.entity if self.derive else self.extract.entity

    def policy(self, entity: str) -> ResolvePolicy:
        """How references to an entity are resolved; `match` where the flow says nothing."""
        return self.resolve.get(entity, "match")

    def route_key(self, route: Route) -> str:
        """The text that names a route everywhere: flow/system, longer only where that names two."""
        key = f"{self.flow}/{route.to}"
        if sum(other.to == route.to for other in self.deliver) > 1:
            key += f"/{route.entity}"
        return f"{key}/{route.name}" if route.name else key

    @property
    def routes(self) -> dict[str, Route]:
        """Every route by its key, in the file's order."""
        return {self.route_key(route): route for route in self.deliver}

    @property
    def taken(self) -> dict[str, Route]:
        """As `routes`; a flow without one is taken by the hub, and accounted for as a route that nothing leaves by."""
        return self.routes or {f"{self.flow}/{HUB_ROUTE}": Route(to=HUB_ROUTE, entity=self.extract.entity)}
