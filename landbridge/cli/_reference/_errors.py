"""The page docs/errors.md: every class of error, what the engine does about it, and what a person does."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from landbridge import errors
from landbridge.cli._reference._made import MADE


def errors_page() -> str:
    """Every class of error, what the engine does about it, and what a person does."""
    tree = inspect.cleandoc(errors.__doc__ or "")
    start = tree.index("LandbridgeError")
    drawing = inspect.cleandoc("\n" + tree[start : tree.index("\n\nThe class says")])
    parts = [
        "# Errors\n",
        MADE,
        "The class says what the engine does, the message says what happened and where, the hint says what to do now.\n"
        "No error ever shows a secret.\n",
        f"```\n{drawing}\n```\n",
    ]
    for error in _tree(errors.LandbridgeError):
        parts.append(f"## {error.__name__}\n\n{inspect.cleandoc(error.__doc__ or '')}\n")
        if error.__name__ in ACTIONS:
            parts.append(f"**What you do:** {ACTIONS[error.__name__]}\n")
    return "\n".join(parts)


ACTIONS = {
    "LandbridgeError": "Read the hint. `landbridge --debug …` shows the traceback, for a report.",
    "ConfigError": "Mend each place it names (`file:line:column`), then run `landbridge check` until it is silent.",
    "Failure": "Nothing by itself: one of the classes below says what.",
    "Invalid": "Look at the findings of the quarantined message; mend the source or the mapping, then replay it.",
    "Denied": "Give the integration user the right it names, or renew the key; the flow goes on when you resume it.",
    "Unavailable": "Nothing: it is tried again by itself. If it lasts, ask who runs the target.",
    "OutcomeUnknown": "Nothing: the target is asked after the settle time, and only then decided.",
    "Rejected": "Read the target's reason in the dead letter; mend the record or the mapping, then replay it.",
    "Conflict": "Decide which of the two values stands, in the source or in the target.",
}


def _tree(error: type[BaseException]) -> Iterator[type[BaseException]]:
    """The class and those below it that stand in landbridge.errors, as the tree is drawn."""
    yield error
    for below in error.__subclasses__():
        if below.__module__ == "landbridge.errors":
            yield from _tree(below)
