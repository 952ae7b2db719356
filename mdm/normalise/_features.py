"""From a canonical body (or a row of a table) to the values that are compared, by the columns of a declaration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from landbridge.errors import ConfigError, Problem
from landbridge.strict import did_you_mean
from mdm.declaration import Call, Column, Declaration, Value
from mdm.normalise._registry import NORMALISERS, says_nothing

Body = Mapping[str, Any]
Step = Callable[[Value, Body, Mapping[str, Any]], Value | None]


class Extractor:
    """Reads every column of one declaration out of a body; made once, called per record."""

    def __init__(self, declaration: Declaration) -> None:
        problems = list(problems_of(declaration))
        if problems:
            raise ConfigError(
                [Problem(f"config/mdm/{declaration.entity}.yaml", 0, 0, what, hint) for what, hint in problems]
            )
        self._columns = [Reader(column, declaration.placeholders) for column in declaration.columns]

    def __call__(self, body: Body) -> dict[str, Value | None]:
        """The value of every column; None where the body says nothing usable."""
        return {reader.name: reader.read(body) for reader in self._columns}


def problems_of(declaration: Declaration) -> Iterator[tuple[str, str]]:
    """(what, hint) for every normaliser that is not known, or gets too many arguments."""
    for column in declaration.columns:
        for call in column.normalise:
            known = NORMALISERS.get(call.name)
            if known is None:
                yield (
                    f"columns.{column.name}: no normaliser is called '{call.name}'.",
                    did_you_mean(call.name, NORMALISERS),
                )
            elif len(call.arguments) > len(known.arguments):
                takes = f"{call.name}({', '.join(known.arguments)})" if known.arguments else f"{call.name}, no argument"
                yield (
                    f"columns.{column.name}: '{call.name}' gets {len(call.arguments)} arguments.",
                    f"It takes {takes}.",
                )


_made: dict[int, tuple[Declaration, Extractor]] = {}


def features(declaration: Declaration, body: Body) -> dict[str, Value | None]:
    """The values of one record as they are compared; the declaration is compiled once."""
    kept = _made.get(id(declaration))
    if kept is None or kept[0] is not declaration:
        if len(_made) > 64:
            _made.clear()
        kept = _made[id(declaration)] = (declaration, Extractor(declaration))
    return kept[1](body)


class Reader:
    """One column: its paths, what is kept of a list, its chain."""

    def __init__(self, column: Column, placeholders: frozenset[str]) -> None:
        self.name = column.name
        self._many = column.many
        self._placeholders = placeholders
        self._where = {field: frozenset(kept) for field, kept in column.where.items()}
        self._paths = [(path, [_part(part) for part in path.split(".")]) for path in column.paths]
        self._chain = [_step(call) for call in column.normalise or (Call("text"),)]

    def read(self, body: Body) -> Value | None:
        """The value of the column; None where the body says nothing usable."""
        found: list[Value] = []
        for path, parts in self._paths:
            for raw, beside in self._raw(body, path, parts):
                value = self._normalised(raw, body, beside)
                if value is None:
                    continue
                if not self._many:
                    return value
                found += value if isinstance(value, tuple) else [value]
        return tuple(sorted({str(value) for value in found})) or None

    def _raw(self, body: Body, path: str, parts: list[tuple[str, bool]]) -> Iterator[tuple[Any, Body]]:
        if path in body:  # a row of a table: its header may hold points
            value = body[path]
            for one in value if isinstance(value, list | tuple) else (value,):
                yield one, body
        else:
            yield from self._walk(body, parts)

    def _walk(self, node: Any, parts: list[tuple[str, bool]]) -> Iterator[tuple[Any, Body]]:
        (name, each), rest = parts[0], parts[1:]
        value = node.get(name) if isinstance(node, Mapping) else None
        if value is None:
            return
        for one in value if each and isinstance(value, list | tuple) else (value,):
            if each and self._where and not self._kept(one):
                continue
            if rest:
                yield from self._walk(one, rest)
            else:
                yield one, node

    def _kept(self, one: Any) -> bool:
        return isinstance(one, Mapping) and all(one.get(field) in kept for field, kept in self._where.items())

    def _normalised(self, raw: Any, body: Body, beside: Body) -> Value | None:
        if raw is None or isinstance(raw, bool | Mapping | list | tuple):
            return None
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        text = raw if isinstance(raw, str) else str(raw)
        if says_nothing(text):
            return None
        value: Value | None = text
        for step in self._chain:
            value = step(value, body, beside) if value is not None else None
        if value is None or value == "" or (isinstance(value, str) and value in self._placeholders):
            return None
        return value


def _part(text: str) -> tuple[str, bool]:
    return (text[:-2], True) if text.endswith("[]") else (text, False)


def _step(call: Call) -> Step:
    known = NORMALISERS[call.name]
    arguments = call.arguments

    def run(value: Value, body: Body, beside: Body) -> Value | None:
        given = [_argument(text, body, beside) for text in arguments]
        if isinstance(value, tuple):
            made = [known.function(one, *given) for one in value]
            flat = [each for one in made if one is not None for each in (one if isinstance(one, tuple) else (one,))]
            return tuple(sorted({str(one) for one in flat})) or None
        return known.function(value if isinstance(value, str) else str(value), *given)

    return run


def _argument(text: str, body: Body, beside: Body) -> str | None:
    """A country code stands for itself; another word is a field beside the value, or a path of the body."""
    if (len(text) == 2 and text.isupper()) or text in ("dmy", "mdy") or text.isdigit():
        return text
    for near in (beside, body):
        value = near.get(text)
        if isinstance(value, str) and value:
            return value
    node: Any = body
    for name, _ in map(_part, text.split(".")):
        if isinstance(node, list | tuple):
            node = next((one for one in node if isinstance(one, Mapping) and one.get(name)), None)
        node = node.get(name) if isinstance(node, Mapping) else None
    return node if isinstance(node, str) and node else None
