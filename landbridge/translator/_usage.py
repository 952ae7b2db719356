"""Which paths a direction reads and which fields it writes, with the lines that say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from landbridge.translator import _arithmetic as arithmetic
from landbridge.translator import _ast as ast
from landbridge.translator._paths import Key, Path, Pick

Names = tuple[str, ...]
Mark = tuple[Names, str, Any]
"""Which elements of a list are meant: the list, a field of theirs, and its value."""


@dataclass(frozen=True, slots=True)
class Read:
    """One path that is read, by field names from the root; elements of lists are passed through."""

    names: Names
    place: ast.Place
    tested: bool = False  # read by a condition only
    listed: bool = False  # the list that `each` goes through, and not all that stands in it
    picks: tuple[Mark, ...] = ()  # the elements that its selectors choose

    @property
    def path(self) -> str:
        """The path as vendors' field lists write it."""
        return ".".join(self.names)


@dataclass(frozen=True, slots=True)
class Written:
    """One field that is written."""

    names: Names
    field: ast.Field
    on: str  # of the field, or of a record around it

    @property
    def path(self) -> str:
        """The path as vendors' field lists write it."""
        return ".".join(self.names)


Scope = tuple[Names | None, ...]  # what the paths of each level start at; None where nobody can know


def reads(record: ast.Record) -> list[Read]:
    """Every path that a direction reads."""
    return list(_of(record, ((),)))


def writes(record: ast.Record, prefix: Names = (), on: str = "always") -> Iterator[Written]:
    """Every field that a direction writes, outer ones first."""
    for field in record.fields:
        names = (*prefix, field.name)
        when = field.on if field.on != "always" else on
        yield Written(names, field, when)
        for inner in records_in(field.value):
            yield from writes(inner, names, when)


@dataclass(frozen=True, slots=True)
class Line:
    """One value that a direction writes: where to, and every path that decides it."""

    names: Names
    field: ast.Field
    value: ast.Expr  # the innermost: inside `each`, `when` and written lists
    on: str  # of the field, or of a record around it
    sources: tuple[Read, ...]  # its own paths, and those of the lists and conditions around it
    marks: tuple[Mark, ...] = ()  # the constants that stand beside it and beside the records around it

    @property
    def path(self) -> str:
        """The path as vendors' field lists write it."""
        return ".".join(self.names)


def lines(record: ast.Record) -> list[Line]:
    """Every value that a direction writes; records and lists by what stands in them."""
    return list(_lines(record, ((),), (), "always", _Around()))


@dataclass(frozen=True, slots=True)
class _Around:
    """What the records around a value say of it."""

    reads: tuple[Read, ...] = ()
    marks: tuple[Mark, ...] = ()

    def also(self, reads: Iterable[Read], marks: Iterable[Mark] = ()) -> _Around:
        return _Around((*self.reads, *reads), (*self.marks, *marks))


def _lines(record: ast.Record, scopes: Scope, prefix: Names, on: str, around: _Around) -> Iterator[Line]:
    # A field whose null drops its record decides the fields beside it too.
    dropping = tuple(one for field in record.fields if field.null == "drop" for one in _of(field.value, scopes))
    marks = ((prefix, field.name, field.value.value) for field in record.fields if isinstance(field.value, ast.Const))
    around = around.also(dropping, marks)
    for field in record.fields:
        when = field.on if field.on != "always" else on
        yield from _line(field, field.value, scopes, (*prefix, field.name), when, around)


def _line(field: ast.Field, expr: ast.Expr, scopes: Scope, names: Names, on: str, around: _Around) -> Iterator[Line]:
    if isinstance(expr, ast.Record) and expr.fields:
        yield from _lines(expr, scopes, names, on, around)
    elif isinstance(expr, ast.Each):
        inner = (*scopes, _elements(expr.source, scopes))
        tests = () if expr.where is None else _tests(expr.where, inner)
        listed = (replace(one, listed=True) for one in _of(expr.source, scopes))
        yield from _line(field, expr.body, inner, names, on, around.also((*listed, *tests)))
    elif isinstance(expr, ast.When):
        yield from _line(field, expr.body, scopes, names, on, around.also(_tests(expr.condition, scopes)))
    elif any(True for _ in records_in(expr)):
        tests = () if not isinstance(expr, ast.Branch) else (t for test, _ in expr.cases for t in _tests(test, scopes))
        around = around.also(tests)
        for inner_value in children(expr):
            yield from _line(field, inner_value, scopes, names, on, around)
    else:
        source = expr.source if isinstance(expr, ast.Same) else expr
        seen = scopes[: len(scopes) - expr.rise] if isinstance(expr, ast.Same) else scopes
        yield Line(names, field, expr, on, _once((*around.reads, *_of(source, seen))), around.marks)


def _once(reads: Iterable[Read]) -> tuple[Read, ...]:
    found: list[Read] = []
    for read in reads:
        if read not in found:  # what a selector asks for need not be hashable
            found.append(read)
    return tuple(found)


def overlap(one: Names, other: Names) -> bool:
    """Whether a field is the other one, holds it, or stands in it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def meets(line: Line, read: Read) -> bool:
    """Whether what a line writes is among what a path reads: the same field, of elements that may be the same."""
    if not overlap(line.names, read.names):
        return False
    marks = {(names, name): value for names, name, value in line.marks}
    return all(marks.get((names, name), value) == value for names, name, value in read.picks)


def records_in(expr: ast.Expr) -> Iterator[ast.Record]:
    """The records that a value may be or hold."""
    if isinstance(expr, ast.Record):
        yield expr
    elif isinstance(expr, ast.ListOf):
        for one in expr.elements:
            yield from records_in(one)
    elif isinstance(expr, (ast.Each, ast.When)):
        yield from records_in(expr.body)
    elif isinstance(expr, ast.Default):
        yield from records_in(expr.source)
        yield from records_in(expr.default)
    elif isinstance(expr, ast.Branch):
        for result in (*(one for _, one in expr.cases), *([expr.otherwise] if expr.otherwise else [])):
            yield from records_in(result)


def resolve(path: Path, scopes: Scope) -> Names | None:
    """The field names from the root that a path leads along; None where nobody can know."""
    if path.special:
        return None
    base = scopes[len(scopes) - 1 - path.up]
    return None if base is None else base + tuple(step.name for step in path.steps if isinstance(step, Key))


def _path(path: Path, scopes: Scope, place: ast.Place, tested: bool = False) -> Iterator[Read]:
    names = resolve(path, scopes)
    if names:
        yield Read(names, place, tested, picks=tuple(_picks(path, scopes)))


def _picks(path: Path, scopes: Scope) -> Iterator[Mark]:
    names = scopes[len(scopes) - 1 - path.up] or ()
    for step in path.steps:
        if isinstance(step, Key):
            names = (*names, step.name)
        elif isinstance(step, Pick):
            yield names, step.name, step.value


def _of(expr: ast.Expr, scopes: Scope) -> Iterator[Read]:
    if isinstance(expr, ast.At):
        yield from _path(expr.path, scopes, expr.place)
    elif isinstance(expr, ast.Record):
        for field in expr.fields:
            yield from _of(field.value, scopes)
    elif isinstance(expr, ast.Each):
        yield from _of(expr.source, scopes)
        inner = (*scopes, _elements(expr.source, scopes))
        if expr.where is not None:
            yield from _tests(expr.where, inner)
        yield from _of(expr.body, inner)
    elif isinstance(expr, ast.Compute):
        yield from _computed(expr, scopes)
    elif isinstance(expr, ast.Same):
        return
    else:
        yield from _parts(expr, scopes)


def _parts(expr: ast.Expr, scopes: Scope) -> Iterator[Read]:
    if isinstance(expr, ast.Pipe):
        for call in expr.calls:
            for arg in (*call.args, *(value for _, value in call.named)):
                if isinstance(arg, Path):
                    yield from _path(arg, scopes, call.place)
    if isinstance(expr, ast.When):
        yield from _tests(expr.condition, scopes)
    if isinstance(expr, ast.Branch):
        for condition, _ in expr.cases:
            yield from _tests(condition, scopes)
    if isinstance(expr, ast.Group):
        elements = _elements(expr.source, scopes)
        if elements is not None:
            yield from _path(expr.by, (elements,), expr.place)
    for inner in children(expr):
        yield from _of(inner, scopes)


def children(expr: ast.Expr) -> list[ast.Expr]:
    """The values that a value is made of, in the same scope."""
    found: list[ast.Expr | None] = []
    if isinstance(expr, (ast.Pipe, ast.Code, ast.Flatten, ast.Group)):
        found = [expr.source]
    elif isinstance(expr, ast.Choose):
        found = [expr.source, *(result for _, result in expr.table), expr.otherwise]
    elif isinstance(expr, ast.Branch):
        found = [*(result for _, result in expr.cases), expr.otherwise]
    elif isinstance(expr, ast.When):
        found = [expr.body]
    elif isinstance(expr, ast.Default):
        found = [expr.source, expr.default]
    elif isinstance(expr, ast.First):
        found = list(expr.choices)
    elif isinstance(expr, ast.ListOf):
        found = list(expr.elements)
    elif isinstance(expr, (ast.Join, ast.Format)):
        found = [part for part in expr.parts if not isinstance(part, str)]
    elif isinstance(expr, ast.Lookup):
        found = [source for _, source in expr.inputs]
    elif isinstance(expr, ast.Ref):
        found = [expr.source, expr.scope]
    return [one for one in found if one is not None]


def _elements(source: ast.Expr, scopes: Scope) -> Names | None:
    if isinstance(source, ast.At):
        return resolve(source.path, scopes)
    return _elements(source.source, scopes) if isinstance(source, ast.Flatten) else None


def _tests(condition: ast.Condition, scopes: Scope) -> Iterator[Read]:
    for part in condition.parts:
        if isinstance(part, ast.Condition):
            yield from _tests(part, scopes)
        else:
            for one in _of(part.source, scopes):
                yield replace(one, tested=True)


def _computed(expr: ast.Compute, scopes: Scope) -> Iterator[Read]:
    for path, around in arithmetic.paths(expr.tree):
        inner = scopes
        for outer in around:
            inner = (*inner, resolve(outer, inner))
        yield from _path(path, inner, expr.place)


def every(expr: ast.Expr) -> Iterator[ast.Expr]:
    """The value and everything it is made of."""
    yield expr
    inner: list[ast.Expr] = list(children(expr))
    if isinstance(expr, ast.Record):
        inner = [field.value for field in expr.fields]
    elif isinstance(expr, ast.Each):
        inner = [expr.source, expr.body]
    for one in inner:
        yield from every(one)
