"""The compiler: the tree of one direction becomes the source of one plain Python function.

No text of a user enters that source except through repr() of a literal; everything else that a mapping names (tables,
functions, words) is handed in as a constant. Paths are read as if they were there (`d["k"]`); those that turned out
to be missing now and then (`optional`) are read with care. A KeyError or any other exception sends the message to
the slow twin, which gives the right result or the explanation. tests/property holds both to the same results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from landbridge.translator import _ast as ast
from landbridge.translator import _runtime as runtime
from landbridge.translator._emit_base import Out, Scope
from landbridge.translator._emit_records import Records
from landbridge.translator._paths import Path
from landbridge.translator._registry import remembered
from landbridge.translator._tables import Tables
from landbridge.translator._values import MISSING, final

Compiled = Callable[[Any, Any, bool], dict[str, Any]]


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


class _Emitter(Records):
    def function(self, record: ast.Record) -> str:
        self._scopes = [Scope("d", "")]
        result = self.record(record)
        body = [*self._head, *self._lines, f"    return {result.code}"]
        return "def run(d, c, creating):\n" + "\n".join(body) + "\n"

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
