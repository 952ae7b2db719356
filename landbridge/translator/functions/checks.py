"""Functions that check against public lists and refuse what is not in them."""

from __future__ import annotations

from typing import Any

from landbridge.translator._registry import Example, function
from landbridge.translator._values import Refused, show

E = Example


@function(
    "country",
    remember=True,
    examples=(
        E("country", "DE", "DE"),
        E("country", "DEU", "DE"),
        E("country", "Germany", "DE"),
        E("country", "Deutschlandia", Refused),
    ),
)
def country(value: str) -> str:
    """The ISO 3166 two-letter code of a country given by code or by English name."""
    import pycountry

    found = pycountry.countries.get(alpha_2=value.upper()) if len(value) == 2 else None
    if found is None:
        try:
            found = pycountry.countries.lookup(value)
        except LookupError as error:
            hint = "Use a code list if the system has names of its own."
            raise Refused(f"{show(value)} is no country of ISO 3166", hint, "country") from error
    return str(found.alpha_2)


@function("currency", remember=True, examples=(E("currency", "eur", "EUR"), E("currency", "RMB", Refused)))
def currency(value: str) -> str:
    """The ISO 4217 code, in capitals."""
    import pycountry

    if len(value) != 3 or pycountry.currencies.get(alpha_3=value.upper()) is None:
        raise Refused(f"{show(value)} is no currency of ISO 4217", "Use a code list for own abbreviations.", "currency")
    return value.upper()


@function(
    "language",
    remember=True,
    examples=(E("language", "zh", "zh"), E("language", "ZH", "zh"), E("language", "xx", Refused)),
)
def language(value: str) -> str:
    """The ISO 639-1 two-letter code, in small letters."""
    import pycountry

    if len(value) != 2 or pycountry.languages.get(alpha_2=value.lower()) is None:
        raise Refused(f"{show(value)} is no language of ISO 639-1", "", "language")
    return value.lower()


@function(
    "phone",
    examples=(
        E("phone(DE)", "030 1234567", "+49301234567"),
        E("phone", "+86 10 8520 0000", "+861085200000"),
        E("phone", "030 1234567", Refused),
    ),
)
def phone(value: str, country: str = "") -> str:
    """The telephone number in E.164; one without country code needs the country."""
    import phonenumbers

    try:
        found = phonenumbers.parse(value, country or None)
    except phonenumbers.NumberParseException as error:
        raise Refused(f"{show(value)} is no telephone number", "Say the country: phone(DE).", "phone") from error
    if not phonenumbers.is_possible_number(found):
        raise Refused(f"{show(value)} is no possible telephone number", "", "phone")
    return str(phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164))


@function(
    "tax_id",
    examples=(E("tax_id(DE)", "DE 136 695 976", "DE136695976"), E("tax_id(DE)", "DE136695970", Refused)),
)
def tax_id(value: str, country: str) -> str:
    """The value-added-tax number of a country, compact and with its check digit proven."""
    from stdnum import get_cc_module
    from stdnum.exceptions import ValidationError

    code = country.lower()
    module: Any = get_cc_module(code, "vat")
    if module is None:
        raise Refused(f"no rule for tax numbers of {show(country)} is known", "Map it without tax_id(…).", "tax_id")
    try:
        found = str(module.validate(value))
    except ValidationError as error:
        raise Refused(f"{show(value)} is no tax number of {code.upper()}: {error}", "", "tax_id") from error
    kept = value.strip().upper().startswith(code.upper()) and not found.startswith(code.upper())
    return f"{code.upper()}{found}" if kept else found


@function("email", examples=(E("email", " Buy@Acme.Example ", "buy@acme.example"), E("email", "buy(at)acme", Refused)))
def email(value: str) -> str:
    """The e-mail address in small letters, without blanks around; refused if it cannot be one."""
    found = value.strip().lower()
    name, at, domain = found.partition("@")
    if not (name and at and "." in domain.strip(".")) or any(sign.isspace() for sign in found) or "@" in domain:
        raise Refused("this is no e-mail address", "", "email")
    return found


@function("gtin", examples=(E("gtin", "4006381333931", "4006381333931"), E("gtin", "4006381333932", Refused)))
def gtin(value: str) -> str:
    """The GTIN (EAN, UPC) with its check digit proven."""
    from stdnum import ean
    from stdnum.exceptions import ValidationError

    try:
        return str(ean.validate(value))
    except ValidationError as error:
        raise Refused(f"{show(value)} is no GTIN: {error}", "", "gtin") from error


@function("one_of", examples=(E("one_of(A, B)", "A", "A"), E("one_of(A, B)", "C", Refused)))
def one_of(value: str, first: str, second: str = "", third: str = "", fourth: str = "", fifth: str = "") -> str:
    """The text if it is one of those said, else refused."""
    allowed = [word for word in (first, second, third, fourth, fifth) if word]
    if value not in allowed:
        raise Refused(f"{show(value)} is none of {', '.join(allowed)}", "", "value")
    return value
