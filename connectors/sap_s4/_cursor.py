"""Where reading stands: an opaque text for the engine, a small record for us."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from landbridge.errors import Denied, Failure
from landbridge.strict import json as strict_json

_CLOCKS_DIFFER = timedelta(seconds=5)  # another worker's clock may be a little ahead of ours


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a closed window.

    `done` is the end of the last window that was read whole. Inside a window, `until` is its end, `low` where it goes
    on, `key` the last key where rows are read in key order, and `drain` says that one instant is read out by key.
    `scope` is the plant of a snapshot that is to be read (again) from its beginning.
    """

    done: str | None = None
    until: str | None = None
    low: str | None = None
    key: str | None = None
    drain: bool = False
    skip: int = 0
    scope: str | None = None

    def text(self) -> str:
        """As the engine stores it."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        return strict_json.dumps({name: value for name, value in told.items() if value}).decode()


def parse(text: str | None, *, system: str, entity: str, now: datetime) -> Cursor:
    """The cursor of a text; a text that is none, or one from the future, is refused."""
    if not text:
        return Cursor()
    hint = f"Set another one: `landbridge cursor {system} {entity} --set INSTANT`."
    try:
        told: Any = strict_json.loads(text) if text.lstrip().startswith("{") else {"done": text}
        cursor = Cursor(**told)
        end = cursor.until or cursor.done
        moment = datetime.fromisoformat(end) if end else None
        if moment is not None and moment.tzinfo is None:
            raise ValueError("no zone")
    except (ValueError, TypeError, Failure) as error:
        raise Denied(
            f"{system}: the cursor of {entity} cannot be read: '{text[:80]}'.", hint=hint, sent=False
        ) from error
    if moment is not None and moment > now + _CLOCKS_DIFFER:
        raise Denied(
            f"{system}: the cursor of {entity} lies in the future ({moment:%Y-%m-%dT%H:%M:%SZ}); "
            "everything until then would be skipped.",
            hint=hint,
            sent=False,
        )
    return cursor
