"""Lists: filters, order, and the five ways of paging."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from sandbox.rest._store import Record, RefusedError

LONGEST = 1000


def selected(records: list[Record], query: Mapping[str, str]) -> list[Record]:
    """The records that the query asks for, in its order."""
    found = records if query.get("deleted") == "true" else [each for each in records if not each["deleted"]]
    if since := query.get("updated_from"):
        found = [each for each in found if each["updated_at"] >= since]
    if (reference := query.get("external_ref")) is not None:
        found = [each for each in found if each["external_ref"] == reference]
    if (ids := query.get("ids")) is not None:
        found = [each for each in found if str(each["id"]) in ids.split(",")]
    if query.get("sort") == "updated_at":
        found = sorted(found, key=lambda each: (each["updated_at"], each["id"]))
    return found


def paged(found: list[Record], style: str, query: Mapping[str, str], address: str) -> tuple[Any, dict[str, str]]:
    """One page of a list in one of the styles, as body and headers."""
    size = _number(query, "limit", 100)
    if size < 1 or size > LONGEST:
        raise RefusedError(400, "bad_request", f"limit is 1 to {LONGEST}.")
    start = _start(style, query, size)
    rows, after = found[start : start + size], start + size
    follows = after < len(found)
    if style == "offset":
        return {"data": rows, "total": len(found)}, {}
    if style == "page":
        return {"results": rows, "page": {"count": len(found), "last": -(-len(found) // size)}}, {}
    if style == "cursor":
        token = base64.urlsafe_b64encode(f"after:{after}".encode()).decode()
        return {"data": rows, "meta": {"next": token if follows else None, "has_more": follows}}, {}
    link = f"{address}?{urlencode({**query, 'at': str(after)})}"
    if style == "link":
        return rows, {
            "Link": f'<{address}>; rel="first", <{link}>; rel="next"' if follows else f'<{address}>; rel="first"'
        }
    return {"value": rows, "next": link if follows else None}, {}


def _start(style: str, query: Mapping[str, str], size: int) -> int:
    if style == "offset":
        return _number(query, "offset", 0)
    if style == "page":
        return (max(_number(query, "page", 1), 1) - 1) * size
    if style == "cursor":
        token = query.get("cursor")
        if token is None:
            return 0
        try:
            return int(base64.urlsafe_b64decode(token).removeprefix(b"after:"))
        except ValueError:
            raise RefusedError(400, "bad_cursor", "This cursor is not known any more.") from None
    return _number(query, "at", 0)


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not text.isdigit():
        raise RefusedError(400, "bad_request", f"{name} is a number.")
    return int(text)
