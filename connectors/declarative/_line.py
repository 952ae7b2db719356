"""The line to one system: its credentials, its headers, its errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from connectors.declarative._errors import ErrorMap
from landbridge.errors import Denied, Unavailable
from landbridge.net import ApiKey, Auth, Http, Reply, Usage, authenticator, origin
from landbridge.time import Clock


class Line:
    """Requests to one system; safe to share between threads."""

    def __init__(self, http: Http, clock: Clock, url: str, auth: Auth, headers: Mapping[str, str]) -> None:
        self.system = http.system
        self.clock = clock
        self._http = http
        self._origin = origin(url)
        self._below = urlsplit(url).path.rstrip("/")
        self._headers = {"Accept": "application/json", **headers}
        self._hidden = auth.query if isinstance(auth, ApiKey) else None
        self._authenticator = authenticator(auth, http, clock)

    def send(
        self,
        method: str,
        path: str,
        errors: ErrorMap,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | None = None,
        absent: frozenset[int] = frozenset(),
    ) -> Reply:
        """One call; raises the Failure that the reply stands for, unless its status is among `absent`."""
        sent = {**self._headers, **(headers or {})}
        reply = self._request(method, path, params=params, headers=sent, json=json, safe=safe)
        if reply.status in absent:
            return reply
        failure = errors.failure(reply, self.clock.now())
        if isinstance(failure, Unavailable) and failure.wait and reply.status != 429:
            self._http.learn(Usage(wait=failure.wait))  # of a 429 the budget knows already
        if failure is not None:
            raise failure
        return reply

    def _request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        json: Any,
        safe: bool | None,
    ) -> Reply:
        """One call with our credentials, whatever its status."""
        return self._authenticator.request(method, path, params=params, headers=headers, json=json, safe=safe)

    def relative(self, link: str) -> str:
        """A link that stands below the service as a path from the host's root."""
        if "://" in link.partition("?")[0] or link.startswith("/"):
            return link
        return f"{self._below}/{link}"

    def following(self, link: str, what: str) -> str:
        """The address of a next page, kept to the system itself and without our key."""
        if "://" in link.partition("?")[0] or link.startswith("//"):
            try:
                theirs = origin(link)
            except ValueError:
                theirs = "an address that cannot be read"
            if theirs != self._origin:
                hint = "A reply may not send us elsewhere; if the API really lives there, that is its `url`."
                raise Denied(f"{what}: the next page is said to be at {theirs}.", hint=hint, sent=False)
            parts = urlsplit(link)
            link = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        if self._hidden is None or "?" not in link:
            return link
        path, _, query = link.partition("?")
        kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != self._hidden]
        return path + ("?" + urlencode(kept) if kept else "")
