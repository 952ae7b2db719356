"""A target against our links: records that it lost, and records that were changed there behind our back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from landbridge import strict
from landbridge.connector import Row
from landbridge.engine._echo import project
from landbridge.engine._process import Subscription
from landbridge.engine._rules import owned
from landbridge.errors import Invalid
from landbridge.reconcile._look import AT_ONCE, Look
from landbridge.reconcile._pairs import pairs
from landbridge.store import outbox, reconciling
from landbridge.store._outbox import Shadow
from landbridge.store._reconcile import Difference
from landbridge.translator import Context


@dataclass(slots=True)
class Target:
    """Looks at what one route delivered."""

    look: Look
    subscription: Subscription
    _suspected: list[tuple[bytes | None, Any]] = field(default_factory=list)

    def compare(self) -> None:
        """Walk over every key of the target and every record that we hold there."""
        system, entity = self.subscription.route.to, self.subscription.route.entity
        target, store = self.look.engine.parts.systems[system], self.look.engine.parts.store

        def page(low: str, high: str | None) -> list[Any]:
            with store.reading() as connection:
                return reconciling.target_side(connection, system, entity, low, high)

        for _, hash_, known in pairs(f"{system} {entity}", target.keys(entity), page):
            if known is None or known.gone or known.linked_by in ("source", "reference"):
                continue  # not ours, or taken away by us
            self.look.counts["linked"] += 1
            if (
                hash_ is None
                or known.hash is None
                or bytes(known.hash) != hash_
                or known.agreed != known.delivered_version
            ):
                self._suspected.append((hash_, known))
            if len(self._suspected) >= AT_ONCE:
                self._settle()
        self._settle()

    def _settle(self) -> None:
        suspected, self._suspected = self._suspected, []
        if not suspected:
            return
        parts, (source, feed_entity) = self.look.engine.parts, self.look.flow.feed
        system, entity = self.subscription.route.to, self.subscription.route.entity
        subjects = [known.subject for _, known in suspected]
        with parts.store.reading() as connection:
            keys = reconciling.sources_of(connection, source, feed_entity, subjects)
            busy = reconciling.in_flight(connection, self.look.engine.peers(system), subjects)
            shadows = outbox.shadows(connection, system, entity, {(known.scope, known.key) for _, known in suspected})
            bodies = reconciling.last_canonical(connection, self.look.feed_id, list(keys.values()))
        mine = [(h, known) for h, known in suspected if known.subject in keys and known.subject not in busy]
        now = (
            {row.key: row for row in parts.systems[system].fetch(entity, [known.key for _, known in mine])}
            if mine
            else {}
        )
        found, agreed = [], []
        for hash_, known in mine:
            row, key = now.get(known.key), keys[known.subject]
            if row is None:
                continue
            if row.action != "upsert" or row.body is None:
                found.append(Difference("lost", key, system, entity, known.scope, known.key))
                continue
            shadow = shadows.get((known.scope, known.key))
            differs = self._differs(known, shadow, row, bodies.get(key))
            found += [Difference(kind, key, system, entity, known.scope, known.key, {"fields": names})
                      for kind, names in differs.items()]  # fmt: skip
            if not differs and hash_ is not None:
                digest = self._digest(known, shadow, row) if shadow is not None else None
                agreed.append((known.key, hash_, known.delivered_version, digest))
        self.look.counts["read"] += len(mine)
        if agreed:
            with parts.store.transaction("reconcile", wait=False) as connection:
                reconciling.agree(connection, "target", system, entity, agreed)
        self.look.keep(found)

    def _differs(self, known: Any, shadow: Shadow | None, row: Row, canonical: Any) -> dict[str, list[str]]:
        """Our fields that hold something else now: `changed`, or `theirs` where an update would not write them."""
        if shadow is None or (row.version is not None and row.version == known.target_version):
            return {}
        agreed = known.mine is not None and known.agreed == known.delivered_version
        if agreed and bytes(known.mine) == self._digest(known, shadow, row):
            return {}
        names = differing(row.body or {}, shadow, known.lines or {}, self._lines)
        if not names:
            return {}
        ours = self._written(canonical)
        split: dict[str, list[str]] = {}
        for name in names:
            kind = "changed" if ours is None or name.partition("[")[0] in ours else "theirs"
            split.setdefault(kind, []).append(name)
        return split

    def _digest(self, known: Any, shadow: Shadow, row: Row) -> bytes:
        return strict.json.digest(standing(row.body or {}, shadow, known.lines or {}, self._lines))

    @property
    def _lines(self) -> str | None:
        return self.look.engine.parts.systems[self.subscription.route.to].entity(self.subscription.route.entity).lines

    def _written(self, canonical: Any) -> set[str] | None:
        """The fields that an update writes: what the target owns, and what is written at creation only, is not ours."""
        if canonical is None:
            return None
        parts, system, entity = self.look.engine.parts, self.subscription.route.to, self.subscription.route.entity
        rules = parts.rules(self.look.flow, system)
        body = owned(canonical, rules, self.look.flow.extract.source, target_has_it=True)
        context = Context(
            system=system, now=parts.clock.now(), target_id=lambda *_: "0", line_id=str
        )  # only the names of the fields are asked for
        try:
            return set(parts.mappings[system, entity].write(body, context, creating=False))
        except Invalid:
            return None


def differing(native: Mapping[str, Any], shadow: Shadow, numbers: Mapping[str, str], lines: str | None) -> list[str]:
    """The fields of the header and of each line that stand otherwise than we delivered them."""
    header: Mapping[str, Any] = shadow.content.get("header") or {}
    names = []
    if strict.json.digest(project(native, header)) not in (strict.json.digest(dict(header)), shadow.returned):
        names += [name for name, value in header.items() if name in native and not same(value, native[name])]
    for key, line in (shadow.content.get("lines") or {}).items():
        theirs = line_of(native, lines, numbers.get(key))
        if theirs is not None:
            names += [f"{lines}[{key}].{name}" for name, value in line.items()
                      if name in theirs and not same(value, theirs[name])]  # fmt: skip
    return names


def standing(
    native: Mapping[str, Any], shadow: Shadow, numbers: Mapping[str, str], lines: str | None
) -> dict[str, Any]:
    """What we once wrote, as it stands there now, in the form of a shadow's content."""
    found = {}
    for key, line in (shadow.content.get("lines") or {}).items():
        theirs = line_of(native, lines, numbers.get(key))
        found[key] = dict(line) if theirs is None else {name: theirs.get(name, value) for name, value in line.items()}
    header = shadow.content.get("header") or {}
    return {"header": {name: native.get(name, value) for name, value in header.items()}, "lines": found}


def line_of(native: Mapping[str, Any], lines: str | None, number: str | None) -> Mapping[str, Any] | None:
    """The one line of a native document that carries a number of its system; None if none or several do."""
    if lines is None or number is None:
        return None
    held = native.get(lines)
    if isinstance(held, Mapping):  # {"results": […]}, {"records": […]}
        held = next((value for value in held.values() if isinstance(value, list)), None)
    rows: Iterable[Any] = held if isinstance(held, list) else ()
    found = [line for line in rows if isinstance(line, Mapping) and number in map(str, line.values())]
    return found[0] if len(found) == 1 else None


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values say the same: as numbers if both are, without the blanks around them, empty as null."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return all(name in theirs and same(value, theirs[name]) for name, value in ours.items())
    if isinstance(ours, Sequence) and isinstance(theirs, Sequence) and not isinstance(ours, str):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, Mapping | list) or isinstance(theirs, Mapping | list):
        return True  # of another shape: a reference by another name; nothing is concluded from it
    one, other = _plain(ours), _plain(theirs)
    if one == other:
        return True
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value).strip()
