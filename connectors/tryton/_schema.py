"""What the tenant's own models look like, and records that a mapping names by what people call them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from connectors.tryton._session import Session
from connectors.tryton._sources import Source
from connectors.tryton._wire import outward
from landbridge.connector import Field, Fields
from landbridge.connector import FieldType as Kind
from landbridge.errors import Rejected

_KINDS: Mapping[str, Kind] = {
    "char": "string", "text": "string", "fulltext": "string", "selection": "string", "reference": "string",
    "integer": "integer", "biginteger": "integer", "many2one": "any", "numeric": "decimal", "float": "decimal",
    "boolean": "boolean", "date": "date", "datetime": "datetime", "timestamp": "datetime", "time": "time",
    "one2many": "array", "many2many": "array", "multiselection": "array", "dict": "mapping",
}  # fmt: skip


_NUMBERS = ("code", "number")  # Tryton gives them by its sequences


class Schema:
    """Fields of models, asked for once; safe to share between threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._fields: dict[str, Mapping[str, Any]] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def forget(self) -> None:
        """Ask again: modules may have come or gone."""
        with self._lock:
            self._fields.clear()
            self._ids.clear()

    def fields(self, model: str) -> Mapping[str, Any]:
        """Every field of a model, by name."""
        if model not in self._fields:
            found = self._session.call(model, "fields_get", [], 0)
            with self._lock:
                self._fields[model] = found
        return self._fields[model]

    def kind(self, model: str, name: str) -> str:
        """The type of a field; Rejected if the model has none of this name."""
        found = self.fields(model).get(name)
        if found is None:
            hint = "Look at the mapping; `landbridge check --live` names the fields that are there."
            raise Rejected(f"{self._session.http.system}: {model} has no field {name}.", hint=hint, sent=False)
        return str(found["type"])

    def relation(self, model: str, name: str) -> str:
        """The model that a field leads to; empty if it is no relation."""
        return str(self.fields(model).get(name, {}).get("relation") or "")

    def readable(self, model: str, paths: Iterable[str]) -> list[str]:
        """The paths that this tenant has; those of modules that are not installed are left out."""
        return [path for path in dict.fromkeys(paths) if self._there(model, path)]

    def _there(self, model: str, path: str) -> bool:
        name, _, rest = path.partition(".")
        if name not in self.fields(model) and name != "_timestamp":
            return False
        return not rest or (bool(self.relation(model, name)) and self._there(self.relation(model, name), rest))

    def one(self, model: str, named: Mapping[str, Any], what: str) -> int:
        """The one record that a mapping names, such as {code: EUR}; Rejected if it is none or several."""
        key = (model, repr(sorted(named.items())))
        if key not in self._ids:
            domain = [[name, "=", outward(value, self.kind(model, name), what)] for name, value in named.items()]
            found = self._session.call(model, "search", domain, 0, 2, None, context={"active_test": True})
            if len(found) != 1:
                word = "none" if not found else "more than one"
                told = ", ".join(f"{name} {value}" for name, value in named.items())
                hint = "Create it in Tryton, or map it to one that is there."
                raise Rejected(f"{what}: of {model} there is {word} with {told}.", hint=hint, sent=False)
            with self._lock:
                self._ids[key] = int(found[0])
        return self._ids[key]

    def value(self, model: str, name: str, value: Any) -> Any:
        """What Tryton takes for a value of a mapping; parts of a record are not its business."""
        kind, what = self.kind(model, name), f"{model}.{name}"
        value = self.fitted(model, name, value)
        if kind == "many2one" and isinstance(value, Mapping):
            named = {key: each for key, each in value.items() if each is not None}
            return self.one(self.relation(model, name), named, what) if named else None
        if kind == "many2many" and isinstance(value, list):
            relation = self.relation(model, name)
            ids = [self.one(relation, each, what) if isinstance(each, Mapping) else int(each) for each in value]
            return [["add", ids]] if ids else []
        return outward(value, kind, what)

    def fitted(self, model: str, name: str, value: Any) -> Any:
        """A number with no more places than the field keeps, half up: Tryton refuses more. Anything else as it is."""
        places = _places(self.fields(model).get(name, {}).get("digits"))
        if self.kind(model, name) != "numeric" or places is None or value is None:
            return value
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return value  # told as what it is when it is encoded
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or -exponent <= places:
            return value
        return format(number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), "f")

    def describe(self, source: Source) -> Fields:
        """The fields of an entity, those of its lines and of what else it carries by dotted path."""
        found = dict(self._own(source.model, ""))
        for name in dict.fromkeys(path.partition(".")[0] for path in source.fields if "." in path):
            relation = self.relation(source.model, name)
            if relation:
                found |= dict(self._own(relation, f"{name}.", self.fields(source.model)[name]))
        found |= {name: Field(name, kind, creatable=False, updatable=False) for name, kind in source.reckoned.items()}
        return Fields(source.model, found)

    def _needed(self, model: str, along: Mapping[str, Any] | None) -> frozenset[str]:
        """What a new record must be given: what Tryton neither has a default for nor fills itself.

        Those that are read along are made along only where they are children; they know their owner.
        """
        if along is not None and along["type"] != "one2many":
            return frozenset()
        named = [name for name, told in self.fields(model).items() if told.get("required") is True]
        filled = self._session.call(model, "default_get", named) if named else {}
        owner = along.get("relation_field") if along is not None else None
        return frozenset(name for name in named if filled.get(name) is None and name not in (*_NUMBERS, owner))

    def _own(self, model: str, prefix: str, along: Mapping[str, Any] | None = None) -> Iterable[tuple[str, Field]]:
        needed = self._needed(model, along)
        for name, told in self.fields(model).items():
            fixed = told.get("readonly") is True
            yield (
                f"{prefix}{name}",
                Field(
                    f"{prefix}{name}",
                    _KINDS.get(str(told["type"]), "any"),
                    length=told.get("size") if isinstance(told.get("size"), int) else None,
                    required=name in needed and not fixed,
                    creatable=not fixed,
                    updatable=not fixed,
                    label=str(told.get("string") or ""),
                    codes=_codes(told.get("selection")),
                ),
            )


def _places(digits: Any) -> int | None:
    """Decimal places of a field whose `digits` are fixed; they come as JSON in a text, `[null, 4]`."""
    found = re.fullmatch(r"\[\s*(?:null|\d+)\s*,\s*(\d+)\s*\]", digits) if isinstance(digits, str) else None
    return int(found[1]) if found is not None else None


def _codes(selection: Any) -> tuple[str, ...]:
    if not isinstance(selection, Sequence) or isinstance(selection, str):
        return ()
    return tuple(str(each[0]) for each in selection if isinstance(each, Sequence) and each and each[0] is not None)
