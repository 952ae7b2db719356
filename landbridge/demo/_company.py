"""The demonstration's company: a program of its own (`sandbox.demo`) with both systems and their people."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landbridge.errors import LandbridgeError, Unavailable
from landbridge.net import Http, NetSettings
from landbridge.strict import json
from landbridge.supervise import Child, Supervisor


@dataclass
class Company:
    """Where its systems are, what it has, and how to ask its people; `environment` holds addresses and secrets.

    `project` holds the configuration files that are other ones with its systems; None if the project's own fit.
    `takeover`: it takes over a house whose customers are in a third system.
    """

    environment: dict[str, str]
    facts: dict[str, int]
    people: Http
    project: Path | None = None
    takeover: bool = False

    def ask(self, what: str, **given: str) -> Any:
        """Have the people of the company do something, and hear what came of it."""
        return self._call("POST", what, given)

    def look(self, what: str, **given: str) -> Any:
        """Look at something in both systems, past every interface."""
        return self._call("GET", what, given)

    def _call(self, method: str, what: str, given: Mapping[str, str]) -> Any:
        reply = self.people.request(method, f"/{what}", params=given, safe=True)
        answer = reply.json()
        if not reply.ok:
            raise LandbridgeError(f"the company cannot {what.replace('_', ' ')}: {answer.get('error', reply.status)}")
        return answer


@contextmanager
def company(
    state: Path,
    folder: Path | None,
    erp: str | None = None,
    *,
    takeover: bool = False,
    env: Mapping[str, str] | None = None,
) -> Iterator[Company]:
    """The company, seeded and serving inside the block; from CSV files in `folder`, else made up; with another ERP.

    `env` is the whole environment of its program (default: ours).
    """
    ready, log = state / "company.json", state / "company.log"
    argv = [sys.executable, "-m", "sandbox.demo", "--state", str(state / "systems"), "--ready-file", str(ready)]
    if folder is not None:
        argv += ["--company", str(folder)]
    if erp is not None:
        argv += ["--erp", erp]
    if takeover:
        argv.append("--takeover")
    program = Child("company", argv, log, env=env, restart="never", ready=ready.is_file, ready_within=300)
    try:
        supervisor = Supervisor([program])
        supervisor.start()
    except Unavailable:
        last = log.read_text(encoding="utf-8").strip().splitlines()[-1:] if log.is_file() else []
        raise LandbridgeError(f"the company cannot be set up: {' '.join(last)}", hint=f"look into {log}.") from None
    try:
        told = json.loads(ready.read_bytes())
        people = Http("company", told["people"], NetSettings(read=3600, total=3600))
        theirs = Path(told["project"]) if told.get("project") else None
        yield Company(told["environment"], told["facts"], people, theirs, bool(told["takeover"]))
        people.close()
    finally:
        supervisor.stop()
