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
from landbridge.translator._paths import Reader, SyntaxProblem, read_path
from landbridge.translator._shape import Shape
from landbridge.translator._shorts import Shorts, json_value, place_of
from landbridge.translator._values import MAX_DIGITS, Refused, decimal_text

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


class Forms(Shorts):
    """The reader of one direction of one mapping."""

    def root(self, node: Node, shape: Shape | None) -> ast.Record:
        """The record that the whole direction makes."""
        if not node.is_mapping:
            self._problem(node, f"`{self.direction}:` is a mapping of fields, this is {node.kind}.")
            return ast.Record(fields=(), whole=True, place=place_of(node))
        fields = self._fields(node, shape, frozenset())
        for one in fields:
            if one.null == "drop":
                text = "drop leaves out the record that holds the field; here that is the whole message."
                self.problems.append(
                    Problem(one.place.file, one.place.line, one.place.column, text, "Use keep or clear.")
                )
        return ast.Record(fields=fields, whole=True, place=place_of(node))

    def value(self, node: Node, shape: Shape | None, name: str = "") -> ast.Expr:
        """Any value."""
        if node.is_mapping:
            return self._mapping(node, shape, name)
        if node.is_list:
            inner = shape.element if shape is not None else None
            return ast.ListOf(elements=tuple(self.value(one, inner) for one in node.elements()), place=place_of(node))
        if not isinstance(node.value, str):
            if node.value is None:
                self._problem(node, "a value is missing here.", "Write a path, or {const: null} if null is meant.")
            return self._const(node, shape)
        if node.value == "same" and name:
            return self._same(node, name)
        if shape is not None and node.value in shape.words:
            return ast.Const(value=node.value, place=place_of(node))
        return self._decimal(self.short(node), shape)

    def _mapping(self, node: Node, shape: Shape | None, name: str) -> ast.Expr:
        if "each" in node:
            return self._each(node, shape)
        head = self._head(node, shape)
        if head:
            return self._operator(node, head, shape)
        if name == "ref" and len(node) == 1:
            return self._ref(node, None)
        body: ast.Expr = ast.Record(fields=self._fields(node, shape, RECORD), whole=False, place=place_of(node))
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
            expr = ast.Code(source=expr, name=str(node["code"].value), place=place_of(node["code"]))
        if head != "choose" and "choose" in node:
            expr = self._table(node, expr, shape)
        if "then" in node:
            expr = self._then(node["then"], expr)
        if head != "const":
            expr = self._decimal(expr, shape)
        if "default" in node:
            expr = ast.Default(source=expr, default=self._stand_in(node["default"], shape), place=place_of(node))
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
        return ast.When(condition=self.condition(node["when"]), body=body, place=place_of(node))

    def _from_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        inner = node["from"]
        return self.value(inner, None) if inner.is_mapping else self.short(inner)

    def _const_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return self._const(node["const"], shape)

    def _first_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return ast.First(choices=self._several(node["first"]), place=place_of(node))

    def _join_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        separator = node["with"].value if "with" in node else " "
        if not isinstance(separator, str):
            self._problem(node["with"], "the text to stand between the parts is needed here.")
            separator = ""
        return ast.Join(parts=self._several(node["join"]), separator=separator, place=place_of(node))

    def _several(self, node: Node) -> tuple[ast.Expr, ...]:
        if node.is_list:
            return tuple(self.value(one, None) for one in node.elements())
        return (self.value(node, None),)

    def _concat_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return ast.Format(parts=self._several(node["concat"]), place=place_of(node))

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
        return ast.Format(parts=tuple(parts), place=place_of(node))

    def _compute_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        inner = node["compute"]
        try:
            tree = arithmetic.parse(str(inner.value))
        except SyntaxProblem as error:
            self._syntax(inner, error, 0)
            tree = ast.Number("0")
        for path, around in arithmetic.paths(tree):
            self._reach(inner, path, len(around))
        return ast.Compute(tree=tree, place=place_of(inner))

    def _lookup_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        inputs: list[tuple[str, ast.Expr]] = []
        if "with" not in node or not node["with"].is_mapping:
            self._problem(node, "lookup needs `with:`, a value for each input of the table.")
        else:
            inputs = [(key, self.value(inner, None)) for key, _, inner in node["with"].items()]
        take = str(node["take"].value) if "take" in node else ""
        return ast.Lookup(
            table=str(node["lookup"].value), inputs=tuple(inputs), take=take, place=place_of(node["lookup"])
        )

    def _flatten_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return ast.Flatten(source=self.value(node["flatten"], None), place=place_of(node))

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
        return ast.Branch(cases=tuple(cases), otherwise=otherwise, place=place_of(node))

    def _table(self, node: Node, source: ast.Expr, shape: Shape | None) -> ast.Expr:
        table: list[tuple[Any, ast.Expr]] = []
        if not node["choose"].is_mapping:
            self._problem(node["choose"], "beside from, choose is a mapping from each value to what it becomes.")
        for key, _, inner in node["choose"].items():
            table += [(word, self._stand_in(inner, shape)) for word in _meanings(key)]
        otherwise = self._stand_in(node["else"], shape) if "else" in node else None
        return ast.Choose(source=source, table=tuple(table), otherwise=otherwise, place=place_of(node["choose"]))

    def _ref_form(self, node: Node, shape: Shape | None) -> ast.Expr:
        return self._ref(node["ref"], node)

    def _ref(self, node: Node, around: Node | None) -> ast.Expr:
        if not node.is_mapping or len(node) != 1:
            self._problem(node, "a reference is {ref: {entity: path}}.")
            return ast.Const(value=None, place=place_of(node))
        entity, inner = node.keys()[0], node[node.keys()[0]]
        scope = self.value(around["scope"], None) if around is not None and "scope" in around else None
        return ast.Ref(entity=entity, source=self.value(inner, None), scope=scope, place=place_of(inner))

    def _each(self, node: Node, shape: Shape | None) -> ast.Expr:
        source: ast.Expr = self.value(node["each"], None)
        self._number += 1
        self._eaches.append(self._number)
        where = self.condition(node["where"]) if "where" in node else None
        if "group_by" in node:
            try:
                reader = Reader(str(node["group_by"].value))
                source = ast.Group(source=source, by=read_path(reader), place=place_of(node["group_by"]))
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
            body = ast.Record(fields=self._fields(node, inner, EACH), whole=True, place=place_of(node))
        self._eaches.pop()
        return self._when(node, ast.Each(source=source, where=where, body=body, place=place_of(node)))

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
                    return ast.Same(source=expr.source, rise=expr.rise + len(here) - len(eaches), place=place_of(node))
                return ast.Same(source=expr, rise=len(here) - len(eaches), place=place_of(node))
        self._problem(node, f"`same` repeats a field '{name}' written above; there is none.")
        return ast.Const(value=None, place=place_of(node))

    def _stand_in(self, node: Node, shape: Shape | None) -> ast.Expr:
        """What stands in for a value: a literal, or a form such as {from: path}."""
        return self.value(node, shape) if node.is_mapping else self._const(node, shape)

    def _const(self, node: Node, shape: Shape | None) -> ast.Expr:
        value = node.value
        number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        if shape is not None and shape.type == "decimal" and number:
            return ast.Const(value=decimal_text(Decimal(value)), place=place_of(node))
        try:
            return ast.Const(value=json_value(value), place=place_of(node))
        except Refused as error:
            self._problem(node, f"{error.message}.", error.hint)
            return ast.Const(value=None, place=place_of(node))

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


def _meanings(key: str) -> list[Any]:
    """The values that a key of a table stands for: the text, and the JSON word or number it writes."""
    words: dict[str, Any] = {"true": True, "false": False, "null": None}
    if key in words:
        return [key, words[key]]
    digits = key.removeprefix("-")
    whole = digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS
    if whole and (digits == "0" or not digits.startswith("0")):
        return [key, int(key)]
    return [key]
