"""WS-Security: who we are, in the header of an envelope."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from landbridge.errors import Denied


def username_token(user: str, password: str, *, created: datetime, digest: bool = False) -> Any:
    """A UsernameToken, its password as text or as digest with nonce and time."""
    from zeep.wsse import username

    token: Any = username.UsernameToken  # zeep ships no types
    return token(user, password, use_digest=digest, created=created, zulu_timestamp=True)


class MessageLifetime:
    """A wsu:Timestamp: from when and for how long a message counts."""

    def __init__(self, created: datetime, valid: timedelta) -> None:
        self._created, self._valid = created, valid

    def apply(self, envelope: Any, headers: Any) -> tuple[Any, Any]:
        """Put it into the header, as zeep calls it."""
        from zeep.wsse import utils

        told: Any = utils.get_timestamp  # zeep ships no types
        security: Any = utils.get_security_header
        begins, ends = (told(at, zulu_timestamp=True) for at in (self._created, self._created + self._valid))
        stamp = utils.WSU.Timestamp()
        stamp.extend([utils.WSU.Created(begins), utils.WSU.Expires(ends)])
        security(envelope).append(stamp)
        return envelope, headers


class MessageSignature:
    """An X.509 signature (RSA, SHA-256) over the body and, where there is one, the time stamp; needs `xmlsec`."""

    def __init__(self, key: str, certificate: str) -> None:
        try:
            self._xmlsec: Any = import_module("xmlsec")
        except ImportError:
            hint = "pip install xmlsec, which brings the C library with it."
            raise Denied("signing needs the package xmlsec, which is not installed.", hint=hint, sent=False) from None
        from zeep.wsse import signature

        made: Any = signature.MemorySignature  # zeep ships no types
        transforms = self._xmlsec.Transform
        self._signature = made(
            key, certificate, signature_method=transforms.RSA_SHA256, digest_method=transforms.SHA256
        )

    def apply(self, envelope: Any, headers: Any) -> tuple[Any, Any]:
        """Sign, as zeep calls it; Denied where the key or the certificate cannot be read."""
        try:
            envelope, headers = self._signature.apply(envelope, headers)
        except (self._xmlsec.Error, ValueError, TypeError):
            hint = "Both are PEM: an RSA private key without a passphrase, and its certificate."
            raise Denied("the message cannot be signed with this key and certificate.", hint=hint, sent=False) from None
        return envelope, headers
