"""The logged-in line to one database: a session instead of the password on every call, renewed when it ends."""

from __future__ import annotations

import base64
import threading
from typing import Any

from connectors.tryton._config import TrytonConfig
from connectors.tryton._errors import Warned, failure_of_error
from landbridge.errors import Denied, Failure, Rejected, Unavailable
from landbridge.net import Http, Reply, outcome_of
from landbridge.secrets import remember
from landbridge.time import Clock

_READS = (
    "read", "search", "search_read", "search_count", "fields_get", "default_get", "get_preferences", "get_access",
    "version",
)  # fmt: skip
_WARNINGS = 5  # one call may ask several things


class Session:
    """Calls as the integration user; safe to share between threads."""

    def __init__(self, config: TrytonConfig, http: Http, clock: Clock) -> None:
        self.http = http
        self.clock = clock
        self.context: dict[str, Any] = {}
        self.user = 0
        self._config = config
        self._lock = threading.Lock()
        self._token: str | None = None
        self._path = ""  # up to 7.0 the database itself, from 7.2 on `rpc/` below it

    def login(self) -> None:
        """Begin a session anew."""
        with self._lock:
            self._renew()

    def version(self) -> str:
        """The server's own version."""
        path = "/rpc/" if self._path.endswith("/rpc/") else "/"
        reply = self._send(path, "common.server.version", [], None, safe=True)
        return str(self._result(reply, "common.server.version"))

    def call(self, model: str, method: str, *params: Any, context: dict[str, Any] | None = None) -> Any:
        """One method of one model, with the user's context; its result, or the Failure that was answered."""
        name = f"model.{model}.{method}"
        token = self._session(refused=None)
        for _ in range(_WARNINGS):
            given = [*params, {**self.context, **(context or {})}]
            try:
                return self._ask(name, given, token, safe=method in _READS)
            except Warned as warned:
                if self._config.warnings != "confirm" or model == "res.user.warning":
                    raise
                self._answer(warned)
        raise Rejected(f"{self.http.system}: {name} asks without end.", hint="Look into Tryton's log.", sent=False)

    def _ask(self, name: str, params: list[Any], token: str, *, safe: bool) -> Any:
        reply = self._send(self._path, name, params, token, safe=safe)
        if reply.status == 401:
            reply = self._send(self._path, name, params, self._session(refused=token), safe=safe)
        return self._result(reply, name)

    def _answer(self, warned: Warned) -> None:
        """What a person does by clicking yes; Tryton takes it for the next call and forgets it."""
        self.call("res.user.warning", "create", [{"user": self.user, "name": warned.name, "always": False}])

    def _result(self, reply: Reply, name: str) -> Any:
        failure = outcome_of(reply, now=self.clock.now(), detail=_denied(reply, name))
        if failure is not None:
            raise failure
        answer = reply.json()
        if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
            raise reply.garbled("JSON that is no reply of Tryton")
        if "error" in answer:
            raise failure_of_error(reply, name, answer["error"])
        return answer["result"]

    def _send(self, path: str, method: str, params: list[Any], token: str | None, *, safe: bool) -> Reply:
        headers = {} if token is None else {"Authorization": f"Session {token}"}
        body = {"id": 1, "method": method, "params": params}
        return self.http.request("POST", path, headers=headers, json=body, safe=safe)

    def _session(self, refused: str | None) -> str:
        """The token; a new one where there is none, or where it is still the refused one."""
        with self._lock:
            if self._token is None or self._token == refused:
                self._renew()
            assert self._token is not None
            return self._token

    def _renew(self) -> None:
        user = self._config.user
        secret = {"password": self._config.password.reveal()}
        try:
            reply, result = self._log_in([user, secret, self._config.language])
        except Failure as failure:
            failure.sent = False  # a login has no effect on records
            raise
        if not isinstance(result, list) or len(result) < 2:
            hint = "Look at `user` and `password`."
            raise Denied(f"{reply.what}: {user} was not let in.", hint=hint, status="login", sent=False)
        self.user = int(result[0])
        token = base64.b64encode(f"{user}:{result[0]}:{remember(str(result[1]))}".encode()).decode()
        self._token = remember(token)
        preferences = "model.res.user.get_preferences"
        answer = self._result(self._send(self._path, preferences, [True, {}], token, safe=True), preferences)
        context = {name: value for name, value in answer.items() if "." not in name and name != "locale"}
        self.context = {**context, "language": self._config.language, "active_test": False}

    def _log_in(self, params: list[Any]) -> tuple[Reply, Any]:
        """Tryton 7.2 and later answer at /database/rpc/, earlier ones at /database/."""
        database = f"/{self._config.database}/"
        for path in (self._path,) if self._path else (f"{database}rpc/", database):
            reply = self._send(path, "common.db.login", params, None, safe=True)
            if reply.status in (404, 405) and path != database and not self._path:
                continue
            if reply.status in (404, 405):
                hint = "Look at `url` and `database`."
                text = f"{reply.what} answered {reply.status}: there is no such database, or no Tryton."
                raise Denied(text, hint=hint, status=str(reply.status), sent=False)
            result = self._result(reply, "common.db.login")
            self._path = path
            return reply, result
        raise Unavailable(f"{self.http.system}: no login.", hint="Look at `url`.", sent=False)  # never reached


def _denied(reply: Reply, name: str) -> str:
    if reply.status == 403:
        return f"{name} may not be called by this user, or is no method of this version."
    return f"{name} was refused." if reply.status == 401 else ""
