"""A value out of a configuration file that still knows where it was written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from landbridge.errors import Problem

KINDS = {
    dict: "a mapping",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    type(None): "nothing",
}


class Node:
    """One scalar, list or mapping of a file, with its line and column counted from 1."""

    __slots__ = ("_content", "_plain", "column", "file", "key_column", "key_line", "line")

    def __init__(self, content: Any, file: str, line: int, column: int) -> None:
        self._content = content  # dict[str, Node], list[Node], or the scalar itself
        self._plain: Any = content if not isinstance(content, (dict, list)) else None
        self.file = file
        self.line = line
        self.column = column
        self.key_line = line  # where the key of this value stands, if it has one
        self.key_column = column

    @property
    def value(self) -> Any:
        """The plain Python tree (dict, list, str, bool, int, Decimal, None); built once, to be read and not changed."""
        content = self._content
        if self._plain is None and content is not None:
            if isinstance(content, dict):
                self._plain = {key: node.value for key, node in content.items()}
            else:
                self._plain = [node.value for node in content]
        return self._plain

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self._content, dict)

    @property
    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self._content, list)

    @property
    def kind(self) -> str:
        """What this is, in words for a message: "a mapping", "a list", "a text"…"""
        return KINDS.get(type(self._content), "a number")

    def items(self) -> Iterator[tuple[str, tuple[int, int], Node]]:
        """Each key of a mapping, where the key stands, and its value; nothing if this is no mapping."""
        if isinstance(self._content, dict):
            for key, node in self._content.items():
                yield key, (node.key_line, node.key_column), node

    def keys(self) -> tuple[str, ...]:
        """The keys of a mapping in the order of the file; empty if this is no mapping."""
        return tuple(self._content) if isinstance(self._content, dict) else ()

    def elements(self) -> Iterator[Node]:
        """Each element of a list; nothing if this is no list."""
        if isinstance(self._content, list):
            yield from self._content

    def get(self, key: str) -> Node | None:
        """The value of a key, or None if there is no such key or this is no mapping."""
        return self._content.get(key) if isinstance(self._content, dict) else None

    def __getitem__(self, key: str | int) -> Node:
        found: Node = self._content[key]  # KeyError and IndexError as of a dict and a list
        return found

    def __contains__(self, key: str) -> bool:
        return isinstance(self._content, dict) and key in self._content

    def __len__(self) -> int:
        return len(self._content) if isinstance(self._content, (dict, list)) else 0

    def __bool__(self) -> bool:
        return True  # a node is there even if it is empty; ask `.value` for more

    def __repr__(self) -> str:
        return f"<{self.kind} at {self.file}:{self.line}:{self.column}>"

    def find(self, path: tuple[str | int, ...]) -> tuple[Node, tuple[str | int, ...]]:
        """The deepest node on the path, and the part of the path that led to it; steps that do not fit are skipped.

        Pydantic puts names of types into its paths ("list[str]", "function-after"): those are what does not fit.
        """
        node, walked = self, []
        for step in path:
            content = node._content
            inside = (isinstance(content, dict) and step in content) or (
                isinstance(content, list) and isinstance(step, int) and 0 <= step < len(content)
            )
            if inside:
                node = content[step]
                walked.append(step)
        return node, tuple(walked)

    def at(self, path: tuple[str | int, ...], *, key: bool = False) -> tuple[int, int]:
        """Line and column of what stands at the path (or of its key), or of its nearest parent that exists."""
        node, _ = self.find(path)
        return (node.key_line, node.key_column) if key else (node.line, node.column)

    def problem(self, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """A problem with this value (or with its key), ready for a ConfigError."""
        line, column = (self.key_line, self.key_column) if key else (self.line, self.column)
        return Problem(self.file, line, column, message, hint)


def plain(node: Node) -> Any:
    """The plain Python tree of a node."""
    return node.value
