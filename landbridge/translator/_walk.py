"""The slow twin's ground: paths, conditions and exact numbers of one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from landbridge.errors import Finding
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
class Walk:
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

    def value(self, expr: ast.Expr) -> Any:
        """A value as JSON has it."""
        found = self.eval(expr)
        return final(found) if ast.computed(expr) else found

    def eval(self, expr: ast.Expr) -> Any:
        """A value as it is inside of an expression."""
        return getattr(self, "_" + type(expr).__name__.lower())(expr)

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
            return there(value) == (test.operator == "exists")
        if test.operator in ("empty", "not_empty"):
            return runtime.empty(value) == (test.operator == "empty")
        return runtime.compare(value, test.operator, test.value)

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


def there(value: Any) -> bool:
    """Whether a value is neither null nor missing."""
    return value is not None and value is not MISSING
