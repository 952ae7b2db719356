"""The small parts that declarations are written in: paths, templates, stamps, outcomes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from landbridge.errors import Rejected
from landbridge.translator import Place

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class Block(BaseModel):
    """A part of the configuration: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _sound(text: str) -> str:
    Place(text)
    return text


def _writable(text: str) -> str:
    if not Place(text).names:
        raise ValueError(f"'{text}' cannot be written: fields only, such as customer.reference")
    return text


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"'{name}' is no time zone; write one such as Europe/Berlin or UTC")
    return name


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


At = Annotated[str, AfterValidator(_sound)]
"""Where something stands in a body: a path of the mapping language."""
FieldAt = Annotated[str, AfterValidator(_writable)]
"""Where something stands in a body and is written, too."""
Ats = Annotated[tuple[At, ...], BeforeValidator(_several)]
Zone = Annotated[str, AfterValidator(_zone)]
Scalar = str | int | bool | None
Texts = dict[str, Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]]
"""Parameters: a number may be written without quotes."""
Word = Literal["rejected", "unavailable", "denied", "conflict", "unknown"]
Words = Annotated[
    dict[str, Word],
    BeforeValidator(
        lambda value: {str(key): word for key, word in value.items()} if isinstance(value, dict) else value
    ),
]
"""Outcomes by the product's own code or by status."""
StampFormat = Annotated[
    str, Field(pattern=r"^(iso|iso_milliseconds|iso_microseconds|seconds|milliseconds|date|.*%.*)$")
]


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return set(_PLACEHOLDER.findall(text))


def check_places(where: str, texts: Iterable[str], known: set[str]) -> None:
    """ValueError for a name in braces that nothing fills."""
    for text in texts:
        for name in sorted(placeholders(text) - known):
            told = ", ".join(f"{{{each}}}" for each in sorted(known)) or "none"
            raise ValueError(f"{where}: {{{name}}} is not known here; known: {told}")


def filled(template: str, values: dict[str, str], *, in_path: bool = False) -> str:
    """The template with each `{name}` replaced; in a path a value can never become more than one segment."""
    if "{" not in template:
        return template
    if in_path:
        return _PLACEHOLDER.sub(lambda found: segment(values[found[1]]), template)
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)


def segment(value: str) -> str:
    """A value as one segment of a path; Rejected where it would climb out of it or vanish."""
    if value in ("", ".", ".."):
        hint = "Such a value would lead to another address; look at `key` and at the record."
        raise Rejected(f"'{value}' cannot stand in an address.", hint=hint, sent=False)
    return quote(value, safe="")


class Stamp(Block):
    """Where the change stamp stands and how it is written; of several places the first with a value counts."""

    path: Ats = Field(min_length=1)
    format: StampFormat = "iso"
    zone: Zone | None = None


class Flag(Block):
    """What says that a record is deleted; without `values` whatever is not null, false, 0 or empty says so."""

    path: At
    values: tuple[Scalar, ...] = ()


class Condition(Block):
    """Something in a body; without `equals` and `among` whatever is not null, false or empty."""

    path: At
    equals: Scalar | None = None
    among: tuple[Scalar, ...] = ()
    missing: bool = False

    def holds(self, body: Any) -> bool:
        """Whether the body is so."""
        found = Place(self.path).of(body)
        if self.missing:
            return found is None
        wanted = self.among or ((self.equals,) if "equals" in self.model_fields_set else ())
        if wanted:
            return any(found == each and isinstance(found, bool) == isinstance(each, bool) for each in wanted)
        return bool(found)


class Errors(Block):
    """What the product's own errors look like, and what the engine does about each."""

    when: tuple[Condition, ...] = ()
    code: At | None = None
    message: Ats = ()
    wait: At | None = None
    outcomes: Words = Field(default_factory=dict)


class LinesAt(Block):
    """The lines of a document inside its body."""

    under: str = Field(default="lines", pattern=r"^[^.\s\[\]|()'\"\\,]+$")
    key: FieldAt = "id"
    reference: FieldAt | None = None
    number: bool = False
    cancel: dict[str, Scalar] = Field(default_factory=dict)


class FieldEntry(Block):
    """One field as the product's manual describes it."""

    type: Literal["string", "integer", "decimal", "boolean", "date", "datetime", "time", "array", "mapping", "any"] = (
        "string"
    )
    length: int | None = Field(default=None, ge=1)
    required: bool = False
    readonly: bool = False
    codes: tuple[str, ...] = ()


class Check(Block):
    """How the system says who answers and what our user may do."""

    path: str = Field(min_length=1)
    organisation: At | None = None
    user: At | None = None
    rights: At | None = None
    needs: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.rights) != bool(self.needs):
            raise ValueError("`rights` and `needs` go together")
        return self
