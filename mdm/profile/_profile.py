"""Proposes a declaration for records never seen: what columns hold, how they compare, what brings records together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from landbridge.errors import Finding, Invalid
from mdm.declaration import Block, Declaration, Features, Thresholds
from mdm.normalise import features
from mdm.profile._blocks import Chosen, choose
from mdm.profile._kinds import Kind, Seen, seen
from mdm.profile._propose import Draft, drafted
from mdm.profile._write import written

PARTIES = Thresholds(auto=6, review=0)
TITLES = Thresholds(auto=7, review=0)
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
    found = tuple(seen(name, [record.get(name, "") for record in records]) for name in header)
    draft = drafted(found)
    if not draft.comparisons:
        kinds = ", ".join(f"{one.name} ({one.kind})" for one in found) or "none"
        message = f"no column can be compared: {kinds}."
        raise Invalid([Finding("", "columns", message, "Records need a name, an address, a title or the like.")])
    declaration = Declaration(
        entity=entity, summary="", scoring=draft.scoring, columns=draft.columns, comparisons=draft.comparisons,
        blocks=(), thresholds=TITLES if draft.scoring == "titles" else PARTIES, identifiers=draft.identifiers,
    )  # fmt: skip
    known = [features(declaration, record) for record in records]
    chosen = _blocks(draft, declaration, known, found)
    declaration = replace(
        declaration, blocks=chosen.blocks, one_to_one=_once_each(chosen, source_of, records, declaration)
    )
    left = (*draft.left, *(Seen(name, "row number", 1, len(records), 0, 1, "ids and truth") for name in hidden))
    return Proposal(found, declaration, written(declaration, draft.why, left, told or f"{len(records)} records"))


def _blocks(draft: Draft, declaration: Declaration, known: Sequence[Features], found: Sequence[Seen]) -> Chosen:
    kinds = {one.name: one.kind for one in found}
    cuts = {
        column.name: _CUT[kind]
        for column in declaration.columns
        if (kind := kinds[column.paths[0]]) in _CUT and len(column.paths) == 1
    }
    single = [column.name for column in declaration.columns if not column.many]
    if draft.scoring == "titles":
        several = [column.name for column in declaration.columns if column.many]
        blocks = (Block((("title", RAREST),)), *(Block(((name, None),)) for name in several))
        return Chosen(blocks, choose(known, single, {}).likely)
    chosen = choose(known, single, cuts)
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
        paths = declaration.columns[0].paths
        first: dict[tuple[int, str], int] = {}
        for number, record in enumerate(records):
            title = " ".join(record.get(path, "") for path in paths).casefold().strip()
            if title and first.setdefault((source_of[number], title), number) != number:
                twice.add(number)
    return len(twice) < REPEATED * len(records)
