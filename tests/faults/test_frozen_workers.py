"""A worker that stands still in the middle of a transaction keeps what it locked for a while, and nobody else waits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from nursery import HERE, ROOT
from pauses import _stopped
from room import Inputs, Room
from sqlalchemy import text

FREEZES = """
import json, os, signal, sys
from datetime import timedelta
from roles import Terms, made
from landbridge import seam
from landbridge.store import Presence, Store
from landbridge.time import SystemClock

terms, what, stuck = Terms(**json.loads(sys.argv[1])), sys.argv[2], float(sys.argv[3])
clock = SystemClock()
engine = made(terms, Store(terms.url, clock, stuck=timedelta(seconds=stuck)), clock)
engine.parts.presence = Presence(engine.parts.store)
engine.extract(engine.parts.flows["orders"])
engine.process("source", "sales_order")

def freeze(kind, step):
    if (kind, step) == ("commit", what):
        os.kill(os.getpid(), signal.SIGSTOP)

with seam.install(freeze):
    engine.deliver()
"""


@contextmanager
def frozen(room: Room, what: str, stuck: float) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that stopped itself right before it commits that."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, HERE)))}
    line = [sys.executable, "-c", FREEZES, json.dumps(asdict(room.terms)), what, str(stuck)]
    with subprocess.Popen(line, env=env, cwd=ROOT, stderr=subprocess.DEVNULL) as popen:
        try:
            until = time.monotonic() + 30
            while not (Path(f"/proc/{popen.pid}").exists() and _stopped(popen.pid)):
                assert popen.poll() is None and time.monotonic() < until, "it does not come so far"
                time.sleep(0.01)
            yield popen
        finally:
            popen.kill()


def delivered(room: Room) -> int:
    return int(room.accounts().delivered)


def drain(room: Room, within: float) -> None:
    engine, until = room.engine(), time.monotonic() + within
    while room.accounts().in_flight:
        assert time.monotonic() < until, f"it waits for a worker that stands still: {room._open()}"
        engine.deliver()
        time.sleep(0.05)


@pytest.mark.parametrize("what", ["claim", "record"])
def test_the_server_ends_a_transaction_in_which_nothing_happens(enter, what, seed):
    room = enter("B")
    room.begin(Inputs.make(12, seed, changed=0, poison=0), script={})
    with frozen(room, what, stuck=1.0):
        drain(room, within=15)
    room.verdict().held(f"seed {seed}")


def test_others_pass_by_what_a_standing_worker_has_locked(enter, seed):
    """Its transaction is still open, its lease is over: taking over waits for nothing."""
    room = enter("B")
    inputs = Inputs.make(24, seed, changed=0, poison=0)
    room.begin(inputs, shown=8, script={})
    with frozen(room, "record", stuck=600) as popen:
        before = delivered(room)
        time.sleep(room.terms.lease)
        room.tell("show", shown=24)
        engine = room.engine()
        engine.extract(engine.parts.flows["orders"])
        engine.process("source", "sales_order")
        with room.store.reading() as connection:
            locked = connection.execute(text("select count(*) from outbox where state = 'claimed'")).scalar_one()
        assert locked
        began = time.monotonic()
        engine.deliver()
        assert time.monotonic() - began < 10, "it waited for a worker that stands still"
        assert delivered(room) > before
        popen.send_signal(signal.SIGKILL)
        popen.wait()
        drain(room, within=30)
    room.verdict().held(f"seed {seed}")
