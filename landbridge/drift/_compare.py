"""What changed between two descriptions of an entity, and what of it stops a mapping line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from landbridge.connector import Field, Fields
from landbridge.drift._uses import Use, Used
from landbridge.errors import ConfigError
from landbridge.strict import did_you_mean
from landbridge.translator import _ast as ast
from landbridge.translator import lines
from landbridge.translator._lint import VENDOR, type_of, words_of
from landbridge.translator._shape import Shape
from landbridge.translator._tables import Tables
from landbridge.translator._usage import every

ALIKE = 0.6
"""From this similarity of names on, a new field of the same type may be a renamed one."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed; with `routes` it stops these, without it is told and no more."""

    system: str
    entity: str
    field: str
    kind: str  # gone, retyped, shortened, read_only, required, codes, entity; new and changed are told only
    message: str
    hint: str = ""
    lines: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    form: str = ""  # what the lines said: a change of theirs is an answer
    reading: bool = False
    renamed: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same change the next time."""
        return self.system, self.entity, self.field, self.kind

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


def compare(used: Used, was: Fields | None, now: Fields, renamed: dict[str, str], today: date) -> list[Change]:
    """Every change since `was` (None: at first contact), those that stop a route first; `renamed` is known before."""
    return _Comparison(used, was, now, renamed, today).changes()


class _Comparison:
    def __init__(self, used: Used, was: Fields | None, now: Fields, renamed: dict[str, str], today: date) -> None:
        self.used, self.was, self.now = used, was, now
        self.before = dict(was.fields) if was is not None else {}
        self.renamed, self.today = renamed, today
        self.parents = {name[:at] for name in now.fields for at in range(len(name)) if name[at] == "."}

    def changes(self) -> list[Change]:
        stopping = list(_joined([*self.stopped(), *self.required()]))
        settled = {change.field for change in stopping} | {change.renamed for change in stopping}
        return stopping + (list(self.told(settled)) if self.was is not None else [])

    # -- what stops a line

    def stopped(self) -> Iterator[Change]:
        for uses in (self.used.reads, self.used.writes):
            for path, found in uses.items():
                for use in found:
                    yield from self.use(path, use)

    def use(self, path: str, use: Use) -> Iterator[Change]:
        field = self.now.fields.get(path)
        if field is None:
            if path not in self.parents and (path in self.before or (self.judged(path) and not self.other(path, use))):
                yield self.gone(path, use)
            return
        before = self.before.get(path)
        if use.written:
            yield from self.written(path, use, field, before)
        elif before is not None and _retyped(before, field):
            yield self.change("retyped", path, use, f"was {before.type} and is {field.type}", "Look at what reads it.")

    def judged(self, path: str) -> bool:
        """Whether the description knows the record that the field would stand in."""
        parent = path.rpartition(".")[0]
        return not parent or parent in self.parents

    def other(self, path: str, use: Use) -> bool:
        """Whether the line takes the first of several fields of which another one is there."""
        several = any(isinstance(one, ast.First) for one in every(use.line.value))
        return several and any(one.path != path and one.path in self.now.fields for one in use.line.sources)

    def gone(self, path: str, use: Use) -> Change:
        other = self.renamed.get(path) or self.successor(path)
        if other:
            both = f"; {{first: [{other}, {path}]}} reads what was received before too" if not use.written else ""
            hint = f"'{other}' is new and like it: was it renamed? Then write {other} there{both}."
        else:
            hint = did_you_mean(path, self.now.fields) or "Take the lines off, or ask for the field back."
        change = self.change("gone", path, use, "is not there any more", hint)
        if not self.other(path, use):
            change = replace(change, form="")  # no edit helps but one that does without it
        if path not in self.before:
            change = replace(change, message=f"{self.now.native} has no field '{path}'.")
        return replace(change, renamed=other)

    def successor(self, path: str) -> str:
        """The new field that a field which is gone may have become: of its type, with its label or a name like it."""
        old = self.before.get(path)
        if old is None:
            return ""
        parent, _, own = path.rpartition(".")
        found = []
        for name, field in self.now.fields.items():
            around, _, short = name.rpartition(".")
            if name in self.before or around != parent or field.type != old.type:
                continue
            same = bool(old.label) and old.label == field.label
            alike = SequenceMatcher(None, own.casefold(), short.casefold()).ratio()
            if same or alike >= ALIKE:
                found.append((same, alike, name))
        return max(found)[2] if found else ""

    def written(self, path: str, use: Use, field: Field, before: Field | None) -> Iterator[Change]:
        on, value = use.line.on, use.line.value
        if not field.creatable and not field.updatable:
            yield self.change("read_only", path, use, "is read-only", "Take the line off, or ask for the right.")
        elif not field.creatable and on != "update" and set(use.routes) & self.used.creating:
            yield self.change("read_only", path, use, "cannot be written at creation any more", "Add `on: update`.")
        elif not field.updatable and on != "create" and len(use.line.names) == 1:
            yield self.change("read_only", path, use, "cannot be changed later any more", "Add `on: create`.")
        kind, (wanted, fits) = type_of(value), VENDOR.get(field.type, ("any", frozenset()))
        if before is not None and _retyped(before, field):
            said = f"was {before.type} and is {field.type}"
            change = self.change("retyped", path, use, said, f"It wants a {wanted} now: look at what is written.")
            yield change if not fits or kind in fits else replace(change, form="")  # no edit but the right one helps
        elif fits and kind not in fits:
            said = f"is {field.type} and we write a {kind}"
            yield replace(self.change("retyped", path, use, said, f"Convert it to a {wanted}."), form="")
        alike = before is not None and before.type == field.type
        if before is not None and alike and field.length and (before.length or field.length + 1) > field.length:
            most = longest(value, self.used.mapping.tables, self.shape(use))
            if most is None or most > field.length:
                text = f"took {before.length or 'any number of'} signs and takes {field.length}"
                hint = f"Say what happens to more: fits({field.length}) or cut({field.length})."
                yield self.change("shortened", path, use, text, hint)
        missing = sorted(set(produced(value, self.used.mapping.tables, self.today)) - set(field.codes))
        if field.codes and missing:
            words = ", ".join(f"'{word}'" for word in missing)
            hint = did_you_mean(missing[0], field.codes) or f"Known: {', '.join(field.codes[:8])}."
            yield self.change("codes", path, use, f"does not take {words}, which we write", hint)

    def shape(self, use: Use) -> Shape | None:
        """The canonical place of a value that is one path and no more."""
        own = [one for one in use.line.sources if not one.listed and not one.tested]
        shape = self.used.mapping.shape
        return shape.at(*own[0].names) if shape is not None and len(own) == 1 else None

    def required(self) -> Iterator[Change]:
        outward = self.used.mapping.outward
        if outward is None or not self.used.creating:
            return
        filled = {line.path for line in lines(outward.record) if line.on != "update"}
        inside = {name[:at] for name in filled for at in range(len(name)) if name[at] == "."}
        for name, field in self.now.fields.items():
            parent = name.rpartition(".")[0]
            if not field.required or not field.creatable or name in filled or name in inside:
                continue
            if parent and parent not in inside:
                continue
            place = outward.record.place
            line = f"{place.file}:{place.line}:{place.column}"
            text = f"{self.now.native}.{name} is required for a new record and is not written."
            routes = tuple(sorted(self.used.creating))
            hint = "Write it, or a {const: …}."
            yield Change(self.used.system, self.used.entity, name, "required", text, hint, (line,), routes)

    def change(self, kind: str, path: str, use: Use, said: str, hint: str) -> Change:
        text = f"{self.now.native}.{path} {said}."
        one = self.used
        return Change(
            one.system, one.entity, path, kind, text, hint, (use.place,), use.routes, use.form, not use.written
        )

    # -- what is told and no more

    def told(self, settled: set[str]) -> Iterator[Change]:
        for name, field in self.now.fields.items():
            if name not in settled and name not in self.before:
                size = f", {field.length} signs" if field.length else ""
                label = f", '{field.label}'" if field.label else ""
                yield self.news("new", name, f"is new ({field.type}{size}{label})")
        for name, old in self.before.items():
            if name in settled:
                continue
            present = self.now.fields.get(name)
            if present is None:
                yield self.news("changed", name, "is not there any more; no route needs it")
            elif said := "; ".join(_differences(old, present)):
                yield self.news("changed", name, said)

    def news(self, kind: str, name: str, said: str) -> Change:
        return Change(self.used.system, self.used.entity, name, kind, f"{self.now.native}.{name} {said}.")


def _joined(changes: Iterable[Change]) -> Iterator[Change]:
    """One change per field and kind, with all lines and routes."""
    found: dict[tuple[str, str, str, str], Change] = {}
    for one in changes:
        known = found.get(one.key)
        if known is None:
            found[one.key] = one
            continue
        found[one.key] = replace(
            known,
            lines=tuple(dict.fromkeys((*known.lines, *one.lines))),
            routes=tuple(sorted({*known.routes, *one.routes})),
            form="+".join(sorted({*known.form.split("+"), one.form})),
            reading=known.reading or one.reading,
        )
    yield from found.values()


def _retyped(before: Field, now: Field) -> bool:
    return before.type != now.type and "any" not in (before.type, now.type)


def _differences(was: Field, now: Field) -> Iterator[str]:
    if was.type != now.type:
        yield f"was {was.type} and is {now.type}"
    if was.length != now.length:
        yield f"took {was.length or 'any number of'} signs and takes {now.length or 'any number'}"
    if (was.required, was.creatable, was.updatable) != (now.required, now.creatable, now.updatable):
        words = [word for word in ("required", "creatable", "updatable") if getattr(was, word) != getattr(now, word)]
        yield " and ".join(f"is {'' if getattr(now, word) else 'not '}{word} now" for word in words)
    if was.codes and now.codes and was.codes != now.codes:
        for word, one, other in (("lost", was, now), ("has the new", now, was)):
            if codes := sorted(set(one.codes) - set(other.codes)):
                yield f"{word} {'value' if len(codes) == 1 else 'values'} {', '.join(codes)}"


def longest(expr: ast.Expr, tables: Tables, shape: Shape | None) -> int | None:
    """How many signs a text may have at most; None where nobody can say."""
    if isinstance(expr, ast.When | ast.Default):
        inner = expr.body if isinstance(expr, ast.When) else expr.source
        sizes = [longest(inner, tables, shape)]
        if isinstance(expr, ast.Default):
            sizes.append(longest(expr.default, tables, None))
        return None if None in sizes else max(size for size in sizes if size is not None)
    if isinstance(expr, ast.Pipe):
        return next((_bound(call) for call in reversed(expr.calls) if call.function.name in ("fits", "cut")), None)
    if isinstance(expr, ast.At):
        return shape.length if shape is not None else None
    words = list(words_of(expr, tables, forward=False))
    return max(len(str(word)) for word in words) if words and isinstance(expr, ast.Const | ast.Code) else None


def _bound(call: ast.Call) -> int | None:
    given: tuple[Any, ...] = (*call.args, *(value for _, value in call.named))
    return next((int(one) for one in given if isinstance(one, int)), None)


def produced(expr: ast.Expr, tables: Tables, today: date) -> Iterator[str]:
    """The fixed words that are written today; a code list gives what its preferred rows say."""
    if isinstance(expr, ast.Code):
        try:
            words = tables.codes(expr.name).backward(today).values() if tables.has("codes", expr.name) else ()
        except ConfigError:
            words = ()  # told with the table
        yield from (word for word in words if isinstance(word, str))
    elif isinstance(expr, ast.When | ast.Default):
        yield from produced(expr.body if isinstance(expr, ast.When) else expr.source, tables, today)
        if isinstance(expr, ast.Default):
            yield from produced(expr.default, tables, today)
    else:
        yield from (word for word in words_of(expr, tables, forward=False) if isinstance(word, str))
