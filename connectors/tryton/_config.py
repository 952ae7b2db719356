"""How to reach one Tryton database, and what our records look like there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, field_validator

from connectors.tryton._sources import SOURCES
from landbridge.connector import Config
from landbridge.net import Url
from landbridge.secrets import Secret
from landbridge.settings import Duration

NOTE, IDENTIFIER = "note", "identifier"
REFERENCES = {
    "customer": IDENTIFIER,
    "supplier": IDENTIFIER,
    "product": IDENTIFIER,
    "sales_order": NOTE,
    "purchase_order": NOTE,
}
_NOT_OURS = {
    "reference": "the customer's or supplier's own number and repeats",
    "number": "Tryton's own number",
    "code": "Tryton's own number",
}


class TrytonConfig(Config):
    """One database of one Tryton server, 7.0 or later, as the company that its user works for."""

    url: Url = Field(description="Address of the server, without the database.", examples=["https://erp.acme.example"])
    database: str = Field(
        pattern=r"^[A-Za-z0-9_.\-]+$", description="Name of the database, as at the login.", examples=["acme"]
    )
    user: str = Field(min_length=1, description="Login of the integration user.", examples=["landbridge"])
    password: Secret = Field(description="Its password.", examples=["env:TRYTON_PASSWORD"])
    language: str = Field(
        default="en", description="Language of names and of messages; units are looked up in it.", examples=["en"]
    )
    page: int = Field(default=200, ge=1, le=2000, description="Records in one page.", examples=[200])
    batch: int = Field(
        default=50, ge=1, le=500, description="Most records in one call, one transaction.", examples=[50]
    )
    settle: Duration = Field(
        default=timedelta(minutes=5),
        description="How long after an unknown outcome Tryton may still commit.",
        examples=["5m"],
    )
    overlap: Duration = Field(
        default=timedelta(minutes=5),
        description="How far a cursor looks back: the longest transaction.",
        examples=["5m"],
    )
    reference: Mapping[str, str] = Field(
        default_factory=dict,
        description="Per entity where our reference stands: `note`, `identifier`, or a text field of the record that "
        "is ours alone; never the customer's own number.",
        examples=[{"sales_order": "landbridge_reference"}],
    )
    line_reference: str = Field(
        default="note", description="The text field of an order's line that carries our line key.", examples=["note"]
    )
    until: Literal["draft", "quote", "confirm", "process"] = Field(
        default="process", description="How far an order is taken that we write.", examples=["process"]
    )
    warnings: Literal["reject", "confirm"] = Field(
        default="reject",
        description="What a question is answered with that Tryton would ask a person before it goes on.",
        examples=["confirm"],
    )
    domain: Mapping[str, list[Any]] = Field(
        default_factory=dict,
        description="Per entity, which records are read, in Tryton's own domain language.",
        examples=[{"supplier": [["categories.name", "=", "Supplier"]]}],
    )
    fields: Mapping[str, list[str]] = Field(
        default_factory=dict,
        description="Per entity, fields to read beside the usual ones, dotted where they belong to another record.",
        examples=[{"sales_order": ["carrier.party.name"]}],
    )
    defaults: Mapping[str, Mapping[str, Any]] = Field(
        default_factory=dict,
        description="Per entity, fields of a new record that the mapping leaves out.",
        examples=[{"product": {"template": {"account_category": {"name": "Goods"}}}}],
    )
    warehouses: tuple[str, ...] = Field(
        default=(),
        description="Codes of the warehouses whose stock is read, each a snapshot; all by default.",
        examples=[["WH"]],
    )
    entities: tuple[str, ...] = Field(
        default=(),
        description="The entities that are used: rights and modules of the others are not asked for; all by default.",
        examples=[["customer"]],
    )
    deletions: bool = Field(
        default=True,
        description="Read deletions from Tryton's log of changes (`ir.model.log`); the user must be allowed to.",
        examples=[True],
    )

    @field_validator("reference")
    @classmethod
    def _ours_alone(cls, value: Mapping[str, str]) -> Mapping[str, str]:
        for entity, field in value.items():
            if entity not in REFERENCES:
                raise ValueError(f"'{entity}' is not written; written are {', '.join(REFERENCES)}")
            if field in _NOT_OURS:
                raise ValueError(f"{field} is {_NOT_OURS[field]}; choose note, identifier or a field of ours")
            if field == IDENTIFIER and REFERENCES[entity] != IDENTIFIER:
                raise ValueError(f"{entity} has no identifiers; choose note or a field of ours")
        return value

    @field_validator("entities")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entity in value:
            if entity not in SOURCES:
                raise ValueError(f"'{entity}' is not known here; known are {', '.join(SOURCES)}")
        return value

    def reference_of(self, entity: str) -> str:
        """Where an entity carries our reference."""
        return self.reference.get(entity) or REFERENCES[entity]
