"""Reads the YAML of a mapping into its tree; every problem is collected with its place.

    value     = short form | literal | list of values | record | operator form
    short     = path { "|" call }
    call      = name [ "(" [ argument { "," argument } ] ")" ]
    argument  = [ name "=" ] ( literal | "$" path )
    literal   = number | true | false | null | bare word | quoted text

An operator form is a mapping that has one of the keys in `HEADS`; every other mapping is a record. A key that starts
with a dot is a field name whatever it is called: `.from: ValidFrom`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from landbridge.errors import Problem
from landbridge.strict import Node, did_you_mean
from landbridge.translator import _arithmetic as arithmetic
from landbridge.translator import _ast as ast
from landbridge.translator._paths import Path, Reader, SyntaxProblem, literal, read_path
from landbridge.translator._registry import Functions
from landbridge.translator._shape import Shape
from landbridge.translator._values import Refused, decimal_text
from landbridge.translator.functions.numbers import as_number

HEADS: dict[str, frozenset[str]] = {  # head -> the keys that may stand beside it
    "from": frozenset({"code", "choose", "else", "then"}),
    "const": frozenset(),
    "first": frozenset({"code", "choose", "else", "then"}),
    "join": frozenset({"with", "then"}),
    "concat": frozenset({"then"}),
    "format": frozenset({"then"}),
    "compute": frozenset({"then"}),
    "lookup": frozenset({"with", "take", "then"}),
    "flatten": frozenset({"then"}),
    "choose": frozenset({"else", "then"}),
    "ref": frozenset({"scope"}),
}
ALWAYS = frozenset({"default", "if_null", "when", "on"})  # beside every head
RECORD = frozenset({"when", "on"})  # beside the fields of a record
EACH = frozenset({"each", "where", "group_by", "take", "when", "on", "if_null"})
ON = ("create", "update", "always")
NULL = ("keep", "clear", "drop")


class Forms:
    """The reader of one direction of one mapping."""

    def __init__(self, direction: str, functions: Functions, problems: list[Problem]) -> None:
        self.direction = direction
        self.functions = functions
        self.problems = problems
        self._eaches: list[int] = []  # which `each` we stand in
        self._number = 0
        self._written: list[tuple[str, ast.Expr, tuple[int, ...]]] = []

    def root(self, node: Node, shape: Shape | None) -> ast.Record:
        """The record that the whole direction makes."""
        if not node.is_mapping:
            self._problem(node, f"`{self.direction}:` is a mapping of fields, this is {node.kind}.")
            return ast.Record(fields=(), whole=True, place=_place(node))
        fields = self._fields(node, shape, frozenset())
        for one in fields:
            if one.null == "drop":
                text = "drop leaves out the record that holds the field; here that is the whole message."
                self.problems.append(
                    Problem(one.place.file, one.place.line, one.place.column, text, "Use keep or clear.")
                )
        return ast.Record(fields=fields, whole=True, place=_place(node))

    # -- values

    def value(self, node: Node, shape: Shape | None, name: str = "") -> ast.Expr:
        """Any value."""
        if node.is_mapping:
            return self._mapping(node, shape, name)
        if node.is_list:
            inner = shape.element if shape is not None else None
            return ast.ListOf(elements=tuple(self.value(one, inner) for one in node.elements()), place=_place(node))
        if not isinstance(node.value, str):
            if node.value is None:
                self._problem(node, "a value is missing here.", "Write a path, or {const: null} if null is meant.")
            return self._const(node, shape)
        if node.value == "same" and name:
            return self._same(node, name)
        if shape is not None and node.value in shape.words:
            return ast.Const(value=node.value, place=_place(node))
        return self._decimal(self.short(node), shape)

    def short(self, node: Node, text: str | None = None, offset: int = 0) -> ast.Expr:
        """A short form."""
        found = node.value if text is None else text
        if not isinstance(found, str):
            self._problem(node, f"a path is needed here, this is {node.kind}.", "Write {const: …} for a fixed value.")
            return ast.Const(value=None, place=_place(node))
        reader = Reader(found)
        try:
            reader.blank()
            path = read_path(reader)
            self._reach(node, path)
            source: ast.Expr = ast.At(path=path, place=_place(node))
            reader.blank()
            if reader.peek() and reader.peek() != "|":
                hint = (
                    "Quote a name with blanks or signs in it." if reader.peek() != "(" else "Write path | function(…)."
                )
                raise SyntaxProblem(f"'{reader.peek()}' is not expected here.", reader.at, hint)
            return self._calls(node, source, reader)
        except SyntaxProblem as error:
            self._syntax(node, error, offset)
            return ast.Const(value=None, place=_place(node))

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
            return ast.Code(source=source, name=str(arg), place=_place(node))
        default: ast.Expr = (
            ast.At(path=arg, place=_place(node)) if isinstance(arg, Path) else ast.Const(value=arg, place=_place(node))
        )
        return ast.Default(source=source, default=default, place=_place(node))

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

    # -- mappings

    def _mapping(self, node: Node, shape: Shape | None, name: str) -> ast.Expr:
        if "each" in node:
            return self._each(node, shape)
        head = self._head(node, shape)
        if head:
            return self._operator(node, head, shape)
        if name == "ref" and len(node) == 1:
            return self._ref(node, None)
        body: ast.Expr = ast.Record(fields=self._fields(node, shape, RECORD), whole=False, place=_place(node))
        return self._when(node, body)

    def _head(self, node: Node, shape: Shape | None) -> str:
        heads = [key for key in HEADS if key in node]
        if "ref" in heads:
            is_field = bool(set(node.keys()) - HEADS["ref"] - ALWAYS - {"ref"})
            if is_field or (shape is not None and shape.at("ref") is not None):
                heads.remove("ref")
        if "choose" in heads and len(heads) > 1:
            heads.remove("choose")
        if len(heads) > 1:
            self._problem(node, f"{' and '.join(heads)} cannot stand side by side.", "Each is a form of its own.")
        return heads[0] if heads else ""

    def _operator(self, node: Node, head: str, shape: Shape | None) -> ast.Expr:
        known = HEADS[head] | ALWAYS | {head}
        for key, _, inner in node.items():
            if key not in known:
                hint = did_you_mean(key, known) or f"Beside {head} may stand: {', '.join(sorted(known - {head}))}."
                self.problems.append(inner.problem(f"{key} is not known beside {head}.", hint, key=True))
        expr: ast.Expr = getattr(self, f"_{head}_form")(node, shape)
        if "code" in node and "code" in HEADS[head]:
            expr = ast.Code(source=expr, name=str(node["code"].value), place=_place(node["code"]))
        if head != "choose" and "choose" in node:
            expr = self._table(node, expr, shape)
        if "then" in node:
            expr = self._then(node["then"], expr)
        if head != "const":
            expr = self._decimal(expr, shape)
        if "default" in node:
            expr = ast.Default(source=expr, default=self._stand_in(node["default"], shape), place=_place(node))
        return self._when(node, expr)

    def _then(self, node: Node, source: ast.Expr) -> ast.Expr:
        try:
            return self._calls(node, source, Reader(f"| {node.value}"))
        except SyntaxProblem as error:
            self._syntax(node, error, -2)
            return source

    def _when(self, node: Node, body: ast.Expr) -> ast.Expr:
        if "when" not in node:
            return body
        return ast.When(condition=self.condition(node["when"]), body=body, place=_place(node))

    def _from_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        inner = node["from"]
        return self.value(inner, None) if inner.is_mapping else self.short(inner)

    def _const_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return self._const(node["const"], shape)

    def _first_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return ast.First(choices=self._several(node["first"]), place=_place(node))

    def _join_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        separator = node["with"].value if "with" in node else " "
        if not isinstance(separator, str):
            self._problem(node["with"], "the text to stand between the parts is needed here.")
            separator = ""
        return ast.Join(parts=self._several(node["join"]), separator=separator, place=_place(node))

    def _several(self, node: Node) -> tuple[ast.Expr, ...]:
        if node.is_list:
            return tuple(self.value(one, None) for one in node.elements())
        return (self.value(node, None),)

    def _concat_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return ast.Format(parts=self._several(node["concat"]), place=_place(node))

    def _format_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        text = node["format"].value
        if not isinstance(text, str):
            self._problem(node["format"], "a text such as '{number}/{seller}' is needed here.")
            text = ""
        parts: list[str | ast.Expr] = []
        at = 0
        while at < len(text):
            end = next((place for place in range(at, len(text)) if text[place] in "{}"), len(text))
            if end > at:
                parts.append(text[at:end])
            if end == len(text):
                break
            if text.startswith(("{{", "}}"), end):
                parts.append(text[end])
                at = end + 2
                continue
            close = text.find("}", end)
            if text[end] == "}" or close < 0:
                self._syntax(
                    node["format"], SyntaxProblem("a brace has no partner.", end, "Write {{ for a brace itself."), 0
                )
                break
            parts.append(self.short(node["format"], text[end + 1 : close], end + 1))
            at = close + 1
        return ast.Format(parts=tuple(parts), place=_place(node))

    def _compute_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        inner = node["compute"]
        try:
            tree = arithmetic.parse(str(inner.value))
        except SyntaxProblem as error:
            self._syntax(inner, error, 0)
            tree = ast.Number("0")
        for path, around in arithmetic.paths(tree):
            self._reach(inner, path, len(around))
        return ast.Compute(tree=tree, place=_place(inner))

    def _lookup_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        inputs: list[tuple[str, ast.Expr]] = []
        if "with" not in node or not node["with"].is_mapping:
            self._problem(node, "lookup needs `with:`, a value for each input of the table.")
        else:
            inputs = [(key, self.value(inner, None)) for key, _, inner in node["with"].items()]
        take = str(node["take"].value) if "take" in node else ""
        return ast.Lookup(
            table=str(node["lookup"].value), inputs=tuple(inputs), take=take, place=_place(node["lookup"])
        )

    def _flatten_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return ast.Flatten(source=self.value(node["flatten"], None), place=_place(node))

    def _choose_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        cases: list[tuple[ast.Condition, ast.Expr]] = []
        if not node["choose"].is_list:
            self._problem(node["choose"], "choose needs `from:` beside it, or a list of {when, then}.")
        for one in node["choose"].elements():
            if set(one.keys()) != {"when", "then"}:
                self._problem(one, "a case is {when: …, then: …}.")
                continue
            cases.append((self.condition(one["when"]), self._stand_in(one["then"], shape)))
        otherwise = self._stand_in(node["else"], shape) if "else" in node else None
        return ast.Branch(cases=tuple(cases), otherwise=otherwise, place=_place(node))

    def _table(self, node: Node, source: ast.Expr, shape: Shape | None) -> ast.Expr:
        table: list[tuple[Any, ast.Expr]] = []
        if not node["choose"].is_mapping:
            self._problem(node["choose"], "beside from, choose is a mapping from each value to what it becomes.")
        for key, _, inner in node["choose"].items():
            table += [(word, self._stand_in(inner, shape)) for word in _meanings(key)]
        otherwise = self._stand_in(node["else"], shape) if "else" in node else None
        return ast.Choose(source=source, table=tuple(table), otherwise=otherwise, place=_place(node["choose"]))

    def _ref_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return self._ref(node["ref"], node)

    def _ref(self, node: Node, around: Node | None) -> ast.Expr:
        if not node.is_mapping or len(node) != 1:
            self._problem(node, "a reference is {ref: {entity: path}}.")
            return ast.Const(value=None, place=_place(node))
        entity, inner = node.keys()[0], node[node.keys()[0]]
        scope = self.value(around["scope"], None) if around is not None and "scope" in around else None
        return ast.Ref(entity=entity, source=self.value(inner, None), scope=scope, place=_place(inner))

    def _each(self, node: Node, shape: Shape | None) -> ast.Expr:
        source: ast.Expr = self.value(node["each"], None)
        self._number += 1
        self._eaches.append(self._number)
        where = self.condition(node["where"]) if "where" in node else None
        if "group_by" in node:
            try:
                reader = Reader(str(node["group_by"].value))
                source = ast.Group(source=source, by=read_path(reader), place=_place(node["group_by"]))
            except SyntaxProblem as error:
                self._syntax(node["group_by"], error, 0)
        inner = shape.element if shape is not None else None
        body: ast.Expr
        if "take" in node:
            body = self.value(node["take"], inner)
            for key, _, extra in node.items():
                if key not in EACH:
                    self.problems.append(extra.problem(f"{key} cannot stand beside take.", "", key=True))
        else:
            body = ast.Record(fields=self._fields(node, inner, EACH), whole=True, place=_place(node))
        self._eaches.pop()
        return self._when(node, ast.Each(source=source, where=where, body=body, place=_place(node)))

    # -- fields

    def _fields(self, node: Node, shape: Shape | None, reserved: frozenset[str]) -> tuple[ast.Field, ...]:
        found: list[ast.Field] = []
        for key, (line, column), inner in node.items():
            if key in reserved:
                continue
            name = key.removeprefix(".") if key != "." else key
            child = shape.fields.get(name) if shape is not None else None
            expr = self.value(inner, child, name)
            self._written.append((name, expr, tuple(self._eaches)))
            on, null = self._modes(inner, child)
            found.append(ast.Field(name, expr, on, null, ast.Place(inner.file, line, column)))
        return tuple(found)

    def _modes(self, node: Node, shape: Shape | None) -> tuple[str, str]:
        on = self._mode(node, "on", ON, "always")
        if self.direction == "in" and on != "always":
            self._problem(node["on"], "`on:` is for `out:`; a message that comes in is neither created nor updated.")
        default = "keep" if shape is not None and not (shape.nullable or shape.required) else "clear"
        return on, self._mode(node, "if_null", NULL, default)

    def _mode(self, node: Node, key: str, words: tuple[str, ...], default: str) -> str:
        if not node.is_mapping or key not in node or node[key].is_mapping:
            return default
        word = node[key].value
        if word not in words:
            self._problem(node[key], f"{key} is one of {', '.join(words)}.", did_you_mean(str(word), words))
            return default
        return str(word)

    def _same(self, node: Node, name: str) -> ast.Expr:
        here = tuple(self._eaches)
        for field, expr, eaches in reversed(self._written):
            if field == name and here[: len(eaches)] == eaches:
                if isinstance(expr, ast.Same):
                    return ast.Same(source=expr.source, rise=expr.rise + len(here) - len(eaches), place=_place(node))
                return ast.Same(source=expr, rise=len(here) - len(eaches), place=_place(node))
        self._problem(node, f"`same` repeats a field '{name}' written above; there is none.")
        return ast.Const(value=None, place=_place(node))

    # -- literals

    def _stand_in(self, node: Node, shape: Shape | None) -> ast.Expr:
        """What stands in for a value: a literal, or a form such as {from: path}."""
        return self.value(node, shape) if node.is_mapping else self._const(node, shape)

    def _const(self, node: Node, shape: Shape | None) -> ast.Expr:
        value = node.value
        number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        if shape is not None and shape.type == "decimal" and number:
            return ast.Const(value=decimal_text(Decimal(value)), place=_place(node))
        try:
            return ast.Const(value=json_value(value), place=_place(node))
        except Refused as error:
            self._problem(node, f"{error.message}.", error.hint)
            return ast.Const(value=None, place=_place(node))

    def _decimal(self, expr: ast.Expr, shape: Shape | None) -> ast.Expr:
        """A value for a canonical decimal becomes its text by itself, so that `amount: UnitPrice` is enough."""
        function = self.functions.get("decimal")
        if shape is None or shape.type != "decimal" or function is None or ast.computed(expr):
            return expr
        if isinstance(expr, (ast.Const, ast.Same, ast.Branch, ast.Choose)):
            return expr
        if isinstance(expr, ast.Pipe) and expr.calls and expr.calls[-1].function is function:
            return expr
        call = ast.Call(function, (), (), expr.place)
        if isinstance(expr, ast.Pipe):
            return ast.Pipe(source=expr.source, calls=(*expr.calls, call), place=expr.place)
        return ast.Pipe(source=expr, calls=(call,), place=expr.place)

    # -- conditions

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
        place = _place(node)
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

    # -- problems

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


def _piped(source: ast.Expr, calls: list[ast.Call], node: Node) -> ast.Expr:
    return ast.Pipe(source=source, calls=tuple(calls), place=_place(node)) if calls else source


def _argument_name(reader: Reader) -> str:
    start = reader.at
    word = reader.bare(set(" =,()'\"$"))
    if word.isidentifier() and reader.peek() == "=":
        reader.at += 1
        return word
    reader.at = start
    return ""


def _meanings(key: str) -> list[Any]:
    """The values that a key of a table stands for: the text, and the JSON word or number it writes."""
    words: dict[str, Any] = {"true": True, "false": False, "null": None}
    if key in words:
        return [key, words[key]]
    digits = key.removeprefix("-")
    if digits.isascii() and digits.isdigit() and (digits == "0" or not digits.startswith("0")):
        return [key, int(key)]
    return [key]


def _place(node: Node) -> ast.Place:
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
