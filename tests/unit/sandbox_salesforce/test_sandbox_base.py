"""The shared base: the clock, the state on disk, a sandbox as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox._base import Clock, Collection, State

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock, calls = Clock(NOON, frozen=True), []
    for wait in (30, 10, 20):
        clock.call_at(NOON + timedelta(seconds=wait), lambda wait=wait: calls.append((wait, clock.now())))
    assert clock.now() == NOON
    clock.advance(19)
    assert [wait for wait, _ in calls] == [10]
    clock.set(NOON + timedelta(minutes=1))
    assert [wait for wait, _ in calls] == [10, 20, 30] and clock.pending() == 0
    with pytest.raises(ValueError, match="no zone"):
        clock.set(datetime(2026, 1, 1))  # noqa: DTZ001  # the missing zone is what is tested


def test_a_flowing_clock_calls_when_the_moment_comes() -> None:
    clock, calls = Clock(NOON), []
    clock.call_at(clock.now() + timedelta(seconds=0.05), lambda: calls.append(1))
    deadline = time.monotonic() + 5
    while not calls and time.monotonic() < deadline:
        time.sleep(0.01)
    assert calls == [1] and clock.now() - NOON < timedelta(seconds=5)
    clock.close()


@pytest.fixture(params=["memory", "disk"])
def state(request: Any, tmp_path: Path) -> Any:
    opened = State(tmp_path / "deep" / "x.db" if request.param == "disk" else None)
    opened.define(
        Collection("thing", ("size", "name"), frozenset({"name"}), indexes=(("size", "_id"),), unique=(("name",),))
    )
    yield opened
    opened.close()


def test_documents_are_put_found_and_deleted(state: State) -> None:
    assert (
        state.put_many("thing", ((f"k{n:05d}", {"size": n % 7, "name": f"N{n}", "text": "茶"}) for n in range(12_000)))
        == 12_000
    )
    assert state.get("thing", "k00003") == {"size": 3, "name": "N3", "text": "茶"}
    assert state.count("thing", "size = ?", (3,)) == 1714
    assert [each["name"] for each in state.find("thing", "size = 3", order="_id DESC", limit=2)] == ["N11994", "N11987"]
    assert state.find("thing", "name = 'n5'")[0]["name"] == "N5"
    assert sum(1 for _ in state.scan("thing", "json_extract(_doc, '$.text') = '茶'", page=500)) == 12_000
    assert sum(map(len, state.chunks("SELECT _id FROM thing", size=1000))) == 12_000
    assert state.delete("thing", "k00003") and not state.delete("thing", "k00003")


def test_a_failed_transaction_leaves_nothing_and_a_nested_one_only_its_own(state: State) -> None:
    with pytest.raises(RuntimeError), state.transaction():
        state.put("thing", "a", {"name": "a"})
        state.next_number("n")
        raise RuntimeError
    assert state.count("thing") == 0 and state.next_number("n") == 1
    with state.transaction():
        state.put("thing", "a", {"name": "a"})
        with pytest.raises(RuntimeError), state.transaction():
            state.put("thing", "b", {"name": "b"})
            raise RuntimeError
    assert [each["name"] for each in state.find("thing")] == ["a"]


def test_a_unique_value_is_never_taken_from_its_owner(state: State) -> None:
    state.put("thing", "a", {"name": "same"})
    with pytest.raises(Exception, match="UNIQUE"):
        state.put("thing", "b", {"name": "SAME"})
    assert state.get("thing", "a") == {"name": "same"}
    state.put("thing", "a", {"name": "other"})
    assert state.find("thing") == [{"name": "other"}]


def test_a_sandbox_runs_as_its_own_process_and_stops_at_sigterm(root: Path, tmp_path: Path) -> None:
    ready, secret, seed = tmp_path / "ready.json", tmp_path / "secret", tmp_path / "seed.jsonl"
    secret.write_text("planted-secret\n")
    seed.write_text(json.dumps({"sobject": "Account", "fields": {"Name": "seeded"}}) + "\n")
    command = [
        sys.executable,
        "-m",
        "sandbox.salesforce",
        "--state",
        str(tmp_path / "state"),
        "--ready-file",
        str(ready),
    ]
    command += ["--consumer-key", "app", "--consumer-secret-file", str(secret), "--seed", str(seed)]
    process = subprocess.Popen(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)})
    try:
        deadline = time.monotonic() + 30
        while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        told = json.loads(ready.read_text())
        assert told["pid"] == process.pid and told["url"].startswith("http://127.0.0.1:")
        with requests.Session() as session:
            session.trust_env = False
            form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "planted-secret"}
            token = session.post(f"{told['url']}/services/oauth2/token", data=form, timeout=10).json()
            assert token["instance_url"] == told["url"] and told["org_id"] in token["id"]
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            path = f"{told['url']}/services/data/v62.0/query?q=SELECT+Name+FROM+Account"
            assert session.get(path, headers=headers, timeout=10).json()["records"][0]["Name"] == "seeded"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
