"""Secrets by reference: configuration names where a secret lies, and only the moment of use opens it.

    env:NAME              the environment; else the file /run/secrets/<name in lower case>
    file:/path            the content of a file, without the line break at its end
    airflow:CONN[/field]  an Airflow connection: password by default; login, host, or a key of its extras

A plain value is refused: configuration is kept in version control. Nothing here prints a secret, and `scrub` takes
every secret that was ever opened out of a text that somebody else wrote.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

from landbridge.errors import Denied

MASK = "**********"
RUN_SECRETS = Path("/run/secrets")
_SHORTEST_SCRUBBED = 4
_FORM = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|airflow:[\w.\-]+(/[\w.\-]+)?)")
_opened: set[str] = set()
_lock = threading.Lock()


class Secret:
    """Where a secret lies; `reveal()` opens it anew each time, so that a rotated one is used at once."""

    __slots__ = ("_plain", "_reference")

    def __init__(self, reference: str) -> None:
        if not _FORM.fullmatch(reference):
            raise ValueError(
                "is a plain value or an unknown form; a secret is named by env:NAME, file:/path or airflow:CONNECTION"
            )
        self._reference = reference
        self._plain: str | None = None

    @classmethod
    def plain(cls, value: str) -> Secret:
        """A secret held in memory, for tests and for values made at run time; configuration files cannot say this."""
        secret = cls("env:_")
        secret._plain = value
        return secret

    @property
    def reference(self) -> str:
        """Where it lies; safe to show."""
        return "(in memory)" if self._plain is not None else self._reference

    def reveal(self) -> str:
        """The secret itself; Denied, with everything that was tried, where there is none."""
        if self._plain is not None:
            return remember(self._plain)
        kind, _, where = self._reference.partition(":")
        value, tried = _SOURCES[kind](where)
        if not value:
            hint = "Set one of them, or change the reference."
            raise Denied(f"{self._reference} is not set. Looked in: {', '.join(tried)}.", hint=hint, sent=False)
        return remember(value)

    def missing(self) -> str | None:
        """Why `reveal` would fail, without opening a flow's door; None if it would not."""
        try:
            self.reveal()
        except Denied as error:
            return error.message
        return None

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self._reference, self._plain) == (other._reference, other._plain)

    def __hash__(self) -> int:
        return hash((Secret, self._reference, self._plain))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        if self._plain is not None:
            raise TypeError("a secret in memory does not travel; name it by env: or file:")
        return (Secret, (self._reference,))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: MASK),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "pattern": "^(env|file|airflow):", "description": "Where the secret lies."}


def remember(value: str) -> str:
    """Have `scrub` know a secret that was not opened here, such as a session token; returns it."""
    if len(value) >= _SHORTEST_SCRUBBED and value not in _opened:
        with _lock:
            _opened.add(value)
    return value


def scrub(text: str) -> str:
    """The text without any secret that this process has opened: for words that came from outside."""
    with _lock:
        known = sorted(_opened, key=len, reverse=True)
    for value in known:
        if value in text:
            text = text.replace(value, MASK)
    return text


def _environment(name: str) -> tuple[str | None, list[str]]:
    file = RUN_SECRETS / name.lower()
    value = os.environ.get(name)
    if not value and file.is_file():
        value, _ = _file(str(file))
    return value, [f"environment variable {name}", str(file)]


def _file(path: str) -> tuple[str | None, list[str]]:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n"), [path]
    except (OSError, UnicodeDecodeError) as error:
        return None, [f"{path} ({type(error).__name__})"]


def _airflow(where: str) -> tuple[str | None, list[str]]:
    connection, _, field = where.partition("/")
    field = field or "password"
    tried = [f"Airflow connection {connection}, {field}"]
    try:
        from airflow.sdk import BaseHook  # only where a configuration says so: the kernel runs without Airflow

        found = BaseHook.get_connection(connection)
    except Exception as error:  # noqa: BLE001 - Airflow's back ends raise anything at all; none of it may pass on
        return None, [f"{tried[0]} ({type(error).__name__})"]
    value = getattr(found, field, None) if field in _AIRFLOW_FIELDS else found.extra_dejson.get(field)
    return (str(value) if value else None), tried


_AIRFLOW_FIELDS = {"password", "login", "host", "schema", "port"}
_SOURCES: dict[str, Callable[[str], tuple[str | None, list[str]]]] = {
    "env": _environment,
    "file": _file,
    "airflow": _airflow,
}
