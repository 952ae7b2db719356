"""The OAuth2 token endpoint and the sessions behind its tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox._base import Clock, State

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")


class OAuthError(Exception):
    """A refusal of the token endpoint: HTTP 400 with error and error_description."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description = error, description


@dataclass
class Session:
    """One access token: whose it is and until when it is good."""

    token: str
    user: str
    expires: float


class Sessions:
    """Connected apps, refresh tokens and access tokens; apps are remembered on disk, tokens die with the process."""

    def __init__(self, state: State, clock: Clock, org_id: str, *, seconds: float) -> None:
        self._state, self._clock, self._org_id = state, clock, org_id
        self.seconds = seconds
        self._sessions: dict[str, Session] = {}
        self._refresh: dict[str, tuple[str, str]] = {}

    def register(self, key: str, secret: str | None, certificate_pem: str | bytes | None, user: str) -> None:
        """Make a connected app known, with the user it runs as."""
        pem = certificate_pem.decode() if isinstance(certificate_pem, bytes) else certificate_pem
        digest = hashlib.sha256(secret.encode()).hexdigest() if secret else None
        self._state.remember(f"client:{key}", {"secret": digest, "pem": pem, "user": user})

    def issue_refresh_token(self, key: str, user: str) -> str:
        """A refresh token as the browser flow would have given it."""
        token = f"5Aep861{secrets.token_urlsafe(40)}"
        self._refresh[token] = (key, user)
        return token

    def open(self, user: str) -> Session:
        """A new access token."""
        token = f"{self._org_id[:15]}!{secrets.token_urlsafe(48)}"
        session = Session(token, user, self._clock.timestamp() + self.seconds)
        self._sessions[token] = session
        return session

    def user_of(self, headers: Mapping[str, str], *, late: bool = False) -> str | None:
        """Whose token the request carries, or None; `late` takes one that has expired since the request came in."""
        session = self._sessions.get(_bearer(headers))
        if session is None or (not late and session.expires <= self._clock.timestamp()):
            return None
        return session.user

    def revoke(self, headers: Mapping[str, str]) -> None:
        """End the session of this request's token."""
        self._sessions.pop(_bearer(headers), None)

    def revoke_all(self) -> None:
        """End all sessions, as an administrator can."""
        self._sessions.clear()

    def grant(self, form: Mapping[str, str], headers: Mapping[str, str], base: str, users: Any) -> dict[str, str]:
        """Answer a token request; `users` finds a user id by username."""
        kind = form.get("grant_type", "")
        if kind == JWT_BEARER:
            user = self._by_assertion(form.get("assertion", ""), base, users)
        elif kind == "client_credentials":
            key, secret = _credentials(form, headers)
            user = self._client(key, secret)["user"]
        elif kind == "refresh_token":
            key, secret = _credentials(form, headers)
            self._client(key, secret)
            owner, user = self._refresh.get(form.get("refresh_token", ""), ("", ""))
            if owner != key:
                raise OAuthError("invalid_grant", "expired access/refresh token")
        else:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        return self._success(self.open(user), base)

    def _client(self, key: str, secret: str) -> dict[str, Any]:
        client: dict[str, Any] | None = self._state.setting(f"client:{key}")
        if client is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        given = hashlib.sha256(secret.encode()).hexdigest()
        if client["secret"] is None or not hmac.compare_digest(given, client["secret"]):
            raise OAuthError("invalid_client", "invalid client credentials")
        return client

    def _by_assertion(self, assertion: str, base: str, users: Any) -> str:
        try:
            claimed = jwt.decode(assertion, options={"verify_signature": False, "verify_exp": False})
        except jwt.PyJWTError:
            raise OAuthError("invalid_grant", "invalid assertion") from None
        client = self._state.setting(f"client:{claimed.get('iss')}")
        if client is None or client["pem"] is None:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        try:
            claims = jwt.decode(
                assertion,
                _public_key(client["pem"]),
                algorithms=["RS256"],
                audience=[*_HOSTS, base, f"{base}/services/oauth2/token"],
                options={"verify_exp": False, "require": ["exp", "aud", "sub"]},
            )
        except jwt.InvalidAudienceError:
            raise OAuthError("invalid_grant", "audience is invalid") from None
        except jwt.PyJWTError:
            raise OAuthError("invalid_grant", "invalid assertion") from None
        # a client under test may live by either clock; what both call past is past
        if float(claims["exp"]) < min(self._clock.timestamp(), time.time()):
            raise OAuthError("invalid_grant", "expired authorization code")
        user: str | None = users(str(claims["sub"]))
        if user is None or user != client["user"]:
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return user

    def _success(self, session: Session, base: str) -> dict[str, str]:
        issued = str(int(self._clock.timestamp() * 1000))
        identity = f"{base}/id/{self._org_id}/{session.user}"
        signed = hmac.new(b"sandbox", (identity + issued).encode(), hashlib.sha256).digest()
        return {
            "access_token": session.token,
            "signature": base64.b64encode(signed).decode(),
            "scope": "api",
            "instance_url": base,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        }


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "oauth"} else ""


def _credentials(form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, coded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            key, _, secret = base64.b64decode(coded).decode().partition(":")
        except ValueError:
            raise OAuthError("invalid_client", "invalid client credentials") from None
        return unquote(key), unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


def _public_key(pem: str) -> RSAPublicKey:
    content = pem.encode()
    key: object
    if b"BEGIN CERTIFICATE" in content:
        key = x509.load_pem_x509_certificate(content).public_key()
    else:
        key = serialization.load_pem_public_key(content)
    if not isinstance(key, RSAPublicKey):
        raise OAuthError("invalid_grant", "invalid assertion")
    return key
