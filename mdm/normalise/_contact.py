"""Phones, e-mail addresses and web addresses."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from mdm.normalise._places import country_code
from mdm.normalise._registry import normaliser, says_nothing
from mdm.normalise._text import plain
from mdm.normalise._words import entries

_MAIL = re.compile(r"[^@\s,;<>\"]+@((?:[\w\-]+\.)+[^\W\d_]{2,})")
FREE_MAIL = frozenset(entries("free_mail"))
_ROLES = frozenset(entries("role_mailboxes"))


@normaliser(
    "phone",
    ("+49 (0)30 1234567", "+49301234567"),
    ("0086 10 6505 2288", "+861065052288"),
    ("000000000", None),
    arguments=("country", "default"),
)
def phone(value: str, country: str | None = None, default: str | None = None) -> str | None:
    """A phone number as E.164 by its own prefix or the country given; an impossible one is none."""
    region = (country_code(country) if country else None) or (country_code(default) if default else None)
    return _phone(plain(value), region)


@lru_cache(maxsize=65_536)
def _phone(value: str, region: str | None) -> str | None:
    value = re.sub(r"^(tel|fax|phone|mobile|telefon|mobil|电话|手机|传真)[.:\s]*", "", value)
    value = re.sub(r"^(\+\d{1,3})\s*\(0\)", r"\1 ", value)
    if value.startswith("00") and not value.startswith("000"):
        value = f"+{value[2:]}"
    try:
        parsed = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        bare = re.sub(r"\D", "", value)  # no country: kept as written, equal only to what is written alike
        return bare if 7 <= len(bare) <= 15 and not says_nothing(bare) else None
    if not phonenumbers.is_possible_number(parsed) or says_nothing(str(parsed.national_number)):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


@normaliser("email", (" Sales@ACME.Example ", "sales@acme.example"), ("test@test.com", None), ("nobody", None))
def email(value: str) -> str | None:
    """An e-mail address, lower case, without `mailto:`, a name around it or a `+tag`; a malformed one is none."""
    found = _MAIL.search(plain(value).removeprefix("mailto:"))
    if not found or says_nothing(found[0]):
        return None
    local, _, domain = found[0].rpartition("@")
    local = local.split("+", 1)[0]
    if not local or re.fullmatch(r"no-?(reply|email|mail)|do-?not-?reply|unknown|none|n/?a|test\d*", local):
        return None
    return f"{local}@{domain}"


@normaliser("mailbox", ("j.muster@acme.example", "j.muster@acme.example"), ("info@acme.example", None))
def mailbox(value: str) -> str | None:
    """An e-mail address of one desk or person; info@, sales@ and the like are everybody's there and say nothing."""
    address = email(value)
    if not isinstance(address, str) or address.partition("@")[0] in _ROLES:
        return None
    return address


@normaliser("email_domain", ("sales@acme.example", "acme.example"), ("someone@gmail.com", None))
def email_domain(value: str) -> str | None:
    """The domain of an e-mail address; that of a free-mail provider says nothing."""
    address = email(value)
    domain = address.rpartition("@")[2] if isinstance(address, str) else ""
    return None if domain in FREE_MAIL else domain or None


@normaliser("domain", ("https://www.Acme.example/de/?x=1", "acme.example"))
def domain(value: str) -> str | None:
    """The host of a web address, without `www.`."""
    host = re.sub(r"^[a-z][a-z0-9+.\-]*://", "", plain(value))
    host = re.split(r"[/?#:\s]", host, maxsplit=1)[0].removeprefix("www.").rstrip(".")
    return host if re.fullmatch(r"([\w\-]+\.)+[^\W\d_]{2,}", host) else None


@normaliser("web", ("www.acme.example/de", "acme.example"), ("sales@acme.example", "acme.example"), ("x@qq.com", None))
def web(value: str) -> str | None:
    """The domain of a web address or of an e-mail address; that of a free-mail provider says nothing."""
    found = email_domain(value) if "@" in value else domain(value)
    return found if isinstance(found, str) and found not in FREE_MAIL else None
