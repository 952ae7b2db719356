"""Orders that come as webhooks, while the processes that take them die: what was answered 2xx is kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import requests
from roles import DIED, SECRET
from room import Inputs, Room, Verdict
from small_connectors import ORDER

SENDERS = 4


@contextmanager
def doorway(room: Room) -> Iterator[int]:
    """A port that receivers share and inherit from each other; held while they are away."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it, and nothing comes here
        yield held.getsockname()[1]


def signed(body: bytes, id_: str) -> dict[str, str]:
    """The headers of Standard Webhooks."""
    stamp = str(int(time.time()))
    mac = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), f"{id_}.{stamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": id_,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
    }


def send(port: int, rows: list[dict[str, Any]], within: float = 60.0) -> int:
    """Send each change until it is answered 2xx, in order, as senders do; how often it was sent again."""
    again = 0
    until = time.monotonic() + within
    with requests.Session() as session:
        for row in rows:
            event = {"entity": ORDER, "key": row["number"], "stamp": str(row["at"]), "body": row}
            body = json.dumps([event]).encode()
            while not _taken(session, port, body, f"msg-{row['at']}"):
                assert time.monotonic() < until, "nobody takes it"
                again += 1
                time.sleep(0.01)
    return again


def _taken(session: requests.Session, port: int, body: bytes, id_: str) -> bool:
    try:
        url = f"http://127.0.0.1:{port}/hooks/source"
        return session.post(url, data=body, headers=signed(body, id_), timeout=5).ok
    except requests.RequestException:
        return False


def killed_receivers(room: Room, orders: int, kills: int) -> tuple[Verdict, int]:
    """Receivers die at random while senders send; two at a time stand at the door. Also: how often was sent again."""
    inputs = Inputs.make(orders, room.seed)
    room.begin(inputs, shown=0)
    room.hire()
    shares = [[r for r in inputs.rows if int(r["number"][2:]) % SENDERS == n] for n in range(SENDERS)]
    again = 0
    with doorway(room) as port, ThreadPoolExecutor(SENDERS) as pool:
        standing = [_receiver(room, port) for _ in range(2)]
        for part in range(kills):
            sending = [pool.submit(send, port, _part(share, part, kills)) for share in shares]
            time.sleep(room.dice.uniform(0.0, 0.08))  # in the middle of what is being sent
            room.nursery.kill(standing.pop(room.dice.randrange(2)))
            room.kills += 1
            standing.append(_receiver(room, port))
            again += sum(one.result() for one in sending)
        for pid in standing:
            room.nursery.kill(pid)
    room.drained()
    room.dismiss()
    time.sleep(0.6)
    return room.verdict(), again


def _part(rows: list[dict[str, Any]], part: int, parts: int) -> list[dict[str, Any]]:
    return rows[len(rows) * part // parts : len(rows) * (part + 1) // parts]


def _receiver(room: Room, port: int, **spec: Any) -> int:
    return room.nursery.fork("receiver", terms=asdict(room.terms), port=port, fault=room.fault, **spec)


def every_receiving_point(room: Room, orders: int = 10) -> int:
    """A receiver ends at its n-th durable step, n = 1, 2, … until it takes all without; another one follows it."""
    inputs = Inputs.make(orders, room.seed, poison=0.0)
    for n in range(1, 200):
        room.begin(inputs, script={}, shown=0)
        with doorway(room) as port, ThreadPoolExecutor(1) as pool:
            first = _receiver(room, port, dies_at=n)
            sending = pool.submit(send, port, inputs.rows)
            while (code := room.nursery.ended(first)) is None and not sending.done():
                time.sleep(0.005)
            second = _receiver(room, port) if code is not None else first
            sending.result()
            room.nursery.kill(second)
        assert code in (None, DIED), f"the receiver ended with {code}"
        engine = room.engine()
        engine.process("source", ORDER)
        engine.deliver()
        room.verdict().held(f"a receiver that dies at step {n}, seed {room.seed}")
        if code is None:
            return n - 1
    raise AssertionError("200 steps and no end")
