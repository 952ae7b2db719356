"""Proposes a declaration for records never seen: what columns hold, how they compare, what brings records together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from landbridge.errors import Finding, Invalid
from mdm.declaration import Block, Declaration, Features, Thresholds
from mdm.normalise import features
from mdm.profile._align import align
from mdm.profile._blocks import Chosen, choose
from mdm.profile._kinds import Kind, Seen, seen
from mdm.profile._propose import Draft, drafted
from mdm.profile._write import written

PARTIES = Thresholds(auto=6, review=0)
TITLES = Thresholds(auto=7, review=0)
NAMES = Thresholds(auto=4, review=0)
RAREST = 6
"""Words of a title by which its candidates are found."""
_CUT: dict[Kind, int] = {
    "person": 3,
    "company": 4,
    "text": 4,
    "street": 6,
    "title": 6,
    "place": 4,
    "code": 4,
    "date": 7,
}
REPEATED = 0.02
"""The share of records with a likely match in their own source below which each holds every record once."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was seen, and the declaration that follows."""

    seen: tuple[Seen, ...]
    declaration: Declaration
    text: str


def propose(
    records: Sequence[dict[str, str]],
    source_of: Sequence[int],
    header: Sequence[str],
    *,
    entity: str = "record",
    hidden: Sequence[str] = (),
    told: str = "",
) -> Proposal:
    """A declaration for these records; Invalid where no column can be compared."""
    found = _seen(records, source_of, header)
    draft = drafted(found)
    if not draft.comparisons:
        kinds = ", ".join(f"{one.name} ({one.kind})" for one in found) or "none"
        message = f"no column can be compared: {kinds}."
        raise Invalid([Finding("", "columns", message, "Records need a name, an address, a title or the like.")])
    declaration = Declaration(
        entity=entity, summary="", scoring=draft.scoring, columns=draft.columns, comparisons=draft.comparisons,
        blocks=(), thresholds=_thresholds(draft), identifiers=draft.identifiers,
    )  # fmt: skip
    wider = replace(declaration, columns=(*draft.columns, *draft.blocked))
    known = [features(wider, record) for record in records]
    chosen = _blocks(draft, declaration, known, found)
    used = {name for block in chosen.blocks for name, _ in block.parts}
    declaration = replace(
        declaration,
        columns=(*draft.columns, *(column for column in draft.blocked if column.name in used)),
        blocks=chosen.blocks,
        one_to_one=_once_each(chosen, source_of, records, declaration),
    )
    left = (*draft.left, *(Seen(name, "row number", 1, len(records), 0, 1, "ids and truth") for name in hidden))
    return Proposal(
        found,
        declaration,
        written(
            declaration,
            {**{one.name: "for blocks only" for one in draft.blocked}, **draft.why},
            left,
            told or f"{len(records)} records",
        ),
    )


def _thresholds(draft: Draft) -> Thresholds:
    if draft.scoring == "titles":
        return NAMES if len(draft.comparisons) == 1 and draft.columns[0].name == "name" else TITLES
    return PARTIES


def _seen(records: Sequence[dict[str, str]], source_of: Sequence[int], header: Sequence[str]) -> tuple[Seen, ...]:
    """What every column holds; columns of two files that hold the same are one."""
    values = {name: [record[name] for record in records if name in record] for name in header}
    sides = [set(), set()] if not records else [
        {name for record, at in zip(records, source_of, strict=True) if at == side for name in record}
        for side in (0, 1)
    ]  # fmt: skip
    each = {name: seen(name, column) for name, column in values.items()}
    only = [[each[name] for name in header if name in sides[side] - sides[1 - side]] for side in (0, 1)]
    paired = {pair.first: pair.second for pair in align(only[0], only[1], values)}
    found = []
    for name in header:
        if name in paired.values():
            continue
        other = paired.get(name, "")
        one = each[name]
        if other:
            whole = seen(name, values[name] + values[other])
            kind = whole.kind if whole.kind in (one.kind, each[other].kind) else one.kind
            one = replace(whole, kind=kind, also=other)
        found.append(replace(one, shared=_shared(records, source_of, one.paths)))
    return tuple(found)


def _shared(records: Sequence[dict[str, str]], source_of: Sequence[int], paths: Sequence[str]) -> float:
    """The share of the second file's records whose value the first has too; 1 where there is one file."""
    sides: tuple[list[str], list[str]] = ([], [])
    for record, source in zip(records, source_of, strict=True):
        value = next((record[path] for path in paths if record.get(path)), "").casefold()
        if value:
            sides[source].append(value)
    known = set(sides[0])
    return sum(value in known for value in sides[1]) / len(sides[1]) if all(sides) else 1.0


def _blocks(draft: Draft, declaration: Declaration, known: Sequence[Features], found: Sequence[Seen]) -> Chosen:
    kinds = {one.name: one.kind for one in found}
    cuts = {
        column.name: _CUT[kind]
        for column in declaration.columns
        if (kind := kinds[column.paths[0]]) in _CUT and not column.many
    }
    single = [column.name for column in declaration.columns if not column.many]
    if draft.scoring == "titles":
        several = [column.name for column in declaration.columns if column.many]
        first = declaration.columns[0].name
        blocks = (Block(((first, RAREST),)), *(Block(((name, None),)) for name in several))
        return Chosen(blocks, choose(known, single, {}).likely)
    cuts |= {column.name: 6 for column in draft.blocked if column.normalise[-1].name == "pinyin"}
    chosen = choose(known, single, cuts, [column.name for column in draft.blocked])
    if chosen.blocks:
        return chosen
    return Chosen(tuple(Block(((name, None),)) for name in single[:3]), ())


def _once_each(
    chosen: Chosen, source_of: Sequence[int], records: Sequence[dict[str, str]], declaration: Declaration
) -> bool:
    """Whether there are two sources, and hardly a record of either has a likely match in its own."""
    if len(set(source_of)) != 2:
        return False
    twice = {one for a, b in chosen.likely if source_of[a] == source_of[b] for one in (a, b)}
    if declaration.scoring == "titles":
        likened = {one.column for one in declaration.comparisons if one.levels[0].test == "cosine"}
        paths = [path for column in declaration.columns if column.name in likened for path in column.paths]
        first: dict[tuple[int, str], int] = {}
        for number, record in enumerate(records):
            title = " ".join(record.get(path, "") for path in paths).casefold().strip()
            if title and first.setdefault((source_of[number], title), number) != number:
                twice.add(number)
    return len(twice) < REPEATED * len(records)
