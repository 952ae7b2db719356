"""Two ascending lists of keys walked together, range by range, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from landbridge.connector import KeyHash
from landbridge.errors import Rejected
from landbridge.store import reconciling

Page = Callable[[str, str | None], list[Any]]
"""Our rows with keys above `low` and up to `high`, ascending, a bounded number of them."""

Pair = tuple[str, bytes | None, Any | None]
"""A key, the hash its system gives (None: the system does not name it), and our row (None: we do not know it)."""


def pairs(what: str, keys: Iterator[KeyHash], page: Page) -> Iterator[Pair]:
    """Every key of either side; Rejected if the system's keys do not ascend, since nothing could be concluded then."""
    low = ""
    while chunk := list(islice(keys, reconciling.RANGE)):
        last = low
        for one in chunk:
            if one.key <= last:
                raise Rejected(
                    f"{what}: its keys do not ascend ({one.key!r} came after {last!r}), so nothing was compared.",
                    hint="That is a fault of its connector: `keys` sorts by the characters' code points.",
                )
            last = one.key
        yield from _range({one.key: one.hash for one in chunk}, low, last, page)
        low = last
    yield from _range({}, low, None, page)


def _range(theirs: dict[str, bytes], low: str, high: str | None, page: Page) -> Iterator[Pair]:
    after, known = low, set[str]()
    while rows := page(after, high):
        for row in rows:
            if row.key in theirs:
                known.add(row.key)
            yield row.key, theirs.get(row.key), row
        after = rows[-1].key
        if len(rows) < reconciling.RANGE:
            break
    for key, hash_ in theirs.items():
        if key not in known:
            yield key, hash_, None
