"""Numbers that some authority gave: valid by their check digits, or none."""

from __future__ import annotations

import importlib
import re
from functools import cache, lru_cache
from types import ModuleType

from mdm.normalise._places import country_code
from mdm.normalise._registry import normaliser, says_nothing
from mdm.normalise._text import plain


def _packed(value: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", plain(value)).upper()


@cache
def _module(name: str) -> ModuleType:
    return importlib.import_module(f"stdnum.{name}")


def _valid(module: str, value: str) -> str | None:
    try:
        return str(_module(module).validate(value))
    except Exception as error:
        if type(error).__module__.startswith("stdnum"):
            return None
        raise


@normaliser("uscc", ("9111 0000 6000 3734 1L", "91110000600037341L"), ("911100006000373411", None))
@lru_cache(maxsize=65_536)
def uscc(value: str) -> str | None:
    """A Chinese unified social credit code (统一社会信用代码), valid by its check digit."""
    value = _packed(value)
    return _valid("cn.uscc", value) if len(value) == 18 else None


@normaliser(
    "vat",
    ("DE 136 695 976", "DE136695976"),
    ("DE136695977", None),
    ("136695976", None),
    arguments=("country", "default"),
)
@lru_cache(maxsize=65_536)
def vat(value: str, country: str | None = None, default: str | None = None) -> str | None:
    """A European VAT number with its country before it, valid by its check digits; also GB, CH and NO."""
    value = _packed(value)
    code = country_code(country or default or "")
    if code and not value[:2].isalpha():
        value = f"{'EL' if code == 'GR' else code}{value}"
    head, rest = value[:2], value[2:]
    if head in ("GB", "XI"):
        found = _valid("gb.vat", rest)
        return f"{head}{found}" if found else None
    if value.startswith("CHE") or head == "NO":
        return _valid("ch.vat" if head == "CH" else "no.mva", value if head == "CH" else rest)
    if not head.isalpha():
        return None
    return _valid("eu.vat", value)


@normaliser(
    "tax_id",
    ("DE136695976", "DE136695976"),
    ("91110000600037341L", "91110000600037341L"),
    arguments=("country", "default"),
)
def tax_id(value: str, country: str | None = None, default: str | None = None) -> str | None:
    """A tax number of any country: USCC or VAT where it is one, else by the country's own check digits."""
    if found := uscc(value) or vat(value, country, default):
        return str(found)
    code = country_code(country or default or "")
    packed = _packed(value)
    if not code or says_nothing(packed):
        return None
    for kind in ("tin", "vat", "ein", "ric"):
        try:
            _module(f"{code.lower()}.{kind}")
        except ImportError:
            continue
        if found := _valid(f"{code.lower()}.{kind}", packed):
            return f"{code}{_packed(found)}"
    return None


@normaliser("duns", ("15-048-3782", "150483782"), ("000000000", None), ("1234", None))
def duns(value: str) -> str | None:
    """A D-U-N-S number: nine digits; it has no check digit any more."""
    value = _packed(value)
    return value if len(value) == 9 and value.isdigit() and not says_nothing(value) else None


@normaliser("lei", ("5493 0057 G3EC RY9V 3837", None), ("213800KUD8LAJWSQ9D15", "213800KUD8LAJWSQ9D15"))
def lei(value: str) -> str | None:
    """A legal entity identifier, valid by its check digits."""
    return _valid("lei", _packed(value))


@normaliser("gtin", ("4006381333931", "04006381333931"), ("14006381333938", "14006381333938"), ("4006381333932", None))
def gtin(value: str) -> str | None:
    """A GTIN-8, -12, -13 or -14 with fourteen digits, valid by its check digit; each pack level has its own."""
    value = re.sub(r"[^0-9]", "", plain(value))
    if len(value) not in (8, 12, 13, 14) or says_nothing(value.lstrip("0")):
        return None
    return value.zfill(14) if _valid("ean", value) else None


@normaliser("gtin_base", ("14006381333938", "400638133393"), ("4006381333931", "400638133393"))
def gtin_base(value: str) -> str | None:
    """What the pack levels of one product share: a GTIN without its level and its check digit."""
    found = gtin(value)
    return found[1:13] if isinstance(found, str) else None


@normaliser("gtin_level", ("14006381333938", "1"), ("4006381333931", "0"))
def gtin_level(value: str) -> str | None:
    """The pack level of a GTIN: 0 for the piece, 1 to 8 for packs of it, 9 for varying quantities."""
    found = gtin(value)
    return found[0] if isinstance(found, str) else None


@normaliser("gln", ("4006381000001", None), ("4012345000009", "4012345000009"))
def gln(value: str) -> str | None:
    """A global location number: thirteen digits, valid by its check digit."""
    value = re.sub(r"[^0-9]", "", plain(value))
    return _valid("ean", value) if len(value) == 13 else None


@normaliser("iban", ("DE89 3704 0044 0532 0130 00", "DE89370400440532013000"), ("DE89370400440532013001", None))
def iban(value: str) -> str | None:
    """An international bank account number, valid by its check digits."""
    return _valid("iban", _packed(value))


@normaliser("code", ("ab-12.3", "AB123"), ("0000", None))
def code(value: str) -> str | None:
    """A number without check digits: letters and digits, upper case; one sign repeated says nothing."""
    value = _packed(value)
    return None if says_nothing(value) else value
