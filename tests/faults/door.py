"""What strangers and too many senders do at the door for webhooks: forgeries, hostile bodies, more than can be kept."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any

from hostile_input import mutate
from hostile_webhooks import Sender, mutant, same
from roles import SECRET
from room import Inputs, Room
from small_connectors import ORDER
from sqlalchemy import text
from webhooks import doorway, signed

from landbridge.secrets import Secret
from landbridge.signatures import Request, StandardWebhooks, Webhook

_WEBHOOK = Webhook(standard=StandardWebhooks(secrets=(Secret.plain(SECRET),)))
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
_INSIDE = (b"Traceback", b"landbridge", b"select ", b"insert ", b"Error(", b".py", b"psycopg", b"site-packages")
_BEFORE = (b"", b"Invalid HTTP request received.")
"""What is said where the request is not even HTTP: by the server, before the application."""
_PROBLEM = {"type", "status", "title", "instance"}
FRESH = 100.0
"""After how many seconds a request is signed anew, so that its time stamp is never what refuses it."""


@contextmanager
def receiving(room: Room, **spec: Any) -> Iterator[int]:
    """One receiver at a port of its own, once it answers."""
    with doorway(room) as port:
        pid = room.nursery.fork("receiver", terms=asdict(room.terms), port=port, fault=room.fault, **spec)
        try:
            until = time.monotonic() + 20
            while not _answers(port):
                assert time.monotonic() < until, "nobody is at the door"
                time.sleep(0.05)
            yield port
        finally:
            room.nursery.kill(pid)


def _answers(port: int) -> bool:
    try:
        return Line(port).ask("GET", "/health", {}, b"") == 200
    except (OSError, HTTPException):
        return False


class Line:
    """A connection that is kept, and opened again where the other side closed it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: HTTPConnection | None = None
        self.said, self.kind = b"", ""

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
        """The status; raises ValueError for a header that no client can send. `said` is then what was told."""
        for again in (True, False):
            line = self._open or HTTPConnection("127.0.0.1", self._port, timeout=20)
            self._open = line
            try:
                line.putrequest(method, path)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    line.putheader(name, value.encode("latin-1", "replace"))
                line.endheaders(body)
                reply = line.getresponse()
                self.said = reply.read()
                self.kind = reply.headers.get("content-type", "")
                if reply.will_close:
                    self.close()
                return reply.status
            except (OSError, HTTPException):
                self.close()
                if not again:
                    raise
            except ValueError:
                self.close()  # half of it is written
                raise
        raise AssertionError("never reached")

    @property
    def shows_inside(self) -> bool:
        """Whether the last refusal is more than a problem with an id: a path, a class, a statement, a line of code."""
        if self.kind != "application/problem+json":
            return self.said not in _BEFORE
        problem = json.loads(self.said)
        inside = any(word in self.said for word in _INSIDE)
        return inside or problem.keys() != _PROBLEM or not problem["instance"].startswith("urn:uuid:")

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _event(name: str, at: int) -> bytes:
    odd = {"text": "M\u00fcnchen \u67cf\u6797 \U0001f600", "numbers": [0.1, -12.50, None, True]}
    body = {"number": name, "version": 1, "at": at, **odd}
    return json.dumps([{"entity": ORDER, "key": name, "stamp": str(at), "body": body}]).encode()


def forged_over_http(room: Room, number: int) -> dict[str, Any]:
    """So many forged requests; whatever is not refused, and whatever stands in the store, is a wrong."""
    room.begin(Inputs.make(1, room.seed, poison=0.0), shown=0)
    dice = random.Random(f"forged {room.seed}")
    answers: Counter[int] = Counter()
    examples: list[str] = []
    told = 0
    with receiving(room) as port:
        line = Line(port)
        sender, since = _sender(), time.monotonic()
        assert line.ask("POST", "/hooks/source", dict(sender.request.headers), sender.request.body) < 300, "the sender"
        while answers.total() < number:
            if time.monotonic() - since > FRESH:
                sender, since = _sender(), time.monotonic()
            request = mutant(sender, dice)
            # HTTP knows no blanks around a value: with them it is the same request
            spoken = replace(request, headers={name: value.strip(" \t") for name, value in request.headers.items()})
            if same(sender, spoken):
                continue
            try:
                status = line.ask("POST", "/hooks/source", dict(request.headers), request.body)
            except ValueError:
                continue
            answers[status] += 1
            told += line.shows_inside
            if not 400 <= status < 500 or line.shows_inside:
                examples.append(f"{status}: {dict(request.headers)} {request.body[:200]!r}: {line.said[:200]!r}")
        line.close()
    kept = len(_kept(room)) - 1  # the one that was genuine
    return {
        "http_forgeries": answers.total(),
        "forged_accepted": max(kept, sum(count for status, count in answers.items() if status < 400)),
        "bad_input_5xx": sum(count for status, count in answers.items() if status >= 500),
        "http_refusals": sum(count for status, count in answers.items() if status >= 400),
        "inside_shown": told,
        **_told(examples, room),
    }


def _sender() -> Sender:
    body = _event("O-genuine", 0)
    now = datetime.now(UTC)
    headers = {"content-type": "application/json", **signed(body, "msg_1")}
    return Sender("standard", _WEBHOOK, Request(headers, {}, body, "127.0.0.1", now), _SIGNED)


def hostile_bodies(room: Room, number: int) -> dict[str, Any]:
    """So many broken bodies from a sender who proves who it is; each is taken or refused, and none breaks anything."""
    room.begin(Inputs.make(1, room.seed, poison=0.0), shown=0)
    dice = random.Random(f"bodies {room.seed}")
    answers: Counter[int] = Counter()
    examples: list[str] = []
    told = 0
    with receiving(room) as port:
        line = Line(port)
        for n in range(number):
            body = mutate(_event(f"O-{n}", n), "json", dice)
            kind = dice.choice(("application/json", "text/xml", "\u00e4"))
            status = line.ask("POST", "/hooks/source", {"content-type": kind, **signed(body, f"m-{n}")}, body)
            answers[status] += 1
            shown = status >= 400 and line.shows_inside
            told += shown
            if status >= 500 or shown:
                examples.append(f"{status}: {body[:200]!r}: {line.said[:200]!r}")
        genuine = _event("O-last", number)
        assert line.ask("POST", "/hooks/source", signed(genuine, "m-last"), genuine) < 300, "it takes nothing any more"
        line.close()
    taken = sum(count for status, count in answers.items() if status < 300)
    assert 0.05 < taken / number < 0.95, f"the bodies are too mild or too wild to tell anything: {answers}"
    return {
        "http_bodies": number,
        "http_bodies_taken": taken,
        "bad_input_5xx": sum(count for status, count in answers.items() if status >= 500),
        "http_refusals": sum(count for status, count in answers.items() if status >= 400),
        "inside_shown": told,
        **_told(examples, room),
    }


def repeated(room: Room, number: int, deliveries: int = 200) -> dict[str, Any]:
    """So many repetitions of deliveries that were kept: each is answered 2xx, and nothing new stands in the store."""
    room.begin(Inputs.make(1, room.seed, poison=0.0), shown=0)
    dice = random.Random(f"repeated {room.seed}")
    answers: Counter[int] = Counter()
    with receiving(room) as port:
        line = Line(port)
        for n in range(deliveries):
            body = _event(f"O-{n}", n)
            assert line.ask("POST", "/hooks/source", signed(body, f"m-{n}"), body) < 300
        for _ in range(number):
            n = dice.randrange(deliveries)
            # signed anew, as senders do, or with another content under the same id
            body = _event(f"O-{n}", n) if dice.random() < 0.8 else _event(f"O-{n}", n + 1_000_000)
            answers[line.ask("POST", "/hooks/source", signed(body, f"m-{n}"), body)] += 1
        line.close()
    with room.store.reading() as connection:
        rows = connection.execute(text("select count(*) from inbox")).scalar_one()
    refused = sum(count for status, count in answers.items() if status >= 300)
    found: dict[str, Any] = {"repetitions": number, "duplicated": rows - deliveries, "failed": refused}
    return found | (
        {"wrongs": [f"repetitions, seed {room.seed}: {rows} rows, {answers}"]} if rows != deliveries or refused else {}
    )


def _told(examples: list[str], room: Room) -> dict[str, Any]:
    return {"wrongs": [f"seed {room.seed}: {one}" for one in examples[:5]]} if examples else {}


def _kept(room: Room) -> set[str]:
    with room.store.reading() as connection:
        return {row.source_key for row in connection.execute(text("select source_key from inbox"))}


# -- more than can be kept ------------------------------------------------------------------------------------------

NARROW = {"longest": 10, "waiting": 60, "commit": 0.05}
"""A receiver that keeps 200 webhooks a second at most, so that one machine can send four times as many."""
CAPACITY = NARROW["longest"] / NARROW["commit"]


def overloaded(room: Room, seconds: float, times: float = 4.0, lines: int = 200) -> dict[str, Any]:
    """Webhooks at `times` the capacity for so long; each is kept or told to come back, and the next is well again."""
    room.begin(Inputs.make(1, room.seed, poison=0.0), shown=0)
    with receiving(room, narrow=NARROW) as port:
        said = asyncio.run(_flood(port, seconds, times * CAPACITY, lines))
        time.sleep(1.0)
        after = _event("O-after", 1)
        began = time.monotonic()
        well = Line(port).ask("POST", "/hooks/source", signed(after, "after"), after)
        recovered = time.monotonic() - began
    kept = _kept(room)
    lost = [key for key in said.taken if key not in kept]
    wrong = {status: n for status, n in said.answers.items() if status not in (200, 202, 429, 503)}
    offered, refused = said.answers.total(), said.answers[429] + said.answers[503]
    found = {
        "overload_requests": offered,
        "overload_refused": refused,
        "longest_overload_answer_s": round(max(said.took), 2),
        "longest_after_overload_s": round(recovered, 2),
        "lost": len(lost),
        "failed": sum(wrong.values()) + said.silent + (well >= 300),
    }
    assert refused > offered / 3, f"it was no overload: {found}"
    if lost or found["failed"]:
        found["wrongs"] = [f"overload, seed {room.seed}: lost {lost[:5]}, {wrong}, {said.silent} without Retry-After"]
    return found


class Said:
    """What the senders heard."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.taken: list[str] = []
        self.took: list[float] = []
        self.silent = 0  # refusals that do not say when to come back


async def _flood(port: int, seconds: float, rate: float, lines: int) -> Said:
    said = Said()
    until = time.monotonic() + seconds
    await asyncio.gather(*(_one_sender(port, n, lines / rate, until, said) for n in range(lines)))
    return said


async def _one_sender(port: int, who: int, every: float, until: float, said: Said) -> None:
    """Sends one every so often, whatever became of the last; a slot whose answer has not come yet is left out."""
    await asyncio.sleep(every * random.Random(who).random())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    n = 0
    while (began := time.monotonic()) < until:
        key = f"O-{who}.{n}"
        body = _event(key, n)
        lines = [f"{k}: {v}" for k, v in {**signed(body, key), "Content-Length": str(len(body))}.items()]
        writer.write("\r\n".join(["POST /hooks/source HTTP/1.1", "Host: x", *lines, "", ""]).encode() + body)
        status, headers, closes = await _reply(reader)
        said.answers[status] += 1
        said.took.append(time.monotonic() - began)
        if status < 300:
            said.taken.append(key)
        elif status in (429, 503) and int(headers.get("retry-after", "0")) < 1:
            said.silent += 1
        if closes:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        n += 1
        await asyncio.sleep(max(0.0, began + every - time.monotonic()))
    writer.close()


async def _reply(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bool]:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    await reader.readexactly(int(headers.get("content-length", "0")))
    return int(head[0].split(" ")[1]), headers, headers.get("connection", "") == "close"
