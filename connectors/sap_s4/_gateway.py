"""One Gateway session: log-on, CSRF token with its cookies, requests and what they answer."""

from __future__ import annotations

import base64
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from connectors.sap_s4._batch import Operation, build, parse
from connectors.sap_s4._config import SapS4Config
from connectors.sap_s4._errors import failure_of
from connectors.sap_s4._literals import address
from connectors.sap_s4._metadata import Service, read_service
from landbridge.errors import Denied, Failure, Unavailable
from landbridge.net import Http, Reply
from landbridge.secrets import remember
from landbridge.strict import json as strict_json
from landbridge.strict import xml as strict_xml
from landbridge.time import Clock

SERVICES = "/sap/opu/odata/sap"
_TOKEN_SPARE = timedelta(seconds=60)


class Gateway:
    """Requests to the OData services of one client; safe to share between threads."""

    def __init__(self, name: str, config: SapS4Config, http: Http, clock: Clock) -> None:
        self.name = name
        self._config = config
        self._http = http
        self._clock = clock
        self._root = urlsplit(str(config.url)).path.rstrip("/") or SERVICES
        self._lock = threading.RLock()
        self._csrf: str | None = None
        self._bearer: tuple[str, datetime] | None = None
        self._services: dict[str, Service] = {}

    def url(self, service: str, path: str, query: Mapping[str, object] | None = None) -> str:
        """The address of a resource of a service."""
        return address(f"{self._root}/{service}/{path}", query)

    def service(self, name: str) -> Service:
        """The service as its metadata describes it; asked once."""
        with self._lock:
            if name not in self._services:
                reply = self._get(self.url(name, "$metadata"), accept="application/xml")
                self._services[name] = read_service(name, strict_xml.parse(reply.content))
            return self._services[name]

    def get(self, service: str, path: str, query: Mapping[str, object] | None = None) -> Any:
        """What stands under `d` of a reply: a record, or a mapping with `results`."""
        return self._get(self.url(service, path, query)).json()["d"]

    def follow(self, url: str) -> Any:
        """The next page by the address that SAP gave; only this system's own host is asked."""
        if not self._http.allows(url):
            raise Denied(
                f"{self.name}: the next page lies on another host than the system.",
                hint="Set the host name of the system's own links (`url`), or of the proxy in SAP.",
                sent=False,
            )
        return self._get(url).json()["d"]

    def all(self, service: str, path: str, query: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
        """Every record of a query, page after page along SAP's own links."""
        answer = self.get(service, path, query)
        while True:
            yield from answer["results"]
            if not answer.get("__next"):
                return
            answer = self.follow(answer["__next"])

    def count(self, service: str, entity_set: str, condition: str | None) -> int:
        """How many records of a set a filter finds."""
        query = {"$filter": condition} if condition else None
        reply = self._get(self.url(service, f"{entity_set}/$count", query), accept="text/plain")
        said = reply.text.strip()
        if not (said.isascii() and said.isdigit() and len(said) < 19):
            raise reply.garbled("something else than a number")
        return int(said)

    def head(self, service: str) -> Reply:
        """The service document with a session, for a look at rights and at who answers."""
        reply = self._send(
            "GET", self.url(service, ""), {"Accept": "application/json", "X-CSRF-Token": "Fetch"}, None, safe=True
        )
        failure = self.failure(reply)
        if failure is not None:
            raise failure
        self._csrf = reply.headers.get("x-csrf-token") or self._csrf
        return reply

    def change(self, service: str, operation: Operation) -> Reply:
        """One change by itself."""
        url = self.url(service, operation.path)
        return self._change(service, operation.method, url, operation.all_headers(), operation.content())

    def batch(self, service: str, changesets: Sequence[Sequence[Operation]]) -> list[list[Reply]]:
        """Several changesets in one request; the replies of each, fewer lists only if the reply was cut."""
        boundary = f"batch_{uuid.uuid4().hex}"
        headers = {"Content-Type": f"multipart/mixed; boundary={boundary}", "Accept": "multipart/mixed"}
        reply = self._change(service, "POST", self.url(service, "$batch"), headers, build(changesets, boundary))
        return parse(reply)

    def failure(self, reply: Reply) -> Failure | None:
        """What a reply stands for, None for success."""
        return failure_of(reply, now=self._clock.now())

    def _get(self, url: str, accept: str = "application/json") -> Reply:
        reply = self._send("GET", url, {"Accept": accept}, None, safe=True)
        failure = self.failure(reply)
        if failure is not None:
            raise failure
        return reply

    def _change(self, service: str, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Reply:
        """Send a change with the token of the session; a refused token is fetched anew, once."""
        for attempt in (1, 2):
            token = self._token(service)
            reply = self._send(method, url, {**headers, "X-CSRF-Token": token}, content, safe=False)
            if not _token_refused(reply):
                break
            with self._lock:
                if self._csrf == token:
                    self._csrf = None
            if attempt == 2:
                raise Unavailable(
                    f"{reply.what}: SAP refused the CSRF token twice.",
                    wait=30,
                    hint="Sessions may be lost between application servers; look at the load balancer's stickiness.",
                    status="403",
                )
        failure = self.failure(reply)
        if failure is not None:
            raise failure
        return reply

    def _token(self, service: str) -> str:
        with self._lock:
            if self._csrf is None:
                try:
                    token = self.head(service).headers.get("x-csrf-token")
                except Failure as failure:
                    failure.sent = False  # nothing was changed by asking for a token
                    raise
                if not token:
                    raise Unavailable(
                        f"{self.name}: {service} gave no CSRF token.", hint="Is this an SAP Gateway?", sent=False
                    )
                self._csrf = remember(token)
            return self._csrf

    def _send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, *, safe: bool) -> Reply:
        for attempt in (1, 2):
            reply = self._http.request(
                method, url, headers={**headers, **self._session_headers()}, content=content, safe=safe
            )
            if reply.status != 401 or self._config.token_url is None or attempt == 2:
                return reply
            with self._lock:
                self._bearer = None
        raise AssertionError("unreachable")

    def _session_headers(self) -> dict[str, str]:
        headers = {"Authorization": self._authorization(), "sap-language": self._config.language}
        if self._config.client:
            headers["sap-client"] = self._config.client
        if self._config.api_key is not None:
            headers["APIKey"] = self._config.api_key.reveal()
        return headers

    def _authorization(self) -> str:
        if self._config.token_url is not None:
            return f"Bearer {self._access_token()}"
        assert self._config.password is not None  # the configuration's own check
        login = f"{self._config.user}:{self._config.password.reveal()}".encode()
        return f"Basic {remember(base64.b64encode(login).decode())}"

    def _access_token(self) -> str:
        with self._lock:
            now = self._clock.now()
            if self._bearer is None or self._bearer[1] <= now:
                assert self._config.token_url is not None and self._config.client_secret is not None
                login = f"{self._config.client_id}:{self._config.client_secret.reveal()}".encode()
                reply = self._http.request(
                    "POST",
                    str(self._config.token_url),
                    headers={"Authorization": f"Basic {remember(base64.b64encode(login).decode())}"},
                    form={"grant_type": "client_credentials"},
                    safe=True,
                )
                failure = self.failure(reply)
                if failure is not None:
                    raise Denied(failure.message, hint="Check client_id and client_secret.", sent=False)
                answer = reply.json()
                life = timedelta(seconds=int(answer.get("expires_in", 3600))) - _TOKEN_SPARE
                self._bearer = (remember(str(answer["access_token"])), now + life)
            return self._bearer[0]


def _token_refused(reply: Reply) -> bool:
    return reply.status == 403 and str(reply.headers.get("x-csrf-token", "")).lower() == "required"


def body_of(reply: Reply) -> Any:
    """The record inside the reply to a change, None where it has none."""
    if not reply.content.strip():
        return None
    try:
        return strict_json.loads(reply.content)["d"]
    except (ValueError, KeyError, TypeError, Failure):
        return None
