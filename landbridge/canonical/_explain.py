"""Why a body is not valid, in words: the slow twin of the check, asked only when that has said no."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from landbridge.errors import Finding
from landbridge.strict import did_you_mean, dotted

MAX_FINDINGS = 50
_SHOWN = 60
_KINDS = {dict: "a record", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
_TYPES = {"object": "a record", "array": "a list", "string": "a text", "boolean": "true or false"}


def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.date.fromisoformat(value))


def _is_instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.datetime.fromisoformat(_FRACTION.sub("", value)).tzinfo is not None


_FRACTION = re.compile(r"\.[0-9]+")
_formats = FormatChecker(formats=())
_formats.checkers = {"date": (_is_date, ValueError), "date-time": (_is_instant, ValueError)}


def explain(schema: Mapping[str, Any], body: Any) -> list[Finding]:
    """Each thing that is wrong with the body, by path."""
    errors = Draft202012Validator(schema, format_checker=_formats).iter_errors(body)
    found: dict[tuple[str, str], Finding] = {}
    for error in errors:
        for finding in _findings(error):
            found.setdefault((finding.path, finding.message), finding)
        if len(found) >= MAX_FINDINGS:
            break
    return sorted(found.values(), key=lambda one: one.path)


def _findings(error: ValidationError) -> Iterator[Finding]:
    path = tuple(error.absolute_path)
    rule = str(error.validator)
    if rule == "required":
        yield from _missing(error, path)
    elif rule == "additionalProperties":
        yield from _unknown(error, path)
    elif rule in ("anyOf", "oneOf"):
        yield from _alternatives(error, path)
    else:
        message, hint = _words(error, rule)
        yield Finding(dotted(path), rule, message, hint)


def _missing(error: ValidationError, path: tuple[str | int, ...]) -> Iterator[Finding]:
    properties = error.schema.get("properties", {})
    for name in error.validator_value:
        if name not in error.instance:
            about = properties.get(name, {}).get("description", "")
            yield Finding(dotted((*path, name)), "required", "is missing", _mend(_sentence(about)))


def _unknown(error: ValidationError, path: tuple[str | int, ...]) -> Iterator[Finding]:
    known = error.schema.get("properties", {})
    for name in error.instance:
        if name not in known:
            own = "Put a field of your own under `extensions`." if "extensions" in known else ""
            hint = did_you_mean(str(name), known) or own or f"Known: {', '.join(known)}."
            yield Finding(dotted((*path, name)), "unknown", "is not a field here", hint)


def _alternatives(error: ValidationError, path: tuple[str | int, ...]) -> Iterator[Finding]:
    """The complaint of the alternative that was most likely meant."""
    options = error.validator_value
    if all(set(option) == {"required"} for option in options):
        names = ", ".join(name for option in options for name in option["required"])
        yield Finding(dotted(path), "required", f"has none of: {names}", "Give at least one of them.")
        return
    instance = error.instance if isinstance(error.instance, dict) else {}

    def fit(index: int) -> tuple[int, int]:
        return (len(instance.keys() & options[index].get("properties", {}).keys()), -index)

    meant = max((i for i, option in enumerate(options) if option.get("type") != "null"), key=fit)
    inner = [one for one in error.context or () if one.schema_path and one.schema_path[0] == meant]
    if not inner:
        yield Finding(
            dotted(path), str(error.validator), "fits more than one form", "Give the fields of one form only."
        )
    for one in inner:
        yield from _findings(one)


def _words(error: ValidationError, rule: str) -> tuple[str, str]:
    schema, value = error.schema, error.instance
    about = _sentence(str(schema.get("x-form") or schema.get("description") or ""))
    shown = "" if schema.get("x-personal", True) else f" ({_short(value)})"
    if rule == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        wanted = " or ".join(_TYPES.get(str(kind), str(kind)) for kind in kinds if kind != "null")
        return f"must be {wanted}, is {_kind(value)}{shown}", _mend(about)
    if rule == "enum":
        words = [str(word) for word in error.validator_value if word is not None]
        near = did_you_mean(value, words) if isinstance(value, str) else ""
        return f"is none of the known words{shown}", near or f"Known: {', '.join(words)}."
    if rule == "minItems":
        return f"has {len(value)} elements, at least {error.validator_value} is needed", _mend(about)
    if rule == "minLength":
        return "is an empty text", "Leave the field out if there is no value."
    if rule == "maxLength":
        return f"has {len(value):,} characters, at most {error.validator_value:,} fit", "Shorten it in the mapping."
    if rule in ("minimum", "maximum"):
        bound = "less" if rule == "minimum" else "more"
        return f"is {bound} than {error.validator_value}{shown}", about
    if rule in ("pattern", "format"):
        return f"is not written as it must be{shown}", _mend(about)
    return f"breaks the rule {rule}", about


def _kind(value: Any) -> str:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return "a number"
    return _KINDS.get(type(value), type(value).__name__)


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."


def _mend(about: str) -> str:
    """What the field is, and what a person does who sees that it is something else."""
    return f"{about} Mend it at the source, or map it otherwise.".lstrip()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
