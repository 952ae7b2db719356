"""Who calls: a UsernameToken of WS-Security with its password as text or digest, or HTTP Basic."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from sandbox._base import Clock
from sandbox.soap._envelope import WSSE, WSU, Element, SoapError

_FRESH = 300.0


class Door:
    """One user with a password; digests are taken once and within five minutes."""

    def __init__(self, user: str, password: str, clock: Clock) -> None:
        self._user, self._password, self._clock = user, password, clock
        self._nonces: set[str] = set()

    def enter(self, header: Element | None, authorization: str, moment: datetime) -> str:
        """The user who is let in; SoapError otherwise."""
        token = None if header is None else header.find(f"{{{WSSE}}}Security/{{{WSSE}}}UsernameToken")
        if token is not None and header is not None:
            self._not_expired(header, moment)
            return self._token(token, moment)
        if authorization.startswith("Basic "):
            try:
                user, _, password = base64.b64decode(authorization[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                user = password = ""
            if user == self._user and hmac.compare_digest(password, self._password):
                return user
        raise SoapError("UNAUTHENTICATED", "Give a UsernameToken or a Basic login that is known", security=True)

    def _not_expired(self, header: Element, moment: datetime) -> None:
        ends = header.findtext(f"{{{WSSE}}}Security/{{{WSU}}}Timestamp/{{{WSU}}}Expires")
        if ends is not None and datetime.fromisoformat(ends) < moment:
            raise SoapError("EXPIRED", "The message has expired", security=True)

    def _token(self, token: Element, moment: datetime) -> str:
        user, held = token.findtext(f"{{{WSSE}}}Username"), token.find(f"{{{WSSE}}}Password")
        given = (held.text or "") if held is not None else ""
        if held is not None and held.get("Type", "").endswith("#PasswordDigest"):
            expected = self._digest(token, moment)
        else:
            expected = self._password
        if user != self._user or not hmac.compare_digest(given.encode(), expected.encode()):
            raise SoapError("UNAUTHENTICATED", "The UsernameToken is not known", security=True)
        return self._user

    def _digest(self, token: Element, moment: datetime) -> str:
        nonce, created = token.findtext(f"{{{WSSE}}}Nonce") or "", token.findtext(f"{{{WSU}}}Created") or ""
        try:
            age = abs((moment - datetime.fromisoformat(created)).total_seconds())
            raw = base64.b64decode(nonce, validate=True)
        except (ValueError, TypeError, binascii.Error):
            raise SoapError("UNAUTHENTICATED", "Nonce or Created cannot be read", security=True) from None
        if age > _FRESH or not raw or nonce in self._nonces:
            raise SoapError("UNAUTHENTICATED", "The UsernameToken was used before, or is too old", security=True)
        self._nonces.add(nonce)
        return base64.b64encode(hashlib.sha1(raw + created.encode() + self._password.encode()).digest()).decode()
