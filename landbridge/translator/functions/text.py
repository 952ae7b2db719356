"""Functions on texts."""

from __future__ import annotations

import unicodedata
from typing import Any

from landbridge.translator._registry import Example, function
from landbridge.translator._values import Refused, decimal_text, show, to_decimal

E = Example


def _plain(method: Any) -> Any:
    return lambda: method  # the C function itself is the quick form; it refuses what is no text


@function("trim", bind=_plain(str.strip), examples=(E("trim", " Acme ", "Acme"), E("trim", 7, Refused)))
def trim(value: str) -> str:
    """The text without blanks at both ends."""
    return value.strip()


@function("upper", bind=_plain(str.upper), examples=(E("upper", "de", "DE"),))
def upper(value: str) -> str:
    """The text in capital letters."""
    return value.upper()


@function("lower", bind=_plain(str.lower), examples=(E("lower", "Buy@Acme.example", "buy@acme.example"),))
def lower(value: str) -> str:
    """The text in small letters."""
    return value.lower()


@function("strip", examples=(E('strip(" -.")', "-DE.", "DE"),))
def strip(value: str, signs: str) -> str:
    """The text without the given signs at both ends."""
    return value.strip(signs)


@function("remove", examples=(E('remove(" -./")', "DE-123.456", "DE123456"),))
def remove(value: str, signs: str) -> str:
    """The text without the given signs, wherever they stand."""
    return value.translate({ord(sign): None for sign in signs})


@function("replace", examples=(E('replace("-", "/")', "a-b-c", "a/b/c"),))
def replace(value: str, old: str, new: str) -> str:
    """The text with one part replaced by another, everywhere."""
    return value.replace(old, new)


@function("squeeze", examples=(E("squeeze", "  A \n B ", "A B"),))
def squeeze(value: str) -> str:
    """The text with every run of blanks and line ends as one blank, none at the ends."""
    return " ".join(value.split())


@function("text", takes="any", examples=(E("text", 7, "7"), E("text", 2.50, "2.5"), E("text", True, "true")))
def text(value: Any) -> str:
    """A number or true/false as text; a text stays as it is."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise Refused(f"text needs a number or a text, this is {show(value)}", "", "type")
    return decimal_text(to_decimal(value))


@function(
    "pad",
    takes="any",
    examples=(E('pad(6, "0")', "10", "000010"), E('pad(6, "0")', 10, "000010"), E("pad(2)", "1234", Refused)),
)
def pad(value: Any, length: int, fill: str = "0") -> str:
    """The text filled up on the left to the length; a longer one is refused."""
    found: str = text(value)
    if len(found) > length:
        raise Refused(f"{show(found)} is longer than {length}", "Use cut(…) if losing the rest is meant.", "length")
    return found.rjust(length, fill)


@function("pad_right", examples=(E('pad_right(4, ".")', "ab", "ab.."),))
def pad_right(value: str, length: int, fill: str = " ") -> str:
    """The text filled up on the right to the length; a longer one is refused."""
    if len(value) > length:
        raise Refused(f"{show(value)} is longer than {length}", "Use cut(…) if losing the rest is meant.", "length")
    return value.ljust(length, fill)


@function("unpad", examples=(E('unpad("0")', "000010", "10"), E('unpad("0")', "0000", "0")))
def unpad(value: str, fill: str = "0") -> str:
    """The text without its filling on the left; of nothing but filling, one sign stays."""
    return value.lstrip(fill) or value[-1:]


@function("cut", examples=(E("cut(4)", "abcdef", "abcd"), E("cut(4)", "ab", "ab")))
def cut(value: str, length: int) -> str:
    """The first signs of the text, as many as said; the only function that loses text, so it is written on purpose."""
    return value[:length]


@function("fits", examples=(E("fits(4)", "abcd", "abcd"), E("fits(4)", "abcde", Refused)))
def fits(value: str, length: int) -> str:
    """The text, refused if it is longer than said."""
    if len(value) > length:
        raise Refused(f"{show(value)} has {len(value)} signs, at most {length} fit", "", "length")
    return value


@function("part", examples=(E("part(0, 4)", "2026-11-21", "2026"), E("part(8)", "2026-11-21", "21")))
def part(value: str, start: int, end: int = 2147483647) -> str:
    """The signs from `start` (counted from 0) up to but without `end`."""
    return value[start:end]


@function("before", examples=(E('before("@")', "a@b", "a"), E('before("@")', "ab", "ab")))
def before(value: str, sign: str) -> str:
    """What stands before the first such sign; the whole text if there is none."""
    return value.partition(sign)[0]


@function("after", examples=(E('after("@")', "a@b", "b"), E('after("@")', "ab", "")))
def after(value: str, sign: str) -> str:
    """What stands after the first such sign; empty if there is none."""
    return value.partition(sign)[2]


@function("prefix", examples=(E('prefix("C-")', "7", "C-7"),))
def prefix(value: str, text: str) -> str:
    """The text with another one before it."""
    return text + value


@function("without_prefix", examples=(E('without_prefix("C-")', "C-7", "7"), E('without_prefix("C-")', "7", "7")))
def without_prefix(value: str, text: str) -> str:
    """The text without the one before it, if it is there."""
    return value.removeprefix(text)


@function(
    "empty_to_null", takes="any", returns="any", examples=(E("empty_to_null", "", None), E("empty_to_null", "a", "a"))
)
def empty_to_null(value: Any) -> Any:
    """Null for an empty or blank text; anything else stays."""
    return None if isinstance(value, str) and not value.strip() else value


@function("normal_form", examples=(E("normal_form", "ＡＢ１", "AB1"),))
def normal_form(value: str) -> str:
    """The text in Unicode form NFKC: full-width letters and digits become ordinary ones."""
    return unicodedata.normalize("NFKC", value)


@function(
    "split_words",
    returns="list",
    examples=(
        E("split_words(10, 3)", "Nordwind Handels GmbH", ["Nordwind", "Handels", "GmbH"]),
        E("split_words(40, 4)", "Acme", ["Acme"]),
        E("split_words(4, 2)", "北京联想软件", ["北京联想", "软件"]),
        E("split_words(5, 1)", "Acme Trading", Refused),
    ),
)
def split_words(value: str, length: int, parts: int = 4) -> list[str]:
    """The text as lines of at most that length, broken at blanks where possible; refused if they are too many."""
    lines: list[str] = []
    for word in value.split():
        if lines and len(lines[-1]) + 1 + len(word) <= length:
            lines[-1] += f" {word}"
            continue
        lines += [word[at : at + length] for at in range(0, len(word), length)]
    if len(lines) > parts:
        raise Refused(
            f"{show(value)} does not fit into {parts} × {length} signs", "Allow more parts, or cut it.", "length"
        )
    return lines
