"""Line changes: what happens to each line of a document, by line key and never by position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from landbridge.connector import LineWrite
from landbridge.errors import Finding, Invalid

LINE_KEY = "@line"
"""The key in a translated line that carries our line key; keys with @ never go on the wire."""


def split(body: dict[str, Any], lines: str | None) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A translated body as its header and its lines by line key; Invalid if a line has no key or two have one."""
    header = {name: value for name, value in body.items() if not name.startswith("@")}
    if lines is None or lines not in header:
        return header, {}
    found: dict[str, dict[str, Any]] = {}
    for position, line in enumerate(header.pop(lines) or ()):
        key = line.get(LINE_KEY)
        if key is None or str(key) in found:
            problem = "has no line key" if key is None else f"has the line key {key} of another line"
            raise Invalid(
                [Finding(f"{lines}[{position}]", "line_key", problem, f'Set "{LINE_KEY}": line_key in the mapping.')]
            )
        found[str(key)] = {name: value for name, value in line.items() if not name.startswith("@")}
    return header, found


def join(header: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The shadow of a document: what a target record holds of ours."""
    return {"header": dict(header), "lines": {key: dict(line) for key, line in lines.items()}}


def changes(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, dict[str, Any]], numbers: Mapping[str, str]
) -> tuple[LineWrite, ...]:
    """What happens to every line: new ones inserted, changed ones updated, missing ones cancelled, in that order.

    `numbers` are the target's line numbers by our keys. A line that has a number but no remembered content is updated.
    """
    result = []
    for key, line in after.items():
        old = before.get(key)
        number = numbers.get(key)
        if number is None and old is None:
            result.append(LineWrite("insert", key, None, None, line))
        elif old == line:
            result.append(LineWrite("keep", key, number, dict(old), line))
        else:
            result.append(LineWrite("update", key, number, None if old is None else dict(old), line))
    for key in before.keys() | numbers.keys():
        if key not in after and key in before:
            result.append(LineWrite("cancel", key, numbers.get(key), dict(before[key]), None))
    return tuple(result)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a header that differ from what was delivered last."""
    missing = object()
    return {name: value for name, value in after.items() if before.get(name, missing) != value}
