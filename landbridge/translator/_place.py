"""The paths of the mapping language for what stands around records: lists, ids and errors of a reply."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from landbridge.translator._paths import Key, Path, Reader, SyntaxProblem, read_path, walk
from landbridge.translator._values import MISSING, Refused


class Place:
    """One place in a body, written like a path of a mapping: `data.items`, `edges[*].node`, `links[rel=next].href`."""

    __slots__ = ("_names", "_path", "of")

    def __init__(self, text: str) -> None:
        self._path = _parsed(text)
        steps = self._path.steps
        self._names = tuple(step.name for step in steps if isinstance(step, Key))
        self.of: Callable[[Any], Any] = _single(self._names[0]) if len(steps) == len(self._names) == 1 else self._walk
        """What stands there, None where there is nothing."""

    def __repr__(self) -> str:
        return f"<Place {self._path}>"

    def __str__(self) -> str:
        return str(self._path)

    @property
    def names(self) -> tuple[str, ...] | None:
        """The fields on the way, where the path has fields only: such a place can be written."""
        return self._names if len(self._names) == len(self._path.steps) else None

    def put(self, body: dict[str, Any], value: Any) -> None:
        """Set what stands there, making the records on the way."""
        for name in self._names[:-1]:
            inner = body.get(name)
            if not isinstance(inner, dict):
                inner = body[name] = {}
            body = inner
        body[self._names[-1]] = value

    def _walk(self, body: Any) -> Any:
        try:
            found = walk(body, self._path.steps)
        except Refused:
            return None
        return None if found is MISSING else found


def _single(name: str) -> Callable[[Any], Any]:
    return lambda body: body.get(name) if type(body) is dict else None


@lru_cache(1024)
def _parsed(text: str) -> Path:
    """The path of a text; ValueError with what is wrong and where."""
    reader = Reader(text)
    try:
        path = read_path(reader)
    except SyntaxProblem as problem:
        raise ValueError(f"'{text}' is no path: {problem.message} {problem.hint}".rstrip()) from None
    if reader.peek() or path.up or path.special:
        raise ValueError(f"'{text}' is no path: fields, [0], [name=value] and [*] only")
    return path
