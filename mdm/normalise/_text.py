"""Texts of any kind: one spelling of the same signs."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from mdm.normalise._registry import normaliser

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN = re.compile(f"[{HAN}]")
_SPACE = re.compile(r"\s+")
_SIGNS = re.compile(r"[^\w]+|_+")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "æ": "ae", "å": "aa", "œ": "oe",
                         "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})  # fmt: skip
_WORD = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")


def has_han(text: str) -> bool:
    """Whether a text holds Chinese signs."""
    return not text.isascii() and _HAN.search(text) is not None


def plain(text: str) -> str:
    """NFKC, case folded, one space between words, no space between Chinese signs."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(sign for sign in text if unicodedata.category(sign) not in ("Cf", "Cc") or sign in "\t\n\r")
    return _SPACE.sub(" ", text.casefold() if text.isascii() else text.lower()).strip()


def folded(text: str) -> str:
    """`plain` without accents (ä becomes ae) and without punctuation: words with one space between."""
    text = plain(text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_GERMAN)
        if not text.isascii() and not has_han(text):
            text = "".join(s for s in unicodedata.normalize("NFKD", text) if not unicodedata.combining(s))
    text = text.replace("'", "").replace("’", "")
    return _SIGNS.sub(" ", text).strip()


@cache
def _simplified() -> tuple[re.Pattern[str], object]:
    """What finds a sign that has a simplified form, and the converter; both are made once (0.2 s)."""
    from opencc import OpenCC

    converter = OpenCC("t2s")
    signs = [s for s in map(chr, range(0x3400, 0xA000)) if converter.convert(s) != s]
    return re.compile(f"[{''.join(signs)}]"), converter


def simplified(text: str) -> str:
    """Traditional Chinese as simplified; other texts as they are."""
    if not has_han(text):
        return text
    traditional, converter = _simplified()
    if not traditional.search(text):
        return text
    return str(converter.convert(text))  # type: ignore[attr-defined]  # opencc ships no types


@cache
def _syllables() -> dict[int, str]:
    """The first reading of every sign, without its tone: one sign, one syllable, whatever stands beside it."""
    from pypinyin.constants import PINYIN_DICT

    marks = str.maketrans({"ü": "v", "ǖ": "v", "ǘ": "v", "ǚ": "v", "ǜ": "v"})
    found = {}
    for code, readings in PINYIN_DICT.items():
        first = unicodedata.normalize("NFC", readings.split(",")[0]).translate(marks)
        found[code] = "".join(s for s in unicodedata.normalize("NFKD", first) if not unicodedata.combining(s))
    return found


@normaliser("text", ("  Hello  WORLD ", "hello world"), ("ＡＢＣ公司", "abc公司"))
def text(value: str) -> str | None:
    """Unicode NFKC, lower case, one space between words; what a column without normalisers gets."""
    return plain(value) or None


@normaliser("fold", ("Müller-Lüdenscheidt", "mueller luedenscheidt"), ("Café São José", "cafe sao jose"))
def fold(value: str) -> str | None:
    """`text` without accents (ä becomes ae, ß becomes ss) and without punctuation."""
    return folded(value) or None


@normaliser("simplify", ("廣東發展銀行", "广东发展银行"))
def simplify(value: str) -> str | None:
    """`text` with traditional Chinese signs as simplified ones."""
    return simplified(plain(value)) or None


@normaliser("pinyin", ("上海", "shanghai"), ("Berlin", "berlin"))
def pinyin(value: str) -> str | None:
    """Chinese signs as their syllables (one per sign, no tones), no spaces: one key for both scripts of a name."""
    value = folded(value)
    if has_han(value):
        value = simplified(value).translate(_syllables())
    return value.replace(" ", "") or None


@normaliser("alnum", ("DE-123.456 / a", "DE123456A"))
def alnum(value: str) -> str | None:
    """Letters and digits only, upper case."""
    return "".join(sign for sign in plain(value).upper() if sign.isalnum()) or None


@normaliser("digits", ("No. 12-34", "1234"))
def digits(value: str) -> str | None:
    """The digits only."""
    return "".join(sign for sign in plain(value) if sign in "0123456789") or None


def words_of(value: str) -> list[str]:
    """The words of a text; Chinese runs are cut into pairs of neighbouring signs."""
    found: list[str] = []
    for run in _WORD.findall(value):
        if len(run) > 2 and has_han(run):
            found += [run[at : at + 2] for at in range(len(run) - 1)]
        else:
            found.append(run)
    return found


@normaliser(
    "tokens", ("Acme Rocket Works", ("acme", "rocket", "works")), ("招商银行", ("商银", "招商", "银行")), many=True
)
def tokens(value: str) -> tuple[str, ...] | None:
    """The different words, sorted; Chinese runs as pairs of neighbouring signs. For `intersect`."""
    return tuple(sorted(set(words_of(folded(value))))) or None


@normaliser("sorted", ("Works of Acme", "acme of works"))
def sorted_words(value: str) -> str | None:
    """The words in alphabetical order: "given family" and "family given" become one."""
    return " ".join(sorted(folded(value).split())) or None


@normaliser("first", ("Acme Rocket Works", "acme"), ("招商银行上海分行", "招商银行"))
def first(value: str) -> str | None:
    """The first word, or the first four Chinese signs: a short key for blocks."""
    value = folded(value)
    head = value.split(" ", 1)[0] if value else ""
    return (head[:4] if has_han(head) else head) or None


@normaliser("number", ("1,234.50", 1234.5), ("1.234,50", 1234.5), ("12", 12.0), ("abc", None))
def number(value: str) -> float | None:
    """A number; of a point and a comma the last is the decimal sign, a lone comma before three digits groups."""
    kept = re.sub(r"[^\d.,\-]", "", plain(value))
    if kept.rfind(",") > kept.rfind(".") and ("." in kept or not re.fullmatch(r"-?\d{1,3}(,\d{3})+", kept)):
        kept = kept.replace(".", "").replace(",", ".")
    kept = kept.replace(",", "")
    try:
        return float(kept)
    except ValueError:
        return None
