"""What an sObject and its fields are, and short ways to declare them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from sandbox._base import Collection

FieldType = Literal[
    "id", "string", "textarea", "boolean", "int", "double", "currency", "percent", "date", "datetime",
    "picklist", "reference", "phone", "url", "email", "address",
]  # fmt: skip
TEXTUAL = frozenset({"string", "textarea", "picklist", "phone", "url", "email"})
NUMERIC = frozenset({"int", "double", "currency", "percent"})
OnDelete = Literal["cascade", "restrict", "clear"]


@dataclass(frozen=True)
class Field:
    """One field as `describe` tells it, with the sandbox's own rules for it."""

    name: str
    type: FieldType
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    createable: bool = True
    updateable: bool = True
    external_id: bool = False
    unique: bool = False
    filterable: bool = True
    values: tuple[str, ...] = ()
    restricted: bool = False
    references: str | None = None
    relationship: str | None = None
    children: str | None = None
    on_delete: OnDelete = "clear"
    default: Any = None
    auto: str | None = None

    @property
    def custom(self) -> bool:
        """Whether the field was added by the org."""
        return self.name.endswith("__c")

    @property
    def indexed(self) -> bool:
        """Whether the sandbox keeps a column and an index for it."""
        followed = self.type == "reference" and self.references != "User"
        return self.external_id or self.unique or followed or self.name in INDEXED

    @property
    def label(self) -> str:
        """The name a user sees."""
        return self.name.removesuffix("__c").replace("_", " ")


INDEXED = frozenset(
    {"Name", "CreatedDate", "LastModifiedDate", "SystemModstamp", "IsDeleted", "OrderNumber", "ProductCode", "PoNumber"}
    | {"StockKeepingUnit", "AccountNumber", "EffectiveDate", "Status", "Tax_Id__c", "Product_Code__c", "Username"}
)


@dataclass(frozen=True)
class Child:
    """A child relationship seen from the parent."""

    sobject: str
    field: str
    name: str | None
    on_delete: OnDelete


@dataclass(frozen=True)
class SObject:
    """One object: its key prefix and its fields; `fields` is by exact name, `find` ignores case."""

    name: str
    prefix: str
    declared: tuple[Field, ...]
    writable: bool = True
    labels: tuple[str, str] = field(default=("", ""))

    @cached_property
    def fields(self) -> dict[str, Field]:
        """All fields by name, system fields first."""
        return {each.name: each for each in (*SYSTEM, *self.declared)}

    @cached_property
    def _folded(self) -> dict[str, Field]:
        return {name.lower(): each for name, each in self.fields.items()}

    @cached_property
    def parents(self) -> dict[str, Field]:
        """Reference fields by their relationship name in lower case."""
        return {each.relationship.lower(): each for each in self.fields.values() if each.relationship}

    @cached_property
    def stored(self) -> tuple[Field, ...]:
        """The fields that documents hold (a compound address is made from its parts)."""
        return tuple(each for each in self.fields.values() if each.type != "address")

    @property
    def custom(self) -> bool:
        """Whether the org added the object."""
        return self.name.endswith("__c")

    def find(self, name: str) -> Field | None:
        """A field by its name in any case."""
        return self._folded.get(name.lower())

    def collection(self) -> Collection:
        """The table that keeps the records."""
        indexed = [each for each in self.stored if each.indexed]
        # IsDeleted is in every index, so that the ids of a query come from the index alone
        spans = [(each.name, "_id", *([] if each.name == "IsDeleted" else ["IsDeleted"])) for each in indexed]
        nocase = frozenset(each.name for each in indexed if each.type in TEXTUAL)
        return Collection(self.name, tuple(each.name for each in indexed), nocase, tuple(spans))


def text(name: str, length: int, **more: Any) -> Field:
    """A text field."""
    return Field(name, "string", length, **more)


def long_text(name: str, length: int = 32000, **more: Any) -> Field:
    """A long text that no query can filter by."""
    return Field(name, "textarea", length, filterable=False, **more)


def picklist(name: str, *values: str, **more: Any) -> Field:
    """A choice; unless restricted, any text up to 255 characters is taken, as in a real org."""
    return Field(name, "picklist", 255, values=values, **more)


def number(name: str, precision: int = 18, scale: int = 2, **more: Any) -> Field:
    """A decimal number, rounded half-up to its scale when written."""
    return Field(name, "double", precision=precision, scale=scale, **more)


def currency(name: str, **more: Any) -> Field:
    """An amount with two decimals."""
    return Field(name, "currency", precision=18, scale=2, **more)


def checkbox(name: str, default: bool = False, **more: Any) -> Field:
    """A boolean, never null."""
    return Field(name, "boolean", default=default, **more)


def lookup(name: str, target: str, children: str | None = None, **more: Any) -> Field:
    """A reference; its relationship is named as Salesforce names it."""
    relationship = name[:-1] + "r" if name.endswith("__c") else name.removesuffix("Id")
    return Field(name, "reference", 18, references=target, relationship=relationship, children=children, **more)


def external_key(name: str, length: int = 64, *, unique: bool = False) -> Field:
    """An external id field."""
    return text(name, length, external_id=True, unique=unique)


def read_only(each: Field) -> Field:
    """The same field, set by Salesforce alone."""
    return replace(each, createable=False, updateable=False)


SYSTEM: tuple[Field, ...] = (
    read_only(Field("Id", "id", 18, required=True)),
    read_only(checkbox("IsDeleted")),
    read_only(Field("CreatedDate", "datetime", required=True)),
    read_only(lookup("CreatedById", "User")),
    read_only(Field("LastModifiedDate", "datetime", required=True)),
    read_only(lookup("LastModifiedById", "User")),
    read_only(Field("SystemModstamp", "datetime", required=True)),
)
