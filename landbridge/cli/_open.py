"""What the commands that work on a store share: opening the project, naming its parts, and who is asking."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from landbridge.cli._context import of
from landbridge.errors import LandbridgeError

if TYPE_CHECKING:
    from uuid import UUID

    import typer

    from landbridge.installation import Installation
    from landbridge.settings import Flow


@contextmanager
def opened(context: typer.Context) -> Iterator[Installation]:
    """The project's installation: its settings checked and its store migrated."""
    from landbridge.installation import open_installation

    options = of(context)
    with open_installation(options.root, options.environment) as installation:
        yield installation


def actor() -> str:
    """Who decides, for the history: the account that runs the command."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "person"


def feed_subject(installation: Installation, flow: Flow, id_: str, scope: str = "") -> UUID:
    """The subject of a record of a flow's source; LandbridgeError if nothing of it was ever received."""
    from landbridge.store import identity
    from landbridge.store._identity import Key

    system, entity = flow.feed
    key = Key(system, entity, scope, id_)
    with installation.store.reading() as connection:
        who = identity.lookup(connection, {key}).get(key)
    if who is None:
        raise LandbridgeError(
            f"{system} {entity} {id_} is not known here: nothing of it was received.",
            hint=f"Fetch it now with `landbridge send {flow.flow} {id_}`, or look at the id.",
        )
    return who.subject


def age(since: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that says something: `3 d`, `5 h`, `12 min`, `4 s`."""
    if since is None:
        return ""
    return span(now - since)


def span(length: timedelta) -> str:
    """A length of time in words."""
    seconds = max(0, int(length.total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def show_table(headings: Sequence[str], lines: Iterable[Sequence[Any]], *, right: Iterable[int] = ()) -> None:
    """A table for the terminal, plain text without a frame: it can be cut and grepped."""
    from landbridge.cli._print import say

    texts = [[_cell(value) for value in line] for line in lines]
    widths = [max(len(row[n]) for row in [list(headings), *texts]) for n in range(len(headings))]
    numbers = set(right)
    for row in [list(headings), *texts]:
        cells = [
            text.rjust(width) if n in numbers else text.ljust(width)
            for n, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        say("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value.strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, datetime) else str(value)
    return text.replace("\n", " ")


def told(counts: Mapping[str, int], words: Sequence[str]) -> str:
    """Counts in one line, in this order, zeros left out: `2 dead, 1 conflict`."""
    return ", ".join(f"{counts[word]} {word}" for word in words if counts.get(word))


def paused_hint(flow: str, reason: str) -> str:
    """That a flow is paused, why, and what to do."""
    return f"{flow} is paused: {reason.rstrip('.')}. hint: mend it, then `landbridge resume {flow}`"
