"""What goes into a system: one write of one record, with its line changes already computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

Action = Literal["create", "update", "delete"]
LineAction = Literal["insert", "update", "cancel", "keep"]


@dataclass(frozen=True, slots=True)
class LineWrite:
    """What happens to one line of a document.

    `line_key` is ours and never changes; `line_id` is the target's own line number, None until it has one.
    `cancel` means the line was deleted or cancelled at the source; `before` is what we delivered last.
    """

    action: LineAction
    line_key: str
    line_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Write:
    """One record to write, translated into the target's own fields.

    `key` stays the same over restarts and retries (grade A sends it). `reference` is ours alone in that system
    (grades B and C write it, and C searches it). `expected` is the target version the change was computed against.
    `after` holds the header fields without the lines; `changed` is the part of `after` that differs from `before`
    (all of it on create). `stage` and `handle` are set when an earlier attempt was `Accepted`: go on there.
    """

    entity: str
    action: Action
    subject: UUID
    version: int
    key: str
    reference: str
    after: dict[str, Any]
    changed: dict[str, Any]
    before: dict[str, Any] | None = None
    target_id: str | None = None
    expected: str | None = None
    lines: tuple[LineWrite, ...] = ()
    scope: str = ""
    stage: str | None = None
    handle: str | None = None
    policy: str = ""
    """What the flow says a delete or cancellation means here: block, reject_lines, close, ignore."""
