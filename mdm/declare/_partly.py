"""A file that is wrong in places, read in all the others, so that these are judged at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from landbridge.strict import Node
from mdm.declare._models import DeclarationFile, ThresholdsEntry


def partly(node: Node) -> DeclarationFile:
    """What of the file can be read; an entry of a list that cannot be is None there, others are left out."""
    values = {name: _default(field) for name, field in DeclarationFile.model_fields.items()}
    for name, field in DeclarationFile.model_fields.items():
        found = node.get(name)
        if found is None:
            continue
        if name in ("columns", "comparisons", "identifiers"):
            entry = _reading(get_args(field.annotation)[1])
            read = {key: entry(inner.value) for key, _, inner in found.items()}
            values[name] = {key: value for key, value in read.items() if value is not None}
        elif name in ("blocks", "survivorship", "others") and found.is_list:
            entry = _reading(get_args(field.annotation)[0])
            values[name] = tuple(entry(inner.value) for inner in found.elements())
        elif (whole := _reading(field.annotation, field)(found.value)) is not None:
            values[name] = whole
    return DeclarationFile.model_construct(**values)


def _default(field: FieldInfo) -> Any:
    if not field.is_required():
        return field.get_default(call_default_factory=True)
    if field.annotation is ThresholdsEntry:
        return ThresholdsEntry(auto=0, review=0)
    return {} if get_origin(field.annotation) is dict else ""


def _reading(annotation: Any, field: FieldInfo | None = None) -> Callable[[Any], Any]:
    """A function that gives a value as the annotation reads it, or None."""
    adapter: TypeAdapter[Any] = TypeAdapter(
        Annotated[annotation, *field.metadata] if field is not None and field.metadata else annotation
    )

    def read(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            return None

    return read
