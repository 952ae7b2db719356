"""The file config/mdm/<entity>.yaml as it is written; one declaration gives validation and the editor's schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from mdm.declaration import Call, Level, Rule
from mdm.declare import _short as short

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Part(BaseModel):
    """What every part of the file has in common: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)


def _measured(names: tuple[str, ...], kind: dict[str, Any], also: list[dict[str, Any]]) -> dict[str, Any]:
    single = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    return {"oneOf": [*also, {**single, "properties": dict.fromkeys(names, kind)}]}


Calls = Annotated[
    tuple[Call, ...],
    BeforeValidator(short.calls),
    WithJsonSchema({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
LevelOf = Annotated[
    Level,
    BeforeValidator(short.level),
    WithJsonSchema(_measured(short.TESTS[1:], {"type": "number"}, [{"const": "exact"}])),
]
RuleOf = Annotated[
    Rule,
    BeforeValidator(short.rule),
    WithJsonSchema(
        {
            "oneOf": [
                {"enum": list(short.PLAIN_RULES)},
                _measured(("priority",), {"type": "array", "items": {"type": "string"}, "minItems": 1}, [])["oneOf"][0],
                _measured(("recent",), {"type": "string"}, [])["oneOf"][0],
            ]
        }
    ),
]
PartOf = Annotated[
    tuple[str, int | None],
    BeforeValidator(short.part),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 100},
                },
            ]
        }
    ),
]


def _one_or_more(written: Any) -> Any:
    return [written] if isinstance(written, str) or (isinstance(written, dict) and written) else written


Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class ColumnEntry(_Part):
    """One compared column; short: `path | normaliser | normaliser(argument)`."""

    source: Texts = Field(
        alias="from",
        min_length=1,
        description="Canonical paths; the first that gives a value counts, or all of them with `many`.",
        examples=["name", ["phones[].number", "addresses[].phone"]],
    )
    normalise: Calls = Field(
        (),
        description="Normalisers that make values comparable, in order; a value that one refuses counts as none.",
        examples=["company | pinyin"],
    )
    where: dict[str, Texts] = Field(
        default_factory=dict,
        description="Of the elements of a list only those whose field has one of these values.",
        examples=[{"scheme": ["vat", "uscc"]}],
    )
    many: bool = Field(False, description="Keep every value instead of the first.", examples=[True])
    personal: bool | None = Field(
        None, description="Whether its values tell about a person; default: as the canonical fields say."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, written: Any) -> Any:
        if not isinstance(written, str):
            return written
        path, calls = short.split_pipe(written)
        if "|" in written and not calls:
            raise ValueError("a normaliser is missing after the |")
        return {"from": path, **({"normalise": calls} if calls else {})}


class ComparisonEntry(_Part):
    """How two records are compared in one column; short: the list of levels."""

    levels: tuple[LevelOf, ...] = Field(
        min_length=1,
        max_length=8,
        description="Steps of agreement, the strictest first; what none of them says is disagreement.",
        examples=[["exact", {"jaro_winkler": 0.92}]],
    )
    frequency: bool = Field(False, description="Rare values weigh more than common ones.", examples=[True])
    unique: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="How often two different records agree exactly, where it is known; sampling never sees it.",
        examples=[0.000001],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_short(cls, written: Any) -> Any:
        whole = {"levels": written} if isinstance(written, list | str) else written
        if isinstance(whole, dict) and isinstance(whole.get("levels"), str):
            return {**whole, "levels": [whole["levels"]]}
        return whole


class IdentifierEntry(_Part):
    """What equal and what different identifiers prove; a value with bad check digits counts as none."""

    same: float | None = Field(
        None,
        gt=0,
        description="Equal values link two records with this weight in bits, whatever else says.",
        examples=[20],
    )
    apart: bool = Field(
        False, description="Two different valid values cannot be one record, unless a steward says so.", examples=[True]
    )

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, written: Any) -> Any:
        return {} if written is None else written


class ThresholdsEntry(_Part):
    """Weights in bits (log2 of the odds that two records are one)."""

    auto: float = Field(description="From here on two records are linked.", examples=[8])
    review: float = Field(description="From here on a steward is asked; below, the pair is dropped.", examples=[2])


class GuardEntry(_Part):
    """What keeps a bad rule from linking everything."""

    members: int = Field(200, ge=2, description="A component of more records goes to review whole.", examples=[200])
    density: float = Field(
        0.3, ge=0, le=1,
        description="So does one of ten and more records of whose pairs a smaller share is linked.", examples=[0.3],
    )  # fmt: skip
    hot: int = Field(
        500, ge=2, description="A block key of more records finds no candidates, and is reported.", examples=[500]
    )


class SurvivorEntry(_Part):
    """How one attribute, or attributes that go together, find the golden value."""

    attributes: Texts = Field(
        min_length=1,
        description="Top-level fields of the canonical body; several are a group and come from one record.",
        examples=[["name", "legal_name"], "addresses"],
    )
    chain: tuple[RuleOf, ...] = Field(
        min_length=1,
        description="Rules in order; each narrows the records that may win, or decides.",
        examples=[[{"priority": ["erp", "crm"]}, {"recent": "180d"}, "complete"]],
    )


class PublishEntry(_Part):
    """What a system is told of golden records. Ownership and the `when` of a flow hold beside it."""

    attributes: Texts | None = Field(
        None, min_length=1, description="Top-level fields that it is told; default: all.",
        examples=[["name", "addresses"]],
    )  # fmt: skip
    quality: float = Field(
        0, ge=0, le=1,
        description="A golden record of less quality is not created there; one it has already is told in any case.",
        examples=[0.5],
    )  # fmt: skip


def _parts(written: Any) -> Any:
    return written if isinstance(written, list | tuple) else [written]


BlockOf = Annotated[
    tuple[PartOf, ...],
    BeforeValidator(_parts),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string"},
                {"type": "object", "minProperties": 1, "maxProperties": 1},
                {"type": "array", "minItems": 1, "items": {"type": ["string", "object"]}},
            ]
        }
    ),
]


class DeclarationFile(_Part):
    """How records of one entity are compared, grouped and merged into golden records."""

    entity: Name = Field(description="The canonical entity.", examples=["customer"])
    summary: str = Field("", description="What it is for, in a sentence.", examples=["One record of every customer."])
    scoring: Literal["fellegi_sunter", "titles"] = Field(
        "fellegi_sunter",
        description="`fellegi_sunter` for people and companies with several columns, `titles` for products.",
    )
    columns: dict[Name, ColumnEntry] = Field(
        min_length=1, description="What is compared, by a name of its own.", examples=[{"name": "name | company"}]
    )
    identifiers: dict[str, IdentifierEntry] = Field(
        default_factory=dict,
        description="Columns that hold identifiers.",
        examples=[{"vat": {"same": 20, "apart": True}}],
    )
    blocks: tuple[BlockOf, ...] = Field(
        (),
        description="Records that agree in all parts of one of these are compared.",
        examples=[["vat", [{"name": 6}, "city"]]],
    )
    comparisons: dict[str, ComparisonEntry] = Field(
        min_length=1, description="How columns are compared.", examples=[{"name": ["exact", {"jaro_winkler": 0.92}]}]
    )
    thresholds: ThresholdsEntry = Field(
        description="Where linking and asking begin.", examples=[{"auto": 8, "review": 2}]
    )
    guard: GuardEntry = Field(default_factory=GuardEntry, description="Limits that stop a bad rule.")
    placeholders: tuple[str, ...] = Field(
        (), description="Normalised values that say nothing, beyond those the hub knows.", examples=[["000000000"]]
    )
    survivorship: tuple[SurvivorEntry, ...] = Field((), description="Where golden values come from.")
    others: tuple[RuleOf, ...] = Field(
        (Rule("recent"), Rule("complete")),
        min_length=1,
        description="The chain of attributes that `survivorship` does not name.",
        examples=[["recent", "complete"]],
    )
    parent: str | None = Field(
        None,
        description="The field that refers to the record above: a relation, no reason to merge.",
        examples=["parent"],
    )
    publish: dict[str, PublishEntry] = Field(
        default_factory=dict,
        description="What a system is told of golden records, or each that is not named (`*`); default: everything.",
        examples=[{"*": {"quality": 0.5}, "shop": {"attributes": ["name", "addresses"]}}],
    )
    one_to_one: bool = Field(
        False, description="Each system holds a record once: never two of one system in one golden record."
    )
