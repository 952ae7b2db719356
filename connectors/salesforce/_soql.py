"""SOQL, made of names from the org's own description and of quoted values only."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from landbridge.errors import Rejected

_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)*")
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)


def quoted(value: str) -> str:
    """A text literal."""
    return f"'{value.translate(_ESCAPES)}'"


def among(values: Iterable[str]) -> str:
    """A list literal for IN."""
    return f"({', '.join(quoted(value) for value in values)})"


def name(text: str) -> str:
    """A field name that came from configuration or from outside; refused if it is anything else."""
    if not _NAME.fullmatch(text):
        raise Rejected(f"'{text}' is no field name of Salesforce.", hint="Use the API name, such as Tax_Id__c.")
    return text


def instant(text: str) -> datetime:
    """`2026-11-21T08:00:00.000+0000`, as Salesforce writes it, or RFC 3339."""
    return datetime.fromisoformat(text).astimezone(UTC)


def literal(at: datetime) -> str:
    """An instant in a condition; Salesforce compares whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def whole(at: datetime) -> datetime:
    """The instant without fractions of its second, as Salesforce compares it."""
    return at.replace(microsecond=0)


def earlier(at: datetime, seconds: float) -> datetime:
    """So many seconds before, by whole seconds."""
    return whole(at) - timedelta(seconds=seconds)
