"""Reads short forms and conditions: `path | function(argument)`, `{status: [confirmed]}`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from landbridge.errors import Problem
from landbridge.strict import Node, did_you_mean
from landbridge.translator import _ast as ast
from landbridge.translator._paths import Path, Reader, SyntaxProblem, literal, read_path
from landbridge.translator._registry import Functions
from landbridge.translator.functions.numbers import as_number


class Shorts:
    """The reader of what fits into one scalar, and of conditions; collects problems."""

    def __init__(self, direction: str, functions: Functions, problems: list[Problem]) -> None:
        self.direction = direction
        self.functions = functions
        self.problems = problems
        self._eaches: list[int] = []  # which `each` we stand in
        self._number = 0
        self._written: list[tuple[str, ast.Expr, tuple[int, ...]]] = []

    def short(self, node: Node, text: str | None = None, offset: int = 0) -> ast.Expr:
        """A short form."""
        found = node.value if text is None else text
        if not isinstance(found, str):
            self._problem(node, f"a path is needed here, this is {node.kind}.", "Write {const: …} for a fixed value.")
            return ast.Const(value=None, place=place_of(node))
        reader = Reader(found)
        try:
            reader.blank()
            path = read_path(reader)
            self._reach(node, path)
            source: ast.Expr = ast.At(path=path, place=place_of(node))
            reader.blank()
            if reader.peek() and reader.peek() != "|":
                hint = (
                    "Quote a name with blanks or signs in it." if reader.peek() != "(" else "Write path | function(…)."
                )
                raise SyntaxProblem(f"'{reader.peek()}' is not expected here.", reader.at, hint)
            return self._calls(node, source, reader)
        except SyntaxProblem as error:
            self._syntax(node, error, offset)
            return ast.Const(value=None, place=place_of(node))

    def _calls(self, node: Node, source: ast.Expr, reader: Reader) -> ast.Expr:
        calls: list[ast.Call] = []
        while True:
            reader.blank()
            if not reader.take("|"):
                break
            reader.blank()
            start = reader.at
            name = reader.bare()
            args, named = self._arguments(node, reader)
            place = ast.Place(node.file, node.line, node.column + start)
            if name in ("code", "default") and len(args) == 1 and not named:
                source = _piped(source, calls, node)
                calls = []
                source = self._word(node, name, args[0], source)
                continue
            call = self._call(node, name, args, named, place)
            if call is not None:
                calls.append(call)
        if reader.peek():
            raise SyntaxProblem(
                f"'{reader.peek()}' is not expected here.", reader.at, "Write path | function(argument)."
            )
        return _piped(source, calls, node)

    def _word(self, node: Node, name: str, arg: Any, source: ast.Expr) -> ast.Expr:
        if name == "code":
            return ast.Code(source=source, name=str(arg), place=place_of(node))
        default: ast.Expr = (
            ast.At(path=arg, place=place_of(node))
            if isinstance(arg, Path)
            else ast.Const(value=arg, place=place_of(node))
        )
        return ast.Default(source=source, default=default, place=place_of(node))

    def _call(
        self, node: Node, name: str, args: list[Any], named: list[tuple[str, Any]], place: ast.Place
    ) -> ast.Call | None:
        function = self.functions.get(name)
        if function is None:
            hint = did_you_mean(name, [*self.functions.names(), "code", "default"])
            what = f"function '{name}' is not known." if name else "a function name is needed after |."
            self.problems.append(Problem(place.file, place.line, place.column, what, hint))
            return None
        problem, hint = function.problem(tuple(args), dict(named))
        if problem or len(dict(named)) != len(named):
            self.problems.append(
                Problem(place.file, place.line, place.column, problem or "an argument comes twice.", hint)
            )
            return None
        return ast.Call(function, tuple(args), tuple(named), place)

    def _arguments(self, node: Node, reader: Reader) -> tuple[list[Any], list[tuple[str, Any]]]:
        args: list[Any] = []
        named: list[tuple[str, Any]] = []
        if not reader.take("("):
            return args, named
        reader.blank()
        if reader.take(")"):
            return args, named
        while True:
            reader.blank()
            name = _argument_name(reader)
            reader.blank()
            value: Any
            if reader.peek() == "$":
                reader.at += 0 if reader.text.startswith(("$position", "$index"), reader.at) else 1
                value = read_path(reader)
                self._reach(node, value)
            else:
                value = literal(reader, set(",)"))
            if name:
                named.append((name, value))
            elif named:
                raise SyntaxProblem("an argument without a name follows one with a name.", reader.at)
            else:
                args.append(value)
            reader.blank()
            if reader.take(")"):
                return args, named
            reader.need(",", "between arguments")

    def _reach(self, node: Node, path: Path, inside: int = 0) -> None:
        depth = len(self._eaches) + inside
        if path.up > depth:
            self._problem(node, f"{path} climbs {path.up} up, but only {depth} `each` stand around it.")
        if path.special and not depth:
            self._problem(node, f"{path} is known inside of `each` only.")

    def _problem(self, node: Node, message: str, hint: str = "") -> None:
        self.problems.append(node.problem(message, hint))

    def _syntax(self, node: Node, error: SyntaxProblem, offset: int) -> None:
        self.problems.append(
            Problem(node.file, node.line, node.column + max(0, error.offset + offset), error.message, error.hint)
        )

    def condition(self, node: Node) -> ast.Condition:
        """A condition as data."""
        if not node.is_mapping:
            self._problem(node, "a condition is a mapping such as {status: [confirmed]}.")
            return ast.Condition("all", ())
        parts: list[ast.Test | ast.Condition] = []
        for key, _, inner in node.items():
            if key in ("any", "all", "none"):
                if not inner.is_list:
                    self._problem(inner, f"{key} takes a list of conditions.")
                parts.append(ast.Condition(key, tuple(self.condition(one) for one in inner.elements())))
                continue
            source = self.short(inner, key)
            parts += self._tests(source, inner)
        return ast.Condition("all", tuple(parts))

    def _tests(self, source: ast.Expr, node: Node) -> list[ast.Test]:
        place = place_of(node)
        if not node.is_mapping:
            return [ast.Test(source, "in", self._literals(node), place)]
        tests: list[ast.Test] = []
        known = ("not", "exists", "empty", "gt", "ge", "lt", "le", "starts", "ends", "contains")
        for key, _, inner in node.items():
            if key == "not":
                tests.append(ast.Test(source, "not_in", self._literals(inner), place))
            elif key in ("exists", "empty"):
                positive = inner.value is True
                if not isinstance(inner.value, bool):
                    self._problem(inner, "true or false is needed here.")
                names = {"exists": ("exists", "missing"), "empty": ("empty", "not_empty")}[key]
                tests.append(ast.Test(source, names[0] if positive else names[1], None, place))
            elif key in known:
                if inner.is_mapping or inner.is_list or inner.value is None or isinstance(inner.value, bool):
                    self._problem(inner, "a number or a text is needed here.")
                    continue
                tests.append(ast.Test(source, key, inner.value, place))
            else:
                self.problems.append(inner.problem(f"{key} is no comparison.", did_you_mean(key, known), key=True))
        return tests

    def _literals(self, node: Node) -> tuple[Any, ...]:
        nodes = list(node.elements()) if node.is_list else [node]
        found: list[Any] = []
        for one in nodes:
            if one.is_mapping or one.is_list:
                self._problem(one, "a number, a text, true, false or null is needed here.")
            else:
                found.append(json_value(one.value))
        return tuple(found)


def _piped(source: ast.Expr, calls: list[ast.Call], node: Node) -> ast.Expr:
    return ast.Pipe(source=source, calls=tuple(calls), place=place_of(node)) if calls else source


def _argument_name(reader: Reader) -> str:
    start = reader.at
    word = reader.bare(set(" =,()'\"$"))
    if word.isidentifier() and reader.peek() == "=":
        reader.at += 1
        return word
    reader.at = start
    return ""


def place_of(node: Node) -> ast.Place:
    """Where a node stands in its file."""
    return ast.Place(node.file, node.line, node.column)


def json_value(value: Any) -> Any:
    """A value out of YAML as JSON has it: its exact fractions as JSON numbers."""
    if isinstance(value, Decimal):
        return as_number(value)
    if isinstance(value, dict):
        return {key: json_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [json_value(inner) for inner in value]
    return value
