"""The compiler: the tree of one direction becomes the source of one plain Python function.

No text of a user enters that source except through repr() of a literal; everything else that a mapping names (tables,
functions, words) is handed in as a constant. Paths are read as if they were there (`d["k"]`); those that turned out
to be missing now and then (`optional`) are read with care. A KeyError or any other exception sends the message to
the slow twin, which gives the right result or the explanation. tests/property holds both to the same results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from landbridge.translator import _arithmetic as arithmetic
from landbridge.translator import _ast as ast
from landbridge.translator import _runtime as runtime
from landbridge.translator._interpret import label, leading
from landbridge.translator._paths import Every, Index, Key, Path, Pick, element, pick, walk
from landbridge.translator._registry import remembered
from landbridge.translator._tables import Tables
from landbridge.translator._values import MISSING, final, to_amount, to_decimal
from landbridge.translator.functions.numbers import number, rounded, step_of

Compiled = Callable[[Any, Any, bool], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Out:
    """Python that yields a value; whether it may be missing or null; whether it is a name, free to use twice."""

    code: str
    miss: bool = False
    null: bool = False
    name: bool = False


@dataclass(slots=True)
class _Scope:
    var: str
    name: str
    position: str = ""


def compile_record(record: ast.Record, tables: Tables, forward: bool, optional: frozenset[str]) -> Compiled:
    """The function (message, context, creating) -> result for a direction."""
    emitter = _Emitter(tables, forward, optional)
    source = emitter.function(record)
    space = dict(emitter.constants)
    exec(compile(source, "<mapping>", "exec"), space)  # noqa: S102  # our own source, see the module's docstring
    run: Compiled = space["run"]
    return run


def source_of(record: ast.Record, tables: Tables, forward: bool, optional: frozenset[str] = frozenset()) -> str:
    """The Python that a direction becomes, to read."""
    return _Emitter(tables, forward, optional).function(record)


class _CannotFuse(Exception):
    """A sum may meet missing operands, so that it needs its own loop."""


def _has_sum(tree: ast.Arithmetic) -> bool:
    return bool(arithmetic.sums(tree))


class _Emitter:
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
        self._scopes: list[_Scope] = []
        self._cache: list[dict[tuple[str, str], Out]] = [{}]
        self._head: list[str] = []
        self._hoisted: dict[str, str] = {}
        self._sums: dict[tuple[str, ast.Arithmetic], Out] = {}  # (scope, expression) -> what holds its value

    def function(self, record: ast.Record) -> str:
        self._scopes = [_Scope("d", "")]
        result = self.record(record)
        body = [*self._head, *self._lines, f"    return {result.code}"]
        return "def run(d, c, creating):\n" + "\n".join(body) + "\n"

    # -- writing

    def line(self, text: str) -> None:
        self._lines.append("    " * self._indent + text)

    def new(self, letter: str = "t") -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def constant(self, value: Any, letter: str = "k") -> str:
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
        self.line(opening)
        self._indent += 1
        self._cache.append({})
        before = len(self._lines)
        yield
        if len(self._lines) == before:
            self.line("pass")
        self._cache.pop()
        self._indent -= 1

    def atom(self, out: Out) -> Out:
        if out.name:
            return out
        name = self.new()
        self.line(f"{name} = {out.code}")
        return Out(name, out.miss, out.null, True)

    def into(self, name: str, out: Out) -> None:
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

    # -- arithmetic that is quicker in a special place

    def of_position(self, source: ast.Expr, bound: list[Callable[[Any], Any]]) -> Out | None:
        """What depends on the number of the element only: kept per number, for there are few."""
        if not isinstance(source, ast.Compute):
            return None
        paths = {path for path, around in arithmetic.paths(source.tree) if not around}
        if len(paths) != 1 or not next(iter(paths)).special or _has_sum(source.tree):
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

    def fuse(self, parts: tuple[ast.Field, ...], at: int) -> list[ast.Sum]:
        """The sums further down in a record that run over the list of the `each` at this place."""
        each = parts[at].value
        plain = isinstance(each, ast.Each) and each.where is None and isinstance(each.source, ast.At)
        if not plain or parts[at].on != "always":
            return []
        assert isinstance(each, ast.Each) and isinstance(each.source, ast.At)
        found = []
        for part in parts[at + 1 :]:
            value = part.value.source if isinstance(part.value, ast.Pipe) else part.value
            if isinstance(value, ast.Compute):
                found += [one for one in arithmetic.sums(value.tree) if one.path == each.source.path]
        return list(dict.fromkeys(found))

    # -- expressions

    def value(self, expr: ast.Expr) -> Out:
        if isinstance(expr, ast.Pipe) and ast.computed(expr):
            return self.pipe(expr, finish=True)
        quick = self.of_position(expr, [final])
        if quick is not None:
            return quick
        out = self.eval(expr)
        return self.apply(out, "final({})") if ast.computed(expr) else out

    def eval(self, expr: ast.Expr) -> Out:
        out: Out = getattr(self, type(expr).__name__.lower())(expr)
        return out

    def at(self, expr: ast.At) -> Out:
        return self.path(expr.path)

    def const(self, expr: ast.Const) -> Out:
        return Out(repr(expr.value), null=expr.value is None)

    def path(self, path: Path, *, careful: bool = False) -> Out:
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

    def pipe(self, expr: ast.Pipe, *, finish: bool = False) -> Out:
        quick = self.as_float(expr.source, expr.calls)
        if quick is not None:
            return quick
        if not any(call.function.context or call.has_paths for call in expr.calls):
            bound = [call.function.bound(call.args, dict(call.named)) for call in expr.calls]
            quick = self.of_position(expr.source, [*bound, final] if finish else bound)
            if quick is not None:
                return quick
        out = self.eval(expr.source)
        calls = list(expr.calls)
        while calls:
            call = calls.pop(0)
            if call.function.context or call.has_paths:
                out = self.apply(out, self.open_call(call), null=True)
                continue
            chain = [call]
            while calls and not (calls[0].function.context or calls[0].has_paths):
                chain.append(calls.pop(0))
            whole = finish and not calls
            out = self.chain(out, chain, whole)
            finish = finish and not whole
        return self.apply(out, "final({})") if finish else out

    def chain(self, out: Out, calls: list[ast.Call], finish: bool) -> Out:
        bound = [call.function.bound(call.args, dict(call.named)) for call in calls]
        if finish:
            bound.append(final)
        if any(call.function.remember for call in calls):
            return Out(f"{self.constant(remembered(tuple(bound)), 'f')}({out.code})", out.miss, True)
        for run in bound:
            out = self.apply(out, f"{self.constant(run, 'f')}({{}})", null=run is not final)
        return out

    def open_call(self, call: ast.Call) -> str:
        run = f"{self.constant(call.function.call, 'f')}({{}}, c, "
        args = ", ".join(self.argument(arg) for arg in call.args)
        named = ", ".join(f"{name!r}: {self.argument(arg)}" for name, arg in call.named)
        return f"{run}({args}{',' if call.args else ''}), {{{{{named}}}}})"

    def argument(self, arg: Any) -> str:
        if not isinstance(arg, Path):
            return repr(arg).replace("{", "{{").replace("}", "}}")
        out = self.atom(self.path(arg))
        return f"(None if {out.code} is M else {out.code})" if out.miss else out.code

    def code(self, expr: ast.Code) -> Out:
        out = self.value(expr.source)
        codes = self.tables.codes(expr.name)
        if codes.dated:
            way = codes.forward if self.forward else codes.backward
            table = self.hoist(f"{self.constant(way)}({self.hoist('c.day')})")
        else:
            table = self.constant(codes.forward() if self.forward else codes.backward())
        return Out(f"{table}[{out.code}]", out.miss, True)

    def choose(self, expr: ast.Choose) -> Out:
        out = self.value(expr.source)
        results = [result for _, result in expr.table] + ([expr.otherwise] if expr.otherwise is not None else [])
        if all(isinstance(one, ast.Const) and not isinstance(one.value, (dict, list)) for one in results):
            table: dict[Any, Any] = {None: None, MISSING: MISSING}
            for word, result in reversed(expr.table):
                table[word] = result.value if isinstance(result, ast.Const) else None
            name = self.constant(table)
            if isinstance(expr.otherwise, ast.Const):
                return Out(f"{name}.get({out.code}, {expr.otherwise.value!r})", out.miss, True)
            return Out(f"{name}[{out.code}]", out.miss, True)
        return self.choose_parts(expr, self.atom(out))

    def choose_parts(self, expr: ast.Choose, out: Out) -> Out:
        name, word = self.new(), "if"
        for key, result in expr.table:
            with self.block(f"{word} {out.code} == {key!r}:"):
                self.into(name, self.value(result))
            word = "elif"
        with self.block(f"{word} {out.code} is None or {out.code} is M:"):
            self.line(f"{name} = {out.code}")
        with self.block("else:"):
            if expr.otherwise is None:
                self.line("raise KeyError")
            else:
                self.into(name, self.value(expr.otherwise))
        return Out(name, True, True, True)

    def branch(self, expr: ast.Branch) -> Out:
        name, depth = self.new(), 0
        for condition, result in expr.cases:
            test = self.condition(condition)
            self.line(f"if {test}:")
            self._indent += 1
            self._cache.append({})
            self.into(name, self.value(result))
            self._cache.pop()
            self._indent -= 1
            self.line("else:")
            self._indent += 1
            self._cache.append({})
            depth += 1
        self.into(name, self.value(expr.otherwise) if expr.otherwise is not None else Out("M"))
        for _ in range(depth):
            self._cache.pop()
            self._indent -= 1
        return Out(name, True, True, True)

    def when(self, expr: ast.When) -> Out:
        test, name = self.condition(expr.condition), self.new()
        with self.block(f"if {test}:"):
            self.into(name, self.value(expr.body))
        with self.block("else:"):
            self.line(f"{name} = M")
        return Out(name, True, True, True)

    def default(self, expr: ast.Default) -> Out:
        out = self.atom(self.value(expr.source))
        absent = self.absent(out)
        if not absent:
            return out
        if isinstance(expr.default, ast.Const):
            return Out(f"({expr.default.value!r} if {absent} else {out.code})", null=expr.default.value is None)
        name = self.new()
        with self.block(f"if {absent}:"):
            inner = self.value(expr.default)
            self.into(name, inner)
        with self.block("else:"):
            self.line(f"{name} = {out.code}")
        return Out(name, inner.miss, inner.null, True)

    def first(self, expr: ast.First) -> Out:
        name, depth, seen = self.new(), 0, []
        for choice in expr.choices:
            out = self.value(choice)
            self.into(name, out)
            seen.append(out)
            self.line(f"if {name} is None or {name} is M or {name} == '':")
            self._indent += 1
            self._cache.append({})
            depth += 1
            if out.miss:
                mark = self.new()
                self.line(f"{mark} = {name} is M")
                seen[-1] = Out(mark)
        marks = [out.code for out in seen if out.code.startswith("t") and not out.name]
        always = len(marks) < len(expr.choices)
        missing = any(out.miss for out in seen) or bool(marks)
        self.line(f"{name} = None" if always or not missing else f"{name} = M if {' and '.join(marks)} else None")
        for _ in range(depth):
            self._cache.pop()
            self._indent -= 1
        return Out(name, missing, True, True)

    def join(self, expr: ast.Join) -> Out:
        parts = ", ".join(self.atom(self.value(part)).code for part in expr.parts)
        return Out(f"rt.join_parts({expr.separator!r}, ({parts},))", True, True)

    def format(self, expr: ast.Format) -> Out:
        pieces: list[str] = []
        checks: list[Out] = []
        for part in expr.parts:
            if isinstance(part, str):
                pieces.append(repr(part))
                continue
            out = self.atom(self.value(part))
            checks.append(out)
            pieces.append(f"({out.code} if type({out.code}) is str else rt.as_text({out.code}))")
        code = f"''.join(({', '.join(pieces)},))" if pieces else "''"
        return self.unless_absent(checks, code)

    def unless_absent(self, checks: list[Out], code: str) -> Out:
        """The code, or the first of the values that is null or missing."""
        for out in reversed(checks):
            absent = self.absent(out)
            if absent:
                code = f"({out.code} if {absent} else {code})"
        return Out(code, any(out.miss for out in checks), any(out.null for out in checks))

    def lookup(self, expr: ast.Lookup) -> Out:
        names = tuple(name for name, _ in expr.inputs)
        run = self.constant(runtime.decider(self.tables.decisions(expr.table), names, expr.take), "f")
        values = []
        for _, source in expr.inputs:
            out = self.atom(self.value(source))
            values.append(f"(None if {out.code} is M else {out.code})" if out.miss else out.code)
        return Out(f"{run}({', '.join(values)})", null=True)

    def ref(self, expr: ast.Ref) -> Out:
        out = self.atom(self.value(expr.source))
        scope = self.hoist("c.scope or None")
        if expr.scope is not None:
            found = self.atom(self.value(expr.scope))
            tests = " or ".join(part for part in (self.absent(found), f"{found.code} == ''") if part)
            scope = f"(None if {tests} else rt.identifier({found.code}))"
        ident = f"({out.code} if type({out.code}) is str else rt.identifier({out.code}))"
        system = self.hoist("c.system")
        code = f"{{'system': {system}, 'scope': {scope}, 'entity': {expr.entity!r}, 'id': {ident}}}"
        return self.unless_absent([out], code)

    def flatten(self, expr: ast.Flatten) -> Out:
        return self.apply(self.value(expr.source), "rt.flattened({})")

    def group(self, expr: ast.Group) -> Out:
        return self.apply(self.value(expr.source), f"rt.grouped({{}}, {self.constant(expr.by)})")

    def same(self, expr: ast.Same) -> Out:
        scopes = self._scopes
        self._scopes = scopes[: len(scopes) - expr.rise]
        out = self.value(expr.source)
        self._scopes = scopes
        return out

    # -- lists

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

    def each(self, expr: ast.Each, sums: list[ast.Sum] | None = None) -> Out:
        source = self.atom(self.value(expr.source))
        name, var, position = self.new("r"), self.new("e"), self.new("p")
        outer = self._scopes[-1].name
        label_ = f"{outer}.{label(expr)}[]" if outer else f"{label(expr)}[]"
        if sums and not source.miss:
            for tree in sums:
                total = self.new("s")
                zero = self.constant(Decimal(0))
                start_ = f"None if {source.code} is None else {zero}" if source.null else zero
                self.line(f"{total} = {start_}")
                self._sums[(self._scopes[-1].var, tree)] = Out(total, False, True, True)
        else:
            sums = []
        with self.guarded(source, name):
            self.line(f"{name} = []")
            start = len(self._lines)
            self.line(f"{position} = 0")
            with self.block(f"for {var} in listed({source.code}):"):
                with self.block(f"if {var} is None:"):
                    self.line("continue")
                self._scopes.append(_Scope(var, label_, position))
                if expr.where is not None:
                    with self.block(f"if not ({self.condition(expr.where)}):"):
                        self.line("continue")
                for tree in sums or []:
                    self.add_up(tree, var)
                counting = len(self._lines)
                self.line(f"{position} += 1")
                out = self.value(expr.body)
                self._scopes.pop()
                self.append(name, out)
            used = any(position in line for line in self._lines[counting + 1 :])
            if not used:
                del self._lines[counting], self._lines[start]
        return Out(name, source.miss, source.null, True)

    def add_up(self, tree: ast.Sum, var: str) -> None:
        """Inside of the loop of an `each`: the sum that stands below it, so that the list is walked once."""
        total = self._sums[(self._scopes[-2].var, tree)].code
        checks: list[Out] = []
        out = self.atom(self.unless_absent(checks, self.number(tree.body, checks)))
        if out.miss:
            raise _CannotFuse
        self._sums[(var, tree.body)] = out
        if out.null:
            self.line(f"if {out.code} is None: {total} = None")
            self.line(f"elif {total} is not None: {total} += {out.code}")
        else:
            self.line(f"{total} += {out.code}")

    def append(self, name: str, out: Out) -> None:
        if not self.absent(out):
            self.line(f"{name}.append({out.code})")
            return
        out = self.atom(out)
        with self.block(f"if not ({self.absent(out)}):"):
            self.line(f"{name}.append({out.code})")

    def listof(self, expr: ast.ListOf) -> Out:
        outs = []
        for one in expr.elements:
            outs.append(self.value(one))
            if self.absent(outs[-1]):
                outs[-1] = self.atom(outs[-1])
        if not any(self.absent(out) for out in outs):
            return Out(f"[{', '.join(out.code for out in outs)}]")
        name = self.new("r")
        self.line(f"{name} = []")
        for out in outs:
            self.append(name, out)
        return Out(name, name=True)

    # -- records

    def record(self, record: ast.Record) -> Out:
        parts: list[tuple[ast.Field, Out]] = []
        lead = "" if record.whole else leading(record)
        for number_, part in enumerate(record.fields):
            out = self.fused(record.fields, number_) or self.field(part)
            tested = part.null == "drop" or (not record.whole and not ast.constant(part.value))
            if self.absent(out) and (tested or out.miss or part.null == "keep"):
                out = self.atom(out)
            parts.append((part, out))
        drops = [self.absent(out) for part, out in parts if part.null == "drop" and self.absent(out)]
        checks: list[tuple[str, str]] = [(" or ".join(drops), "M")] if drops else []
        if not record.whole:
            checks += self.emptiness(parts, lead)
        if not checks:
            return self.fields(parts)
        name, word = self.new("r"), "if"
        for test, result in checks:
            self.line(f"{word} {test}:")
            self.line(f"    {name} = {result}")
            word = "elif"
        with self.block("else:"):
            self.into(name, self.fields(parts))
        miss = any("M" in result.split() or result not in ("None",) for _, result in checks)
        return Out(name, miss, any(result != "M" for _, result in checks), True)

    def fused(self, parts: tuple[ast.Field, ...], at: int) -> Out | None:
        """An `each` together with the sums over its list, where that is possible."""
        sums, value = self.fuse(parts, at), parts[at].value
        if not sums or not isinstance(value, ast.Each):
            return None
        lines, known, scopes = list(self._lines), dict(self._sums), list(self._scopes)
        cache, indent = [dict(one) for one in self._cache], self._indent
        try:
            return self.keep(parts[at], self.each(value, sums))
        except _CannotFuse:
            self._lines, self._sums, self._scopes = lines, known, scopes
            self._cache, self._indent = cache, indent
            return None

    def field(self, part: ast.Field) -> Out:
        if part.on == "always":
            return self.keep(part, self.value(part.value))
        name = self.new()
        with self.block("if creating:" if part.on == "create" else "if not creating:"):
            self.into(name, self.value(part.value))
        with self.block("else:"):
            self.line(f"{name} = M")
        return self.keep(part, Out(name, True, True, True))

    def keep(self, part: ast.Field, out: Out) -> Out:
        if part.null != "keep" or not out.null:
            return out
        if out.code == "None":
            return Out("M", True, False, True)
        out = self.atom(out)
        name = self.new()
        self.line(f"{name} = M if {out.code} is None else {out.code}")
        return Out(name, True, False, True)

    def emptiness(self, parts: list[tuple[ast.Field, Out]], lead: str) -> list[tuple[str, str]]:
        checks: list[tuple[str, str]] = []
        if lead:
            out = next(out for part, out in parts if part.name == lead)
            if self.absent(out):
                checks.append((self.absent(out), out.code))
        coming = [out for part, out in parts if not ast.constant(part.value)]
        if coming and all(self.absent(out) for out in coming):
            test = " and ".join(f"({self.absent(out)})" for out in coming)
            missing = " and ".join(f"{out.code} is M" for out in coming)
            result = f"M if {missing} else None" if all(out.miss for out in coming) else "None"
            checks.append((test, result))
        return checks

    def fields(self, parts: list[tuple[ast.Field, Out]]) -> Out:
        sure = [f"{part.name!r}: {out.code}" for part, out in parts if not out.miss]
        literal = f"{{{', '.join(sure)}}}"
        unsure = [(part, out) for part, out in parts if out.miss]
        if not unsure:
            return Out(literal)
        name = self.new("r")
        self.line(f"{name} = {literal}")
        for part, out in unsure:
            self.line(f"if {out.code} is not M: {name}[{part.name!r}] = {out.code}")
        return Out(name, name=True)

    # -- conditions

    def condition(self, condition: ast.Condition) -> str:
        tests = [
            self.condition(part) if isinstance(part, ast.Condition) else self.test(part) for part in condition.parts
        ]
        if condition.mode == "all":
            return f"({' and '.join(tests)})" if tests else "True"
        text = f"({' or '.join(tests)})" if tests else "False"
        return text if condition.mode == "any" else f"(not {text})"

    def test(self, test: ast.Test) -> str:
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

    # -- arithmetic

    def compute(self, expr: ast.Compute) -> Out:
        checks: list[Out] = []
        code = self.number(expr.tree, checks)
        return self.unless_absent(checks, code)

    def number(self, tree: ast.Arithmetic, checks: list[Out]) -> str:
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
        source = self.atom(self.path(tree.path))
        name, var = self.new("s"), self.new("e")
        outer = self._scopes[-1].name
        label_ = f"{outer}.{tree.path}[]" if outer else f"{tree.path}[]"
        with self.guarded(source, name):
            self.line(f"{name} = {self.constant(Decimal(0))}")
            with self.block(f"for {var} in listed({source.code}):"):
                with self.block(f"if {var} is None:"):
                    self.line("continue")
                self._scopes.append(_Scope(var, label_, ""))
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
