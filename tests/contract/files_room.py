"""A folder, a clock and a connector: what a test of the files connector has at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from suite import Inbox

from landbridge.connector import Registry, Row
from landbridge.errors import Failure
from landbridge.net import open_http
from landbridge.time import ManualClock

REGISTRATION = Registry()["files"]


class Room:
    """One folder `in` that files are dropped into, and `out` that is written to."""

    def __init__(self, root: Path, **entity: Any) -> None:
        self.root = root
        self.clock = ManualClock()
        self.entity: dict[str, Any] = {"folder": "in", "pattern": "*.csv", "key": "id", **entity}
        self.more: dict[str, Any] = {}
        self.inbox = Inbox()
        for name in ("in", "out"):
            (root / name).mkdir()

    def connector(self, **entity: Any) -> Any:
        """A fresh process: nothing is left of the last one but the cursor."""
        entities = {"customer": {**self.entity, **entity}}
        config = REGISTRATION.config.model_validate(
            {"folder": str(self.root), "entities": entities, "page_size": 10, **self.more}
        )
        return REGISTRATION.connector("exchange", config, open_http("exchange", config, clock=self.clock), self.clock)

    def drop(self, name: str, content: str | bytes, seconds: float = 0) -> Path:
        """A file in `in`, whole, stamped by our clock."""
        path = self.root / "in" / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        at = (self.clock.now() + timedelta(seconds=seconds)).timestamp()
        os.utime(path, (at, at))
        return path

    def read(self, **entity: Any) -> list[Row]:
        """What is new, from the cursor on, as a new process reads it."""
        return self.inbox.take(self.connector(**entity), "customer")

    def refused(self, **entity: Any) -> tuple[list[Row], str]:
        """What is new, and what the run says at its end."""
        before = len(self.inbox.rows)
        cursor: Any = None
        try:
            for page in self.connector(**entity).read("customer", self.inbox.cursor):
                self.inbox.rows += page.rows
                cursor = page.cursor
        except Failure as failure:
            assert failure.hint
            self.inbox.cursor = cursor or self.inbox.cursor
            return self.inbox.rows[before:], str(failure)
        raise AssertionError("nothing was refused")

    def names(self, folder: str = "in") -> list[str]:
        """The files of a folder, hidden ones left out."""
        path = self.root / folder
        return sorted(each.name for each in path.iterdir() if each.is_file() and not each.name.startswith("."))

    def reason(self, name: str) -> str:
        """What stands beside a file that was set aside."""
        return (self.root / "in" / "failed" / f"{name}.error.txt").read_text(encoding="utf-8")


def table(n: int, start: int = 0, line: Callable[[int], str] = lambda i: f"{i},name {i}") -> str:
    """A CSV of `id,name` with n rows."""
    return "id,name\n" + "".join(f"{line(i)}\n" for i in range(start, start + n))
