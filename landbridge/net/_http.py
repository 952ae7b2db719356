"""One system over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.cookies import extract_cookies_to_jar
from urllib3.util import parse_url

from landbridge import seam
from landbridge.errors import Denied, Failure
from landbridge.net._adapter import Adapter, lapsed
from landbridge.net._address import is_loopback, origin
from landbridge.net._budget import Budget, Usage
from landbridge.net._line import LineErrors, cut, failure_of
from landbridge.net._outcome import retry_after
from landbridge.net._reply import Reply
from landbridge.net._settings import NetSettings
from landbridge.net._trace import hop
from landbridge.strict import json as strict_json
from landbridge.time import Clock, SystemClock

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_CHUNK = 1 << 16
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Http:
    """Requests to one system; safe to share between threads.

    Paths are relative to `base` (from the host's root when they begin with a slash); whole addresses must belong to
    `base` or to one of `allowed`. Cookies are kept, redirects returned.
    """

    def __init__(
        self,
        system: str,
        base: str,
        settings: NetSettings | None = None,
        *,
        clock: Clock | None = None,
        budget: Budget | None = None,
        allowed: Iterable[str] = (),
    ) -> None:
        self.system = system
        self.settings = settings or NetSettings()
        self._base = base.rstrip("/")
        self._root = origin(base)
        self._allowed = {self._root, *(origin(url) for url in allowed)}
        self._clock = clock or SystemClock()
        self._budget = budget
        self._verify: bool | str = str(self.settings.ca) if self.settings.ca else True
        pair = self.settings.client_certificate
        self._certificate = (str(pair.certificate), str(pair.key)) if pair else None
        self._refuse_plain()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = "landbridge"
        self._adapter = Adapter(self.settings.concurrency)

    def __repr__(self) -> str:
        return f"<Http {self.system} {self._root}>"

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
        """Send one request and read the whole reply, whatever its status; raises a Failure if none came back.

        `safe` says that sending it twice does no harm (default: by method); `timeout` replaces the read time-out.
        """
        safe = method in _SAFE if safe is None else safe
        target, path = self._target(url)
        what = f"{self.system}: {method} {path}"
        with hop(self._clock, method, target) as sent:
            prepared = self._prepare(what, method, target, params, headers, content, json, form, sent.header)
            if self._budget is not None:
                self._budget.acquire()
            seam.step("send", what)
            reply = self._exchange(prepared, what, safe, timeout or self.settings.read)
            sent.status = reply[0]
        seam.step("receive", what)
        answer = Reply(self.system, method, path, safe, *reply)
        if answer.status == 429 and self._budget is not None:
            wait = retry_after(answer.headers.get("Retry-After"), self._clock.now())
            self._budget.learn(Usage(wait=wait or 1.0))
        return answer

    def admit(self) -> None:
        """Return when the rate budget lets one request go that takes another way, such as a database's protocol."""
        if self._budget is not None:
            self._budget.acquire()
        if not seam.still():
            raise lapsed(self.system)

    def learn(self, usage: Usage) -> None:
        """Tell the budget what a reply said about the system's limit."""
        if self._budget is not None:
            self._budget.learn(usage)

    def allows(self, url: str) -> bool:
        """Whether an address that a system named may be asked; relative ones may."""
        try:
            self._target(url)
        except Failure:
            return False
        return True

    def address_of(self, url: str) -> str:
        """The whole address that a request for `url` goes to, as it is sent; Denied where it may not be asked."""
        whole = str(parse_url(self._target(url)[0]))  # as the line spells it: `%2f` as `%2F`, no dot segments
        return requests.utils.requote_uri(whole)

    def forget_cookies(self) -> None:
        """Drop the session that the system knows us by."""
        self._session.cookies.clear()

    def close(self) -> None:
        """Close every connection; the next request opens a new one."""
        self._adapter.close()

    def _target(self, url: str) -> tuple[str, str]:
        """The address to ask and its path; built on our own origin, so that no spelling of a host gets through."""
        if not isinstance(url, str):  # a link out of a reply may be anything
            hint = "The system names an address that is no text; look whether `url` leads to the right system."
            raise Denied(f"{self.system}: an address that cannot be read.", hint=hint, sent=False)
        if url.startswith("/"):
            root, rest = self._root, url
        elif "://" not in url.partition("?")[0]:
            root, rest = self._root, f"{urlsplit(self._base).path}/{url}"
        else:
            root, rest = self._listed(url)
        return root + rest, rest.partition("?")[0]

    def _listed(self, url: str) -> tuple[str, str]:
        try:
            root = origin(url)
        except ValueError:
            root = ""
        if root not in self._allowed:
            host = root or "an address that cannot be read"
            hint = "Only addresses of the system's configuration are reached; add it there if it is right."
            raise Denied(f"{self.system}: {host} is not in the configuration.", hint=hint, sent=False)
        parts = urlsplit(url)
        return root, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _refuse_plain(self) -> None:
        for root in self._allowed:
            parts = urlsplit(root)
            if parts.scheme == "http" and not self.settings.plain_http and not is_loopback(parts.hostname or ""):
                hint = "Use https://, or set `net.plain_http: true` if the way there is private."
                raise Denied(f"{self.system}: {root} would send secrets in the clear.", hint=hint, sent=False)

    def _prepare(
        self,
        what: str,
        method: str,
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        content: bytes | None,
        json: Any,
        form: Mapping[str, str] | None,
        trace: str | None,
    ) -> requests.PreparedRequest:
        sent = dict(headers or {})
        if json is not None:
            content = strict_json.dumps(json)
            sent.setdefault("Content-Type", "application/json")
        if trace is not None:
            sent["traceparent"] = trace
        body: Any = content if content is not None else form
        if any(_CONTROL.search(text) for pair in sent.items() for text in pair):
            raise failure_of(ValueError(), what, safe=True)
        try:
            request = requests.Request(method, url, headers=sent, params=params, data=body)
            return self._session.prepare_request(request)
        except LineErrors as error:
            raise failure_of(error, what, safe=True) from None  # its text may hold the secret that was in the header

    def _exchange(
        self, prepared: requests.PreparedRequest, what: str, safe: bool, read: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        response: requests.Response | None = None
        try:
            response = self._adapter.send(
                prepared,
                stream=True,
                timeout=(self.settings.connect, read),
                verify=self._verify,
                cert=self._certificate,
                proxies=self._proxies(),
            )
            extract_cookies_to_jar(self._session.cookies, prepared, response.raw)  # type: ignore[no-untyped-call]  # as shipped
            content = self._read(response, what, safe)
        except LineErrors as error:
            _drop(response)
            raise failure_of(error, what, safe=safe) from None  # the cause holds the request with its headers
        except BaseException:
            _drop(response)
            raise
        return response.status_code, response.headers, content

    def _read(self, response: requests.Response, what: str, safe: bool) -> bytes:
        """The whole body, no longer than `max_reply` and within `total` seconds."""
        limit, end = self.settings.max_reply, time.monotonic() + self.settings.total
        chunks: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise cut(what, f"the reply is longer than {limit} bytes (`net.max_reply`)", safe=safe)
            if time.monotonic() > end:
                raise cut(what, f"the reply took longer than {self.settings.total:g} s (`net.total`)", safe=safe)
        response.raw.release_conn()
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _proxies(self) -> dict[str, str] | None:
        proxy = self.settings.proxy
        if proxy is None:
            return None
        if self.settings.proxy_login is not None:
            scheme, _, rest = proxy.partition("://")
            proxy = f"{scheme}://{self.settings.proxy_login.reveal()}@{rest}"
        return {"http": proxy, "https": proxy}


def _drop(response: requests.Response | None) -> None:
    """Close a connection whose reply was not read to its end."""
    if response is not None:
        response.close()
