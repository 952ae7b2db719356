"""Our reference and our line keys inside the fields that carry them."""

from __future__ import annotations

import base64
import hashlib

_DIGEST = 12


def fit(text: str, length: int | None) -> str:
    """The text as it stands in a field of this length; a longer one is cut and ends in a digest of the whole."""
    if length is None or len(text) <= length:
        return text
    digest = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:_DIGEST]
    return f"{text[: length - _DIGEST - 1]}~{digest}"
