"""Requests and responses as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are lower case, `path` is decoded, `started` is when its transaction began."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    started: datetime
    base: str
    user: str = ""


@dataclass
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
