"""The logged-in line to one org: token, renewal after 401, limits, errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import jwt

from connectors.salesforce._config import SalesforceConfig
from connectors.salesforce._errors import failure_of_reply
from landbridge.connector import Identity
from landbridge.errors import Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.net import Http, Reply, Usage
from landbridge.secrets import remember
from landbridge.time import Clock

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_IDENTITY = re.compile(r"/id/(00D\w{12,15})/(005\w{12,15})$")
_LONGEST_QUERY = 14_000  # Salesforce answers 414 to an address of more than 16,384 bytes
_JWT_SECONDS = 180


class Session:
    """Calls of the REST API as the integration user; safe to share between threads."""

    def __init__(self, config: SalesforceConfig, http: Http, clock: Clock) -> None:
        self.http = http
        self.clock = clock
        self.path = f"/services/data/v{config.api_version}"
        self._config = config
        self._lock = threading.Lock()
        self._token: str | None = None
        self._identity: Identity | None = None

    def login(self) -> Identity:
        """Log in anew and say which org answers."""
        with self._lock:
            self._renew()
        assert self._identity is not None
        return self._identity

    @property
    def user(self) -> str:
        """The id of the user that we are; known after the first call."""
        return self._identity.user if self._identity is not None else ""

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, str] | None = None,
        batch_size: int | None = None,
    ) -> Any:
        """One call; its JSON. Raises the Failure that the reply stands for. Logs in again once, after a 401."""
        extra = {"Sforce-Query-Options": f"batchSize={batch_size}"} if batch_size is not None else {}
        reply = self.reply(method, path, json=json, params=params, headers=extra)
        return reply.json() if reply.content else None

    def reply(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The whole reply to one call, for content that is no JSON; failures as `call` raises them."""
        extra = dict(headers or {})
        token = self._bearer(refused=None)
        reply = self._send(method, path, json, content, params, extra, token)
        if reply.status == 401:
            reply = self._send(method, path, json, content, params, extra, self._bearer(refused=token))
        usage = _USAGE.search(reply.headers.get("Sforce-Limit-Info", ""))
        if usage:
            self.http.learn(Usage(used=int(usage[1]), limit=int(usage[2])))
        failure = failure_of_reply(reply, self.clock.now())
        if failure is not None:
            raise failure
        return reply

    def query(
        self, soql: str, *, deleted: bool = False, batch_size: int | None = None
    ) -> Iterator[tuple[list[dict[str, Any]], bool, int]]:
        """A query's records, a server's page at a time, whether it was the last, and how many there are in all.

        Sub-queries are whole.
        """
        if len(soql) > _LONGEST_QUERY:
            hint = "Name the fields that the mapping reads in `fields` of the system."
            raise Rejected(f"{self.http.system}: the query has {len(soql)} characters.", hint=hint, sent=False)
        result = self.call(
            "GET", f"{self.path}/{'queryAll' if deleted else 'query'}", params={"q": soql}, batch_size=batch_size
        )
        while True:
            if not isinstance(result, dict) or not isinstance(result.get("records"), list):
                raise Unavailable(f"{self.http.system}: a query was answered without records.", hint="Look at `url`.")
            records: list[dict[str, Any]] = result["records"]
            for record in records:
                self._complete(record)
            yield records, result["done"], int(result.get("totalSize") or 0)
            if result["done"]:
                return
            result = self.call("GET", result["nextRecordsUrl"], batch_size=batch_size)

    def records(self, soql: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:
        """The records of a query, one by one."""
        for page, _, _ in self.query(soql, deleted=deleted):
            yield from page

    def _complete(self, record: dict[str, Any]) -> None:
        """Take away the links, and read sub-queries that the server cut off to their end."""
        record.pop("attributes", None)
        for value in record.values():
            if not isinstance(value, dict):
                continue
            value.pop("attributes", None)
            if "records" in value:
                self._complete_lines(value)

    def _complete_lines(self, value: dict[str, Any]) -> None:
        following = value.pop("nextRecordsUrl", None)
        while following:
            more = self.call("GET", following)
            value["records"] += more["records"]
            following = more.get("nextRecordsUrl")
        value["done"] = True
        for line in value["records"]:
            self._complete(line)

    def _send(
        self,
        method: str,
        path: str,
        json: Any,
        content: bytes | None,
        params: Mapping[str, str] | None,
        extra: Mapping[str, str],
        token: str,
    ) -> Reply:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "Sforce-Call-Options": "client=landbridge",
            **extra,
        }
        return self.http.request(method, path, params=params, headers=headers, json=json, content=content)

    def _bearer(self, refused: str | None) -> str:
        """The token; a new one where there is none, or where it is still the refused one."""
        with self._lock:
            if self._token is None or self._token == refused:
                self._renew()
            assert self._token is not None
            return self._token

    def _renew(self) -> None:
        login = self._config.login_url or self._config.url
        reply = self.http.request("POST", f"{login}/services/oauth2/token", form=self._grant(login), safe=True)
        failure = failure_of_reply(reply, self.clock.now())
        if failure is not None:
            raise self._refused(failure)
        answer = reply.json()
        if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
            raise Unavailable(f"{reply.what} answered without a token.", hint="Look at `login_url`.", sent=False)
        if not self.http.allows(str(answer.get("instance_url", ""))):
            hint = f"Set `url` to {answer['instance_url']}, the org's own address."
            raise Denied(f"{self.http.system}: the org lives at another address than `url`.", hint=hint, sent=False)
        self._token = remember(answer["access_token"])
        found = _IDENTITY.search(str(answer.get("id", "")))
        if found is None:
            raise Denied(f"{reply.what} did not say which org answers.", hint="Ask for the scope `id`.", sent=False)
        self._identity = Identity(found[1][:18], user=found[2][:18], details={"instance": self._config.url})

    def _refused(self, failure: Failure) -> Failure:
        """A login has no effect on records: whatever went wrong, nothing was sent."""
        if isinstance(failure, (Unavailable, OutcomeUnknown)):
            wait = failure.wait if isinstance(failure, Unavailable) else None
            return Unavailable(failure.message, wait=wait, hint=failure.hint, status=failure.status, sent=False)
        hint = "Check the consumer key, the key or secret, the user's approval of the app, and the clock."
        return Denied(failure.message, hint=hint, status=failure.status, sent=False)

    def _grant(self, login: str) -> dict[str, str]:
        config = self._config
        if config.client_secret is not None:
            secret = config.client_secret.reveal()
            return {"grant_type": "client_credentials", "client_id": config.client_id, "client_secret": secret}
        assert config.private_key is not None
        claims = {
            "iss": config.client_id,
            "sub": config.username,
            "aud": config.audience or login,
            "exp": int(self.clock.now().timestamp()) + _JWT_SECONDS,
        }
        try:
            assertion = jwt.encode(claims, config.private_key.reveal(), algorithm="RS256")
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            message = f"{self.http.system}: {config.private_key.reference} holds no usable RSA key."
            raise Denied(
                f"{message} ({type(error).__name__})", hint="It must be a PEM private key.", sent=False
            ) from None
        return {"grant_type": _GRANT, "assertion": remember(assertion)}
