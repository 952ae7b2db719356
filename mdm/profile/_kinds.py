"""What a column of unknown records holds, by its content first and by its name where content alone cannot tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from mdm.declaration import Value
from mdm.normalise import NORMALISERS, says_nothing

Kind = Literal[
    "empty", "row number", "constant", "e-mail", "web address", "phone", "date", "code", "postal code", "house number",
    "category", "company", "person", "street", "place", "text", "title", "description", "number",
    "uscc", "vat", "lei", "gtin", "iban", "year",
]  # fmt: skip

CHECKED: tuple[Kind, ...] = ("uscc", "lei", "iban", "vat", "gtin")
"""Identifiers known by their check digits."""
SAMPLE = 5_000
MOST = 0.8
"""The share of values that must be of a kind."""
YEARS = 0.9
"""The share of numbers that must lie between 1800 and 2049 to be years."""

_HINTS: tuple[tuple[Kind, str], ...] = (
    ("e-mail", r"e_?mail|邮箱|电子邮件"),
    ("phone", r"phone|tel(efon)?|mobile?|handy|fax|cell|电话|手机"),
    ("postal code", r"post_?(al)?_?code|zip|plz|postleitzahl|邮编|邮政编码"),
    ("house number", r"(street|house|haus)_?(no|number|nr|nummer)|hausnr|门牌"),
    ("date", r"date|birth|born|dob|geb(urt|oren)|datum|日期|生日"),
    ("number", r"price|preis|amount|betrag|weight|价格|金额"),
    ("company", r"company|firma|organi[sz]ation|org_?name|employer|business|legal_?name|公司|企业|单位"),
    (
        "person",
        r"(given|first|last|family|sur|middle|vor|nach|full|person)_?(name)?|(f|l|m)name|forename|姓名?|名字",
    ),
    ("street", r"street|stra(ss|ß)e|address(_?line)?_?\d?|adresse|addr_?\d?|地址|街道"),
    (
        "text",
        r"authors?|artists?|writers?|creators?|performers?|brand|manufacturer|publisher|marke|hersteller|作者|品牌",
    ),
    ("place", r"city|town|suburb|ort|stadt|district|region|state|province|country|land|城市|省|国家"),
    ("description", r"descr(iption)?|beschreibung|details?|comment|notes?|描述|备注"),
    ("title", r"title|product(_?name)?|produkt|artikel(bezeichnung)?|bezeichnung|品名|商品"),
)
_FORMS = re.compile(
    r"\b(gmbh|mbh|ag|kg|ohg|ug|ltd|limited|llc|inc|corp(oration)?|co|plc|s\.?a\.?|s\.?r\.?l|bv|b\.v|nv|oy|ab|spa|pte|pty"
    r"|group|holding|bank|university|institute|foundation|verein|e\.?v|association|services|solutions)\b"
    r"|公司|集团|银行|股份|有限|厂|中心|大学|医院|合作社",
    re.IGNORECASE,
)
_ROAD = re.compile(
    r"\b(street|st|road|rd|avenue|ave|lane|ln|drive|dr|place|pl|court|ct|crescent|cres|close|way|terrace|circuit|boulevard"
    r"|blvd|square|parade|platz|allee|weg|gasse|ring|rue|via|calle)\b|stra(ss|ß)e|str\.|路|街|巷|弄|号|大道",
    re.IGNORECASE,
)  # fmt: skip
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Seen:
    """A column: what it holds, how often it is filled, how many different values there are."""

    name: str
    kind: Kind
    filled: float
    distinct: int
    repeated: float
    """The share of its values that stand in more than one record."""
    words: float
    """Words per value on average."""
    why: str
    plain_digits: bool = False
    """All its values are digits of one length."""
    codes: float = 0.0
    """The share of values that hold something like a part number; of phones: that are numbers with their country."""
    also: str = ""
    """What another file calls the same column."""
    shared: float = 1.0
    """The share of the second file's records whose value the first has too."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns of the files that hold it."""
        return (self.name, self.also) if self.also else (self.name,)


def seen(name: str, values: Sequence[str]) -> Seen:
    """What a column holds; values that say nothing (`n/a`, `无`) count as missing."""
    filled = [value for value in values if not says_nothing(value)]
    counts = Counter(filled)
    share = len(filled) / len(values) if values else 0.0
    repeated = sum(count for count in counts.values() if count > 1) / len(filled) if filled else 0.0
    sample = filled[: SAMPLE * 20 : max(1, min(20, len(filled) // SAMPLE))][:SAMPLE]
    words = sum(len(value.split()) for value in sample) / len(sample) if sample else 0.0
    kind, why = _kind(name, sample, counts, share, repeated, words, len(filled))
    codes = _passing(sample, _parses("phone" if kind == "phone" else "codes")) if sample else 0.0
    shapes = {len(value) for value in sample} if all(value.isdecimal() for value in sample) else set()
    return Seen(name, kind, share, len(counts), repeated, words, why, len(shapes) == 1, codes)


def _kind(
    name: str, sample: Sequence[str], counts: Counter[str], share: float, repeated: float, words: float, filled: int
) -> tuple[Kind, str]:
    if share < 0.02 or not sample:
        return "empty", f"{share:.0%} filled"
    if len(counts) == 1:
        return "constant", "one value"
    hint = _hint(name)
    if repeated == 0 and share > 0.99 and _numbers_rows(sample, name):
        return "row number", "every record has its own"
    for kind, share_of, why in _by_content(sample, hint):
        if share_of >= MOST:
            return kind, f"{share_of:.0%} {why}"
    return _text_kind(hint, sample, counts, repeated, words, filled)


def _hint(name: str) -> Kind | None:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).casefold().replace(" ", "_").replace("-", "_")
    for kind, pattern in _HINTS:
        if re.search(rf"(^|_)({pattern})($|_|\d)", plain) or (_HAN.search(plain) and re.search(pattern, plain)):
            return kind
    return None


def _numbers_rows(sample: Sequence[str], name: str) -> bool:
    if re.search(r"(^|_)(id|key|uuid|guid|row|index|nr|no|num|number)($|_)", name.casefold().replace(" ", "_")):
        return True
    if all(value.isdecimal() for value in sample):
        numbers = [int(value) for value in sample]
        return numbers == sorted(numbers) or max(numbers) - min(numbers) < 2 * len(numbers)
    return False


def _by_content(sample: Sequence[str], hint: Kind | None) -> list[tuple[Kind, float, str]]:
    """(kind, share of the values that are of it, in words), the surest kind first."""
    found: list[tuple[Kind, float, str]] = [
        ("e-mail", _passing(sample, _matches(r"[^@\s]+@[^@\s]+\.[^@\s]+")), "are e-mail addresses"),
        ("web address", _passing(sample, _matches(r"(https?://|www\.)\S+")), "are web addresses"),
    ]
    found += [(kind, _passing(sample, _checked(kind)), "have valid check digits") for kind in CHECKED]
    found.append(("date", _passing(sample, _is_date) if hint in (None, "date") else 0.0, "are dates"))
    if hint == "phone":
        found.append(
            ("phone", _passing(sample, _matches(r"[+(]?[\d\s()./\-+]{5,22}(\D{1,5}\d+)?")), "are phone numbers")
        )
    else:
        found.append(
            (
                "phone",
                _passing(sample, _matches(r"\+\d[\d\s()./-]{6,20}|\(?0\d+\)?[\s/-][\d\s-]{5,}")),
                "are phone numbers",
            )
        )
    return found


def _text_kind(
    hint: Kind | None, sample: Sequence[str], counts: Counter[str], repeated: float, words: float, filled: int
) -> tuple[Kind, str]:
    digits = _passing(sample, lambda value: any(sign.isdigit() for sign in value))
    numeric = _passing(sample, _matches(r"[$€£¥(]?\s?-?\d+([.,]\d+)*\s?[$€£¥)]?"))
    few = len(counts) <= min(max(12, min(60, filled // 50)), filled // 2)
    if numeric >= MOST:
        return _number_kind(hint, sample, few, repeated)
    if few and words < 4:
        return "category", f"{len(counts)} different values"
    if hint == "postal code":
        return "postal code", "by its name"
    han = _passing(sample, _matches_in(_HAN))
    if digits >= MOST and words < 1.6 and max(map(len, sample)) <= 40 and han < 0.2:
        return "code", f"{digits:.0%} hold digits, one word"
    if words >= 12 or (hint == "description" and words >= 4):
        return "description", f"{words:.0f} words"
    company, road = _passing(sample, _matches_in(_FORMS)), _passing(sample, _matches_in(_ROAD))
    if hint in ("company", "person", "place", "title", "text"):
        return hint, "by its name"
    if road >= 0.4 or hint == "street":
        return "street", f"{road:.0%} name a road"
    if company >= 0.15:
        return "company", f"{company:.0%} name a form of company"
    if words >= 3.5 and digits >= 0.3:
        return "title", f"{words:.0f} words, {digits:.0%} with digits"
    if words < 2.6 and digits < 0.1 and _passing(sample, _matches(r"[^\W\d_][\w'. -]*")) >= MOST:
        return (
            ("place", "repeated words")
            if repeated > 0.9 and len(counts) < filled / 8
            else ("person", "one or two words")
        )
    return "text", f"{words:.1f} words"


def _number_kind(hint: Kind | None, sample: Sequence[str], few: bool, repeated: float) -> tuple[Kind, str]:
    lengths = Counter(len(value) for value in sample)
    longest, usual = max(lengths), lengths.most_common(1)[0][1] / len(sample)
    plain = all(value.isdecimal() for value in sample)
    if hint in ("postal code", "house number", "number"):
        return hint, "by its name"
    if _passing(sample, _matches(r"\W*(1[89]\d\d|20[0-4]\d)(\.0+)?\W*")) >= YEARS:
        plain = _passing(sample, _matches(r"\W*\d{4}\W*")) >= YEARS
        return "year", "years" if plain else "years, written as numbers"
    if not plain and _passing(sample, _matches(r"\D*\d+[.,]\d{1,4}\D*")) > 0.1:
        return "number", "has decimals"
    if few:
        return "category", "few different numbers"
    if 4 <= longest <= 6 and usual > 0.7 and repeated > 0.5:
        return "postal code", f"{longest} digits, repeated"
    if longest <= 5 and repeated > 0.5:
        return "house number", "small numbers, repeated"
    return "code", "numbers"


def _passing(sample: Sequence[str], test: Callable[[str], bool]) -> float:
    return sum(map(test, sample)) / len(sample)


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda value: compiled.fullmatch(value.strip()) is not None


def _matches_in(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.search(value) is not None


def _parses(name: str) -> Callable[[str], bool]:
    function = NORMALISERS[name].function
    return lambda value: function(value) is not None


def _checked(kind: Kind) -> Callable[[str], bool]:
    return partial(_has_check, NORMALISERS[kind].function, 8 if kind == "gtin" else 5)


def _has_check(function: Callable[..., Value | None], least: int, value: str) -> bool:
    return len(value) >= least and function(value) is not None


def _is_date(value: str) -> bool:
    """A day of the years 1900 to 2040, however it is written; digits alone must be eight."""
    text = value.strip()
    if text.isdecimal():
        return len(text) == 8 and ("1900" <= text[:4] <= "2040" or "1900" <= text[4:] <= "2040")
    return re.fullmatch(r"\d{1,4}[-./年]\d{1,2}[-./月]\d{1,4}日?([T ].*)?", text) is not None
