"""JSON from and to foreign systems: exact numbers, unique keys, limits, and errors that say where.

Promises of `loads`:
- Each number is exact: an integer is an int of any size; a fraction is a float only if `Decimal(repr(x))` is the number
  of the text, else it is a Decimal. The type depends on the literal alone, never on what stands beside it.
- Duplicate keys, NaN, Infinity, invalid UTF-8, lone surrogates, too much depth or size leave as `Invalid`.

orjson does the work; a second look (writing the value again is the cheapest) decides whether anything could have been
lost, and only then the slower reader of the standard library reads the text anew.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import orjson

from landbridge.errors import Finding, Invalid
from landbridge.strict import _exact

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 254  # what orjson writes; Python code that walks a value recursively stands this many

_WRITE = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
_SORTED = _WRITE | orjson.OPT_SORT_KEYS
_BOM = b"\xef\xbb\xbf"


def loads(data: bytes | bytearray | memoryview | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text, exact; raises Invalid with the place of what is wrong."""
    text = _as_bytes(data)
    if len(text) > max_bytes:
        raise _invalid(f"the text has {len(text):,} bytes, more than {max_bytes:,}", "Read smaller pages.")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "infinity" not in str(error):
            raise _unreadable(text, error) from None
        value = _exact.loads(text, texts_checked=False)  # 1e400 is JSON and a Decimal, but no double
    else:
        try:
            again = orjson.dumps(value)
        except TypeError:
            raise _invalid(f"nested more than {MAX_DEPTH} deep", "No business document is that deep.") from None
        if again != text and again != text.rstrip() and _exact.may_lose(text, again):
            value = _exact.loads(text, texts_checked=True)
    if max_depth < MAX_DEPTH:
        _exact.check_depth(value, max_depth)
    return value


def dumps(value: Any, *, sort: bool = False) -> bytes:
    """The value as JSON; a Decimal becomes a number with exactly its digits; `sort` orders the keys.

    A float NaN or Infinity, which `loads` never gives, is written as null: compute with Decimal.
    """
    try:
        return orjson.dumps(value, _fragment, _SORTED if sort else _WRITE)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise _invalid(
                f"the value cannot be written as JSON: {error}", "Use JSON types and Decimal only."
            ) from None
    return orjson.dumps(_exact.wide_integers_as_decimal(value), _fragment, _SORTED if sort else _WRITE)


def digest(value: Any) -> bytes:
    """16 bytes that are equal for equal values whatever the order of keys.

    A float and a Decimal of the same value count as equal; 1 and 1.0 do not (they are two texts in JSON).
    """
    try:
        text = orjson.dumps(value, _normal_fragment, _SORTED)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise _invalid(
                f"the value cannot be written as JSON: {error}", "Use JSON types and Decimal only."
            ) from None
        text = orjson.dumps(_exact.wide_integers_as_decimal(value), _normal_fragment, _SORTED)
    return hashlib.blake2b(text, digest_size=16).digest()


def _as_bytes(data: bytes | bytearray | memoryview | str) -> bytes:
    if isinstance(data, str):
        try:
            text = data.encode("utf-8")
        except UnicodeEncodeError:
            raise _invalid("the text holds half of a surrogate pair", "Read it as UTF-8.") from None
    else:
        text = data if isinstance(data, bytes) else bytes(data)
    return text[3:] if text.startswith(_BOM) else text


def _fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(_exact.written(value))
    if isinstance(value, tuple):
        return orjson.Fragment(dumps(list(value)))
    raise TypeError(f"{type(value).__name__} is no JSON type")


def _normal_fragment(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(_exact.normal(value))
    return _fragment(value)


def _unreadable(text: bytes, error: orjson.JSONDecodeError) -> Invalid:
    start = text[:64].lstrip()
    if not start:
        return _invalid("the text is empty, JSON is needed", "Look at the status and the headers of the reply.")
    if start.startswith(b"<"):
        return _invalid("HTML or XML stands where JSON is needed", "A proxy or a login page may have answered.")
    return _invalid(f"not JSON: {error}", "The text was cut, or is not what its content type says.")


def _invalid(message: str, hint: str) -> Invalid:
    return Invalid([Finding("", "json", message, hint)])
