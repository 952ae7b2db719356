"""Real connectors over HTTP, as small as they come: a source that is polled, and targets of grades A, B and C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from landbridge import strict
from landbridge.connector import (
    Config,
    Connector,
    Delivered,
    Entity,
    Event,
    Fields,
    Found,
    Identity,
    Outcome,
    Page,
    Row,
    Write,
)
from landbridge.errors import Failure
from landbridge.net import Http, NetSettings, Reply, Url, outcome_of
from landbridge.signatures import Request
from landbridge.time import Clock

ORDER = "sales_order"
READ_TIMEOUT = 0.4


class Address(Config):
    """Where it is."""

    url: Url


def reached(name: str, port: int, clock: Clock, *, read: float = READ_TIMEOUT) -> Http:
    """The line to it, with short time-outs."""
    return Http(name, f"http://127.0.0.1:{port}", NetSettings(connect=2.0, read=read, total=5.0), clock=clock)


class _Small(Connector[Address]):
    def __init__(self, name: str, http: Http, clock: Clock) -> None:
        super().__init__(name, Address(url="http://127.0.0.1"), http, clock)

    def check(self) -> Identity:
        return Identity(self._good(self.http.request("GET", "/who")).json()["organisation"])

    def describe(self, entity: str) -> Fields:
        return Fields(entity)

    def _good(self, reply: Reply) -> Reply:
        failure = outcome_of(reply, now=self.clock.now())
        if failure is not None:
            raise failure
        return reply


class Source(_Small):
    """Changes in their order; the cursor is how many were read."""

    entities: ClassVar = {ORDER: Entity("Order")}

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        at = int(since or 0)
        while rows := self._good(self.http.request("GET", "/source", params={"after": str(at)})).json()["rows"]:
            at += len(rows)
            yield Page([Row(row["number"], row, stamp=str(row["at"])) for row in rows], str(at))

    def parse_webhook(self, request: Request) -> list[Event]:
        return [Event(**told) for told in strict.json.loads(request.body)]


class Target(_Small):
    """Writes one record per call, as its grade says."""

    grade = ""

    def __init__(self, name: str, http: Http, clock: Clock, settle: timedelta) -> None:
        super().__init__(name, http, clock)
        self._entity = Entity("Order", create=self.grade, update=self.grade_of_update, batch=1, settle=settle)  # type: ignore[arg-type]  # a grade

    @property
    def grade_of_update(self) -> str:
        return self.grade

    def entity(self, entity: str) -> Entity:
        return self._entity

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        return [self._one(write) for write in writes]

    def _one(self, write: Write) -> Outcome:
        try:
            said = self._good(self._send(write)).json()
        except Failure as failure:
            return failure
        return Delivered(said["id"], said["etag"] if self.grade == "C" else None, write.action == "create")

    def _send(self, write: Write) -> Reply:
        raise NotImplementedError

    def find(self, entity: str, reference: str) -> Found | None:
        return None

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        return []


class ByKey(Target):
    """Grade A: the same key has one effect."""

    grade = "A"

    def _send(self, write: Write) -> Reply:
        path = f"/a/orders/{write.target_id}" if write.target_id else "/a/orders"
        return self.http.request("POST", path, json=write.after, headers={"Idempotency-Key": write.key})


class ByUpsert(Target):
    """Grade B: our reference is the record's unique external id."""

    grade = "B"

    def _send(self, write: Write) -> Reply:
        return self.http.request("PUT", f"/b/orders/{write.reference}", json=write.after)


class BySearch(Target):
    """Grade C: it takes any create, and can be searched by our reference; updates hold to its version."""

    grade = "C"

    @property
    def grade_of_update(self) -> str:
        return "B"

    def _send(self, write: Write) -> Reply:
        if write.action == "create":
            return self.http.request("POST", "/c/orders", json={**write.after, "reference": write.reference})
        headers = {"If-Match": write.expected} if write.expected else {}
        return self.http.request("PATCH", f"/c/orders/{write.target_id}", json=write.after, headers=headers)

    def find(self, entity: str, reference: str) -> Found | None:
        rows = self._rows("/c/orders", {"reference": reference})
        return Found(rows[0]["id"], rows[0]["etag"]) if rows else None

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        found = self._rows("/c/orders", {"ids": ",".join(ids)})
        return [Row(row["id"], row, version=row["etag"]) for row in found]

    def _rows(self, path: str, params: dict[str, str]) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._good(self.http.request("GET", path, params=params)).json()["rows"]
        return rows


TARGETS: dict[str, type[Target]] = {"A": ByKey, "B": ByUpsert, "C": BySearch}
