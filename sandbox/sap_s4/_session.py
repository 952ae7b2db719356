"""Who calls, and whether the call was meant: basic auth, OAuth2 client credentials, CSRF tokens bound to cookies."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

import orjson

from sandbox._base.clock import Clock
from sandbox.sap_s4._http import Response


class Sessions:
    """Users, bearer tokens and sessions of one system; sessions live in memory and are lost by a restart."""

    def __init__(
        self,
        clock: Clock,
        users: Mapping[str, str],
        clients: Mapping[str, str],
        *,
        system: str,
        client: str,
        lifetime: float,
    ) -> None:
        self._clock, self._users, self._clients = clock, dict(users), dict(clients)
        self._lifetime = lifetime
        self.cookie = f"SAP_SESSIONID_{system}_{client}"
        self._client = client
        self._sessions: dict[str, tuple[str, str, float]] = {}
        self._bearers: dict[str, tuple[str, float]] = {}

    def user(self, headers: Mapping[str, str]) -> str | None:
        """The authenticated user, or None."""
        scheme, _, rest = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, password = _basic(rest)
            known = self._users.get(name)
            return name if known is not None and _same(known, password) else None
        if scheme.lower() == "bearer":
            name, until = self._bearers.get(rest.strip(), ("", 0.0))
            return name if name and until > self._clock.timestamp() else None
        return None

    def fetch(self, user: str, headers: Mapping[str, str]) -> tuple[str, list[str]]:
        """A token and the cookies it is bound to; a session that is still good keeps its token."""
        session = self._cookie(headers)
        token, owner, until = self._sessions.get(session, ("", "", 0.0))
        if owner == user and until > self._clock.timestamp():
            return token, []
        session, token = secrets.token_urlsafe(32), secrets.token_urlsafe(18) + "=="
        self._sessions[session] = (token, user, self._clock.timestamp() + self._lifetime)
        return token, [
            f"sap-usercontext=sap-client={self._client}; path=/",
            f"{self.cookie}={session}; path=/; HttpOnly",
        ]

    def valid(self, user: str, headers: Mapping[str, str]) -> bool:
        """Whether a changing request carries a good token together with the cookies of its session."""
        token, owner, until = self._sessions.get(self._cookie(headers), ("", "", 0.0))
        sent = headers.get("x-csrf-token", "")
        return bool(token) and owner == user and until > self._clock.timestamp() and _same(token, sent)

    def revoke(self, headers: Mapping[str, str]) -> None:
        """End the session of a request and take its bearer token away."""
        self._sessions.pop(self._cookie(headers), None)
        self._bearers.pop(headers.get("authorization", "").partition(" ")[2].strip(), None)

    def issue(self, headers: Mapping[str, str], body: bytes) -> Response:
        """The token endpoint of OAuth2 client credentials."""
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1")).items()}
        name, password = _basic(headers.get("authorization", "").partition(" ")[2])
        name, password = name or form.get("client_id", ""), password or form.get("client_secret", "")
        known = self._clients.get(name)
        if form.get("grant_type") != "client_credentials":
            return Response(400, orjson.dumps({"error": "unsupported_grant_type"}))
        if known is None or not _same(known, password):
            return Response(401, orjson.dumps({"error": "invalid_client"}))
        token = secrets.token_urlsafe(32)
        self._bearers[token] = (name, self._clock.timestamp() + self._lifetime)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": int(self._lifetime), "scope": "API"}
        return Response(200, orjson.dumps(answer))

    def _cookie(self, headers: Mapping[str, str]) -> str:
        try:
            jar = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            return ""
        return jar[self.cookie].value if self.cookie in jar else ""


def _basic(text: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
