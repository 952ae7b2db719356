"""Histories of a small company, told in any order: versions, deletions, merges, decisions and what is taken back."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub_bench import batch, customers, decision, overridden, picture, record, told

from landbridge.errors import Conflict, Invalid
from landbridge.store import Store
from mdm.declaration import Guard
from mdm.hub import Change, Decision, Hub
from mdm.store import reading

SYSTEMS = ("crm", "erp", "shop")


@dataclass
class History:
    """Everything that happens, in no order; `undone` are decisions that are taken back."""

    changes: list[Change]
    standing: list[Decision]
    undone: list[Decision] = field(default_factory=list)


def body(chance: random.Random, company: int) -> dict[str, Any]:
    """What a system says about a company: mostly right, sometimes nothing, sometimes somebody else's."""
    other = company if chance.random() < 0.85 else chance.randrange(8)
    found: dict[str, Any] = {"name": f"Comp{company} {chance.choice(['Ltd', 'Ltd', 'Limited'])}"}
    if chance.random() < 0.7:
        found["phone"] = f"+49{other}"
    if chance.random() < 0.4:
        found["vat"] = chance.choice([f"V{other}", f"V{other}", f"V{chance.randrange(8)}", "bad"])
    if chance.random() < 0.5:
        found |= {"street": f"Street {chance.randrange(3)}", "city": f"City {chance.randrange(3)}"}
    if chance.random() < 0.3:
        found["tags"] = chance.sample(["a", "b", "c"], chance.randint(1, 3))
    if chance.random() < 0.05:
        found = {"city": "Nowhere"}
    return found


def history(chance: random.Random, records: int = 24, *, undo: int = 3) -> History:
    """A random history of so many records."""
    changes, company_of = [], dict[int, int]()
    for number in range(1, records + 1):
        system, company = chance.choice(SYSTEMS), chance.randrange(8)
        company_of[number] = company
        for _ in range(chance.choice([1, 1, 2, 3])):
            day, sequence = chance.randrange(6), chance.randrange(2)
            kind = chance.random()
            if kind < 0.12:
                changes.append(told(number, system=system, day=day, sequence=sequence, action="delete"))
            elif kind < 0.18:
                into = chance.randrange(1, records + 1)
                merge = told(number, system=system, day=day, sequence=sequence, action="merge", into=into)
                changes.append(merge)
            else:
                changes.append(told(number, body(chance, company), system=system, day=day, sequence=sequence))
    changes += chance.choices(changes, k=len(changes) // 5)  # the same again
    numbers = sorted({int(change.key[1:]) for change in changes})
    standing: list[Decision] = []
    groups = {number: {number} for number in numbers}
    apart: set[frozenset[int]] = set()
    for number in range(1, 7):
        a, b = _pair(chance, numbers, company_of)
        joined = groups[a] is groups[b]
        if chance.random() < 0.5:
            if joined or any(frozenset((x, y)) in apart for x in groups[a] for y in groups[b]):
                continue
            groups[a] |= groups[b]
            for one in groups[b]:
                groups[one] = groups[a]
            standing.append(decision(number, "same", [a], [b]))
        elif not joined:
            apart.add(frozenset((a, b)))
            standing.append(decision(number, chance.choice(["different", "split"]), [a], [b]))
    for number, attribute in ((7, "city"), (8, "name")):
        value = f"pinned {attribute}"
        standing.append(decision(number, "pin", [chance.choice(numbers)], attribute=attribute, value=value))
    undone = []
    for number in range(10, 10 + undo):
        a, b = chance.sample(numbers, 2)
        verdict = chance.choice(["same", "different", "split", "pin", "unsure"])
        if verdict == "pin":
            undone.append(decision(number, "pin", [a], attribute="phone", value="undone"))
        else:
            undone.append(decision(number, verdict, [a], [b]))
    return History(changes, standing, undone)


def _pair(chance: random.Random, numbers: Sequence[int], company_of: Mapping[int, int]) -> tuple[int, int]:
    """Two records, mostly of one company: what parts them is not what the rules would say anyway."""
    a = chance.choice(numbers)
    like = [number for number in numbers if number != a and company_of[number] == company_of[a]]
    others = like if like and chance.random() < 0.7 else [number for number in numbers if number != a]
    return a, chance.choice(others)


class Crash(Exception):
    """The process dies here: its transaction never happened."""


def tell(chance: random.Random, store: Store, hub: Hub, history: History, *, crashes: float = 0.15) -> None:
    """Tell a history in a random order, in batches of any size, some of them cut by a crash and told again."""
    events: list[Any] = chance.sample(history.changes, len(history.changes))
    for one in (*history.standing, *history.undone):
        events.insert(chance.randrange(len(events) // 2, len(events) + 1), one)
    revocations = {one.id for one in history.undone}
    open_, done = list(_batched(chance, events)), set()
    while open_:
        batch = open_.pop(0)
        try:
            with store.transaction("test") as connection:
                if isinstance(batch[0], Change):
                    hub.take(connection, "customer", batch)
                else:
                    hub.decide(connection, "customer", batch[0])
                if chance.random() < crashes:
                    raise Crash
        except Crash:
            open_.insert(chance.randrange(len(open_) + 1), batch)
            continue
        except Invalid:
            open_.append(batch)  # a crash took the records back that it is about
            continue
        except Conflict:
            if batch[0].id not in revocations:
                open_.append(batch)  # until what it contradicts is taken back
            continue
        if isinstance(batch[0], Decision) and batch[0].id in revocations:
            done.add(batch[0].id)
        for id_ in [one for one in done if chance.random() < 0.3 or not open_]:
            done.discard(id_)
            with store.transaction("test") as connection:
                hub.revoke(connection, "customer", id_, "steward")
        if open_ and done and all(isinstance(b[0], Decision) for b in open_):
            for id_ in list(done):
                done.discard(id_)
                with store.transaction("test") as connection:
                    hub.revoke(connection, "customer", id_, "steward")
    for id_ in done:
        with store.transaction("test") as connection:
            hub.revoke(connection, "customer", id_, "steward")


def noticed(seed: int, store: Store, clock: Any, *, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
    """Tell the history of a seed in a random order, with crashes and repeats, and say what it can be told from.

    Nothing is to be found. What stands is held against the same versions and decisions taken all at once; `meanwhile`
    is called in between. The property's own test and the faults that are planted go through here.
    """
    chance = random.Random(seed)
    guard = Guard(members=chance.choice([3, 6, 40]), density=0.3, hot=chance.choice([4, 30]))
    matching = customers(guard=guard, one_to_one=chance.random() < 0.2)
    past = history(chance)
    tell(chance, store, Hub({"customer": matching}, clock), past)
    meanwhile()
    with store.reading() as connection:
        stands, expected = picture(connection), batch(matching, past.changes, past.standing)
        found = [
            f"seed {seed}: {name} are not what all at once gives: {ours} instead of {theirs}"
            for name, ours, theirs in zip(stands._fields, stands, expected, strict=True)
            if ours != theirs
        ]
        if contradicted := overridden(connection):
            found.append(f"seed {seed}: {contradicted} decisions are overridden")
        for change in reading.changes(connection, "customer", 0, 1000):
            if change.golden not in stands.golden and stands.groups[change.golden] == change.golden:
                found.append(f"seed {seed}: the id {change.golden} leads nowhere")
    return found


def _batched(chance: random.Random, events: Sequence[Any]) -> Iterator[list[Any]]:
    """Changes in batches; a decision alone, once all records came."""
    waiting: list[Any] = []
    changes = [event for event in events if isinstance(event, Change)]
    seen: set[Any] = set()
    everyone = {change.record for change in changes}
    batch: list[Any] = []
    for event in events:
        if isinstance(event, Change):
            batch.append(event)
            seen.add(event.record)
            if chance.random() < 0.4:
                yield batch
                batch = []
        else:
            waiting.append(event)
        if waiting and seen == everyone:
            if batch:
                yield batch
                batch = []
            for one in waiting:
                yield [one]
            waiting = []
    if batch:
        yield batch
    for one in waiting:
        yield [one]


def decide_and_undo(
    chance: random.Random, store: Store, hub: Hub, changes: Sequence[Change], number: int, seconds: list[float]
) -> list[Change]:
    """Decide what fits, let the records live on and get children, undo all of it; returns what came meanwhile.

    Every undo is one transaction; how long each took is appended to `seconds`.
    """
    systems = {int(change.key[1:]): change.system for change in changes}
    numbers = sorted(systems)
    later: list[Change] = []
    made: list[Decision] = []
    for n in range(chance.randint(1, 3)):
        verdict = chance.choice(["same", "same", "different", "split", "pin", "parent_of"])
        some = chance.sample(numbers, 4)
        these, those = (some[:2], some[2:]) if verdict == "split" else ([some[0]], [some[1]])
        more = {"attribute": "city", "value": "pinned"} if verdict == "pin" else {}
        one = decision(1_000 + 10 * number + n, verdict, these, () if verdict == "pin" else those, **more)
        try:
            with store.transaction("decide") as connection:
                hub.decide(connection, "customer", one)
            made.append(one)
        except (Conflict, Invalid):
            pass  # it contradicts one that stands: nothing was done
        other = chance.choice(numbers)
        child = {**body(chance, chance.randrange(8)), "parent": {"subject": str(record(some[0]))}}
        lived = [
            told(some[0], body(chance, chance.randrange(8)), day=10 + number, system=systems[some[0]]),
            told(other, child, day=10 + number, system=systems[other]),
        ]
        with store.transaction("live") as connection:
            hub.take(connection, "customer", lived)
        later += lived
    chance.shuffle(made)
    for one in made:
        begun = time.perf_counter()
        with store.transaction("undo") as connection:
            hub.revoke(connection, "customer", one.id, "steward")
        seconds.append(time.perf_counter() - begun)
    return later
