"""Logs in and signs: what `auth` declares, done to every request of one system."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt

from landbridge.errors import Denied, Failure, Invalid, OutcomeUnknown, Unavailable
from landbridge.net._auth import ApiKey, Basic, Bearer, Hmac, Jwt, OAuth2, Way, fill
from landbridge.net._http import Http
from landbridge.net._outcome import outcome_of
from landbridge.net._reply import Reply
from landbridge.secrets import remember, scrub
from landbridge.strict import json as strict_json
from landbridge.time import Clock

_EARLY = timedelta(seconds=30)  # a token is renewed this long before its end, or after nine tenths of a short life
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one request carries; `token` is what to name when the system refuses it."""

    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    token: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<Credentials in {', '.join([*self.headers, *self.params]) or 'nothing'}>"


class Authenticator:
    """Sends requests of one system with its credentials; safe to share between threads.

    A token is asked for once, however many threads need it, and anew when it nears its end or is refused with 401:
    the request then goes once more, since 401 says that it had no effect. A second 401 is the caller's `Denied`.
    """

    def __init__(self, auth: Way, http: Http, clock: Clock) -> None:
        self.http = http
        self._auth = auth
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = datetime.max.replace(tzinfo=UTC)

    def __repr__(self) -> str:
        return f"<Authenticator {self._auth.type} of {self.http.system}>"

    @property
    def renews(self) -> bool:
        """Whether a refused token can be replaced by a new one."""
        return isinstance(self._auth, (OAuth2, Jwt))

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        safe: bool | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """Like `Http.request`, with credentials; asks for a new token once where the system refuses ours."""
        sent = dict(headers or {})
        if json is not None:
            content = strict_json.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        elif form is not None:
            content = urlencode(form).encode()
            sent.setdefault("Content-Type", _FORM)
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        refused: str | None = None
        while True:
            found = self.credentials(method, url, content, refused=refused)
            address = url + ("&" if "?" in url else "?") + urlencode(found.params) if found.params else url
            reply = self.http.request(
                method, address, headers={**sent, **found.headers}, content=content, safe=safe, timeout=timeout
            )
            if reply.status != 401 or refused is not None or not self.renews:
                return reply
            self.http.forget_cookies()
            refused = found.token

    def credentials(
        self, method: str, url: str, content: bytes | None = None, *, refused: str | None = None
    ) -> Credentials:
        """What a request carries; `refused` is the token that the system just refused, and is not given again."""
        auth = self._auth
        if isinstance(auth, Basic):
            return _authorization("Basic", _basic(auth.user, auth.password.reveal()))
        if isinstance(auth, Bearer):
            return _authorization("Bearer", auth.token.reveal())
        if isinstance(auth, ApiKey):
            return _api_key(auth)
        if isinstance(auth, (OAuth2, Jwt)):
            token = self._valid(auth, refused)
            return Credentials({"Authorization": f"Bearer {token}"}, token=token)
        if isinstance(auth, Hmac):
            return Credentials(self._signed(auth, method, url, content or b""))
        return Credentials()

    def forget(self) -> None:
        """Log in anew with the next request."""
        with self._lock:
            self._token = None

    def _valid(self, auth: OAuth2 | Jwt, refused: str | None) -> str:
        with self._lock:
            if self._token is None or self._token == refused or self._clock.now() >= self._until:
                self._token = None  # should asking fail, the old one is not tried again
                asked = self._clock.now()
                token, lifetime = self._asked(auth)
                self._token = remember(token)
                self._until = asked + lifetime - min(_EARLY, lifetime / 10)
            return self._token

    def _asked(self, auth: OAuth2 | Jwt) -> tuple[str, timedelta]:
        if isinstance(auth, OAuth2):
            return self._exchanged(auth.token_url, *_client(auth), auth.lifetime)
        assertion = self._assertion(auth)
        if auth.token_url is None:
            return assertion, timedelta(seconds=auth.valid)
        form = {"grant_type": auth.grant, "assertion": assertion, **auth.extra}
        return self._exchanged(auth.token_url, form, {}, auth.lifetime)

    def _exchanged(
        self, url: str, form: dict[str, str], headers: dict[str, str], lifetime: float
    ) -> tuple[str, timedelta]:
        sent = {"Accept": "application/json", **headers}
        try:
            reply = self.http.request("POST", url, form=form, headers=sent, safe=True)
        except (Unavailable, OutcomeUnknown) as error:
            self._unreached(error)
        failure = outcome_of(reply, now=self._clock.now(), detail=_detail(reply))
        if isinstance(failure, (Unavailable, OutcomeUnknown)):
            self._unreached(failure)
        if failure is not None:
            hint = "Look at the client's id and secret or key, its scopes, and the clock."
            raise Denied(failure.message, hint=hint, status=failure.status, sent=False)
        answer = reply.json()
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise Denied(f"{reply.what} answered without access_token.", hint="Look at `token_url`.", sent=False)
        told = answer.get("expires_in")
        number = str(told).isascii() and str(told).replace(".", "", 1).isdigit()
        seconds = float(told) if number and float(told) > 0 else lifetime
        return token, timedelta(seconds=min(seconds, 10 * 365 * 86400))

    def _unreached(self, failure: Failure) -> NoReturn:
        """No token came: whatever happened there, the request itself was not sent."""
        wait = failure.wait if isinstance(failure, Unavailable) else None
        raise Unavailable(failure.message, wait=wait, hint=failure.hint, status=failure.status, sent=False) from None

    def _assertion(self, auth: Jwt) -> str:
        now = int(self._clock.now().timestamp())
        claims: dict[str, Any] = {"iss": auth.issuer, "iat": now, "exp": now + int(auth.valid), **auth.claims}
        for name, value in (("sub", auth.subject), ("aud", auth.audience or auth.token_url)):
            if value is not None:
                claims[name] = value
        headers = {"kid": auth.key_id} if auth.key_id else None
        try:
            return remember(jwt.encode(claims, auth.key.reveal(), algorithm=auth.algorithm, headers=headers))
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            message = f"{self.http.system}: {auth.key.reference} holds no key for {auth.algorithm}"
            hint = "RS, PS and ES want a PEM private key of that kind, HS a shared secret."
            raise Denied(f"{message} ({type(error).__name__}).", hint=hint, sent=False) from None

    def _signed(self, auth: Hmac, method: str, url: str, content: bytes) -> dict[str, str]:
        now, at = self._clock.now(), ""
        if auth.timestamp == "iso":
            at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            at = str(int(now.timestamp() * (1000 if auth.timestamp == "milliseconds" else 1)))
        parts = urlsplit(self.http.address_of(url))
        values = {
            "method": method,
            "path": parts.path or "/",
            "query": parts.query,
            "host": parts.netloc,
            "body": content.decode("utf-8", "replace"),
            "digest": _written(hashlib.new(auth.algorithm, content).digest(), auth.encoding),
            "timestamp": at,
            "key_id": auth.key_id,
        }
        text = fill(auth.sign, values).encode()
        made = hmac.new(auth.key.reveal().encode(), text, auth.algorithm).digest()
        values["signature"] = _written(made, auth.encoding)
        return {name: fill(template, values) for name, template in auth.headers.items()}


def authenticator(auth: Way, http: Http, clock: Clock) -> Authenticator:
    """What sends the requests of a system with the credentials that its configuration declares."""
    return Authenticator(auth, http, clock)


def _authorization(scheme: str, value: str) -> Credentials:
    return Credentials({"Authorization": f"{scheme} {value}"})


def _api_key(auth: ApiKey) -> Credentials:
    key = auth.key.reveal()
    if auth.header is not None:
        return Credentials({auth.header: auth.prefix + key})
    remember(quote_plus(key))  # as it stands in the address
    return Credentials(params={str(auth.query): key})


def _client(auth: OAuth2) -> tuple[dict[str, str], dict[str, str]]:
    """Form and headers of a request for a token."""
    form = {"grant_type": "client_credentials", **auth.extra}
    form |= {name: value for name, value in (("scope", auth.scope), ("audience", auth.audience)) if value}
    secret = auth.client_secret.reveal()
    if auth.client_auth == "body":
        return {**form, "client_id": auth.client_id, "client_secret": secret}, {}
    login = _basic(quote_plus(auth.client_id), quote_plus(secret))  # RFC 6749, 2.3.1
    return form, {"Authorization": f"Basic {login}"}


def _basic(user: str, password: str) -> str:
    return remember(base64.b64encode(f"{user}:{password}".encode()).decode())


def _written(digest: bytes, encoding: str) -> str:
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def _detail(reply: Reply) -> str:
    """What the token endpoint says, without anything that we sent it."""
    try:
        body = strict_json.loads(reply.content) if reply.content else None
    except Invalid:
        return ""
    if not isinstance(body, dict):
        return ""
    said = [str(body[name]) for name in ("error", "error_description") if isinstance(body.get(name), str)]
    return scrub(": ".join(said))[:300]


class _Scrubbed(logging.Filter):
    """urllib3 logs addresses with their query, where an API key may stand."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(scrub(each) if isinstance(each, str) else each for each in record.args)
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_Scrubbed())
