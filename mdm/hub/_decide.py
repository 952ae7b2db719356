"""Decisions of stewards: kept for ever, and from then on constraints that no rule overrides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from uuid import UUID

from sqlalchemy import Connection

from landbridge.errors import Conflict, Finding, Invalid
from landbridge.strict import json
from mdm.hub._change import Decision, Matching, Regrouped
from mdm.hub._regroup import member_of, regroup
from mdm.store import decisions, groups, reading, records, storable
from mdm.survive import fingerprint, survive


def decide(
    connection: Connection, entity: str, matching: Matching, at: datetime, decision: Decision
) -> list[Regrouped]:
    """Keep a decision and group anew what it is about; the same decision again changes nothing.

    Raises Invalid where it makes no sense, and Conflict where it contradicts another that stands.
    """
    _check_form(decision)
    named = {*decision.these, *decision.those}
    known = records.known(connection, named)
    missing = sorted(id_ for id_ in named if id_ not in known or known[id_].entity != entity)
    if missing:
        raise _invalid("these", f"there is no {entity} {', '.join(map(str, missing))} in the hub", "Look at its id.")
    if decisions.find(connection, decision.id) is not None:
        return []
    links = _links(decision)
    _check_others(connection, decision, links)
    losing = _losing(connection, matching, decision) if decision.verdict == "pin" else None
    row = decisions.Row(
        decision.id, entity, decision.verdict, decision.these, decision.those, decision.attribute, decision.value,
        losing, decision.based_on, decision.actor, decision.reason, at,
    )  # fmt: skip
    decisions.append(connection, row, storable(json.dumps(decision.value)), links)
    if decision.verdict == "unsure":
        return []
    revalued = decision.these if decision.verdict == "pin" else ()
    return regroup(connection, entity, matching, at, named, revalued=revalued)


def revoke(
    connection: Connection, entity: str, matching: Matching, at: datetime, decision: UUID, by: str
) -> list[Regrouped]:
    """Take a decision back: what follows is as if it had never been made. Revoking twice changes nothing."""
    found = decisions.find(connection, decision)
    if found is None or found.entity != entity:
        raise _invalid("decision", f"there is no decision {decision} about a {entity}", "Look at its id.")
    row = decisions.revoke(connection, decision, at, by)
    if row is None or row.verdict == "unsure":
        return []
    notices = [groups.Notice("pin_moved", row.id, None)] if row.verdict == "pin" else []
    revalued = row.these if row.verdict == "pin" else ()
    seeds = {*row.these, *row.those}
    return regroup(connection, entity, matching, at, seeds, revalued=revalued, notices=notices)


def _check_form(decision: Decision) -> None:
    these, those = decision.these, decision.those
    if decision.verdict == "pin":
        if len(these) != 1 or those or not decision.attribute:
            raise _invalid("these", "a pin is about one record and one attribute", "Name one of each.")
        return
    if decision.attribute is not None:
        raise _invalid("attribute", f"{decision.verdict} is about records alone", "Leave the attribute out.")
    if not these or not those or {*these} & {*those}:
        raise _invalid("those", f"{decision.verdict} is about different records", "Name records on both sides.")
    if decision.verdict != "split" and (len(these) != 1 or len(those) != 1):
        raise _invalid("these", f"{decision.verdict} is about two records", "Name one on each side.")


def _invalid(path: str, message: str, hint: str) -> Invalid:
    return Invalid([Finding(path, "decision", message, hint)])


def _links(decision: Decision) -> list[tuple[UUID, UUID, str]]:
    """What a decision means for pairs, the lesser id first; of a parent and its child, who is the parent."""
    if decision.verdict == "pin":
        return [(decision.these[0], decision.these[0], "pin")]
    kind = {"split": "different", "parent_of": "parent"}.get(decision.verdict, decision.verdict)
    turned = "child" if kind == "parent" else kind
    pairs = set(product(decision.these, decision.those))
    return sorted((a, b, kind) if a < b else (b, a, turned) for a, b in pairs)


def _check_others(connection: Connection, decision: Decision, links: Sequence[tuple[UUID, UUID, str]]) -> None:
    """Refuse what contradicts a decision that stands: a person decides which of the two is right."""
    if decision.verdict in ("unsure", "pin"):
        return
    standing = decisions.standing(connection, {*decision.these, *decision.those})
    root = standing.joined
    if decision.verdict == "same":
        mine, theirs = root[decision.these[0]], root[decision.those[0]]
        for a, b, by, kind in standing.different:
            if {root.get(a), root.get(b)} == {mine, theirs} and mine != theirs:
                raise Conflict(
                    f"{a} and {b} were decided to be {'different' if kind == 'different' else 'parent and child'}.",
                    ours=str(decision.id),
                    theirs=str(by),
                    hint=f"Revoke decision {by} first if it was wrong.",
                )
        return
    for a, b, _ in links:
        if root[a] == root[b]:
            raise Conflict(
                f"{a} and {b} were decided to be the same, directly or through others.",
                ours=str(decision.id),
                hint="Revoke that decision first if it was wrong.",
            )
    if decision.verdict == "parent_of":
        parent, child = decision.these[0], decision.those[0]
        home = reading.home(connection, [child])
        if home[child] in reading.parents(connection, [parent]):
            raise _invalid("these", f"{child} stands above {parent} already: a circle", "Look at the relations first.")


def _losing(connection: Connection, matching: Matching, decision: Decision) -> str:
    """Fingerprint of the value that a pin hides."""
    golden = reading.home(connection, decision.these)[decision.these[0]]
    found = groups.gather(connection, reading.members(connection, golden))
    made = survive([member_of(one) for one in found.records.values()], matching.declaration)
    return fingerprint(made.values.get(decision.attribute or ""))
