"""The slow twin: walks the tree of a mapping for one message, and can say of every value where it came from.

It defines what a mapping means. The compiled twin is the same, faster; a property test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from landbridge.errors import Finding, Invalid
from landbridge.translator import _ast as ast
from landbridge.translator import _runtime as runtime
from landbridge.translator._paths import Path
from landbridge.translator._shape import Shape
from landbridge.translator._values import MISSING, Refused, kind_of
from landbridge.translator._walk import Scope, Step, Walk, there

_MEND = "Mend it at the source or change the mapping there, then replay it."


@dataclass(slots=True)
class Interpreter(Walk):
    """The meaning of every form."""

    def run(self, record: ast.Record, message: Mapping[str, Any]) -> dict[str, Any]:
        """The result for the message; raises Invalid with everything that is wrong with it."""
        if not isinstance(message, dict):
            text = f"the message is {kind_of(message)}, a record is needed."
            raise Invalid([Finding("", "type", text, "Look at what the source sent.", str(record.place))])
        self._scopes = [Scope(message, "", "")]
        found = self._record(record)
        if self.findings:
            raise Invalid(self.findings)
        return found if isinstance(found, dict) else {}

    def _at(self, expr: ast.At) -> Any:
        return self._path(expr.path)

    def _const(self, expr: ast.Const) -> Any:
        return expr.value

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
        name = f"{outer.name}.{label(expr)}[]" if outer.name else f"{label(expr)}[]"
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
            if part.null == "drop" and not there(states[part.name]):
                return MISSING
        if record.whole:
            return found
        lead = leading(record)
        if lead and not there(states[lead]):
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
        self.findings.append(Finding(path or target, error.rule, text, hint or _MEND, str(part.place)))

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


def leading(record: ast.Record) -> str:
    """The field without which a measure is none: money's amount, a quantity's value."""
    names = {part.name for part in record.fields}
    if {"amount", "currency"} <= names:
        return "amount"
    return "value" if {"value", "unit"} <= names else ""


def label(expr: ast.Each) -> str:
    """What an error calls the list of an `each`."""
    source = expr.source
    while isinstance(source, (ast.Pipe, ast.Group, ast.Flatten)):
        source = source.source
    return str(source.path) if isinstance(source, ast.At) else f"<{source.place.line}:{source.place.column}>"


def _said(name: str, error: Refused) -> Refused:
    return Refused(f"{name}: {error.message}", error.hint, error.rule)
