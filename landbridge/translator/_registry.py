"""The functions that mappings can call: one declaration gives check, documentation, editor schema and tests."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import entry_points
from typing import Any

from landbridge.translator._values import Refused, show, to_decimal

TYPES = {
    "any": "anything",
    "text": "a text",
    "number": "a number",
    "decimal": "a decimal",
    "boolean": "true or false",
    "list": "a list",
    "record": "a record",
}
_TAKES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "boolean": (bool,),
    "list": (list,),
    "record": (dict,),
    "number": (int, float, Decimal, str),
}


@dataclass(frozen=True, slots=True)
class Example:
    """What a call gives for a value; a documented promise that a test runs."""

    call: str  # as it is written in a mapping, such as `pad(6, "0")`
    given: Any
    gives: Any  # a `Refused` class stands for: this is refused


@dataclass(frozen=True, slots=True)
class Param:
    """One argument of a function."""

    name: str
    type: str
    required: bool
    default: Any
    doc: str = ""

    def __str__(self) -> str:
        return self.name if self.required else f"{self.name}={shown(self.default)}"


def shown(value: Any) -> str:
    """A literal as it is written in a mapping."""
    words = {True: "true", False: "false", None: "null"}
    if isinstance(value, (bool, type(None))):
        return words[value]
    return f'"{value}"' if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the mapping language."""

    name: str
    run: Callable[..., Any]
    takes: str
    returns: str
    doc: str
    examples: tuple[Example, ...]
    params: tuple[Param, ...]
    context: bool = False  # gets the Context before its arguments; is never remembered
    remember: bool = False  # few different values come: results are kept, a repeated one costs a look-up
    bind: Callable[..., Callable[[Any], Any]] | None = None  # makes the quick form for fixed arguments

    @property
    def signature(self) -> str:
        """The call as the documentation shows it."""
        if not self.params:
            return self.name
        return f"{self.name}({', '.join(str(param) for param in self.params)})"

    def problem(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[str, str]:
        """What is wrong with these arguments and what to do; ("", "") if nothing is."""
        hint = f"Write {self.signature}."
        if len(args) > len(self.params):
            return f"{self.name} takes {_count(len(self.params))}, not {len(args)}.", hint
        given = {param.name: arg for param, arg in zip(self.params, args, strict=False)}
        known = {param.name for param in self.params}
        for name in named:
            if name not in known:
                return f"{self.name} has no argument '{name}'.", hint
            if name in given:
                return f"{self.name} gets '{name}' twice.", hint
        given.update(named)
        for param in self.params:
            if param.required and param.name not in given:
                return f"{self.name} needs the argument '{param.name}'.", hint
            if param.name in given and not _fits(param.type, given[param.name]):
                return f"{self.name}: {param.name} is {show(given[param.name])}, {param.type} is needed.", hint
        return "", ""

    def bound(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> Callable[[Any], Any]:
        """The function of one value that a call with fixed arguments is; it refuses values of a wrong type."""
        if self.bind is not None:
            return self.bind(*args, **named)
        run, allowed, takes, name = self.run, _TAKES.get(self.takes), self.takes, self.name
        if allowed is None:
            return (lambda value: run(value, *args, **named)) if args or named else run

        def guarded(value: Any) -> Any:
            if type(value) not in allowed:
                raise Refused(f"{name} needs {TYPES[takes]}, this is {show(value)}", "", "type")
            return run(value, *args, **named)

        return guarded

    def call(self, value: Any, context: Any, args: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        """One call with the arguments as they are now."""
        allowed = _TAKES.get(self.takes)
        if allowed is not None and type(value) not in allowed:
            raise Refused(f"{self.name} needs {TYPES[self.takes]}, this is {show(value)}", "", "type")
        return self.run(value, context, *args, **named) if self.context else self.run(value, *args, **named)


def _count(number: int) -> str:
    return "no argument" if number == 0 else f"at most {number} argument{'s' * (number != 1)}"


def _fits(kind: str, value: Any) -> bool:
    if kind == "any" or not isinstance(value, (str, int, Decimal, bool, type(None))):
        return True  # a path: known only when the message is there
    if kind == "number":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool) and kind == "word")


class Functions:
    """A set of functions by name; `Functions.standard()` is a copy of those that come with Landbridge."""

    def __init__(self, known: Mapping[str, Function] | None = None) -> None:
        self._known: dict[str, Function] = dict(known or {})

    @classmethod
    def standard(cls) -> Functions:
        """The functions that come with Landbridge and those that loaded modules have registered."""
        import landbridge.translator.functions  # noqa: F401  # its modules register themselves

        _load_own()
        return cls(STANDARD._known)

    def get(self, name: str) -> Function | None:
        """The function of that name."""
        return self._known.get(name)

    def names(self) -> list[str]:
        """All names."""
        return sorted(self._known)

    def __iter__(self) -> Iterator[Function]:
        return iter(self._known[name] for name in self.names())

    def add(self, function: Function) -> None:
        """Register a function; a name is registered once."""
        if function.name in self._known:
            raise ValueError(f"the mapping function {function.name!r} is registered already")
        self._known[function.name] = function


STANDARD = Functions()
GROUP = "landbridge.functions"


@cache
def _load_own() -> None:
    """Import the modules that an installation names as entry points, so that their functions register themselves."""
    for entry in entry_points(group=GROUP):
        entry.load()


_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_KINDS: dict[Any, str] = {
    str: "text",
    int: "number",
    bool: "boolean",
    "str": "text",
    "int": "number",
    "bool": "boolean",
}


def function(
    name: str,
    *,
    takes: str = "text",
    returns: str = "text",
    doc: str = "",
    examples: tuple[Example, ...] = (),
    context: bool = False,
    remember: bool = False,
    bind: Callable[..., Callable[[Any], Any]] | None = None,
    into: Functions = STANDARD,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function of mappings; its arguments and their types come from the signature, its text from `doc`."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a mapping function: use small letters, digits and _")
    if takes not in TYPES or returns not in TYPES:
        raise ValueError(f"{name}: takes and returns are some of {', '.join(TYPES)}")
    if not examples and not context:
        raise ValueError(f"{name}: at least one example is needed; it is documentation and test at once")

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        text = (doc or inspect.getdoc(run) or "").strip()
        if not text:
            raise ValueError(f"{name}: a sentence about what it does is needed")
        into.add(Function(name, run, takes, returns, text, examples, _params(run, context), context, remember, bind))
        return run

    return register


def _params(run: Callable[..., Any], context: bool) -> tuple[Param, ...]:
    found = list(inspect.signature(run).parameters.values())[2 if context else 1 :]
    return tuple(
        Param(
            param.name,
            _KINDS.get(param.annotation, "any"),
            param.default is inspect.Parameter.empty,
            None if param.default is inspect.Parameter.empty else param.default,
        )
        for param in found
    )


@lru_cache(4096)
def remembered(chain: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    """A chain of pure functions as one, whose recent results are kept; null and missing pass."""
    from landbridge.translator._values import MISSING

    def run(value: Any) -> Any:
        for step in chain:
            if value is None or value is MISSING:
                return value
            value = step(value)
        return value

    return lru_cache(2048, typed=True)(run)


__all__ = ["STANDARD", "Example", "Function", "Functions", "Param", "function", "remembered", "to_decimal"]
