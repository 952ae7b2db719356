"""The slow twin: walks the tree of a mapping for one message, and can say of every value where it came from.

It defines what a mapping means. The compiled twin is the same, faster; a property test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from landbridge.errors import Finding, Invalid
from landbridge.translator import _arithmetic as arithmetic
from landbridge.translator import _ast as ast
from landbridge.translator import _runtime as runtime
from landbridge.translator._arithmetic import combine
from landbridge.translator._context import Context
from landbridge.translator._paths import Every, Index, Key, Path, element, walk
from landbridge.translator._shape import Shape
from landbridge.translator._tables import Tables
from landbridge.translator._values import MISSING, Refused, final, kind_of, to_amount
from landbridge.translator.functions.numbers import rounded


@dataclass(slots=True)
class Step:
    """One field that a mapping wrote: where in the result, what, by which line, out of which paths."""

    field: str
    value: Any
    where: str
    paths: tuple[str, ...]


@dataclass(slots=True)
class Scope:
    """What paths start at: the message, or the element of an `each`."""

    value: Any
    shown: str  # as a message names it: OrderItems.records[2]
    name: str  # the same for all elements: OrderItems.records[]
    position: int = 0


@dataclass(slots=True)
class _Absent(Exception):
    """An operand is null or missing, so the whole expression is."""

    value: Any


@dataclass(slots=True)
class Interpreter:
    """One walk over one message."""

    context: Context
    tables: Tables
    forward: bool
    creating: bool = True
    shape: Shape | None = None
    entity: str = ""
    missing: set[str] = field(default_factory=set)  # paths that led nowhere: the compiler learns from them
    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _scopes: list[Scope] = field(default_factory=list)
    _target: list[str] = field(default_factory=list)
    _read: list[str] = field(default_factory=list)

    def run(self, record: ast.Record, message: Mapping[str, Any]) -> dict[str, Any]:
        """The result for the message; raises Invalid with everything that is wrong with it."""
        self._scopes = [Scope(message, "", "")]
        found = self._record(record)
        if self.findings:
            raise Invalid(self.findings)
        return found if isinstance(found, dict) else {}

    # -- expressions

    def value(self, expr: ast.Expr) -> Any:
        """A value as JSON has it."""
        found = self.eval(expr)
        return final(found) if ast.computed(expr) else found

    def eval(self, expr: ast.Expr) -> Any:
        """A value as it is inside of an expression."""
        return getattr(self, "_" + type(expr).__name__.lower())(expr)

    def _at(self, expr: ast.At) -> Any:
        return self._path(expr.path)

    def _const(self, expr: ast.Const) -> Any:
        return expr.value

    def _path(self, path: Path) -> Any:
        scope = self._scopes[len(self._scopes) - 1 - path.up]
        if path.special:
            return scope.position - (path.special == "$index")
        value, shown, name = scope.value, scope.shown, scope.name
        for number, step in enumerate(path.steps):
            if value is None or value is MISSING:
                break
            if isinstance(step, Every):
                self._read.append(shown)
                return walk(value, path.steps[number:], shown)
            if isinstance(step, Key):
                if not isinstance(value, dict):
                    self._read.append(shown)
                    raise Refused(
                        f"{shown or 'the element'} is {kind_of(value)}, it has no field '{step.name}'", "", "type"
                    )
                value = value.get(step.name, MISSING)
                shown = f"{shown}.{step.name}" if shown else step.name
                name = f"{name}.{step.name}" if name else step.name
                if value is MISSING:
                    self.missing.add(name)
                continue
            self._read.append(shown)
            value = element(value, step)
            mark = f"[{step.number}]" if isinstance(step, Index) else f"[{step.name}={step.value}]"
            shown, name = shown + mark, name + mark
        self._read.append(shown)
        return value

    def _pipe(self, expr: ast.Pipe) -> Any:
        value = self.eval(expr.source)
        for call in expr.calls:
            if value is None or value is MISSING:
                return value
            args = tuple(self._argument(arg) for arg in call.args)
            named = {name: self._argument(arg) for name, arg in call.named}
            try:
                if call.has_paths or call.function.context:
                    value = call.function.call(value, self.context, args, named)
                else:
                    value = call.function.bound(args, named)(value)
            except Refused as error:
                raise (
                    error if error.message.startswith(call.function.name) else _said(call.function.name, error)
                ) from error
            except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
                kind = f"{call.function.name} needs {call.function.takes}, this is {kind_of(value)}"
                raise Refused(kind, "", "type") from error
        return value

    def _argument(self, arg: Any) -> Any:
        if not isinstance(arg, Path):
            return arg
        found = self._path(arg)
        return None if found is MISSING else found

    def _code(self, expr: ast.Code) -> Any:
        value = self.value(expr.source)
        codes = self.tables.codes(expr.name)
        table = codes.forward(self.context.day) if self.forward else codes.backward(self.context.day)
        if isinstance(value, (list, dict)) or value not in table:
            raise codes.unknown(value, self.forward)
        return table[value]

    def _choose(self, expr: ast.Choose) -> Any:
        value = self.value(expr.source)
        for word, result in expr.table:
            if value is not MISSING and value == word:
                return self.value(result)
        if value is None or value is MISSING:
            return value
        if expr.otherwise is None:
            words = ", ".join(dict.fromkeys(str(word) for word, _ in expr.table))
            raise Refused(
                f"{kind_of(value)} ({value}) is none of: {words}", "Add it to choose, or add `else:`.", "choose"
            )
        return self.value(expr.otherwise)

    def _branch(self, expr: ast.Branch) -> Any:
        for condition, result in expr.cases:
            if self.holds(condition):
                return self.value(result)
        return self.value(expr.otherwise) if expr.otherwise is not None else MISSING

    def _when(self, expr: ast.When) -> Any:
        return self.value(expr.body) if self.holds(expr.condition) else MISSING

    def _default(self, expr: ast.Default) -> Any:
        value = self.value(expr.source)
        return self.value(expr.default) if value is None or value is MISSING else value

    def _first(self, expr: ast.First) -> Any:
        seen = False
        for choice in expr.choices:
            value = self.value(choice)
            if runtime.given(value):
                return value
            seen = seen or value is not MISSING
        return None if seen else MISSING

    def _join(self, expr: ast.Join) -> Any:
        return runtime.join_parts(expr.separator, tuple(self.value(part) for part in expr.parts))

    def _format(self, expr: ast.Format) -> Any:
        texts = []
        for part in expr.parts:
            value = part if isinstance(part, str) else self.value(part)
            if value is None or value is MISSING:
                return value
            texts.append(runtime.as_text(value))
        return "".join(texts)

    def _lookup(self, expr: ast.Lookup) -> Any:
        inputs = {name: self.value(source) for name, source in expr.inputs}
        inputs = {name: None if value is MISSING else value for name, value in inputs.items()}
        found = self.tables.decisions(expr.table).decide(inputs)
        return found[expr.take] if expr.take else dict(found)

    def _ref(self, expr: ast.Ref) -> Any:
        value = self.value(expr.source)
        if value is None or value is MISSING:
            return value
        scope = self.context.scope if expr.scope is None else self.value(expr.scope)
        return {
            "system": self.context.system,
            "scope": None if scope in (None, "") or scope is MISSING else runtime.identifier(scope),
            "entity": expr.entity,
            "id": runtime.identifier(value),
        }

    def _flatten(self, expr: ast.Flatten) -> Any:
        value = self.value(expr.source)
        return value if value is None or value is MISSING else runtime.flattened(value)

    def _group(self, expr: ast.Group) -> Any:
        value = self.value(expr.source)
        return value if value is None or value is MISSING else runtime.grouped(value, expr.by)

    def _same(self, expr: ast.Same) -> Any:
        inner = self._scopes
        self._scopes = inner[: len(inner) - expr.rise]
        try:
            return self.value(expr.source)
        finally:
            self._scopes = inner

    def _each(self, expr: ast.Each) -> Any:
        start = len(self._read)
        value = self.value(expr.source)
        if value is None or value is MISSING:
            return value
        outer = self._scopes[-1]
        base = self._read[start] if len(self._read) > start else outer.shown
        name = f"{outer.name}.{_label(expr)}[]" if outer.name else f"{_label(expr)}[]"
        found: list[Any] = []
        position = 0
        for number, one in enumerate(runtime.listed(value)):
            if one is None:
                continue
            self._scopes.append(Scope(one, f"{base}[{number}]", name, position + 1))
            try:
                if expr.where is None or self.holds(expr.where):
                    position += 1
                    result = self._element(expr.body, len(found))
                    if result is not None and result is not MISSING:
                        found.append(result)
            finally:
                self._scopes.pop()
        return found

    def _listof(self, expr: ast.ListOf) -> Any:
        found: list[Any] = []
        for one in expr.elements:
            value = self._element(one, len(found))
            if value is not None and value is not MISSING:
                found.append(value)
        return found

    def _element(self, body: ast.Expr, number: int) -> Any:
        self._target.append(f"[{number}]")
        try:
            return self.value(body)
        finally:
            self._target.pop()

    # -- records

    def _record(self, record: ast.Record) -> Any:
        found: dict[str, Any] = {}
        absent: list[Any] = []  # of the fields that come from the message: null or missing
        given = False
        states: dict[str, Any] = {}
        for part in record.fields:
            value = self._field(part)
            if value is None and part.null == "keep":
                value = MISSING
            states[part.name] = value
            if value is not MISSING:
                found[part.name] = value
            if not ast.constant(part.value):
                absent.append(value)
                given = given or (value is not None and value is not MISSING)
        for part in record.fields:
            if part.null == "drop" and not _there(states[part.name]):
                return MISSING
        if record.whole:
            return found
        lead = leading(record)
        if lead and not _there(states[lead]):
            return states[lead]
        if absent and not given:
            return MISSING if all(value is MISSING for value in absent) else None
        return found

    def _field(self, part: ast.Field) -> Any:
        if part.on != "always" and (part.on == "create") != self.creating:
            return MISSING
        self._target.append(f".{part.name}" if self._target else part.name)
        before = len(self._read)
        known = len(self.findings)
        try:
            value = self.value(part.value)
            if value is not MISSING and not isinstance(value, (dict, list)):
                paths = tuple(dict.fromkeys(self._read[before:]))
                self.steps.append(Step("".join(self._target), value, str(part.value.place), paths))
        except Refused as error:
            self._refused(part, error, self._read[-1] if len(self._read) > before else "")
            value = MISSING
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            # no form should come here; if one does, one message is refused and the others go on
            refused = Refused(f"the value cannot be made ({type(error).__name__})", "Please report the mapping line.")
            self._refused(part, refused, self._read[-1] if len(self._read) > before else "")
            value = MISSING
        finally:
            self._target.pop()
        return "refused" if len(self.findings) > known and value is MISSING else value

    def _refused(self, part: ast.Field, error: Refused, path: str) -> None:
        target = "".join(self._target)
        message, hint = error.message, error.hint
        if self._personal(target, path):
            message, hint = (
                f"the value is refused ({error.rule}); it is personal and not shown",
                hint if "'" not in hint else "",
            )
        name = f"{self.entity}.{target}" if self.forward else target
        text = f"{name}: {message}."
        self.findings.append(Finding(path or target, error.rule, text, hint, str(part.place)))

    def _personal(self, target: str, path: str) -> bool:
        if self.shape is None or not (self.forward or path):
            return False
        words = (target if self.forward else path).replace("[", ".[").split(".")
        here: Shape = self.shape
        for word in words:
            if word.startswith("["):
                continue
            below = here.at(word)
            if below is None or below.personal:
                return True  # what the model does not know may well be personal
            here = below
        return False

    # -- conditions

    def holds(self, condition: ast.Condition) -> bool:
        """Whether a condition holds for the message."""
        results = (
            self.holds(part) if isinstance(part, ast.Condition) else self._test(part) for part in condition.parts
        )
        if condition.mode == "all":
            return all(results)
        return any(results) if condition.mode == "any" else not any(results)

    def _test(self, test: ast.Test) -> bool:
        value = self.value(test.source)
        if test.operator == "in":
            return runtime.among(value, test.value)
        if test.operator == "not_in":
            return not runtime.among(value, test.value)
        if test.operator in ("exists", "missing"):
            return _there(value) == (test.operator == "exists")
        if test.operator in ("empty", "not_empty"):
            return runtime.empty(value) == (test.operator == "empty")
        return runtime.compare(value, test.operator, test.value)

    # -- arithmetic

    def _compute(self, expr: ast.Compute) -> Any:
        try:
            self._there(expr.tree)
            return self._number(expr.tree)
        except _Absent as absent:
            return absent.value
        except (ZeroDivisionError, InvalidOperation) as error:
            raise Refused("division by zero, or a number too large to be exact", "", "value") from error
        except TypeError as error:
            raise Refused("these operands cannot be combined", "Take .amount or .value of them.", "mixed") from error

    def _there(self, tree: ast.Arithmetic) -> None:
        """An operand that is null or missing decides, before any other is looked at closely."""
        for operand in arithmetic.operands(tree):
            value = self._sum(operand) if isinstance(operand, ast.Sum) else self._path(operand.path)
            if value is None or value is MISSING:
                raise _Absent(value)

    def _number(self, tree: ast.Arithmetic) -> Any:
        if isinstance(tree, ast.Number):
            return Decimal(tree.text)
        if isinstance(tree, ast.Operand):
            value = self._path(tree.path)
            if value is None or value is MISSING:
                raise _Absent(value)
            return to_amount(value)
        if isinstance(tree, ast.Binary):
            return combine(tree.operator, self._number(tree.left), self._number(tree.right))
        if isinstance(tree, ast.Negative):
            return -self._number(tree.operand)
        if isinstance(tree, ast.Round):
            return rounded(self._number(tree.operand), tree.places)
        if isinstance(tree, ast.Sum):
            return self._sum(tree)
        operands = [self._number(operand) for operand in tree.operands]
        if tree.name == "abs":
            return abs(operands[0])
        return min(operands) if tree.name == "min" else max(operands)

    def _sum(self, tree: ast.Sum) -> Any:
        values = self._path(tree.path)
        if values is None or values is MISSING:
            raise _Absent(values)
        outer, base = self._scopes[-1], self._read[-1]
        name = f"{outer.name}.{tree.path}[]" if outer.name else f"{tree.path}[]"
        total: Any = Decimal(0)
        for number, one in enumerate(runtime.listed(values)):
            if one is None:
                continue
            self._scopes.append(Scope(one, f"{base}[{number}]", name, number + 1))
            try:
                self._there(tree.body)
                total = total + self._number(tree.body)
            finally:
                self._scopes.pop()
        return total


def leading(record: ast.Record) -> str:
    """The field without which a measure is none: money's amount, a quantity's value."""
    names = {part.name for part in record.fields}
    if {"amount", "currency"} <= names:
        return "amount"
    return "value" if {"value", "unit"} <= names else ""


def _there(value: Any) -> bool:
    return value is not None and value is not MISSING


def _label(expr: ast.Each) -> str:
    source = expr.source
    while isinstance(source, (ast.Pipe, ast.Group, ast.Flatten)):
        source = source.source
    return str(source.path) if isinstance(source, ast.At) else f"<{source.place.line}:{source.place.column}>"


def _said(name: str, error: Refused) -> Refused:
    return Refused(f"{name}: {error.message}", error.hint, error.rule)


label = _label
