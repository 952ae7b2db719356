"""The slower, exact half of the JSON reader, and the question whether it is needed."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any

import orjson

from landbridge.errors import Finding, Invalid

MAX_LITERAL = 1_000  # characters of one number
MAX_EXPONENT = 1_000  # a Decimal of 1e999999999 is small; written out in plain digits it fills the memory

# Digits and the point become "0", what may stand before a number becomes " " (a colon stays), so that a long number is
# one search. A double keeps any 15 digits (DBL_DIG) between 1e-307 and 1e308: a literal of up to 15 characters with
# an exponent of up to two digits is safe.
_SHAPE = bytes.maketrans(b"0123456789.,[-+\n\r\tE", b"00000000000     " + b"  e")
_LONG, _LONG_AFTER_COLON = b" " + b"0" * 16, b":" + b"0" * 16
_EXPONENT = re.compile(rb"[0-9][eE][-+]?[0-9]{3,}[\s,\]}]|[0-9][eE][-+]?[0-9]{3,}\Z")


def may_lose(text: bytes, again: bytes) -> bool:
    """Whether orjson may have lost something of `text`, which it would write as `again`; never a wrong no."""
    shape = text.translate(_SHAPE)
    if _LONG in shape or _LONG_AFTER_COLON in shape or shape.startswith(b"0" * 16):
        return True  # a number of 16 characters, or a text that looks like one
    if (b"0e000" in shape or b"0e 000" in shape) and _EXPONENT.search(text):
        return True
    return _may_repeat_a_key(text, again, shape)


def _may_repeat_a_key(text: bytes, again: bytes, shape: bytes) -> bool:
    """Each key of `again` is one `":`; a lost key shows as a smaller count, if both are written the same way."""
    if text.count(b'":') != again.count(b'":') or b" :" in shape:
        return True
    return b"\\u" in text and (b"\\u0022" in text or b"\\u003a" in text or b"\\u003A" in text)


def loads(text: bytes, *, texts_checked: bool) -> Any:
    """The value with every number exact; raises Invalid; `texts_checked` says that orjson has read it all before."""
    try:
        value = json.loads(
            text.decode("utf-8"),
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_constant,
            object_pairs_hook=_unique,
        )
        if not texts_checked:
            json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")  # half a surrogate pair fails here
    except RecursionError:
        raise _invalid("nested too deep", "No business document is that deep.") from None
    except UnicodeError:
        raise _invalid("the text is not UTF-8, or holds half of a surrogate pair", "Read it as UTF-8.") from None
    except ValueError as error:
        raise _invalid(f"not JSON: {error}", "The text was cut, or is not what its content type says.") from None
    return value


def _fraction(literal: str) -> float | Decimal:
    if len(literal) > MAX_LITERAL:
        raise _invalid(f"a number has {len(literal):,} characters", "Send long digits as a text.")
    exponent = literal.replace("E", "e").partition("e")[2]
    if len(exponent) > 6 or (exponent and abs(int(exponent)) > MAX_EXPONENT):
        raise _invalid(f"the number {literal[:40]} is out of range", f"Exponents go to {MAX_EXPONENT}.")
    exact = Decimal(literal)
    near = float(literal)
    return near if Decimal(repr(near)) == exact else exact


def _integer(literal: str) -> int:
    if len(literal) > MAX_LITERAL:
        raise _invalid(f"a number has {len(literal):,} characters", "Send long digits as a text.")
    return int(literal)


def _constant(literal: str) -> Any:
    raise _invalid(f"{literal} is no JSON number", "Send null, or leave the field out.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _invalid(f"key '{twice[:60]}' stands twice in one object", "The sender must send each key once.")
    return found


def check_depth(value: Any, max_depth: int) -> None:
    """Raises Invalid if the value is nested deeper than that."""
    level, depth = [value], 0
    while level:
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        depth += 1
        if level and depth >= max_depth:
            raise _invalid(f"nested more than {max_depth} deep", "No business document is that deep.")


def wide_integers_as_decimal(value: Any) -> Any:
    """The value with each integer that orjson does not write replaced by an equal Decimal."""
    if isinstance(value, dict):
        return {key: wide_integers_as_decimal(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [wide_integers_as_decimal(inner) for inner in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return Decimal(value)
    return value


def written(value: Decimal) -> str:
    """A finite Decimal as a JSON number with its own digits: 1.50 stays 1.50."""
    return format(value, "f") if -40 < value.adjusted() < 40 else str(value)


def normal(value: Decimal) -> bytes:
    """A finite Decimal as orjson writes the float of the same value, if there is one."""
    near = float(value) if abs(value.adjusted()) < 300 else 0.0
    if Decimal(repr(near)) == value:
        return orjson.dumps(near)
    digits = "".join(map(str, value.as_tuple().digits)).rstrip("0") or "0"
    sign = "-" if value.is_signed() else ""
    return f"{sign}{digits}e{value.adjusted() - len(digits) + 1}".encode()


def _invalid(message: str, hint: str) -> Invalid:
    return Invalid([Finding("", "json", message, hint)])
