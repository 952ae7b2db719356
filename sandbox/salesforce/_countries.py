"""The country picklist of an org with state and country picklists switched on."""

from __future__ import annotations

from functools import cache

import pycountry

_SPELLINGS = {
    "UK": "GB", "ENGLAND": "GB", "GREAT BRITAIN": "GB", "USA": "US", "UNITED STATES OF AMERICA": "US", "KOREA": "KR",
    "SOUTH KOREA": "KR", "TAIWAN": "TW", "VIETNAM": "VN", "RUSSIA": "RU", "VENEZUELA": "VE", "BOLIVIA": "BO",
    "CZECH REPUBLIC": "CZ", "THE NETHERLANDS": "NL", "DEUTSCHLAND": "DE", "中国": "CN", "TURKEY": "TR", "IRAN": "IR",
}  # fmt: skip
_LABELS = {"VN": "Vietnam", "TW": "Taiwan", "VE": "Venezuela", "BO": "Bolivia", "TR": "Turkey", "CZ": "Czech Republic"}


@cache
def countries() -> dict[str, str]:
    """Labels by ISO 3166 code."""
    return {each.alpha_2: _LABELS.get(each.alpha_2, each.name) for each in pycountry.countries}


@cache
def _codes() -> dict[str, str]:
    labels = {label.upper(): code for code, label in countries().items()}
    threes = {each.alpha_3: each.alpha_2 for each in pycountry.countries}
    return {**threes, **labels, **_SPELLINGS, **{code: code for code in countries()}}


def country_code(text: str) -> str | None:
    """The code of a country by code, label or one of the org's integration values; None if it is not on the list."""
    return _codes().get(text.strip().upper())
