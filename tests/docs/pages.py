"""The project's pages as tests read them: fenced blocks with their attributes, headings and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^(?P<mark>```+)(?P<info>.*)$")
LINK = re.compile(r"(?<!!)\[(?:[^\]]|\\\])+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, what else stands beside it (`file=…`), and its text."""

    page: str
    line: int
    language: str
    marks: dict[str, str] = field(hash=False)
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def documents(root: Path) -> list[Path]:
    """Every page that a reader of the project meets."""
    top = [
        path for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG") if (path := root / f"{name}.md").is_file()
    ]
    return [*top, *sorted((root / "docs").rglob("*.md")), *sorted((root / "sandbox").rglob("*.md"))]


def blocks(path: Path, root: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    name = path.relative_to(root).as_posix()
    at = 0
    while at < len(lines):
        found = FENCE.match(lines[at])
        at += 1
        if not found:
            continue
        start, text = at, []
        while lines[at] != found["mark"]:
            text.append(lines[at])
            at += 1
        at += 1
        language, *marks = found["info"].split() or [""]
        yield Block(name, start, language, dict(m.partition("=")[::2] for m in marks), "\n".join(text) + "\n")


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors that its headings make, as the usual renderers spell them."""
    found = re.findall(r"^#{1,6} +(.+?) *$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def links(path: Path) -> list[str]:
    """Where its links and pictures lead."""
    return [one or other for one, other in LINK.findall(prose(path))]
