"""What a declaration means for survivorship, worked out once: groups, chains, and what is asked of a golden record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mdm.declaration import Declaration, Rule
from mdm.normalise import Elements

_MOST = 32


@dataclass(frozen=True, slots=True)
class Plan:
    """A declaration as survivorship reads it."""

    declaration: Declaration
    named: tuple[tuple[tuple[str, ...], Sequence[Rule]], ...]
    order: tuple[str, ...]
    """Every attribute that a survivor names, in order."""
    covered: frozenset[str]
    asked: tuple[str, ...]
    """Attributes that are compared or decided about: how complete a golden record is counts these."""
    _elements: dict[str, Elements] = field(default_factory=dict)

    def elements_of(self, attribute: str) -> Elements:
        """How single elements of a list attribute are read."""
        found = self._elements.get(attribute)
        if found is None:
            found = self._elements[attribute] = Elements(self.declaration, attribute)
        return found


_PLANS: dict[int, Plan] = {}


def plan_of(declaration: Declaration) -> Plan:
    """The plan of a declaration; the same for the same one."""
    found = _PLANS.get(id(declaration))
    if found is None or found.declaration is not declaration:
        if len(_PLANS) >= _MOST:
            _PLANS.clear()
        found = _PLANS[id(declaration)] = _plan(declaration)
    return found


def _plan(declaration: Declaration) -> Plan:
    named = tuple((survivor.attributes, survivor.chain) for survivor in declaration.survivors)
    order = tuple(name for attributes, _ in named for name in attributes)
    compared = {path.split(".")[0].removesuffix("[]") for column in declaration.columns for path in column.paths}
    return Plan(declaration, named, order, frozenset(order), tuple(sorted(compared | {*order})))
