"""Elements of lists: what the columns that read them make of each, so that two spellings of one are seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mdm.declaration import Declaration, Value
from mdm.normalise._features import Body, Reader


class Elements:
    """Reads single elements of one list attribute of a body; falsy where no column reads them."""

    def __init__(self, declaration: Declaration, attribute: str) -> None:
        before = f"{attribute}[]."
        self._attribute = attribute
        self._readers = [
            (path.removeprefix(before), Reader(replace(column, paths=(path,), many=False), declaration.placeholders))
            for column in declaration.columns
            for path in column.paths
            if path.startswith(before) and "." not in path.removeprefix(before)
        ]

    def __bool__(self) -> bool:
        return bool(self._readers)

    def read(self, element: Any, body: Body) -> tuple[str, Value] | None:
        """The field that is compared and its normalised value; None where no column can use it."""
        if not isinstance(element, Mapping):
            return None
        for field, reader in self._readers:
            value = reader.read({**body, self._attribute: [element]})
            if value is not None:
                return field, value
        return None
