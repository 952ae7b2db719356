"""One mapping, ready to translate: each direction compiled when first used."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Record
from dataclasses import dataclass, field
from decimal import DecimalException
from threading import Lock
from typing import Any

from landbridge.errors import LandbridgeError
from landbridge.strict import Node
from landbridge.translator import _ast as ast
from landbridge.translator._context import Context
from landbridge.translator._emit import Compiled, compile_record, source_of
from landbridge.translator._interpret import Interpreter
from landbridge.translator._shape import Shape
from landbridge.translator._tables import Tables
from landbridge.translator._usage import reads, writes
from landbridge.translator._values import Refused
from landbridge.translator._walk import Step

LEARN_AFTER = 2  # messages without a certain field, before the field is read with care


@dataclass(slots=True)
class Direction:
    """`in:` or `out:` of a mapping."""

    record: ast.Record
    forward: bool
    tables: Tables
    shape: Shape | None
    entity: str
    optional: frozenset[str]
    _fast: Compiled | None = None
    _missed: dict[str, int] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock)

    def run(self, message: Record[str, Any], context: Context, creating: bool) -> dict[str, Any]:
        """The result for one message; raises Invalid with everything that is wrong with it."""
        fast = self._fast
        if fast is None:
            fast = self._compile()
        try:
            return fast(message, context, creating)
        except LandbridgeError:
            raise
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, DecimalException, Refused):
            return self.slow(message, context, creating)

    def slow(self, message: Record[str, Any], context: Context, creating: bool) -> dict[str, Any]:
        """The same by the slow twin, which learns which paths are missing now and then."""
        walk = self.interpreter(context, creating)
        result = walk.run(self.record, message)
        self._learn(walk.missing)
        return result

    def interpreter(self, context: Context, creating: bool) -> Interpreter:
        """The slow twin for one message."""
        return Interpreter(context, self.tables, self.forward, creating, self.shape, self.entity)

    def source(self) -> str:
        """The Python that runs now, to read."""
        return source_of(self.record, self.tables, self.forward, self.optional)

    def _compile(self) -> Compiled:
        fast = compile_record(self.record, self.tables, self.forward, self.optional)
        self._fast = fast
        return fast

    def _learn(self, missing: set[str]) -> None:
        with self._lock:
            for name in missing - self.optional:
                self._missed[name] = self._missed.get(name, 0) + 1
            often = {name for name, times in self._missed.items() if times >= LEARN_AFTER}
            if often - self.optional:
                self.optional = self.optional | often
                self._compile()


@dataclass(slots=True)
class Mapping:
    """How one entity of one system becomes canonical and the other way round."""

    name: str  # product or instance / entity, as the folder and file say
    file: str
    entity: str
    native: str
    node: Node
    tests: tuple[Node, ...]
    digest: str
    inward: Direction | None
    outward: Direction | None
    tables: Tables
    shape: Shape | None

    def read(self, native: Record[str, Any], context: Context) -> dict[str, Any]:
        """The canonical body of a native one; raises Invalid."""
        return self._need(self.inward, "in").run(native, self._rated(context), True)

    def write(self, canonical: Record[str, Any], context: Context, *, creating: bool) -> dict[str, Any]:
        """The target's body of a resolved canonical one; raises Invalid, or MissingParent as the context says."""
        return self._need(self.outward, "out").run(canonical, self._rated(context), creating)

    def explain(
        self, message: Record[str, Any], context: Context, *, direction: str, creating: bool = True
    ) -> list[Step]:
        """Every value of the result with the line that wrote it and the paths it was read from; raises Invalid."""
        chosen = self._need(self.inward if direction == "in" else self.outward, direction)
        walk = chosen.interpreter(self._rated(context), creating)
        walk.run(chosen.record, message)
        return walk.steps

    def sources(self) -> dict[str, list[str]]:
        """The native paths that `in:` reads, each with the lines (file:line) that read it."""
        return _lines((one.path, one.place) for one in (reads(self.inward.record) if self.inward else ()))

    def targets(self) -> dict[str, list[str]]:
        """The native fields that `out:` writes, each with the lines (file:line) that write it."""
        written = writes(self.outward.record) if self.outward else ()
        return _lines((one.path, one.field.place) for one in written if not one.names[-1].startswith("@"))

    def _rated(self, context: Context) -> Context:
        """The context with the project's rates, where it brings none of its own."""
        if context.rates is None:
            context.rates = self.tables.rates()
        return context

    def _need(self, direction: Direction | None, name: str) -> Direction:
        if direction is None:
            raise LandbridgeError(f"{self.file} has no `{name}:`.", hint="Add it, or take the flow's other side off.")
        return direction


def _lines(found: Iterable[tuple[str, ast.Place]]) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for path, place in found:
        known = lines.setdefault(path, [])
        if str(place) not in known:
            known.append(str(place))
    return lines
