"""What every part of the compiler writes with: lines, names, blocks, paths, conditions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from landbridge.translator import _ast as ast
from landbridge.translator import _runtime as runtime
from landbridge.translator._paths import Every, Index, Key, Path, Pick, element, pick, walk
from landbridge.translator._tables import Tables
from landbridge.translator._values import MISSING, final, to_amount, to_decimal
from landbridge.translator.functions.numbers import rounded


@dataclass(frozen=True, slots=True)
class Out:
    """Python that yields a value; whether it may be missing or null; whether it is a name, free to use twice."""

    code: str
    miss: bool = False
    null: bool = False
    name: bool = False


@dataclass(slots=True)
class Scope:
    """What paths start at: its Python name, and its name among paths; the name of its counter inside of `each`."""

    var: str
    name: str
    position: str = ""


class Writer:
    """Python source in the making."""

    def __init__(self, tables: Tables, forward: bool, optional: frozenset[str]) -> None:
        self.tables = tables
        self.forward = forward
        self.optional = optional
        self.constants: dict[str, Any] = {
            "M": MISSING, "D": Decimal, "HU": ROUND_HALF_UP, "dec": to_decimal, "amount": to_amount, "final": final,
            "rounded": rounded, "walk": walk, "pick": pick, "element": element, "rt": runtime, "listed": runtime.listed,
        }  # fmt: skip
        self._lines: list[str] = []
        self._indent = 1
        self._count = 0
        self._scopes: list[Scope] = []
        self._cache: list[dict[tuple[str, str], Out]] = [{}]
        self._head: list[str] = []
        self._hoisted: dict[str, str] = {}
        self._sums: dict[tuple[str, ast.Arithmetic], Out] = {}  # (scope, expression) -> what holds its value

    def value(self, expr: ast.Expr) -> Out:
        """The Python of any value, as JSON has it."""
        raise NotImplementedError

    def eval(self, expr: ast.Expr) -> Out:
        """The Python of any value, as it is inside of an expression."""
        raise NotImplementedError

    def line(self, text: str) -> None:
        """Write one line at the present depth."""
        self._lines.append("    " * self._indent + text)

    def new(self, letter: str = "t") -> str:
        """A fresh name for a value."""
        self._count += 1
        return f"{letter}{self._count}"

    def constant(self, value: Any, letter: str = "k") -> str:
        """A name for a value that is known when the mapping is loaded."""
        name = self.new(letter)
        self.constants[name] = value
        return name

    def hoist(self, code: str) -> str:
        """A name for what is the same during the whole message."""
        if code not in self._hoisted:
            self._hoisted[code] = self.new("h")
            self._head.append(f"    {self._hoisted[code]} = {code}")
        return self._hoisted[code]

    @contextmanager
    def block(self, opening: str) -> Iterator[None]:
        """A block under `opening`; what was learnt inside of it is forgotten after it."""
        self.line(opening)
        self._indent += 1
        self._cache.append({})
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._cache.pop()
        self._indent -= 1

    @contextmanager
    def guarded(self, source: Out, name: str) -> Iterator[None]:
        """A block that runs unless the source is null or missing, which the name then is too."""
        absent = self.absent(source)
        if not absent:
            yield
            return
        with self.block(f"if {absent}:"):
            self.line(f"{name} = {source.code}")
        with self.block("else:"):
            yield

    def atom(self, out: Out) -> Out:
        """The same value under a name, so that it is computed once."""
        if out.name:
            return out
        name = self.new()
        self.line(f"{name} = {out.code}")
        return Out(name, out.miss, out.null, True)

    def into(self, name: str, out: Out) -> None:
        """Give a value this name."""
        if out.code != name:
            self.line(f"{name} = {out.code}")

    @staticmethod
    def absent(out: Out) -> str:
        """The Python condition that a value is null or missing; "" if it never is."""
        tests = [f"{out.code} is None"] * out.null + [f"{out.code} is M"] * out.miss
        return " or ".join(tests)

    def apply(self, out: Out, call: str, *, null: bool = False) -> Out:
        """A call of one value, written with {}, which null and missing pass by."""
        out = self.atom(out)
        absent = self.absent(out)
        code = call.format(out.code)
        return Out(f"({out.code} if {absent} else {code})" if absent else code, out.miss, out.null or null)

    def unless_absent(self, checks: list[Out], code: str) -> Out:
        """The code, or the first of the values that is null or missing."""
        for out in reversed(checks):
            absent = self.absent(out)
            if absent:
                code = f"({out.code} if {absent} else {code})"
        return Out(code, any(out.miss for out in checks), any(out.null for out in checks))

    def path(self, path: Path, *, careful: bool = False) -> Out:
        """The Python of a path, from the record it starts at."""
        scope = self._scopes[len(self._scopes) - 1 - path.up]
        if path.special:
            return Out(scope.position if path.special == "$position" else f"({scope.position} - 1)")
        out, name = Out(scope.var, name=True), scope.name
        for at, step in enumerate(path.steps):
            if isinstance(step, Every):
                return self.apply(out, f"walk({{}}, {self.constant(path.steps[at:])})")
            last = at == len(path.steps) - 1
            if isinstance(step, Key):
                name = f"{name}.{step.name}" if name else step.name
            else:
                name += f"[{step.number}]" if isinstance(step, Index) else f"[{step.name}={step.value!r}]"
            out = self.step(out, step, name, scope.var, keep=not last, careful=careful)
        return out

    def step(self, base: Out, step: Key | Index | Pick, name: str, scope: str, *, keep: bool, careful: bool) -> Out:
        """The Python of one step of a path."""
        careful = careful or name in self.optional or not isinstance(step, Key)
        for cache in reversed(self._cache):
            known = cache.get((scope, name))
            if known is not None and (known.miss or not careful):
                return known
        if isinstance(step, Key):
            core = f"{base.code}.get({step.name!r}, M)" if careful else f"{base.code}[{step.name!r}]"
        elif isinstance(step, Index):
            core = f"element({base.code}, {self.constant(step)})"
        else:
            core = f"pick({base.code}, {step.name!r}, {step.value!r})"
        absent = self.absent(base)
        code = f"({base.code} if {absent} else {core})" if absent else core
        out = Out(code, base.miss or careful, True)
        if keep or not isinstance(step, Key):
            out = self.atom(out)
            self._cache[-1][(scope, name)] = out
        return out

    def condition(self, condition: ast.Condition) -> str:
        """The Python of a condition."""
        tests = [
            self.condition(part) if isinstance(part, ast.Condition) else self.test(part) for part in condition.parts
        ]
        if condition.mode == "all":
            return f"({' and '.join(tests)})" if tests else "True"
        text = f"({' or '.join(tests)})" if tests else "False"
        return text if condition.mode == "any" else f"(not {text})"

    def test(self, test: ast.Test) -> str:
        """The Python of one comparison of a condition."""
        source = test.source
        out = self.path(source.path, careful=True) if isinstance(source, ast.At) else self.value(source)
        code = self.atom(out).code
        if test.operator in ("in", "not_in"):
            clear = not any(isinstance(word, (int, float)) for word in test.value)  # true is 1 to Python
            words = self.constant(frozenset(test.value) if clear else test.value)
            text = f"{code} in {words}" if clear else f"rt.among({code}, {words})"
            return f"({text})" if test.operator == "in" else f"(not {text})"
        if test.operator == "exists":
            return f"({code} is not None and {code} is not M)"
        if test.operator == "missing":
            return f"({code} is None or {code} is M)"
        if test.operator in ("empty", "not_empty"):
            return f"({'not ' * (test.operator == 'not_empty')}rt.empty({code}))"
        return f"rt.compare({code}, {test.operator!r}, {self.constant(test.value)})"
