"""WS-Security: who we are, in the header of an envelope."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any


def username_token(
    user: str, password: str, *, created: datetime, digest: bool = False, lifetime: timedelta | None = None
) -> Any:
    """A UsernameToken, its password as text or as digest with nonce and time; `lifetime` adds a wsu:Timestamp."""
    from zeep.wsse import username

    token: Any = username.UsernameToken  # zeep ships no types
    stamp = None if lifetime is None else _timestamp(created, lifetime)
    return token(user, password, use_digest=digest, created=created, zulu_timestamp=True, timestamp_token=stamp)


def _timestamp(created: datetime, lifetime: timedelta) -> Any:
    from zeep.wsse import utils

    told: Any = utils.get_timestamp  # zeep ships no types
    stamp = utils.WSU.Timestamp()
    begins, ends = told(created, zulu_timestamp=True), told(created + lifetime, zulu_timestamp=True)
    stamp.extend([utils.WSU.Created(begins), utils.WSU.Expires(ends)])
    return stamp
