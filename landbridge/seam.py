"""The seam of durable steps: every commit, send and receive passes here, so that a test can crash at the n-th.

In production `step` is a function that does nothing. The crash harness installs a hook with `install`;
the hook may raise, exit the process, or count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
