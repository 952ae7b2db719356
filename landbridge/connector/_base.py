"""The connector's base class and the base of its configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from landbridge.connector._entity import Entity, Fields, Waiver
from landbridge.connector._outcome import Found, Outcome
from landbridge.connector._page import Identity, KeyHash, Page, Row
from landbridge.connector._webhook import Answer, Event
from landbridge.connector._write import Write
from landbridge.errors import Rejected

if TYPE_CHECKING:
    from landbridge.net import Http
    from landbridge.signatures import Request
    from landbridge.time import Clock


class Config(BaseModel):
    """How to reach one system: fields with description and examples; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    speaks_http: ClassVar[bool] = True
    """False for a product that is reached by a protocol of its own (a database): it has no `Url`."""


C = TypeVar("C", bound=Config)


class Connector(Generic[C]):
    """One product. A system of `config/systems.yaml` is an instance of it.

    Read `landbridge.connector` for the vocabulary and CONTRIBUTING.md for what the contract suite asks.
    An exception from `write` means `OutcomeUnknown` for every write of the call, unless it says `sent=False`.
    """

    entities: ClassVar[Mapping[str, Entity]] = {}
    waivers: ClassVar[Sequence[Waiver]] = ()
    canonical: ClassVar[bool] = False
    """True where its bodies are canonical already, as the hub's are: no mapping reads them, and none writes there."""
    looking = False
    """True while somebody only looks (a dry run, a profile): then reading leaves no trace in the product."""

    def __init__(self, name: str, config: C, http: Http, clock: Clock) -> None:
        self.name = name
        self.config = config
        self.http = http
        self.clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @classmethod
    def declared(cls, config: Mapping[str, Any]) -> Mapping[str, Entity]:
        """The entities of a system configured so, as written: the class's unless the configuration names them."""
        return cls.entities

    def entity(self, entity: str) -> Entity:
        """The declaration of one entity of this system; an instance may refine the class's by its configuration."""
        return self.entities[entity]

    def check(self) -> Identity:
        """Log in, say which organisation answers, ask for the rights; `Denied` says which right is missing."""
        raise NotImplementedError

    def describe(self, entity: str) -> Fields:
        """The tenant's own fields of an entity."""
        raise NotImplementedError

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        """Pages of what changed since a cursor (None: all), oldest first; resumable after any page."""
        raise NotImplementedError

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """The records with these ids as they are now, in no order; those that are gone come as `delete`."""
        raise NotImplementedError

    def fetch_named(self, entity: str, ids: Sequence[str]) -> list[Row]:
        """`fetch` for records that a webhook named: without those that `read` would leave out."""
        return self.fetch(entity, ids)

    def keys(self, entity: str, *, low: str | None = None, high: str | None = None) -> Iterator[KeyHash]:
        """All keys of a range with a hash of their content, ascending, for `reconcile`."""
        raise NotImplementedError

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        """Write up to `Entity.batch` records; one outcome per write, in order."""
        raise NotImplementedError

    def find(self, entity: str, reference: str) -> Found | None:
        """What stands under our reference (grade C, and every unknown outcome); None if nothing does."""
        raise NotImplementedError

    def matches(self, entity: str, values: Sequence[str], *, field: str) -> Mapping[str, list[str]]:
        """For `adopt`: the ids of the records whose `field` holds each of the values."""
        raise Rejected(
            f"{self.name} cannot look {entity} up by {field}.",
            hint="Adopt by another field, or link the records one by one with `landbridge xref link`.",
        )

    def absent(self, entity: str, last: dict[str, Any]) -> dict[str, Any] | None:
        """What a record's absence from a complete snapshot means: its body with zero quantities, or None: deleted."""
        return None

    def parse_webhook(self, request: Request) -> list[Event]:
        """The changes that a verified webhook tells; Invalid if it cannot be read, Rejected if there are none here."""
        raise Rejected(
            f"{self.name} has no webhooks that its connector can read.",
            hint="Poll it: take `webhook: true` off its flows.",
        )

    def answer_webhook(self, request: Request) -> Answer:
        """What the sender wants to hear once everything it told is kept."""
        return Answer()

    @contextmanager
    def only_looking(self) -> Iterator[None]:
        """Inside the block reading leaves no trace in the product: nothing is moved, marked or acknowledged there."""
        before, self.looking = self.looking, True
        try:
            yield
        finally:
            self.looking = before

    def close(self) -> None:
        """Give back connections."""
        self.http.close()
