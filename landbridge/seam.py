"""The seam of durable steps: every commit, send and receive passes here, so that a test can crash at the n-th.

In production `step` is a function that does nothing. The crash harness installs a hook with `install`;
the hook may raise, exit the process, or count.

`only_while` and `still` are production's own: what is sent under a lease looks at it as late as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Kind = Literal["commit", "committed", "send", "receive"]
Hook = Callable[[Kind, str], None]

_hook: Hook | None = None


def step(kind: Kind, what: str) -> None:
    """Announce a durable step just before (`commit`, `send`) or just after (`committed`, `receive`) it happens."""
    if _hook is not None:
        _hook(kind, what)


@contextmanager
def install(hook: Hook) -> Iterator[None]:
    """Call `hook` at every durable step of this process while the context lasts."""
    global _hook  # noqa: PLW0603 - one seam per process is the point
    before, _hook = _hook, hook
    try:
        yield
    finally:
        _hook = before


_holds: ContextVar[Callable[[], bool] | None] = ContextVar("holds", default=None)


@contextmanager
def only_while(holds: Callable[[], bool]) -> Iterator[None]:
    """What this thread sends meanwhile goes out only while `holds` says so: a lease that may end before the send."""
    token = _holds.set(holds)
    try:
        yield
    finally:
        _holds.reset(token)


def still() -> bool:
    """Whether this thread may send; asked with the line open, right before the first byte goes out."""
    holds = _holds.get()
    return holds is None or holds()
