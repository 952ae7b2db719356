"""How to reach one database, and which table or statement each entity is."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy import text

from landbridge.connector import Config
from landbridge.secrets import Secret


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is no time zone; write one such as Europe/Berlin or UTC")
    return name


Zone = Annotated[str, AfterValidator(_zone)]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
Scalar = str | int | bool | None


class Block(BaseModel):
    """A part of the configuration: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Flag(Block):
    """A column that says that a row is deleted; without `values` whatever is not null, false or 0 says so."""

    column: str = Field(min_length=1)
    values: tuple[Scalar, ...] = ()


class LinesTable(Block):
    """The child table of a document: its rows are read into the native body and written by our line key."""

    table: str = Field(min_length=1)
    parent: Names = Field(min_length=1, description="Foreign key columns, in the order of the document's key.")
    key: str = Field(min_length=1, description="The line's own number: unique, or unique within its document.")
    reference: str | None = None
    under: str = "lines"
    columns: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    cancel: dict[str, Scalar] = Field(default_factory=dict, description="Columns of a cancelled line; empty: deleted.")


class Staging(Block):
    """An interface table that another program empties: rows are only inserted, one per version of a record."""

    sequence: str = Field(min_length=1, description="Integer column for our version; unique with the reference.")
    action: str | None = None


class TableEntity(Block):
    """One entity: where it is read, how changes are seen, what is written."""

    table: str | None = Field(default=None, min_length=1)
    statement: str | None = None
    key: Names = Field(min_length=1)
    changed: Names = ()
    nulls: Literal["refuse", "epoch"] = "refuse"
    deleted: Annotated[
        Flag | None, BeforeValidator(lambda value: {"column": value} if isinstance(value, str) else value)
    ] = None
    columns: tuple[str, ...] = ()
    lines: LinesTable | None = None
    reference: str | None = None
    write: tuple[str, ...] = ()
    version: str | None = None
    staging: Staging | None = None
    policies: dict[str, dict[str, Scalar]] = Field(default_factory=dict)
    zone: Zone | None = None
    overlap: int | None = Field(default=None, ge=0)

    @property
    def writable(self) -> bool:
        """Whether our reference has a place, without which nothing is written."""
        return self.reference is not None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.table is None) == (self.statement is None):
            raise ValueError("give either `table` or `statement`")
        if self.statement is not None:
            if self.writable or self.lines:
                raise ValueError("a statement is only read; `reference` and `lines` need a `table`")
            if ";" in self.statement:
                raise ValueError("a statement is one SELECT, without a semicolon")
            unknown = sorted(set(text(self.statement)._bindparams) - {"since"})
            if unknown:
                raise ValueError(f"the only parameter of a statement is :since, not :{unknown[0]}")
            if ":since" in self.statement and not self.changed:
                raise ValueError("a statement with :since needs `changed`, the column that it compares")
        if self.lines is not None and len(self.lines.parent) != len(self.key):
            raise ValueError("`lines.parent` has as many columns as `key`")
        if self.writable and self.lines is not None and self.lines.reference is None:
            raise ValueError("`lines.reference` is needed where documents are written: the column for our line key")
        if (self.write or self.version or self.staging or self.policies) and not self.writable:
            raise ValueError("`reference` is needed where something is written: the column for our own reference")
        return self


class SqlConfig(Config):
    """How to reach one database, and which table or statement each entity is."""

    speaks_http: ClassVar[bool] = False

    url: Secret = Field(
        description="Where the database's URL lies: `postgresql://user:password@host:5432/name`, `mysql://`, "
        "`mariadb://`, `oracle://` or `sqlite:////path/file.db`; TLS is asked for in its query.",
        examples=["env:ERP_DATABASE_URL"],
    )
    db_schema: str | None = Field(
        default=None, alias="schema", description="Schema of all tables; the user's own by default.", examples=["erp"]
    )
    entities: dict[str, TableEntity] = Field(
        min_length=1,
        description="Each canonical entity with its table or statement; see below.",
        examples=[{"customer": {"table": "partners", "key": "id", "changed": "updated_at", "zone": "UTC"}}],
    )
    zone: Zone | None = Field(
        default=None,
        description="Time zone of stamps without one; an entity may say another. Needed where there are such columns.",
        examples=["Europe/Berlin"],
    )
    page_size: int = Field(default=2000, ge=1, le=50_000, description="Rows per page.", examples=[2000])
    batch: int = Field(default=200, ge=1, le=5000, description="Writes in one transaction.", examples=[200])
    overlap: int = Field(
        default=300, ge=0, description="Seconds read again: longest transaction of the writers.", examples=[300]
    )
    settle: int = Field(
        default=300,
        ge=1,
        description="Seconds after which a commit without an answer has happened or never will.",
        examples=[300],
    )
    isolation: Literal["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"] | None = Field(
        default=None,
        description="Isolation level of writes; the server's default where not given.",
        examples=["SERIALIZABLE"],
    )
    binary: Literal["refuse", "base64"] = Field(
        default="refuse", description="What binary columns become: an error, or base64 text.", examples=["base64"]
    )

    def zone_of(self, entity: TableEntity) -> ZoneInfo | None:
        """The zone of an entity's naive stamps; None where it was not said."""
        name = entity.zone or self.zone
        return ZoneInfo(name) if name else None
