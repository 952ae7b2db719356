"""How to reach one REST API, and how each entity is read and written there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from connectors.declarative._block import (
    At,
    Block,
    Check,
    Condition,
    Errors,
    FieldAt,
    FieldEntry,
    Flag,
    LinesAt,
    Scalar,
    Stamp,
    StampFormat,
    Texts,
    Zone,
    check_places,
    placeholders,
)
from landbridge.connector import Config
from landbridge.net import Auth, NoAuth, Url


class _Paging(Block):
    size: int = Field(default=100, ge=1, le=50_000)
    limit: FieldAt | None = None
    total: At | None = None
    more: At | None = None


class Offset(_Paging):
    """`?offset=200&limit=100`."""

    type: Literal["offset"]
    offset: FieldAt = "offset"
    limit: FieldAt | None = "limit"
    start: int = 0
    ends: Literal["empty", "short"] = "empty"


class PageNumber(_Paging):
    """`?page=3&per_page=100`."""

    type: Literal["page"]
    page: FieldAt = "page"
    limit: FieldAt | None = "per_page"
    first: int = 1
    pages: At | None = None
    ends: Literal["empty", "short"] = "empty"


class Cursor(_Paging):
    """`?cursor=abc`: a token from the reply, or the last record's own key."""

    type: Literal["cursor"]
    cursor: FieldAt = "cursor"
    next: At | None = None
    last: At | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.next is None) == (self.last is None):
            raise ValueError("give either `next` (in the reply) or `last` (in the last record)")
        if self.last is not None and self.more is None:
            raise ValueError("`last` needs `more`: what says that there is another page")
        return self


class LinkHeader(_Paging):
    """`Link: <https://...>; rel="next"` (RFC 8288)."""

    type: Literal["link_header"]


class NextLink(_Paging):
    """The address of the next page stands in the body."""

    type: Literal["next_link"]
    next: At = "next"


class OnePage(_Paging):
    """Everything comes at once."""

    type: Literal["none"] = "none"


Paging = Annotated[Offset | PageNumber | Cursor | LinkHeader | NextLink | OnePage, Field(discriminator="type")]


class Changes(Block):
    """The parameters by which only what changed since an instant comes."""

    query: Texts = Field(min_length=1)
    format: StampFormat = "iso"
    zone: Zone | None = None
    inclusive: bool = True
    start: str | None = Field(default=None, pattern=r"^\d{4}-\d\d-\d\dT")

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_places("changes.query", self.query.values(), {"since", "until"})
        if not any("{since}" in text for text in self.query.values()):
            raise ValueError("no parameter of `changes.query` holds {since}")
        return self


class Read(Block):
    """How the records of an entity come."""

    path: str = Field(min_length=1)
    method: Literal["GET", "POST"] = "GET"
    parameters: Literal["query", "body"] = "query"
    query: Texts = Field(default_factory=dict)
    body: dict[str, Any] = Field(default_factory=dict)
    records: At = "."
    paging: Paging = Field(default_factory=OnePage)
    changes: Changes | None = None
    ordered: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_places("read", [self.path, *self.query.values()], set())
        if self.method == "GET" and (self.parameters == "body" or self.body):
            raise ValueError("a GET has no body; say `method: POST`")
        if self.ordered and self.changes is None:
            raise ValueError("`ordered` needs `changes`, the filter that follows the order")
        return self


class Fetch(Block):
    """How records come by id: one by one with `{id}`, or several at once with `{ids}`."""

    path: str = Field(min_length=1)
    query: Texts = Field(default_factory=dict)
    record: At = "."
    records: At | None = None
    batch: int = Field(default=50, ge=1, le=1000)

    @property
    def several(self) -> bool:
        """Whether one call brings several records."""
        return any("{ids}" in text for text in (self.path, *self.query.values()))

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_places("fetch", [self.path, *self.query.values()], {"id", "ids"})
        if self.several and self.records is None:
            raise ValueError("`{ids}` brings several records; say `records`, where they stand")
        if not self.several and not any("{id}" in text for text in (self.path, *self.query.values())):
            raise ValueError("neither `path` nor `query` holds {id} or {ids}")
        return self


class Find(Block):
    """How the record with our reference comes: among `records`, or as the one at `record`."""

    path: str = Field(min_length=1)
    query: Texts = Field(default_factory=dict)
    record: At = "."
    records: At | None = None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        check_places("find", [self.path, *self.query.values()], {"reference"})
        if not any("{reference}" in text for text in (self.path, *self.query.values())):
            raise ValueError("neither `path` nor `query` holds {reference}")
        return self


class _Call(Block):
    method: Literal["POST", "PUT", "PATCH", "DELETE", "MERGE"] = "POST"
    path: str = Field(min_length=1)
    query: Texts = Field(default_factory=dict)
    headers: Texts = Field(default_factory=dict)
    wrap: FieldAt | None = None
    record: At | None = None
    id: At | None = None
    location: bool = False
    idempotency: str | None = Field(default=None, pattern=r"^[A-Za-z0-9-]+$")

    def _check(self, name: str, known: set[str]) -> None:
        check_places(name, [self.path, *self.query.values(), *self.headers.values()], known)


class Create(_Call):
    """A new record."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self._check("create", {"reference"})
        return self


class Upsert(_Call):
    """The record with our reference, made or changed; a repeated call is the same record."""

    method: Literal["POST", "PUT", "PATCH", "DELETE", "MERGE"] = "PUT"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self._check("upsert", {"reference"})
        return self


class Update(_Call):
    """A change of the record with an id."""

    method: Literal["POST", "PUT", "PATCH", "DELETE", "MERGE"] = "PATCH"
    body: Literal["changed", "whole"] = "changed"
    if_match: bool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self._check("update", {"id", "reference"})
        return self


class Delete(_Call):
    """The end of the record with an id."""

    method: Literal["POST", "PUT", "PATCH", "DELETE", "MERGE"] = "DELETE"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        self._check("delete", {"id", "reference"})
        return self


def _short(name: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {name: value} if isinstance(value, (str, list, tuple)) else value)


class RestEntity(Block):
    """One entity: where it is read, how changes are seen, how it is written."""

    native: str | None = Field(default=None, min_length=1)
    key: FieldAt = "id"
    stamp: Annotated[Stamp | None, _short("path")] = None
    deleted: Annotated[Flag | None, _short("path")] = None
    version: At | None = None
    etag: bool = False
    lines: LinesAt | None = None
    reference: FieldAt | None = None
    read: Read | None = None
    fetch: Fetch | None = None
    find: Find | None = None
    create: Create | None = None
    upsert: Upsert | None = None
    update: Update | None = None
    delete: Delete | None = None
    policies: dict[str, dict[str, Scalar]] = Field(default_factory=dict)
    errors: Errors | None = None
    fields: dict[str, FieldEntry] = Field(default_factory=dict)
    schema_name: str | None = Field(default=None, alias="schema")
    ignored: tuple[str, ...] = ()
    overlap: int | None = Field(default=None, ge=0)
    settle: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if wrong := _incomplete(self):
            raise ValueError("; ".join(wrong))
        return self


def _incomplete(entity: RestEntity) -> list[str]:
    """What does not fit together in the declaration of an entity."""
    wrong = []
    if entity.read is None and entity.create is None and entity.upsert is None:
        wrong.append("it is neither read nor written: say `read`, `create` or `upsert`")
    if entity.read is not None and entity.read.changes is not None and entity.stamp is None:
        wrong.append("`read.changes` needs `stamp`, the field that it compares")
    if entity.create is not None and entity.upsert is not None:
        wrong.append("give either `create` or `upsert`")
    if entity.upsert is not None:
        texts = (entity.upsert.path, *entity.upsert.query.values())
        if entity.reference is None and not any("reference" in placeholders(text) for text in texts):
            wrong.append("`upsert` needs `reference`, the field of ours, or {reference} in its path")
    if entity.find is not None and entity.reference is None:
        wrong.append("`find` needs `reference`, the field that holds our reference")
    writes = entity.create or entity.upsert or entity.update
    if writes and entity.lines is not None and entity.lines.reference is None:
        wrong.append("`lines.reference` is needed where documents are written: the field for our line key")
    if entity.etag and entity.version is not None:
        wrong.append("give either `version` or `etag`")
    if entity.update is not None and entity.update.if_match and not (entity.etag or entity.version):
        wrong.append("`update.if_match` needs `etag` or `version`")
    return wrong


class RestConfig(Config):
    """How to reach one REST API, and how each entity is read and written there."""

    url: Url = Field(
        description="Base address; paths without a slash in front stand below it.",
        examples=["https://api.acme.example/v2"],
    )
    auth: Auth = Field(
        default_factory=NoAuth,
        description="How to log in: none, basic, bearer, api_key, oauth2, jwt or hmac.",
        examples=[{"type": "bearer", "token": "env:SHOP_TOKEN"}],
        json_schema_extra={"environment": True},
    )
    headers: Texts = Field(
        default_factory=dict, description="Headers of every request.", examples=[{"Accept-Language": "en"}]
    )
    entities: dict[str, RestEntity] = Field(
        min_length=1,
        description="Each canonical entity with its calls; see below.",
        examples=[{"customer": {"stamp": "updated_at", "read": {"path": "customers", "records": "data"}}}],
    )
    errors: Errors = Field(
        default_factory=Errors,
        description="What the product's errors look like, and what the engine does about each.",
        examples=[{"code": "error.code", "message": "error.message", "outcomes": {"duplicate": "conflict"}}],
    )
    check: Check | None = Field(
        default=None,
        description="The call that says who answers; without it the address counts as the organisation.",
        examples=[{"path": "me", "organisation": "account.id"}],
    )
    openapi: str | None = Field(
        default=None,
        description="The API's OpenAPI document: a path at the system, or `file:` and a path here.",
        examples=["openapi.json", "file:specs/shop.yaml"],
    )
    overlap: int = Field(
        default=300, ge=0, description="Seconds read again: longest transaction plus clock skew.", examples=[300]
    )
    settle: int = Field(
        default=300,
        ge=1,
        description="Seconds after which a call without an answer has had its effect or never will.",
        examples=[300],
    )

    def overlap_of(self, entity: RestEntity) -> int:
        """How far back an entity's cursor looks."""
        return self.overlap if entity.overlap is None else entity.overlap

    def errors_of(self, entity: RestEntity | None) -> Errors:
        """The API's error map, with an entity's own words first."""
        own = entity.errors if entity is not None else None
        if own is None:
            return self.errors
        return Errors(
            when=(*own.when, *self.errors.when),
            code=own.code or self.errors.code,
            message=own.message or self.errors.message,
            wait=own.wait or self.errors.wait,
            outcomes={**self.errors.outcomes, **own.outcomes},
        )


_ENTITIES = TypeAdapter(dict[str, RestEntity])


def written_entities(config: Mapping[str, Any]) -> dict[str, RestEntity]:
    """The entities of a configuration as it is written, its addresses and secrets still unopened."""
    return _ENTITIES.validate_python(config.get("entities", {}))


__all__ = ["Condition", "RestConfig", "RestEntity", "written_entities"]
