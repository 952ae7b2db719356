"""$filter and $orderby: a parser of OData V2 expressions, compiled to functions over stored records."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.sap_s4._edm import EntitySet, Property
from sandbox.sap_s4._errors import ODataError, bad_request
from sandbox.sap_s4._values import Value, from_text

Record = dict[str, Any]
Predicate = Callable[[Record], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<typed>(?:datetimeoffset|datetime|guid|time)'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?)[MmLlDdFf]?(?![\w.])|(?P<name>[A-Za-z_][\w/]*)|(?P<mark>[(),]))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_MIRROR = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_TEST: Mapping[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "substringof": lambda part, whole: part in whole,
}
_SHAPE: Mapping[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper, "trim": str.strip}
_PREFIX = {"datetime": "D", "datetimeoffset": "O", "guid": "G", "time": "T"}


@dataclass(frozen=True)
class Condition:
    """A comparison that must hold for the whole filter to hold; the store can use it to read less."""

    name: str
    operator: str
    value: Value


@dataclass
class Filter:
    """A compiled filter; `conditions` hold always, and are all of it if `exact`."""

    accepts: Predicate
    conditions: list[Condition] = field(default_factory=list)
    exact: bool = False


@dataclass(frozen=True)
class _Operand:
    prop: Property | None
    kind: str
    value: Value = None
    shape: Callable[[str], str] | None = None


@dataclass
class _Part:
    test: Predicate
    conditions: list[Condition]
    exact: bool


def parse_filter(text: str, one: EntitySet) -> Filter:
    """Compile a $filter over the properties of one entity set."""
    parser = _Parser(_tokens(text), one, text)
    part = parser.any_of()
    parser.end()
    return Filter(part.test, part.conditions, part.exact)


def parse_order(text: str, one: EntitySet) -> list[tuple[str, bool]]:
    """The (property, descending) pairs of an $orderby."""
    order = []
    for piece in text.split(","):
        words = piece.split()
        if len(words) not in (1, 2) or (len(words) == 2 and words[1] not in ("asc", "desc")):
            raise bad_request(f"Invalid $orderby expression '{text}'")
        prop = find_property(one, words[0])
        if not prop.sortable:
            raise bad_request(f"Property '{prop.name}' of {one.name} is not sortable", target=prop.name)
        order.append((prop.name, len(words) == 2 and words[1] == "desc"))
    return order


def find_property(one: EntitySet, name: str) -> Property:
    """The property, or the refusal that real systems give for an unknown one."""
    if name not in one.properties:
        raise bad_request(f"Resource not found for the segment '{name}'", code="/IWFND/CM_MGW/004", target=name)
    return one.properties[name]


def sort_value(prop: Property, record: Record) -> Any:
    """What a record sorts by; empty values come first."""
    value = record.get(prop.name, prop.default)
    if prop.kind == "N":
        return Decimal(value or "0")
    return ("" if value is None else value) if prop.kind not in ("B", "I2", "I4", "Y") else (value or 0)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise bad_request(f"Invalid token '{text[position : position + 20].strip()}' at position {position}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], one: EntitySet, text: str) -> None:
        self._tokens, self._one, self._text, self._at = tokens, one, text, 0
        self._depth = 0

    def end(self) -> None:
        if self._at != len(self._tokens):
            raise self._wrong()

    def any_of(self) -> _Part:
        part = self._all_of()
        while self._word("or"):
            other = self._all_of()
            part = _Part(_either(part.test, other.test), [], False)
        return part

    def _all_of(self) -> _Part:
        part = self._single()
        while self._word("and"):
            other = self._single()
            together = part.conditions + other.conditions
            part = _Part(_both(part.test, other.test), together, part.exact and other.exact)
        return part

    def _single(self) -> _Part:
        if self._word("not"):
            part = self._single()
            return _Part(_negated(part.test), [], False)
        if self._peek() == ("mark", "("):
            self._depth += 1
            if self._depth > 100:
                raise bad_request("$filter is nested too deeply")
            self._at += 1
            part = self.any_of()
            self._mark(")")
            return part
        kind, name = self._peek()
        if kind == "name" and name in _TEST:
            part = _Part(self._test(name), [], False)
            if self._word("eq"):
                _, wanted = self._take()
                return part if wanted == "true" else _Part(_negated(part.test), [], False)
            return part
        return self._comparison()

    def _test(self, name: str) -> Predicate:
        self._at += 1
        self._mark("(")
        first = self._operand()
        self._mark(",")
        second = self._operand()
        self._mark(")")
        test = _TEST[name]
        for one in (first, second):
            if one.kind != "S":
                raise bad_request(f"Function '{name}' needs strings")
        left, right = _text_of(first), _text_of(second)
        return lambda record: test(left(record), right(record))

    def _comparison(self) -> _Part:
        left = self._operand()
        kind, word = self._take()
        if kind != "name" or word not in _COMPARE:
            raise self._wrong()
        right = self._operand()
        if left.prop is None and right.prop is not None:
            left, right, word = right, left, _MIRROR[word]
        if left.prop is None or right.prop is not None:
            raise bad_request(f"Only comparisons of a property with a value are supported: '{self._text}'")
        return _compare(left, word, right)

    def _operand(self) -> _Operand:
        kind, text = self._take()
        if kind == "text":
            return _Operand(None, "S", text[1:-1].replace("''", "'"))
        if kind == "number":
            return _Operand(None, "N", text)
        if kind == "typed":
            prefix, _, rest = text.partition("'")
            return _Operand(None, _PREFIX[prefix], rest[:-1])
        if kind != "name":
            raise self._wrong()
        if text in ("true", "false"):
            return _Operand(None, "B", text == "true")
        if text == "null":
            return _Operand(None, "null")
        if text in _SHAPE and self._peek() == ("mark", "("):
            self._mark("(")
            inner = self._operand()
            self._mark(")")
            return _Operand(inner.prop, "S", inner.value, _SHAPE[text])
        prop = find_property(self._one, text)
        if not prop.filterable:
            raise bad_request(f"Property '{prop.name}' of {self._one.name} is not filterable", target=prop.name)
        return _Operand(prop, prop.kind)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._at += 1
        return token

    def _word(self, word: str) -> bool:
        if self._peek() == ("name", word):
            self._at += 1
            return True
        return False

    def _mark(self, mark: str) -> None:
        if self._take() != ("mark", mark):
            raise self._wrong()

    def _wrong(self) -> ODataError:
        return bad_request(f"Invalid $filter expression '{self._text}'")


def _compare(left: _Operand, word: str, right: _Operand) -> _Part:
    prop, test = left.prop, _COMPARE[word]
    if prop is None:  # the caller has put the property on the left
        raise bad_request("A comparison needs a property")
    name, default = prop.name, prop.default
    if right.kind == "null":
        if word not in ("eq", "ne"):
            raise bad_request(f"null can be compared by eq and ne only ('{name}')")
        return _Part(lambda record: test(record.get(name, default) is None, True), [], False)
    value = _literal(prop, right)
    if left.shape is not None:
        shape = left.shape
        return _Part(lambda record: test(shape(str(record.get(name, default) or "")), value), [], False)
    if prop.kind == "N":
        number = Decimal(str(value))
        return _Part(lambda record: test(Decimal(record.get(name, default) or "0"), number), [], False)
    return _Part(_plain(name, default, test, value), [Condition(name, word, value)], word != "ne" and value != default)


def _plain(name: str, default: Value, test: Callable[[Any, Any], bool], value: Value) -> Predicate:
    def accepts(record: Record) -> bool:
        found = record.get(name, default)
        if found is None:
            return test is operator.ne
        return test(found, value)

    return accepts


def _literal(prop: Property, operand: _Operand) -> Value:
    fits = operand.kind == prop.kind
    if prop.kind in ("I2", "I4", "Y", "F") and operand.kind == "N":
        return float(str(operand.value))
    if prop.kind == "O" and operand.kind == "D":
        fits = True
    if not fits:
        raise bad_request(f"Property '{prop.name}' of type {prop.edm} cannot be compared with {operand.value!r}")
    if prop.kind == "B":
        return operand.value
    if prop.kind == "N":
        return str(operand.value)
    if prop.kind == "S":
        text = str(operand.value)
        return from_text(prop, text) if prop.length is None or len(text) <= prop.length else text
    return from_text(prop, str(operand.value))


def _text_of(operand: _Operand) -> Callable[[Record], str]:
    shape = operand.shape or (lambda text: text)
    if operand.prop is None:
        constant = shape(str(operand.value))
        return lambda record: constant
    name = operand.prop.name
    return lambda record: shape(str(record.get(name) or ""))


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda record: left(record) and right(record)


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda record: left(record) or right(record)


def _negated(part: Predicate) -> Predicate:
    return lambda record: not part(record)
