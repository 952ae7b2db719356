"""What two systems know a record by: a canonical path, its values, and the target's field that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from landbridge.errors import LandbridgeError
from landbridge.translator import _ast as ast
from landbridge.translator._paths import Key, Path, Reader, SyntaxProblem, read_path, walk
from landbridge.translator._values import MISSING, Refused


@dataclass(frozen=True, slots=True)
class Match:
    """A canonical path to match by, and the word a person gave for it."""

    word: str
    path: Path

    @classmethod
    def parse(cls, word: str, fields: Mapping[str, Any] | None = None) -> Match:
        """A path of the mapping language; one plain word that is no field of the entity is a scheme of identifiers.

        `fields` are the entity's, by path; where they are not known every plain word is taken for a field.
        """
        path = _path(word)
        known = fields is None or not fields or any(name == word for name in fields)
        plain = len(path.steps) == 1 and isinstance(path.steps[0], Key)
        if plain and not known:
            if "identifiers" not in (fields or {}):
                raise LandbridgeError(
                    f"the entity has no field '{word}' and no identifiers.", hint="Name one of its fields, as a path."
                )
            path = _path(f"identifiers[scheme={word}].value")
        return cls(word, path)

    def values(self, canonical: Mapping[str, Any]) -> list[str]:
        """The values of one record, as text, each once; empty ones are none."""
        try:
            found = walk(canonical, self.path.steps)
        except Refused:
            return []
        if found is None or found is MISSING:
            return []
        several = found if isinstance(found, list) else [found]
        texts = (str(one).strip() for one in several if one is not None and not isinstance(one, (dict, list)))
        return list(dict.fromkeys(text for text in texts if text))

    def field(self, mapping: Any) -> str:
        """The target's field: the one of `out:` that carries this path, else the word, for its connector to know."""
        outward = getattr(mapping, "outward", None)
        if outward is None:
            return self.word
        wanted = str(self.path)
        carrying = [one.name for one in outward.record.fields if wanted in _carried(one.value)]
        return str(carrying[0]) if len(carrying) == 1 else self.word


def _path(text: str) -> Path:
    reader = Reader(text)
    try:
        path = read_path(reader)
    except SyntaxProblem as error:
        raise LandbridgeError(f"'{text}' is no path: {error.message}", hint=error.hint or _HINT) from None
    if reader.peek() or path.up or path.special or not path.steps:
        raise LandbridgeError(f"'{text}' is no path of a record.", hint=_HINT)
    return path


_HINT = "Write a field such as number, a path such as identifiers[scheme=vat].value, or a scheme such as tax_id."


def _carried(value: ast.Expr) -> list[str]:
    """The path a plain field is copied from, through functions and defaults."""
    while isinstance(value, (ast.Pipe, ast.Default)):
        value = value.source
    return [str(value.path)] if isinstance(value, ast.At) else []
