"""The compiler's part for exact numbers, with what makes them quick in the places where they are many."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from typing import Any

from landbridge.translator import _arithmetic as arithmetic
from landbridge.translator import _ast as ast
from landbridge.translator._emit_base import Out, Scope, Writer
from landbridge.translator._registry import remembered
from landbridge.translator.functions.numbers import number, step_of


class CannotFuse(Exception):
    """A sum may meet missing operands, so that it needs its own loop."""


class Numbers(Writer):
    """Writes expressions."""

    def of_position(self, source: ast.Expr, bound: list[Callable[[Any], Any]]) -> Out | None:
        """What depends on the number of the element only: kept per number, for there are few."""
        if not isinstance(source, ast.Compute):
            return None
        paths = {path for path, around in arithmetic.paths(source.tree) if not around}
        if len(paths) != 1 or not next(iter(paths)).special or arithmetic.sums(source.tree):
            return None
        tree = source.tree
        chain = (lambda number: arithmetic.of_one(tree, Decimal(number)), *bound)
        return Out(f"{self.constant(remembered(chain), 'f')}({self.path(next(iter(paths))).code})", null=True)

    def as_float(self, source: ast.Expr, calls: tuple[ast.Call, ...]) -> Out | None:
        """round(…, n) | number: a double holds 15 digits exactly, so that up to there no look is needed."""
        if not (isinstance(source, ast.Compute) and isinstance(source.tree, ast.Round) and 0 < source.tree.places < 7):
            return None
        if len(calls) != 1 or calls[0].function.run is not number or calls[0].args or calls[0].named:
            return None
        out = self.atom(self.eval(source))
        name, absent = self.new(), self.absent(out)
        with self.guarded(out, name) if absent else nullcontext():
            limit = 10.0 ** (14 - source.tree.places)
            self.line(f"{name} = float({out.code}) + 0.0")
            self.line(f"if not -{limit!r} < {name} < {limit!r}: {name} = {self.constant(number, 'f')}({out.code})")
        return Out(name, out.miss, out.null, True)

    def compute(self, expr: ast.Compute) -> Out:
        """The Python of a computed number."""
        checks: list[Out] = []
        code = self.number(expr.tree, checks)
        return self.unless_absent(checks, code)

    def number(self, tree: ast.Arithmetic, checks: list[Out]) -> str:
        """The Python of one node of arithmetic; what may be absent is added to `checks`."""
        known = self._sums.get((self._scopes[-1].var, tree))
        if known is not None:
            checks.append(known)
            return known.code
        if isinstance(tree, ast.Number):
            return self.constant(Decimal(tree.text))
        if isinstance(tree, ast.Operand):
            out = self.atom(self.path(tree.path))
            checks.append(out)
            return f"dec({out.code})"  # a record of money cannot be remembered: it goes to the slow twin
        if isinstance(tree, ast.Binary):
            left, right = self.number(tree.left, checks), self.number(tree.right, checks)
            return f"({left} {tree.operator} {right})"
        if isinstance(tree, ast.Negative):
            return f"(-{self.number(tree.operand, checks)})"
        if isinstance(tree, ast.Round):
            inner = self.number(tree.operand, checks)
            places = self.constant(step_of(tree.places))
            return f"{inner}.quantize({places}, HU)"
        if isinstance(tree, ast.Sum):
            return self.sum(tree, checks)
        operands = ", ".join(self.number(operand, checks) for operand in tree.operands)
        return (
            f"{tree.name}({operands}{',' if tree.name != 'abs' and len(tree.operands) == 1 else ''})"
            if (tree.name == "abs" or len(tree.operands) > 1)
            else operands
        )

    def sum(self, tree: ast.Sum, checks: list[Out]) -> str:
        """A loop that adds up over a list."""
        source = self.atom(self.path(tree.path))
        name, var = self.new("s"), self.new("e")
        outer = self._scopes[-1].name
        label_ = f"{outer}.{tree.path}[]" if outer else f"{tree.path}[]"
        with self.guarded(source, name):
            self.line(f"{name} = {self.constant(Decimal(0))}")
            with self.block(f"for {var} in listed({source.code}):"):
                with self.block(f"if {var} is None:"):
                    self.line("continue")
                self._scopes.append(Scope(var, label_, ""))
                inner: list[Out] = []
                code = self.number(tree.body, inner)
                self._scopes.pop()
                for out in inner:
                    if self.absent(out):
                        with self.block(f"if {self.absent(out)}:"):
                            self.line(f"{name} = {out.code}")
                            self.line("break")
                self.line(f"{name} += {code}")
        nullable = source.null or any(out.null for out in inner)
        checks.append(Out(name, source.miss or any(out.miss for out in inner), nullable, True))
        return name

    def add_up(self, tree: ast.Sum, var: str) -> None:
        """Inside of the loop of an `each`: the sum that stands below it, so that the list is walked once."""
        total = self._sums[(self._scopes[-2].var, tree)].code
        checks: list[Out] = []
        out = self.atom(self.unless_absent(checks, self.number(tree.body, checks)))
        if out.miss:
            raise CannotFuse
        self._sums[(var, tree.body)] = out
        if out.null:
            self.line(f"if {out.code} is None: {total} = None")
            self.line(f"elif {total} is not None: {total} += {out.code}")
        else:
            self.line(f"{total} += {out.code}")
