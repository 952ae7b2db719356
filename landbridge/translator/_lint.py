"""Looks for what cannot work before a message comes: against the canonical model, the tables and a vendor's field list.

Problems stop `landbridge check`; warnings tell what may be meant. Everything of every file is said at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from landbridge.errors import ConfigError, Problem
from landbridge.strict import did_you_mean
from landbridge.translator import _ast as ast
from landbridge.translator._mapping import Direction, Mapping
from landbridge.translator._shape import Shape
from landbridge.translator._tables import Tables
from landbridge.translator._tests import test_problems
from landbridge.translator._usage import Line, Read, Written, every, lines, overlap, reads, records_in, writes

if TYPE_CHECKING:
    from landbridge.connector import Field, Fields

FITS: dict[str, frozenset[str]] = {  # canonical type -> what may be written into it
    "text": frozenset({"text", "any", "decimal", "null"}),
    "date": frozenset({"text", "any", "null"}),
    "instant": frozenset({"text", "any", "null"}),
    "decimal": frozenset({"text", "decimal", "any", "null"}),
    "integer": frozenset({"number", "any", "null"}),
    "number": frozenset({"number", "any", "null"}),
    "boolean": frozenset({"boolean", "any", "null"}),
    "record": frozenset({"record", "any", "null", "decimal"}),
    "list": frozenset({"list", "any", "null"}),
}
VENDOR: dict[str, tuple[str, frozenset[str]]] = {  # a vendor's type -> ours, and what may be written into it
    "string": ("text", FITS["text"]),
    "integer": ("integer", FITS["integer"]),
    "decimal": ("decimal", FITS["decimal"] | FITS["number"]),  # some vendors write decimals as text, some as numbers
    "boolean": ("boolean", FITS["boolean"]),
    "date": ("date", FITS["date"]),
    "datetime": ("instant", FITS["instant"]),
    "time": ("text", FITS["text"]),
    "array": ("list", FITS["list"]),
    "mapping": ("record", FITS["record"]),
}
SHORTENS = frozenset({"cut", "fits", "pad", "pad_right", "split_words", "part", "date_as", "at"})


@dataclass(slots=True)
class Report:
    """What lint found in some mappings."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Take over what another report says."""
        self.problems += other.problems
        self.warnings += other.warnings


def lint(
    mappings: Iterable[Mapping],
    fields: dict[str, Fields] | None = None,
    fed: dict[str, set[tuple[str, ...]]] | None = None,
) -> Report:
    """Everything that is wrong or doubtful; `fields` holds a vendor's field list by the mapping's name, where known.

    `fed` holds, by the mapping's name, the canonical fields that other systems bring to it, where that is known.
    """
    report = Report()
    for mapping in mappings:
        report.add(_Lint(mapping, (fields or {}).get(mapping.name), (fed or {}).get(mapping.name)).report())
    report.problems = sorted(dict.fromkeys(report.problems))
    report.warnings = sorted(dict.fromkeys(report.warnings))
    return report


class _Lint:
    def __init__(self, mapping: Mapping, fields: Fields | None, fed: set[tuple[str, ...]] | None) -> None:
        self.mapping = mapping
        self.fields = fields
        self.fed = fed
        self.found = Report()
        outward = mapping.outward
        self.canonical = {} if outward is None else {read.place: read.names for read in reads(outward.record)}

    def report(self) -> Report:
        mapping = self.mapping
        self.found.problems += test_problems(mapping)
        if mapping.inward is not None:
            if mapping.shape is not None:
                self.record(mapping.inward.record, mapping.shape, "")
            self.tables(mapping.inward, mapping.tables)
        if mapping.outward is not None:
            if mapping.shape is not None:
                self.canonical_reads(mapping.outward.record, mapping.shape)
            self.tables(mapping.outward, mapping.tables)
        if self.fields is not None:
            self.vendor(self.fields)
        return self.found

    def problem(self, place: ast.Place, message: str, hint: str = "") -> None:
        self.found.problems.append(Problem(place.file, place.line, place.column, message, hint))

    def warning(self, place: ast.Place, message: str, hint: str = "") -> None:
        self.found.warnings.append(Problem(place.file, place.line, place.column, message, hint))

    # -- against the canonical model

    def record(self, record: ast.Record, shape: Shape, at: str) -> None:
        for part in record.fields:
            path = f"{at}.{part.name}" if at else part.name
            child = shape.fields.get(part.name)
            if child is None:
                if not shape.open and shape.fields:
                    hint = did_you_mean(part.name, shape.fields)
                    self.problem(part.place, f"{self.mapping.entity} has no field '{path}'.", hint or "Use extensions.")
                continue
            self.value(part.value, child, path)
        missing = [name for name, child in shape.fields.items() if child.required]
        for name in missing:
            if all(part.name != name for part in record.fields):
                path = f"{at}.{name}" if at else name
                self.problem(record.place, f"the required field '{path}' is not written.", "Write it, or a {const: …}.")

    def value(self, expr: ast.Expr, shape: Shape, path: str) -> None:
        kind = type_of(expr)
        if kind not in FITS.get(shape.type, frozenset({kind})):
            text = f"{path} is {_a(shape.type)}, this gives {_a(kind)}."
            self.problem(expr.place, text, _conversion(shape.type))
            return
        for word in words_of(expr, self.mapping.tables):
            if shape.words and isinstance(word, str) and word not in shape.words:
                hint = did_you_mean(word, shape.words) or f"Known: {', '.join(shape.words)}."
                self.problem(expr.place, f"{path} cannot be '{word}'.", hint)
        inner = shape.element if shape.type == "list" else shape
        if inner is not None and inner.type == "record":
            for record in records_in(expr):
                self.record(record, inner, f"{path}[]" if shape.type == "list" else path)

    def canonical_reads(self, record: ast.Record, shape: Shape) -> None:
        for read in reads(record):
            self.canonical_read(read, shape)

    def canonical_read(self, read: Read, shape: Shape) -> None:
        here = shape
        for number, name in enumerate(read.names):
            while here.type == "list" and here.element is not None:
                here = here.element
            child = here.fields.get(name)
            if child is None:
                if here.open and not (here.type in FITS and here.type not in ("record", "list")):
                    return
                path = ".".join(read.names[: number + 1])
                hint = did_you_mean(name, here.fields)
                self.problem(read.place, f"{self.mapping.entity} has no field '{path}'.", hint)
                return
            here = child

    # -- against code lists and decision tables

    def tables(self, direction: Direction, tables: Tables) -> None:
        for expr in every(direction.record):
            if isinstance(expr, ast.Code):
                self.code(expr, direction.forward, tables)
            elif isinstance(expr, ast.Lookup):
                self.lookup(expr, tables)

    def code(self, expr: ast.Code, forward: bool, tables: Tables) -> None:
        if not tables.has("codes", expr.name):
            hint = did_you_mean(expr.name, tables.names("codes")) or f"Write config/codes/{expr.name}.yaml."
            self.problem(expr.place, f"there is no code list '{expr.name}'.", hint)
            return
        try:
            codes = tables.codes(expr.name)
        except ConfigError:
            return  # its own problems are told with the table
        for word, natives in codes.lossy() if not forward else ():
            words = " or ".join(str(one) for one in natives)
            hint = f"Mark one row `preferred: true` in {codes.file}."
            self.problem(expr.place, f"'{word}' has no clear way back in {expr.name}: {words}?", hint)

    def lookup(self, expr: ast.Lookup, tables: Tables) -> None:
        if not tables.has("determine", expr.table):
            hint = did_you_mean(expr.table, tables.names("determine")) or f"Write config/determine/{expr.table}.yaml."
            self.problem(expr.place, f"there is no decision table '{expr.table}'.", hint)
            return
        try:
            table = tables.decisions(expr.table)
        except ConfigError:
            return
        given = {name for name, _ in expr.inputs}
        for name in sorted(given - set(table.inputs)):
            self.problem(expr.place, f"{expr.table} has no input '{name}'.", did_you_mean(name, table.inputs))
        for name in sorted(set(table.inputs) - given):
            self.problem(expr.place, f"{expr.table} needs the input '{name}'.", "Give it under `with:`.")
        if expr.take and expr.take not in table.outputs:
            hint = did_you_mean(expr.take, table.outputs)
            self.problem(expr.place, f"{expr.table} has no output '{expr.take}'.", hint)

    # -- against a vendor's field list

    def vendor(self, fields: Fields) -> None:
        known = set(fields.fields)
        parents = {name[:at] for name in known for at in range(len(name)) if name[at] == "."}
        if self.mapping.inward is not None:
            for read in reads(self.mapping.inward.record):
                if read.names and read.names[-1].startswith("@"):
                    continue  # made by the connector, no field of the vendor's
                if read.path not in known and read.path not in parents and _known_parent(read.names, parents):
                    self.unknown(fields, read.path, read.place)
        if self.mapping.outward is not None:
            written = [one for one in writes(self.mapping.outward.record) if not one.names[-1].startswith("@")]
            for one in written:
                self.vendor_field(fields, one, parents)
            self.vendor_required(fields, {one.path for one in written if one.on != "update"})
            if self.mapping.inward is not None:
                self.lost(fields, {one.path for one in written})

    def unknown(self, fields: Fields, path: str, place: ast.Place) -> None:
        hint = did_you_mean(path, fields.fields) or "Ask the system for its fields again if it is new."
        self.problem(place, f"{fields.native} has no field '{path}'.", hint)

    def vendor_field(self, fields: Fields, one: Written, parents: set[str]) -> None:
        field_ = fields.fields.get(one.path)
        place = one.field.place
        if field_ is None:
            if one.path not in parents and _known_parent(one.names, parents):
                self.unknown(fields, one.path, place)
            return
        if not field_.creatable and not field_.updatable:
            self.problem(place, f"{fields.native}.{one.path} is read-only.", "Take the line off.")
        elif not field_.creatable and one.on != "update":
            self.problem(place, f"{fields.native}.{one.path} cannot be written at creation.", "Add `on: update`.")
        elif not field_.updatable and one.on != "create" and len(one.names) == 1:  # further in, an element is made anew
            self.problem(place, f"{fields.native}.{one.path} cannot be changed later.", "Add `on: create`.")
        self.vendor_value(fields, one, field_)

    def vendor_value(self, fields: Fields, one: Written, field_: Field) -> None:
        expr, place = one.field.value, one.field.place
        kind = type_of(expr)
        wanted, allowed = VENDOR.get(field_.type, ("any", frozenset({kind})))
        if kind not in allowed:
            text = f"{fields.native}.{one.path} is {_a(wanted)}, this gives {_a(kind)}."
            self.problem(expr.place, text, _conversion(wanted))
        if field_.length is None:
            return
        for word in words_of(expr, self.mapping.tables, forward=False):
            if isinstance(word, str) and len(word) > field_.length:
                text = f"'{word}' is longer than the {field_.length} signs of {fields.native}.{one.path}."
                self.problem(place, text, "Shorten it.")
        length = self.length_of(expr)
        if length is not None and length > field_.length:
            text = f"up to {length} signs may come, {fields.native}.{one.path} takes {field_.length}."
            self.warning(place, text, f"Say what happens to more: fits({field_.length}) or cut({field_.length}).")

    def length_of(self, expr: ast.Expr) -> int | None:
        """How long the text of a plain canonical path may be; None where that cannot be said or was seen to."""
        shape = self.mapping.shape
        while isinstance(expr, (ast.Pipe, ast.Default, ast.When)):
            if isinstance(expr, ast.Pipe) and any(call.function.name in SHORTENS for call in expr.calls):
                return None
            expr = expr.body if isinstance(expr, ast.When) else expr.source
        if not isinstance(expr, ast.At) or shape is None:
            return None
        names = self.canonical.get(expr.place)
        here = shape.at(*names) if names else None
        return here.length if here is not None and not here.words else None

    def vendor_required(self, fields: Fields, written: set[str]) -> None:
        assert self.mapping.outward is not None
        for name, field_ in fields.fields.items():
            parent = name.rpartition(".")[0]
            if field_.required and field_.creatable and name not in written and (not parent or parent in written):
                text = f"the required field {fields.native}.{name} is not written."
                self.problem(self.mapping.outward.record.place, text, "Write it, or a {const: …}.")

    def lost(self, fields: Fields, written: set[str]) -> None:
        """What another system may change, and no field that is written here carries."""
        assert self.mapping.inward is not None
        carried = {read.names for read in self.canonical_sources() if not read.listed}
        for line in lines(self.mapping.inward.record):
            if any(overlap(line.names, one) for one in carried):
                continue
            if self.fed is not None and not any(overlap(line.names, one) for one in self.fed):
                continue
            self.lost_line(fields, line, written)

    def canonical_sources(self) -> Iterator[Read]:
        assert self.mapping.outward is not None
        for line in lines(self.mapping.outward.record):
            yield from line.sources

    def lost_line(self, fields: Fields, line: Line, written: set[str]) -> None:
        for read in line.sources:
            field_ = fields.fields.get(read.path)
            if field_ is None or not (field_.updatable and field_.creatable) or read.tested:
                continue
            if read.path not in written:
                text = f"{fields.native}.{read.path} is read but never written back, though it could be."
                self.warning(read.place, text, "Write it in `out:` if changes elsewhere must reach this system.")


def _known_parent(names: tuple[str, ...], parents: set[str]) -> bool:
    """Whether the field list knows the record that the field would stand in; what it does not list it cannot judge."""
    return len(names) == 1 or ".".join(names[:-1]) in parents


def type_of(expr: ast.Expr) -> str:
    """What a value will be, as far as its form tells."""
    if isinstance(expr, ast.Const):
        return _kind(expr.value)
    if isinstance(expr, ast.Pipe):
        returns = expr.calls[-1].function.returns
        return "text" if returns == "decimal" and expr.calls[-1].function.name in ("round", "floor") else returns
    if isinstance(expr, (ast.Record, ast.Ref)):
        return "record"
    if isinstance(expr, (ast.Each, ast.ListOf, ast.Flatten, ast.Group)):
        return "list"
    if isinstance(expr, (ast.Join, ast.Format)):
        return "text"
    if isinstance(expr, ast.Compute):
        return "decimal"
    if isinstance(expr, ast.When):
        return type_of(expr.body)
    if isinstance(expr, ast.Same):
        return type_of(expr.source)
    if isinstance(expr, ast.Choose):
        kinds = {type_of(result) for _, result in expr.table}
        return kinds.pop() if len(kinds) == 1 else "any"
    return type_of(expr.source) if isinstance(expr, ast.Default) else "any"


def words_of(expr: ast.Expr, tables: Tables, *, forward: bool = True) -> Iterator[Any]:
    """The fixed words that a value may be."""
    if isinstance(expr, ast.Const):
        yield expr.value
    elif isinstance(expr, ast.Choose):
        for result in (*(one for _, one in expr.table), *([expr.otherwise] if expr.otherwise else [])):
            yield from words_of(result, tables, forward=forward)
    elif isinstance(expr, ast.Branch):
        for result in (*(one for _, one in expr.cases), *([expr.otherwise] if expr.otherwise else [])):
            yield from words_of(result, tables, forward=forward)
    elif isinstance(expr, ast.When):
        yield from words_of(expr.body, tables, forward=forward)
    elif isinstance(expr, ast.Default):
        yield from words_of(expr.source, tables, forward=forward)
        yield from words_of(expr.default, tables, forward=forward)
    elif isinstance(expr, ast.Code) and tables.has("codes", expr.name):
        try:
            yield from (row.canonical if forward else row.native for row in tables.codes(expr.name).rows)
        except ConfigError:
            return  # its own problems are told with the table


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, (int, float)) else "list" if isinstance(value, list) else "record"


def _a(kind: str) -> str:
    names = {"boolean": "true or false", "integer": "a whole number", "instant": "an instant", "null": "null"}
    return names.get(kind, f"a {kind}")


def _conversion(kind: str) -> str:
    hints = {
        "text": "Add | text.",
        "number": "Add | number.",
        "integer": "Add | integer.",
        "boolean": "Add | boolean.",
        "decimal": "Add | decimal.",
        "list": "Add | as_list, or use each.",
    }
    return hints.get(kind, "")
