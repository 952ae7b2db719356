"""What we ask of Airflow over its REST API: is it well, start a run, how did it end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from landbridge.errors import Denied, LandbridgeError, Unavailable
from landbridge.net import Http, NetSettings, Reply

FINISHED = ("success", "failed")


class Endpoint:
    """Whether the webhook endpoint at an address answers."""

    def __init__(self, url: str) -> None:
        self._http = Http("webhooks", url, NetSettings(connect=2, read=5))

    def __call__(self) -> bool:
        try:
            return self._http.request("GET", "/health").ok
        except LandbridgeError:
            return False


class Airflow:
    """One Airflow, reached at a loopback address; logs in by itself, and again when its token ran out."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._user, self._password = user, password
        self._http = Http("airflow", url, NetSettings(connect=2, read=30))
        self._token = ""

    def answers(self) -> bool:
        """Whether the API server answers."""
        try:
            return self._http.request("GET", "/api/v2/version", timeout=5).ok
        except LandbridgeError:
            return False

    def healthy(self, part: str) -> bool:
        """Whether a part (scheduler, dag_processor) beats; True while nobody can tell because the API is down."""
        try:
            reply = self._http.request("GET", "/api/v2/monitor/health", timeout=10)
            status = reply.json().get(part, {}).get("status") if reply.ok else "healthy"
        except LandbridgeError:
            return True
        return status == "healthy"

    def get(self, path: str, **params: str) -> Any:
        """The JSON at a path of the API, such as `dags/orders_to_erp`."""
        return self._ask("GET", path, params=params)

    def dags(self) -> dict[str, bool]:
        """The DAGs that Airflow knows, and whether each is paused."""
        return {one["dag_id"]: one["is_paused"] for one in self.get("dags", limit="1000")["dags"]}

    def import_errors(self) -> list[str]:
        """What Airflow could not load, with the reason."""
        return [f"{one['filename']}: {one['stack_trace']}" for one in self.get("importErrors")["import_errors"]]

    def trigger(
        self, dag: str, conf: Mapping[str, Any] | None = None, *, run: str | None = None, note: str | None = None
    ) -> str:
        """Start a run of a DAG now; returns its id. A `run` of this id that stands already is not started again."""
        body: dict[str, Any] = {"logical_date": None, "conf": dict(conf or {})}
        body |= {name: value for name, value in (("dag_run_id", run), ("note", note)) if value is not None}
        reply = self._send("POST", f"dags/{dag}/dagRuns", json=body)
        if run is not None and reply.status == 409:
            return run
        return str(self._json(reply, "POST", f"dags/{dag}/dagRuns")["dag_run_id"])

    def waits(self, dag: str) -> bool:
        """Whether a run of a DAG is queued: it will find what comes until it begins."""
        return bool(self.get(f"dags/{dag}/dagRuns", state="queued", limit="1")["dag_runs"])

    def state(self, dag: str, run: str) -> str:
        """The state of a run: queued, running, success, failed."""
        return str(self.get(f"dags/{dag}/dagRuns/{run}")["state"])

    def unfinished(self) -> list[str]:
        """The DAGs of which a run is queued or running."""
        found = self.get("dags/~/dagRuns", state="running", limit="1000")["dag_runs"]
        found += self.get("dags/~/dagRuns", state="queued", limit="1000")["dag_runs"]
        return sorted({one["dag_id"] for one in found})

    def failed_task_log(self, dag: str, run: str) -> str:
        """The last lines that the failed task of a run logged, for people."""
        tasks = self.get(f"dags/{dag}/dagRuns/{run}/taskInstances")["task_instances"]
        for task in tasks:
            if task["state"] == "failed":
                path = f"dags/{dag}/dagRuns/{run}/taskInstances/{task['task_id']}/logs/{task['try_number']}"
                lines = self.get(path, full_content="true")["content"]
                return f"{task['task_id']}: " + " | ".join(
                    _told(line) for line in lines if line.get("level") == "error"
                )
        return ""

    def wait(self, dag: str, run: str, *, within: float = 600.0) -> str:
        """Wait for a run's end; its state. Unavailable after `within` seconds."""
        until = time.monotonic() + within
        while (state := self.state(dag, run)) not in FINISHED:
            if time.monotonic() > until:
                raise Unavailable(
                    f"the run {run} of {dag} is still {state} after {within:g} s.",
                    hint="look at the scheduler's log.",
                    sent=False,
                )
            time.sleep(0.1)
        return state

    def token(self) -> str:
        """The token of a session, as the UI keeps it in its cookie."""
        return self._token or self._log_in()

    def close(self) -> None:
        """Close every connection."""
        self._http.close()

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        return self._json(self._send(method, path, **more), method, path)

    def _send(self, method: str, path: str, **more: Any) -> Reply:
        for again in (False, True):
            headers = {"Authorization": f"Bearer {self.token()}"}
            reply = self._http.request(method, f"/api/v2/{path}", headers=headers, **more)
            if reply.status != 401 or again:
                break
            self._token = ""
        return reply

    def _json(self, reply: Reply, method: str, path: str) -> Any:
        if not reply.ok:
            hint = "look into Airflow's api-server.log."
            raise Unavailable(f"airflow: {method} {path}: {reply.status} {reply.text[:300]}", hint=hint)
        return reply.json()

    def _log_in(self) -> str:
        login = {"username": self._user, "password": self._password}
        reply = self._http.request("POST", "/auth/token", json=login, safe=True)
        if not reply.ok:
            raise Denied(f"airflow refuses the login of {self._user}: {reply.status}.", hint="look at passwords.json.")
        self._token = str(reply.json()["access_token"])
        return self._token


def _told(line: Mapping[str, Any]) -> str:
    """What a log line says; of an exception its class and message."""
    errors = line.get("error_detail") or []
    shown = [f"{one.get('exc_type')}: {one.get('exc_value')}" for one in errors]
    return " ".join([str(line.get("event", "")), *shown])
