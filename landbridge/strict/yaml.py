"""YAML as configuration may be written: YAML 1.2 core, one document, every problem with its place.

Refused: duplicate keys, anchors and aliases, tags, merge keys, directives, several documents, keys that are no scalar,
tabs, control and bidirectional characters, too much depth or size. Keys are always text, as written.
Fractions are exact Decimals; dates, times and every other word stay text (see `_scalars`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from landbridge.errors import ConfigError, Problem
from landbridge.strict._models import validate
from landbridge.strict._node import Node, plain
from landbridge.strict._scalars import STARTS, WORDS, Unclear, resolve
from landbridge.strict._text import decoded, syntax_problem

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Node", "load", "load_file", "plain", "validate"]

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 64
MAX_PROBLEMS = 100  # a broken file is not made clearer by more


def load(text: str | bytes, *, file: str, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Node:
    """The one document in `text`; raises ConfigError with every problem found in it."""
    return _Reader(file, max_depth).read(decoded(text, file, max_bytes))


def load_file(path: Path, *, root: Path | None = None, max_bytes: int = MAX_BYTES) -> Node:
    """The one document in a file; problems name the file relative to `root`."""
    name = path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.as_posix()
    try:
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigError(
            [Problem(name, 0, 0, f"cannot be read: {reason}.", "Check the path and its rights.")]
        ) from error
    return load(content, file=name, max_bytes=max_bytes)


class _Stop(Exception):
    """Reading further would only repeat the problem."""


class _Open:
    """A list or mapping that is being filled."""

    __slots__ = ("content", "is_mapping", "key", "key_mark", "node")

    def __init__(self, node: Node, content: Any) -> None:
        self.node = node
        self.content = content
        self.is_mapping = isinstance(content, dict)
        self.key: str | None = None
        self.key_mark: Any = None


class _Reader:
    """Turns the events of the C parser into nodes."""

    def __init__(self, file: str, max_depth: int) -> None:
        self.file = file
        self.max_depth = max_depth
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.root: Node | None = None

    def read(self, text: str) -> Node:
        try:
            self._events(CParser(text).get_event)
        except _Stop:
            pass
        except YAMLError as error:
            self.problems.append(syntax_problem(error, self.file))
        if self.problems:
            raise ConfigError(self.problems)
        return self.root if self.root is not None else Node(None, self.file, 1, 1)

    def _events(self, next_event: Any) -> None:
        stack = self.stack
        while True:
            event = next_event()
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent:
                self._open(event, {})
            elif kind is SequenceStartEvent:
                self._open(event, [])
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                stack.pop()
            elif kind is AliasEvent:
                self._refuse(
                    event,
                    f"*{event.anchor} is an alias; aliases are not read.",
                    "Repeat the value, or quote a text.",
                )
                self._add(event, None)
            elif kind is DocumentStartEvent:
                self._document(event)
            elif kind is StreamEndEvent:
                return

    def _document(self, event: Any) -> None:
        if event.version or event.tags:
            self._refuse(event, "%YAML and %TAG lines are not read.", "Remove the line; files are YAML 1.2.")
        if self.root is not None:
            self._refuse(event, "a second document starts here.", "One file holds one document: split the file.")
            raise _Stop

    def _scalar(self, event: Any) -> None:
        text = event.value
        if event.tag is not None or event.anchor is not None:
            self._decorated(event)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.is_mapping and top.key is None:
            self._key(top, event, text)
            return
        value = text
        if event.style is None or event.style == "":
            if text in WORDS:
                value = WORDS[text]
            elif text[0] in STARTS:
                value = self._number(event, text)
        if "\0" in text:
            self._refuse(event, "the text holds the character U+0000, which no target can store.", "Remove it.")
        self._add(event, value)

    def _number(self, event: Any, text: str) -> Any:
        try:
            return resolve(text)
        except Unclear as unclear:
            short = text if len(text) <= 40 else text[:40] + "…"
            self._refuse(event, f"{short} {unclear}.", "Quote it if it is a text, else write it out in plain digits.")
            return None

    def _key(self, top: _Open, event: Any, text: str) -> None:
        if not event.style:
            if text in ("", "~", "null"):
                self._refuse(event, "a key is missing here (it reads as null).", "Write the key before the colon.")
            elif text == "<<":
                self._refuse(event, "<< is a merge key; these are not read.", "Write the keys out, or use `extends`.")
        if "\0" in text:
            self._refuse(event, "the key holds the character U+0000.", "Remove it.")
        if text in top.content:
            first = top.content[text]
            self._refuse(
                event,
                f"key '{text}' is a duplicate of line {first.key_line}.",
                "Keep one of the two.",
            )
        top.key, top.key_mark = text, event.start_mark

    def _open(self, event: Any, content: Any) -> None:
        if event.tag is not None or event.anchor is not None:
            self._decorated(event)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.is_mapping and top.key is None:
            self._refuse(event, "a list or mapping stands where a key is expected.", "Quote a text with [ or { in it.")
            raise _Stop
        if len(self.stack) >= self.max_depth:
            self._refuse(event, f"nested more than {self.max_depth} deep.", "Flatten it, or split the file.")
            raise _Stop
        self.stack.append(_Open(self._add(event, content), content))

    def _add(self, event: Any, value: Any) -> Node:
        mark = event.start_mark
        node = Node(value, self.file, mark.line + 1, mark.column + 1)
        if not self.stack:
            self.root = node
            return node
        top = self.stack[-1]
        if top.is_mapping:
            if top.key is None:  # an alias stands as key; it is refused already, and what follows has no key
                raise _Stop
            node.key_line, node.key_column = top.key_mark.line + 1, top.key_mark.column + 1
            top.content.setdefault(top.key, node)
            top.key = None
        else:
            top.content.append(node)
        return node

    def _decorated(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(event, f"&{event.anchor} is an anchor; anchors are not read.", "Remove it, or quote a text.")
        if event.tag is not None:
            name = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"{name} is a tag; tags are not read.", "Remove it, or quote a text with !.")

    def _refuse(self, event: Any, message: str, hint: str) -> None:
        mark = event.start_mark
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, message, hint))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop
