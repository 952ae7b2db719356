"""What the configuration says of one entity: its record, and the operations that read and write it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

PLACE = re.compile(r"\{(\w+)\}")
READ = frozenset({"since", "page", "offset", "cursor", "size"})
FETCH = frozenset({"ids", "id"})
FIND = frozenset({"reference"})
WRITE = frozenset({"id", "reference", "version", "key"})
Outcome = Literal["rejected", "unavailable", "denied", "conflict", "unknown", "absent"]


def _path(text: str) -> str:
    if not all(text.split(".")):
        raise ValueError("is a path such as result.party: names of the WSDL with dots between")
    return text


Path_ = Annotated[str, AfterValidator(_path)]


class Block(BaseModel):
    """A part of the configuration: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Call(Block):
    """One operation with its arguments; `{…}` in a text stands for what the engine knows."""

    operation: str = Field(min_length=1)
    arguments: dict[str, Any] = Field(default_factory=dict)

    def places(self) -> set[str]:
        """The names in braces among the arguments."""
        return {name for text in _texts(self.arguments) for name in PLACE.findall(text)}


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


class Read(Call):
    """How records are listed."""

    records: Path_
    paging: Literal["none", "page", "offset", "cursor"] = "none"
    size: int = Field(default=200, ge=1, le=10_000)
    first: int = Field(default=1, ge=0, le=1)
    sorted: bool = True
    total: Path_ | None = None
    cursor: Path_ | None = None
    done: Path_ | None = None
    begin: str | None = None
    more: Call | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        known = self.places() | (self.more.places() if self.more else set())
        known_places(known, READ, "read")
        if self.paging in ("page", "offset", "cursor") and self.paging not in known:
            raise ValueError(f"paging: {self.paging} needs an argument that is {{{self.paging}}}")
        if self.paging == "cursor" and self.cursor is None:
            raise ValueError("paging: cursor needs `cursor`, the path of the next one in the reply")
        if self.more is not None and self.paging != "cursor":
            raise ValueError("`more` is the operation that goes on with a cursor: it needs `paging: cursor`")
        return self


class Fetch(Call):
    """How records are asked for by id: all `{ids}` at once, or one `{id}` per call."""

    records: Path_
    batch: int = Field(default=100, ge=1, le=2000)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        known_places(self.places(), FETCH, "fetch")
        if len(self.places()) != 1:
            raise ValueError("fetch needs one argument that is {ids} or {id}")
        return self


class Find(Call):
    """How a record is found by our reference."""

    records: Path_

    @model_validator(mode="after")
    def _sound(self) -> Self:
        known_places(self.places(), FIND, "find")
        if "reference" not in self.places():
            raise ValueError("find needs an argument that is {reference}")
        return self


class Save(Call):
    """How a record is written: where it stands in the request, and what the reply tells."""

    body: Path_
    send: Literal["all", "changed"] = "all"
    id: Path_ | None = None
    version: Path_ | None = None
    created: Path_ | None = None
    record: Path_ | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        known_places(self.places(), WRITE, "a write")
        return self


class Remove(Call):
    """How a record is deleted or cancelled."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        known_places(self.places(), WRITE, "a delete")
        if "id" not in self.places() and "reference" not in self.places():
            raise ValueError("this needs an argument that is {id} or {reference}")
        return self


def known_places(found: set[str], known: frozenset[str], what: str) -> None:
    """ValueError if there is a place that nothing fills."""
    for name in sorted(found - known):
        places = ", ".join(f"{{{each}}}" for each in sorted(known))
        raise ValueError(f"{{{name}}} is not known in {what}; known are {places}")


class Flag(Block):
    """A field that says that a record is deleted; without `values` true, 1 and true-like texts say so."""

    field: Path_
    values: tuple[str | bool | int, ...] = (True,)


class Lines(Block):
    """The lines of a document: a repeated element of the record."""

    path: Path_
    key: str = Field(min_length=1)
    reference: str = Field(min_length=1)
    cancelled: dict[str, str | int | bool] | None = None


class Rule(Block):
    """What a fault, or a value in a reply, means."""

    fault: str | None = None
    path: Path_ | None = None
    value: str | int | bool | None = None
    outcome: Outcome = Field(alias="is")
    message: Path_ | None = None
    hint: str = ""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.fault is None) == (self.path is None):
            raise ValueError("give either `fault`, or `path` with `value`")
        if (self.path is None) != (self.value is None):
            raise ValueError("`path` and `value` belong together")
        return self


class SoapEntity(Block):
    """One entity: its record, and the operations that read and write it."""

    key: Path_
    stamp: Path_ | None = None
    version: Path_ | None = None
    reference: Path_ | None = None
    deleted: Annotated[
        Flag | None, BeforeValidator(lambda value: {"field": value} if isinstance(value, str) else value)
    ] = None
    read: Read | None = None
    fetch: Fetch | None = None
    find: Find | None = None
    create: Save | None = None
    update: Save | None = None
    upsert: Save | None = None
    delete: Remove | None = None
    cancel: Remove | None = None
    lines: Lines | None = None
    ignored: tuple[str, ...] = ()
    overlap: int | None = Field(default=None, ge=0)

    @property
    def snapshot(self) -> bool:
        """Whether it is read whole, for want of a change stamp that the service filters by."""
        return self.read is not None and (self.stamp is None or "since" not in self.read.places())

    @model_validator(mode="after")
    def _sound(self) -> Self:
        writes = [each for each in (self.create, self.update, self.upsert) if each is not None]
        if self.read is None and not writes:
            raise ValueError("an entity needs `read`, or something that writes it")
        if self.upsert is not None and self.create is not None:
            raise ValueError("give either `upsert` or `create`")
        if self.read is not None and "since" in self.read.places() and self.stamp is None:
            raise ValueError("an argument that is {since} needs `stamp`, the field that it compares")
        held = any("reference" in each.places() for each in writes)
        if writes and self.reference is None and not held:
            raise ValueError("`reference` is needed where something is written: the field for our own reference")
        if (self.update or self.delete or self.cancel) and not (self.create or self.upsert):
            raise ValueError("`update`, `delete` and `cancel` need `create` or `upsert`")
        return self
