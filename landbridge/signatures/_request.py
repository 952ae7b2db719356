"""A webhook as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One request: header names in small letters, the body unpacked, `address` of the line's other end."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    address: str
    received_at: datetime

    def __repr__(self) -> str:
        return f"<Request of {len(self.body)} bytes from {self.address}>"  # its headers and query hold proofs
