"""The steward's desk of the demonstration: `landbridge steward serve` as a process of its own, asked over HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landbridge.errors import LandbridgeError
from landbridge.net import Http, NetSettings
from landbridge.strict import json
from landbridge.supervise import Child, Supervisor

_BY = "the demonstration"


@dataclass(frozen=True)
class Steward:
    """What a steward of customers asks and says; personal values are shown, for nobody here is a person."""

    http: Http
    token: str

    def queue(self) -> list[Any]:
        """What waits."""
        found: list[Any] = self._get("queue")
        return found

    def pair(self, a: str, b: str) -> Any:
        """Two records side by side, with the waterfall of their weight."""
        return self._get("pair", a=a, b=b)

    def golden(self, record: str) -> Any:
        """The golden record that holds a record."""
        return self._get("golden", id=record)

    def same(self, a: str, b: str) -> str:
        """Decide that two records are one; the decision's id."""
        return self.decide("same", a, b)

    def decide(self, verdict: str, a: str, b: str) -> str:
        """Decide about two records; the decision's id."""
        body = {"verdict": verdict, "these": [a], "those": [b], "by": _BY, "reason": "shown, and taken back"}
        return str(self._ask("POST", "decisions", json=body)["decision"])

    def undo(self, decision: str) -> None:
        """Take a decision back."""
        self._ask("POST", "undo", json={"decision": decision, "by": _BY})

    def _get(self, what: str, **params: str) -> Any:
        return self._ask("GET", what, params={**params, "personal": "true"})

    def _ask(self, method: str, what: str, **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        reply = self.http.request(method, f"/v1/customer/{what}", headers=headers, safe=method == "GET", **given)
        answer = reply.json()
        if not reply.ok:
            raise LandbridgeError(f"the steward's desk: {answer.get('title', reply.status)}", hint=answer.get("hint"))
        return answer


@contextmanager
def steward(project: Path, environment: str, state: Path) -> Iterator[Steward]:
    """A desk on a project inside the block, at a port of its own."""
    ready, log = state / "steward.json", state / "steward.log"
    ready.unlink(missing_ok=True)
    argv = [sys.executable, "-c", "from landbridge.cli import main; main()", "-C", str(project)]
    argv += ["--environment", environment, "steward", "serve", "--port", "0", "--ready-file", str(ready)]
    program = Child("steward", argv, log, restart="never", ready=ready.is_file, ready_within=60)
    with Supervisor([program]):
        told = json.loads(ready.read_bytes())
        token = Path(told["token"].removeprefix("file:")).read_text(encoding="utf-8").strip()
        http = Http("steward", told["url"], NetSettings(read=60))
        try:
            yield Steward(http, token)
        finally:
            http.close()
