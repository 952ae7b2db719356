"""The line to one OData service: its metadata, its CSRF token, its error envelope."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from connectors.declarative._block import Errors
from connectors.declarative._edmx import EntityType, Service
from connectors.declarative._errors import ErrorMap
from connectors.declarative._line import Line
from connectors.declarative._odata_config import EntitySet, ODataConfig
from connectors.declarative._odata_values import literal, plain
from landbridge.errors import Invalid, Rejected
from landbridge.net import Http, Reply
from landbridge.time import Clock

ERRORS = Errors.model_validate({"code": "error.code", "message": ["error.message.value", "error.message"]})
_TOKEN = "X-CSRF-Token"  # noqa: S105 - the name of a header


class ODataLine(Line):
    """Requests to one service; safe to share between threads."""

    def __init__(self, http: Http, clock: Clock, config: ODataConfig) -> None:
        wanted = {"OData-Version": "4.0", "OData-MaxVersion": "4.0", "Prefer": "return=representation"}
        exact = "application/json;IEEE754Compatible=true" if config.protocol == "v4" else "application/json"
        base = {"Accept": exact, **(wanted if config.protocol == "v4" else {"DataServiceVersion": "2.0"})}
        super().__init__(http, clock, config.url, config.auth, {**base, **config.headers})
        self.errors = ErrorMap(ERRORS)
        self._config = config
        self._lock = threading.Lock()
        self._service: Service | None = None
        self._csrf: str | None = None

    @property
    def service(self) -> Service:
        """The service's own description, read once."""
        with self._lock:
            if self._service is None:
                self._service = self._described()
            return self._service

    def forget(self) -> None:
        """Read the description anew."""
        with self._lock:
            self._service = None

    def _described(self) -> Service:
        headers = {"Accept": "application/xml"}
        reply = self.send("GET", "$metadata", self.errors, headers=headers, safe=True)
        try:
            return Service(reply.content, self.system)
        except Invalid as error:
            raise reply.garbled(f"metadata that cannot be read ({error.message})") from error

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
        params = {**self._config.parameters, **(params or {})}
        if method == "GET" or not self._config.csrf:
            return super()._request(method, path, params=params, headers=headers, json=json, safe=safe)
        token = self._token(None)
        given = {**headers, _TOKEN: token}
        reply = super()._request(method, path, params=params, headers=given, json=json, safe=safe)
        if reply.status == 403 and reply.headers.get(_TOKEN, "").lower() == "required":
            given[_TOKEN] = self._token(token)
            reply = super()._request(method, path, params=params, headers=given, json=json, safe=safe)
        return reply

    def _token(self, refused: str | None) -> str:
        """The token of our session; a new one where there is none, or where it is still the refused one."""
        with self._lock:
            if self._csrf is None or self._csrf == refused:
                headers = {"Accept": "application/json", _TOKEN: "Fetch"}
                reply = super()._request(
                    "GET", "", params=self._config.parameters, headers=headers, json=None, safe=True
                )
                failure = self.errors.failure(reply, self.clock.now())
                if failure is not None:
                    failure.sent = False
                    raise failure
                self._csrf = reply.headers.get(_TOKEN)
                if not self._csrf:
                    hint = "Say `csrf: false` if the service wants none."
                    raise Rejected(f"{reply.what} gave no {_TOKEN}.", hint=hint, sent=False)
            return self._csrf


class Kind:
    """One declared entity with what the metadata says of its set."""

    def __init__(self, line: ODataLine, declared: EntitySet, protocol: str) -> None:
        self._line, self.declared, self.protocol = line, declared, protocol

    @property
    def type(self) -> EntityType:
        """The set's entity type."""
        return self._line.service.type_of(self.declared.set)

    @property
    def keys(self) -> tuple[str, ...]:
        """The properties of its key."""
        return self.type.keys

    def type_of(self, name: str) -> str:
        """The type of a property; Edm.String of one that the metadata does not know."""
        known = self.type.properties.get(name)
        return known.type if known is not None else "Edm.String"

    def literal(self, name: str, value: str) -> str:
        """A value of a property as filters and keys say it."""
        return literal(value, self.type_of(name), self.protocol)

    @property
    def line_type(self) -> EntityType:
        """The entity type of its lines."""
        assert self.declared.lines is not None
        navigation = self.type.navigations.get(self.declared.lines.under)
        if navigation is None:
            hint = f"Known: {', '.join(self.type.navigations) or 'none'}."
            message = f"{self._line.system}: {self.declared.set} has no navigation {self.declared.lines.under}."
            raise Rejected(message, hint=hint, sent=False)
        return self._line.service.whole(navigation.type)

    def line_set(self) -> str:
        """The set that the lines stand in."""
        found = self._line.service.set_of(self.line_type.name)
        if found is None:
            hint = "Its lines cannot be written one by one; take `lines.reference` out."
            raise Rejected(f"{self._line.system}: {self.line_type.name} has no set.", hint=hint, sent=False)
        return found


def predicate(keys: tuple[str, ...], kind: EntityType, record: Mapping[str, Any], protocol: str) -> str:
    """The key of a record as an address says it: `'A-1'`, `4711`, or `Order='1',Item='10'`."""
    pairs = []
    for name in keys:
        held = record.get(name)
        if held is None or held == "":
            raise Rejected(f"a record has no {name}.", hint="Its key must be among `select`.")
        known = kind.properties.get(name)
        pairs.append((name, literal(str(held), known.type if known else "Edm.String", protocol)))
    return pairs[0][1] if len(pairs) == 1 else ",".join(f"{name}={text}" for name, text in pairs)


def unwrapped(body: Any) -> Any:
    """A reply without its envelope: a record, or the list of records."""
    if isinstance(body, dict) and set(body) == {"d"}:
        body = body["d"]
        return (
            plain(body["results"]) if isinstance(body, dict) and isinstance(body.get("results"), list) else plain(body)
        )
    if isinstance(body, dict) and isinstance(body.get("value"), list):
        return plain(body["value"])
    return plain(body)


def tag_of(record: Any) -> str | None:
    """The entity tag that stands in a record."""
    if not isinstance(record, dict):
        return None
    meta = record.get("__metadata")
    found = record.get("@odata.etag") or (meta.get("etag") if isinstance(meta, dict) else None)
    return str(found) if found else None
