"""Paths of the mapping language.

path     = "$position" | "$index" | "." | { "../" } ( "." | [ "." ] step { "." step | selector } )
step     = bare | quoted
bare     = ( any character but blank . [ ] | ( ) ' " \\ , ) | "\\" any character
quoted   = "'" text "'" | '"' text '"'              inside, a backslash takes the next character as it is
selector = "[" integer "]"                           one element, counted from 0; -1 is the last
         | "[" name "=" literal "]"                  the first element whose field equals the literal
         | "[*]"                                     every element: the rest of the path is taken of each
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from landbridge.translator._values import MAX_DIGITS, MISSING, Refused, kind_of

STOPS = set(" .[]|()'\"\\,")


class SyntaxProblem(Exception):
    """The text is not what the grammar allows; `offset` counts characters from the start of the scalar."""

    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Key:
    """The field with this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """The element at this place."""

    number: int


@dataclass(frozen=True, slots=True)
class Pick:
    """The first element whose field equals the value."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Every:
    """Every element; what follows is taken of each, and what is missing there is left out."""


Step = Key | Index | Pick | Every


@dataclass(frozen=True, slots=True)
class Path:
    """Where a value stands, seen from the innermost `each`; `up` counts its `../`, `special` is $position or $index."""

    up: int
    steps: tuple[Step, ...]
    special: str = ""

    def __str__(self) -> str:
        return self.special or "../" * self.up + (dotted(self.steps) or ".")


def dotted(steps: tuple[Step, ...]) -> str:
    """Steps as they are written."""
    text = ""
    for step in steps:
        if isinstance(step, Key):
            name = step.name
            if not name or any(sign in STOPS for sign in name):
                name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text += f".{name}" if text else name
        elif isinstance(step, Index):
            text += f"[{step.number}]"
        elif isinstance(step, Pick):
            text += f"[{step.name}={step.value}]"
        else:
            text += "[*]"
    return text


class Reader:
    """Reads tokens of a scalar from left to right."""

    def __init__(self, text: str, offset: int = 0) -> None:
        self.text = text
        self.at = offset

    def peek(self) -> str:
        """The next character, or "" at the end."""
        return self.text[self.at] if self.at < len(self.text) else ""

    def blank(self) -> None:
        """Pass over blanks."""
        while self.peek() == " ":
            self.at += 1

    def take(self, sign: str) -> bool:
        """Pass over the sign if it comes next."""
        if self.text.startswith(sign, self.at):
            self.at += len(sign)
            return True
        return False

    def need(self, sign: str, what: str) -> None:
        """Pass over the sign, which must come next."""
        if not self.take(sign):
            found = self.peek()
            raise SyntaxProblem(f"'{sign}' is needed {what}, here is {repr(found) if found else 'the end'}.", self.at)

    def quoted(self) -> str:
        """A quoted text; the reader stands on its quote."""
        start, quote, out = self.at, self.peek(), ""
        self.at += 1
        while (sign := self.peek()) != quote:
            if not sign:
                raise SyntaxProblem("the quote is not closed.", start)
            if sign == "\\":
                self.at += 1
                sign = self.peek()
            out += sign
            self.at += 1
        self.at += 1
        return out

    def bare(self, stops: set[str] | frozenset[str] = frozenset(STOPS)) -> str:
        """A bare word up to one of the stops; a backslash takes the next character as it is."""
        out = ""
        while (sign := self.peek()) and (sign not in stops or sign == "\\"):
            if sign == "\\":
                self.at += 1
                sign = self.peek()
                if not sign:
                    raise SyntaxProblem("a backslash stands at the end.", self.at)
            out += sign
            self.at += 1
        return out


def read_path(reader: Reader, stops: frozenset[str] = frozenset()) -> Path:
    """The path that comes next; `stops` are further characters that end a bare name (operators of an expression)."""
    for special in ("$position", "$index"):
        if reader.take(special):
            return Path(0, (), special)
    up = 0
    while reader.take("../"):
        up += 1
    if reader.take(".."):
        return Path(up + 1, ())
    dot = reader.take(".")
    if dot and (reader.peek() in ("", " ", "|", ")", ",", "}") or reader.peek() in stops):
        return Path(up, ())
    steps: list[Step] = []
    if not (dot and reader.peek() == "["):
        steps.append(_name(reader, stops))
    while True:
        if reader.peek() == "[":
            steps.append(_selector(reader))
        elif reader.peek() == ".":
            reader.at += 1
            steps.append(_name(reader, stops))
        else:
            return Path(up, tuple(steps))


def _name(reader: Reader, stops: frozenset[str]) -> Key:
    if reader.peek() in ("'", '"'):
        return Key(reader.quoted())
    name = reader.bare(STOPS | stops)
    if not name:
        found = reader.peek()
        raise SyntaxProblem(
            f"a field name is needed, here is {repr(found) if found else 'the end'}.",
            reader.at,
            "Quote a name that has signs or blanks in it.",
        )
    return Key(name)


def _selector(reader: Reader) -> Step:
    reader.need("[", "before a selector")
    if reader.take("*]"):
        return Every()
    start = reader.at
    name = reader.quoted() if reader.peek() in ("'", '"') else reader.bare(set("=[]'\""))
    if reader.take("]"):
        if name.lstrip("-").isascii() and name.removeprefix("-").isdigit() and len(name) < 10:
            return Index(int(name))
        raise SyntaxProblem(f"[{name}] is no selector.", start, "Write [0], [-1], [field=value] or [*].")
    reader.need("=", "in a selector")
    value = literal(reader, set("]"))
    reader.need("]", "after a selector")
    return Pick(name.strip(), value)


def literal(reader: Reader, stops: set[str]) -> Any:
    """A literal: quoted text, true, false, null, a whole number, or a bare word."""
    reader.blank()
    if reader.peek() in ("'", '"'):
        found = reader.quoted()
        reader.blank()
        return found
    start = reader.at
    word = reader.bare(stops).strip()
    if not word:
        raise SyntaxProblem("a value is needed here.", start)
    words: dict[str, Any] = {"true": True, "false": False, "null": None}
    if word in words:
        return words[word]
    digits = word.removeprefix("-")
    if digits.isascii() and digits.isdigit() and (digits == "0" or not digits.startswith("0")):
        if len(digits) > MAX_DIGITS:
            raise SyntaxProblem(f"a number has more than {MAX_DIGITS} digits.", start, "Quote it if it is a text.")
        return int(word)
    return word


def walk(value: Any, steps: tuple[Step, ...], at: str = "") -> Any:
    """The value that the steps lead to, or MISSING; a step into something that has no such step is Refused."""
    for number, step in enumerate(steps):
        if value is None or value is MISSING:
            return value
        if isinstance(step, Key):
            if not isinstance(value, dict):
                raise Refused(f"{at or 'the record'} is {kind_of(value)}, it has no field '{step.name}'", "", "type")
            value = value.get(step.name, MISSING)
            at = f"{at}.{step.name}" if at else step.name
            continue
        if not isinstance(value, list):
            raise Refused(f"{at or 'the record'} is {kind_of(value)}, a list is needed", "", "type")
        if isinstance(step, Every):
            return list(_rest(value, steps[number + 1 :], at))
        value = element(value, step)
        at += f"[{step.number}]" if isinstance(step, Index) else f"[{step.name}={step.value}]"
    return value


def _rest(values: list[Any], steps: tuple[Step, ...], at: str) -> Iterator[Any]:
    several = any(isinstance(step, Every) for step in steps)
    for number, value in enumerate(values):
        found = walk(value, steps, f"{at}[{number}]")
        if several and isinstance(found, list):
            yield from found
        elif found is not MISSING:
            yield found


def element(values: Any, step: Index | Pick) -> Any:
    """The one element that a selector takes, or MISSING."""
    if type(values) is not list:
        raise Refused(f"this is {kind_of(values)}, a list is needed", "", "type")
    if isinstance(step, Index):
        return values[step.number] if -len(values) <= step.number < len(values) else MISSING
    return pick(values, step.name, step.value)


def pick(values: Any, name: str, wanted: Any) -> Any:
    """The first record of a list whose field equals the value, or MISSING."""
    if type(values) is not list:
        raise Refused(f"this is {kind_of(values)}, a list is needed", "", "type")
    for value in values:
        if type(value) is not dict:
            raise Refused(f"an element is {kind_of(value)}, a record is needed", "", "type")
        found = value.get(name, MISSING)
        if found == wanted and type(found) is type(wanted):
            return value
    return MISSING
