"""What a mapping says, as typed values: the tree that both twins, the lint and the documentation read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landbridge.translator._paths import Path

if TYPE_CHECKING:
    from landbridge.translator._registry import Function


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file a thing is written."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expr:
    """Anything that yields a value, null, or nothing."""

    place: Place


@dataclass(frozen=True, slots=True)
class At(Expr):
    """The value at a path."""

    path: Path


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A fixed JSON value."""

    value: Any


@dataclass(frozen=True, slots=True)
class Call:
    """One function of a pipe with its arguments: literals, or paths written `$path`."""

    function: Function
    args: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...]
    place: Place

    @property
    def has_paths(self) -> bool:
        """Whether an argument is taken from the message."""
        return any(isinstance(arg, Path) for arg in (*self.args, *(value for _, value in self.named)))


@dataclass(frozen=True, slots=True)
class Pipe(Expr):
    """A value sent through functions, from left to right; null and missing pass by them."""

    source: Expr
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Code(Expr):
    """A value translated by a code list."""

    source: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Choose(Expr):
    """A value translated by a table that stands in the mapping itself."""

    source: Expr
    table: tuple[tuple[Any, Expr], ...]
    otherwise: Expr | None


@dataclass(frozen=True, slots=True)
class Branch(Expr):
    """The first case whose condition holds."""

    cases: tuple[tuple[Condition, Expr], ...]
    otherwise: Expr | None


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a condition."""

    source: Expr
    operator: str  # in | not_in | exists | missing | empty | not_empty | gt | ge | lt | le | starts | ends | contains
    value: Any
    place: Place


@dataclass(frozen=True, slots=True)
class Condition:
    """Tests that must hold together (`all`), or of which one is enough (`any`), or none may (`none`)."""

    mode: str
    parts: tuple[Test | Condition, ...]


@dataclass(frozen=True, slots=True)
class When(Expr):
    """A value that is there only if the condition holds."""

    condition: Condition
    body: Expr


@dataclass(frozen=True, slots=True)
class Default(Expr):
    """A value, or another one where it is null or missing."""

    source: Expr
    default: Expr


@dataclass(frozen=True, slots=True)
class First(Expr):
    """The first of several that is neither missing, nor null, nor empty text."""

    choices: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Join(Expr):
    """Texts joined; those missing, null or empty are passed over."""

    parts: tuple[Expr, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class Format(Expr):
    """A text with values in it; null if one of them is."""

    parts: tuple[str | Expr, ...]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal operand."""

    text: str


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand from the message."""

    path: Path


@dataclass(frozen=True, slots=True)
class Binary:
    """left operator right."""

    operator: str
    left: Arithmetic
    right: Arithmetic


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus an operand."""

    operand: Arithmetic


@dataclass(frozen=True, slots=True)
class Round:
    """An operand rounded half up to a number of places."""

    operand: Arithmetic
    places: int


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of an expression over the elements of a list; inside, paths start at the element."""

    path: Path
    body: Arithmetic


@dataclass(frozen=True, slots=True)
class Pickest:
    """The smallest or largest of several, or the absolute value of one."""

    name: str
    operands: tuple[Arithmetic, ...]


Arithmetic = Number | Operand | Binary | Negative | Round | Sum | Pickest


@dataclass(frozen=True, slots=True)
class Compute(Expr):
    """An exact decimal computed from the message; null if an operand is null, missing if one is missing."""

    tree: Arithmetic


@dataclass(frozen=True, slots=True)
class Lookup(Expr):
    """What a decision table says about some inputs."""

    table: str
    inputs: tuple[tuple[str, Expr], ...]
    take: str  # "" for the whole record of outputs


@dataclass(frozen=True, slots=True)
class Ref(Expr):
    """A typed reference to a record of the system that the message came from."""

    entity: str
    source: Expr
    scope: Expr | None


@dataclass(frozen=True, slots=True)
class Flatten(Expr):
    """A list of lists as one list."""

    source: Expr


@dataclass(frozen=True, slots=True)
class Group(Expr):
    """A list as groups {key, rows}, in the order in which the keys first appear."""

    source: Expr
    by: Path


@dataclass(frozen=True, slots=True)
class Each(Expr):
    """One value per element of a list; paths of the body start at the element."""

    source: Expr
    where: Condition | None
    body: Expr


@dataclass(frozen=True, slots=True)
class ListOf(Expr):
    """A list written out; elements that are null or missing are left out."""

    elements: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Same(Expr):
    """The value that a field of the same name written above has."""

    source: Expr
    rise: int  # how many `each` stand between


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record: its name, value, when it is written (create, update, always), and what null means."""

    name: str
    value: Expr
    on: str
    null: str  # keep: left out; clear: written as null; drop: the record that holds it is left out
    place: Place


@dataclass(frozen=True, slots=True)
class Record(Expr):
    """A record of fields; null or missing if nothing of it comes from the message (`root` and `each` bodies: never)."""

    fields: tuple[Field, ...]
    whole: bool  # True where an empty record is still written


def constant(expr: Expr) -> bool:
    """Whether the value does not depend on the message."""
    if isinstance(expr, Const):
        return True
    if isinstance(expr, ListOf):
        return all(constant(one) for one in expr.elements)
    if isinstance(expr, Record):
        return all(constant(field.value) for field in expr.fields)
    if isinstance(expr, Same):
        return constant(expr.source)
    if isinstance(expr, Pipe):
        return constant(expr.source) and not any(call.has_paths for call in expr.calls)
    return False


def computed(expr: Expr) -> bool:
    """Whether the value may be a Decimal or a Measure, which becomes JSON when it leaves the expression."""
    if isinstance(expr, Compute):
        return True
    if isinstance(expr, Pipe):
        return expr.calls[-1].function.returns == "decimal" if expr.calls else computed(expr.source)
    return False
