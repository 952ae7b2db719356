"""The rules that can be written: great-expectations' own words, as the models that a rule's file is checked against.

Where great-expectations has a setting that this file lacks, it is refused by name rather than silently ignored.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

Severity = Literal["critical", "warning", "info"]
Scalar = str | int | bool | None
Bound = Annotated[str | int | Decimal, WithJsonSchema({"type": ["number", "string"]})]
Value = Annotated[str | int | bool | Decimal, WithJsonSchema({"type": ["string", "number", "boolean"]})]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else [value]


_ONE: dict[str, Any] = {"type": ["string", "integer", "boolean", "null"]}
Values = Annotated[
    tuple[Scalar, ...], BeforeValidator(_listed), WithJsonSchema({"anyOf": [_ONE, {"type": "array", "items": _ONE}]})
]


class Expectation(BaseModel):
    """What every rule may say besides its own arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    type: str = Field(
        description="The expectation, by its name in great-expectations.",
        examples=["expect_column_values_to_not_be_null"],
    )
    name: str = Field(
        "",
        max_length=120,
        description="What the rule is called in results and trends; default: its type and columns.",
        examples=["an order has lines"],
    )
    severity: Severity = Field(
        "critical",
        description="critical does what the flow's on_fail says; warning and info are noted, and the record goes on.",
        examples=["warning"],
    )
    when: dict[str, Values] = Field(
        default_factory=dict,
        description="Look only at rows whose canonical value at each path is one of these (a row condition, as data).",
        examples=[{"status": ["confirmed"]}],
    )
    notes: str = Field(
        "",
        description="What is wrong when it fails, for people; without the value.",
        examples=["The price is below 0."],
    )
    hint: str = Field("", description="What to do now.", examples=["Correct the price in the ERP."])
    meta: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Anything of your own; kept with the results.",
        examples=[{"since": "2026-11"}],
    )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it looks at, as they are written."""
        return tuple(
            one
            for word in ("column", "column_A", "column_B", "column_list")
            for one in _listed(getattr(self, word, ()) or ())
        )


class _Map(Expectation):
    mostly: Annotated[Decimal | int, WithJsonSchema({"type": "number"})] = Field(
        Decimal(1),
        gt=0,
        le=1,
        description=(
            "The share of rows that must satisfy it, above 0 and up to 1. Below 1 a single message cannot break it:"
            " the gate decides."
        ),
        examples=[0.95],
    )


class _OfColumn(_Map):
    column: str = Field(
        description="Canonical path; through a list it is looked at element by element.",
        examples=["lines[].quantities.ordered.value"],
    )


class NotNull(_OfColumn):
    """The value is there and not null."""

    type: Literal["expect_column_values_to_not_be_null"]


class Null(_OfColumn):
    """The value is missing or null."""

    type: Literal["expect_column_values_to_be_null"]


class _Set(_OfColumn):
    value_set: list[Value] | Known = Field(
        description="The values; or {known: ENTITY}: at the gate, records of that entity which are known here.",
        examples=[["active", "blocked"], {"known": "product"}],
    )


class Known(BaseModel):
    """The records of an entity that are known here when the gate looks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    known: str = Field(description="A canonical entity.", examples=["product"])


class InSet(_Set):
    """The value is one of these."""

    type: Literal["expect_column_values_to_be_in_set"]


class NotInSet(_OfColumn):
    """The value is none of these."""

    type: Literal["expect_column_values_to_not_be_in_set"]
    value_set: list[Value] = Field(description="The values.", examples=[["TEST", "DUMMY"]])


class _Regex(_OfColumn):
    regex: str = Field(
        max_length=500,
        description="A regular expression of Python, searched for anywhere in the value unless ^ and $ hold it.",
        examples=["^[A-Z]{2}$"],
    )


class MatchRegex(_Regex):
    """The pattern is found in the value."""

    type: Literal["expect_column_values_to_match_regex"]


class NotMatchRegex(_Regex):
    """The pattern is not found in the value."""

    type: Literal["expect_column_values_to_not_match_regex"]


class _Between(BaseModel):
    min_value: Bound | None = Field(None, description="The least value that is right.", examples=[0])
    max_value: Bound | None = Field(None, description="The greatest value that is right.", examples=[100])
    strict_min: bool = Field(False, description="True: `min_value` itself is wrong.", examples=[True])
    strict_max: bool = Field(False, description="True: `max_value` itself is wrong.", examples=[True])

    @model_validator(mode="after")
    def _some(self) -> _Between:
        if self.min_value is None and self.max_value is None:
            raise ValueError("min_value or max_value is needed")
        return self


class Between(_Between, _OfColumn):
    """The value lies between two others; decimals compare exactly, instants by their day in UTC."""

    type: Literal["expect_column_values_to_be_between"]


class LengthsBetween(_Between, _OfColumn):
    """The length of the value in characters lies between two numbers."""

    type: Literal["expect_column_value_lengths_to_be_between"]
    min_value: int | None = Field(None, ge=0, description="The least length.", examples=[1])
    max_value: int | None = Field(None, ge=0, description="The greatest length.", examples=[35])


class OfType(_OfColumn):
    """The value is of a type of JSON: text, whole number, or true and false."""

    type: Literal["expect_column_values_to_be_of_type"]
    type_: Literal["str", "int", "bool"] = Field(description="str, int or bool.", examples=["str"])


class StrftimeFormat(_OfColumn):
    """The value is a date or time written in a format of `strftime`."""

    type: Literal["expect_column_values_to_match_strftime_format"]
    strftime_format: str = Field(max_length=60, description="The format.", examples=["%Y-%m-%d"])


class _OfPair(_Map):
    column_A: str = Field(description="Canonical path.", examples=["requested_on"])  # noqa: N815 - their name for it
    column_B: str = Field(description="Canonical path.", examples=["ordered_on"])  # noqa: N815 - their name for it
    ignore_row_if: Literal["either_value_is_missing", "both_values_are_missing"] = Field(
        "either_value_is_missing",
        description="Rows that are left out; a row with one value missing fails under both_values_are_missing.",
        examples=["both_values_are_missing"],
    )


class PairGreater(_OfPair):
    """Column A is greater than column B."""

    type: Literal["expect_column_pair_values_a_to_be_greater_than_b"]
    or_equal: bool = Field(False, description="True: equal is right too.", examples=[True])


class PairEqual(_OfPair):
    """Column A equals column B; `sum(lines[].net.amount)` may stand for a column."""

    type: Literal["expect_column_pair_values_to_be_equal"]


class Unique(_OfColumn):
    """No other row of the batch has the same value."""

    type: Literal["expect_column_values_to_be_unique"]


class CompoundUnique(_Map):
    """No other row of the batch has the same values in all of these columns."""

    type: Literal["expect_compound_columns_to_be_unique"]
    column_list: list[str] = Field(
        min_length=2, max_length=10, description="Canonical paths.", examples=[["product.ref", "site"]]
    )


class RowCount(_Between, Expectation):
    """The batch has as many records."""

    type: Literal["expect_table_row_count_to_be_between"]
    min_value: int | None = Field(None, ge=0, description="The least number of records.", examples=[1])
    max_value: int | None = Field(None, ge=0, description="The greatest number of records.", examples=[100000])


_Set.model_rebuild()

PER_ROW: tuple[type[Expectation], ...] = (
    NotNull, Null, InSet, NotInSet, MatchRegex, NotMatchRegex, Between, LengthsBetween, OfType, StrftimeFormat,
    PairGreater, PairEqual,
)  # fmt: skip
"""What a single message can be held to: both executors know these, and give the same verdict."""

PER_BATCH: tuple[type[Expectation], ...] = (Unique, CompoundUnique, RowCount)
"""What only a batch can be held to: the gate knows these."""


def type_of(model: type[Expectation]) -> str:
    """The name of an expectation in great-expectations."""
    (name,) = model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]  # a Literal of one word
    return str(name)


VOCABULARY: dict[str, type[Expectation]] = {type_of(model): model for model in (*PER_ROW, *PER_BATCH)}
