"""What a product under the contract suite supplies: its sandbox, foreign users' hands, faults, a look at effects."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal
from uuid import uuid4

from landbridge.connector import Connector, LineWrite, Registration, Write
from landbridge.net import Budget, NetSettings, open_http
from landbridge.time import ManualClock

Side = Literal["login", "read", "write"]
KEPT_ALIVE = {"connect": 2, "read": 0.6}


class Bench(ABC):
    """One connector at its sandbox. `clock` is the engine's and moves the sandbox's; stamps come from the sandbox.

    `source` is an entity that is read by change stamps; `target` is one that is written; `document` one that is written
    with lines (None where the product has none). `page_size` is what `raw_config` asks for, as small as can be.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    target: ClassVar[str]
    document: ClassVar[str | None] = None
    page_size: ClassVar[int]
    text_field: ClassVar[str]
    """A native text field of `source` and `target` that takes any character and may be empty."""

    fixture: Callable[[str], Any]
    """pytest's fixtures by name, for a bench that needs a real server; set by `start`."""

    def __init__(self, registration: Registration, folder: Path) -> None:
        self.registration = registration
        self.folder = folder
        self.clock = ManualClock()
        self._open: list[Connector[Any]] = []

    # --- the connector

    @abstractmethod
    def start(self) -> None:
        """Start the sandbox on a free port and make its users; called once before everything else."""

    @abstractmethod
    def stop(self) -> None:
        """Stop what `start` started."""

    @abstractmethod
    def raw_config(self) -> dict[str, Any]:
        """A valid configuration, as `systems.yaml` would hold it."""

    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """The secrets behind `raw_config`: none of them may ever be printed."""

    @abstractmethod
    def port(self) -> int:
        """The sandbox's port."""

    def connector(self, *, budget: Budget | None = None, net: Mapping[str, Any] | None = None, **config: Any) -> Any:
        """A fresh connector; `net` and `config` override single settings."""
        settings = NetSettings(**{**KEPT_ALIVE, **(net or {})})
        parsed = self.registration.config.model_validate({**self.raw_config(), **config})
        http = open_http(self.name, parsed, settings, clock=self.clock, budget=budget)
        made = self.registration.connector(self.name, parsed, http, self.clock)
        self._open.append(made)
        return made

    def close(self) -> None:
        """Close every connector that the test made."""
        for made in self._open:
            made.close()
        self._open.clear()

    # --- foreign users in the source

    @abstractmethod
    def create(self, n: int) -> list[str]:
        """Make `n` records of `source` in one instant; their keys."""

    @abstractmethod
    def change(self, key: str, text: str | None) -> None:
        """Set `text_field` of one record, now."""

    @abstractmethod
    def late(self, seconds: float) -> str:
        """A record that becomes visible now and carries the stamp of a transaction that began `seconds` ago."""

    @abstractmethod
    def remove(self, key: str) -> bool:
        """Delete one record; False where the product cannot say so in its feed."""

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass, for the engine and the sandbox."""
        self.clock.advance(seconds)

    # --- faults

    @abstractmethod
    def fault(self, side: Side, kind: str, *, times: int | None = 1, nth: int = 1, **args: Any) -> None:
        """Plan a fault (see `sandbox._base.faults`) for the next requests of one side."""

    @abstractmethod
    def clear_faults(self) -> None:
        """Forget all faults."""

    @abstractmethod
    def error_body(self, status: int) -> Any:
        """The product's own error envelope for a status, with a plain code."""

    @abstractmethod
    def expire_session(self) -> None:
        """End every session that the product holds."""

    @abstractmethod
    def take_right(self) -> str:
        """Take one right from our user; what `check` must name."""

    # --- the target

    @abstractmethod
    def native(self, text: str) -> dict[str, Any]:
        """A whole native record for `target`, with `text` in `text_field`."""

    @abstractmethod
    def wrong(self) -> dict[str, Any]:
        """A native record for `target` that the product refuses by a rule of its own."""

    @abstractmethod
    def effects(self, entity: str, reference: str) -> list[dict[str, Any]]:
        """The records in the sandbox that carry our reference, read behind the connector's back."""

    def native_document(self) -> dict[str, Any]:
        """The header of a document."""
        raise NotImplementedError

    def native_line(self, quantity: str) -> dict[str, Any]:
        """One line of a document."""
        raise NotImplementedError

    def line_quantities(self, reference: str) -> dict[str, str]:
        """Quantity by the product's own line id, of the document with our reference, cancelled lines left out."""
        raise NotImplementedError

    # --- writes as the engine makes them

    def write(self, reference: str, text: str = "x", **change: Any) -> Write:
        """A create of `target`."""
        body = self.native(text)
        return self._write(self.target, reference, body, **change)

    def document_write(self, reference: str, quantities: Mapping[str, str], **change: Any) -> Write:
        """A create of `document` with lines by line key."""
        assert self.document is not None
        lines = tuple(LineWrite("insert", key, None, None, self.native_line(q)) for key, q in quantities.items())
        return self._write(self.document, reference, self.native_document(), lines=lines, **change)

    def _write(self, entity: str, reference: str, body: dict[str, Any], **change: Any) -> Write:
        write = Write(entity, "create", uuid4(), 1, f"key-{reference}", reference, body, dict(body))
        return dataclasses.replace(write, **change)
