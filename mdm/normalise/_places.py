"""Addresses: streets, cities, postal codes, countries, in German, English and Chinese writing."""

from __future__ import annotations

import re
from functools import lru_cache

from mdm.normalise._registry import normaliser
from mdm.normalise._text import folded, has_han, pinyin, plain, simplified
from mdm.normalise._words import entries, mapping

PROVINCES = entries("provinces")
_STREETS = mapping("streets")
_COUNTRIES = mapping("countries")
_NUMBER = re.compile(r"(?<![\w])(\d+)\s*[-/]?\s*([a-z]?)(?=\s*(?:[-/]\s*\d+\s*[a-z]?)?(?:$|[\s,号]))")
_SUFFIXES = ["自治区", "自治州", "自治县", "特别行政区", "地区", "市", "省", "县", "区", "镇", "乡", "盟", "旗"]


@lru_cache(maxsize=4096)
def country_code(value: str) -> str | None:
    """ISO 3166-1 alpha-2 of a code or a name; None where nothing is meant."""
    import pycountry

    text = plain(value)
    if text in _COUNTRIES:
        return _COUNTRIES[text]
    try:
        found = pycountry.countries.lookup(text)
    except LookupError:
        return None
    return str(found.alpha_2)


@normaliser("country", ("Germany", "DE"), ("中国", "CN"), ("USA", "US"))
def country(value: str) -> str | None:
    """A country as its code of ISO 3166-1, from a code or a name."""
    return country_code(value)


@normaliser("postcode", ("D-01067", "01067"), ("SW1A 1AA", "SW1A1AA"), ("000000", None))
def postcode(value: str) -> str | None:
    """A postal code without spaces and without a country's letters before its digits."""
    packed = "".join(sign for sign in plain(value).upper() if sign.isalnum() or sign == "-")
    packed = re.sub(r"^[A-Z]{1,2}-(?=\d)", "", packed).replace("-", "")
    return None if not packed or not packed.strip("0") else packed


@normaliser("city", ("Frankfurt a. M.", "frankfurt"), ("北京市", "beijing"), ("Beijing", "beijing"))
def city(value: str) -> str | None:
    """A city without its suffix (市, 县, am Main), Chinese in pinyin: one key for both scripts."""
    if has_han(value):
        value = simplified(folded(value)).replace(" ", "")
        return pinyin(without_suffix(value))  # type: ignore[return-value]  # pinyin of a text is a text
    value = re.sub(r"\b(a|am|an der|a d|i|im|in|bei|upon|sur)\.?\s+[\w.]+\.?$", "", plain(value))
    value = re.sub(r"\s+(city|shi|sheng|province)$", "", folded(value))
    return value.replace(" ", "") or None


def without_suffix(name: str) -> str:
    """A Chinese place without what says its rank: 深圳市 becomes 深圳."""
    for suffix in _SUFFIXES:
        if len(name) >= len(suffix) + 2 and name.endswith(suffix):
            return name[: -len(suffix)]
    return name


@normaliser(
    "street",
    ("Hauptstraße 12 a", "hauptstr 12a"),
    ("12 North Main Street", "12 n main st"),
    ("上海市浦东新区世纪大道100号", "浦东新区世纪大道100"),
)
def street(value: str) -> str | None:
    """A street with its number in one spelling: abbreviations of English, German and Chinese addresses."""
    value = plain(value)
    if has_han(value):
        value = simplified(folded(value)).replace(" ", "")
        value = re.sub(rf"^(中国)?(({'|'.join(PROVINCES)})(省|市|自治区)?)?([^市区县]{{2,4}}市)?", "", value) or value
        return re.sub(r"(?<=\d)[号號]|[之第]", "", value) or None
    words = re.sub(r"(?<=\d)\s+(?=[a-z](?:,|$))", "", re.sub(r"(strasse|straße|str\.)(?=\s|,|\d|$)", "str ", value))
    kept = [_STREETS.get(word, word) for word in folded(words).split()]
    return " ".join(word for word in kept if word != "no") or None


@normaliser(
    "house_number", ("Hauptstr. 12 a", "12a"), ("100 Main St", "100"), ("世纪大道100号", "100"), ("Nowhere", None)
)
def house_number(value: str) -> str | None:
    """The number of the house in a street."""
    text = plain(value)
    found = re.search(r"(\d+)\s*[号號]", text) or _NUMBER.search(text)
    return (found[1] + (found[2] if found.lastindex and found.lastindex > 1 else "")) if found else None
