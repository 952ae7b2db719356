"""One customer, three systems: a house is taken over, and customers that all know become one golden record each."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from landbridge.demo._golden_screen import doubt_line, doubt_table, golden_table, steward_commands
from landbridge.demo._ledger import subjects
from landbridge.demo._steward import Steward

if TYPE_CHECKING:
    from rich.console import Console

    from landbridge.demo._company import Company
    from landbridge.installation import Installation

TO_ERP = "customers_to_erp"
_ROUNDS = 4
_WITHIN = 30.0
"""Seconds within which what was entered is to be known."""
FEEDS = {"erp": "customers_of_erp", "subsidiary": "customers_of_subsidiary"}
"""By system the flow that brings its customers."""


class Stage(Protocol):
    """What the chapter needs of the tour that it is a part of."""

    console: Console
    installation: Installation
    company: Company
    failures: list[str]

    def run_here(self, flow: str) -> int:
        """Run a flow to its end, say what it did; how many records it wrote."""
        ...


@dataclass
class OneCustomer:
    """What was shown, and what must still be so at the end."""

    desk: Steward
    names: Mapping[str, str]
    """The systems that know customers, as they are shown."""
    truth: list[Any] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    """By golden id, after the chapter."""

    @property
    def feeds(self) -> tuple[str, ...]:
        """The flows that bring customers from the systems that are there."""
        return tuple(FEEDS[system] for system in FEEDS if system in self.names)

    def doubtful(self) -> Sequence[tuple[str, str]]:
        """The pairs of which nobody can tell: the ERP's record and the one of the house."""
        return [
            (f"erp:{one['numbers']['erp']}", f"subsidiary:{one['numbers']['subsidiary']}")
            for one in self.truth
            if one["doubtful"] and "subsidiary" in one["numbers"]
        ]

    def certain(self) -> list[list[str]]:
        """The records that are one, by customer; of the doubtful one those that are certainly one."""
        found = []
        for one in self.truth:
            numbers = {system: number for system, number in one["numbers"].items() if system in self.names}
            if one["doubtful"]:
                numbers.pop("subsidiary", None)
            found.append([f"{system}:{numbers[system]}" for system in self.names if system in numbers])
        return found


def one_customer(stage: Stage, desk: Steward) -> OneCustomer | None:
    """The chapter; None if a flow failed, which stands in the stage's failures."""
    console = stage.console
    console.rule("One customer, three systems", align="left")
    told = stage.company.look("systems")
    shown = OneCustomer(desk, told["names"])
    console.print("  a trading house is taken over; some of its customers are ours already, under other spellings")
    if told["missing"]:
        console.print("  [yellow]the house's own system cannot be had, so two are shown:[/]")
        console.print(f"  {told['missing']}", markup=False, highlight=False)
    _people(stage, "enter_elsewhere", told["names"])
    _bring(stage, shown, shown.feeds)
    _people(stage, "enter_accounts", told["names"])
    _bring(stage, shown, (TO_ERP,))
    if stage.failures:
        return None
    for records in shown.certain():
        if len(records) == len(shown.names):
            _show_golden(console, shown, records)
    _bring(stage, shown, shown.feeds)  # what the ERP was told comes back as what it has
    if stage.failures or (wrong := disagreements(stage, shown)):
        stage.failures += [] if stage.failures else wrong
        return None
    console.print("  [green]nobody stands twice anywhere[/]; the ERP has the CRM's names and every e-mail address")
    for a, b in shown.doubtful():
        _leave_to_steward(stage, shown, a, b)
    _come_to_rest(stage, shown)
    for a, b in shown.doubtful():
        for line in steward_commands(stage.installation.state, a, b):
            console.print(line, highlight=False, markup=False)
    shown.hashes = _hashes(shown)
    return shown


def still_true(stage: Stage, shown: OneCustomer) -> list[str]:
    """What is not as it was left, after everything ran again."""
    wrong = disagreements(stage, shown)
    now = _hashes(shown)
    wrong += [f"golden {id_}: another one than before nothing was changed" for id_ in shown.hashes if
              now.get(id_) != shown.hashes[id_]]  # fmt: skip
    if not wrong:
        whole = sum(len(records) == len(shown.names) for records in shown.certain())
        text = f"  {whole} customers of {len(shown.names)} systems are one golden record each"
        left = f"; {len(shown.doubtful())} pair is left to the steward" if shown.doubtful() else ""
        stage.console.print(text + left)
    return wrong


def disagreements(stage: Stage, shown: OneCustomer) -> list[str]:
    """Where hub, cross-reference, the steward's queue and the systems are not as the company's people know it is."""
    wrong: list[str] = stage.company.look("untold")
    groups = {record: shown.desk.golden(record)["id"] for records in shown.certain() for record in records}
    theirs = subjects(stage.installation, "customer", groups)
    for records in shown.certain():
        wrong += _apart(records, groups, "golden records")
        wrong += _apart(records, theirs, "subjects of the cross-reference")
    for a, b in shown.doubtful():
        if shown.desk.golden(a)["id"] == shown.desk.golden(b)["id"]:
            wrong.append(f"{a} and {b} are one golden record, but nobody decided that")
    merged = {one for one in groups.values() if list(groups.values()).count(one) > len(shown.names)}
    wrong += [f"golden {one} holds different customers" for one in sorted(merged)]
    asked = {frozenset(one["golden"]) for one in shown.desk.queue()}
    wanted = {frozenset(shown.desk.golden(one)["id"] for one in pair) for pair in shown.doubtful()}
    if asked != wanted:
        wrong.append(f"the steward is asked about {len(asked)} pairs, {len(wanted)} expected: {_pairs(asked ^ wanted)}")
    return wrong


def _bring(stage: Stage, shown: OneCustomer, flows: Sequence[str]) -> None:
    """Run flows until the cross-reference knows whoever was entered: some systems show a second when it is over."""
    shown.truth = stage.company.look("truth")
    wanted = [
        f"{system}:{id_}" for one in shown.truth for system, id_ in one["numbers"].items() if system in shown.names
    ]
    until = time.monotonic() + _WITHIN
    while not stage.failures:
        for flow in flows:
            stage.run_here(flow)
        missing = sorted(set(wanted) - subjects(stage.installation, "customer", wanted).keys())
        if not missing or stage.failures:
            return
        if time.monotonic() > until:
            stage.failures.append(f"{', '.join(missing)}: entered, but no flow brought it within {_WITHIN:.0f} s")
        time.sleep(1)


def _apart(records: Sequence[str], groups: Mapping[str, str], what: str) -> list[str]:
    held = {groups.get(record) for record in records}
    if len(held) == 1 and None not in held:
        return []
    return [f"{', '.join(records)}: one customer, but {len(held)} {what}"]


def _pairs(golden: set[frozenset[str]]) -> str:
    return "; ".join(" and ".join(sorted(pair)) for pair in sorted(golden, key=sorted))


def _people(stage: Stage, what: str, names: Mapping[str, str]) -> None:
    told = stage.company.ask(what)
    text = ", ".join(f"{number} customers in {names[system]}" for system, number in told.items() if system in names)
    stage.console.print(f"  people at work ({what.replace('_', ' ')}): {text}")


def _show_golden(console: Console, shown: OneCustomer, records: Sequence[str]) -> None:
    """The records side by side, and what became of them; what they say is what their systems told last."""
    first, *others = records
    told = {}
    for other in others:
        pair = shown.desk.pair(first, other)
        told[first] = {one["path"]: one["a"] for one in pair["fields"]}
        told[other] = {one["path"]: one["b"] for one in pair["fields"]}
    console.print()
    console.print(golden_table(shown.names, told, shown.desk.golden(first)))


def _leave_to_steward(stage: Stage, shown: OneCustomer, a: str, b: str) -> None:
    """Show the pair and why, decide it and take that back, and leave it as it was."""
    console, desk = stage.console, shown.desk
    console.print()
    console.print(
        "  [yellow]One pair is left to you[/]: nobody can tell from the records whether they are one customer"
    )
    for asked in desk.queue():
        console.print(doubt_line(asked), markup=False, highlight=False)
    console.print(doubt_table(desk.pair(a, b)))
    before = {record: desk.golden(record) for record in (a, b)}
    decision = desk.same(a, b)
    joined = {desk.golden(record)["id"] for record in (a, b)}
    desk.undo(decision)
    after = {record: desk.golden(record) for record in (a, b)}
    if len(joined) != 1:
        stage.failures.append(f"{a} and {b} were decided to be one, and are {len(joined)} golden records")
    stage.failures += [
        f"{record}: the golden record is another one after the decision was taken back"
        for record in (a, b)
        if _hash(before[record]) != _hash(after[record])
    ]
    if not stage.failures:
        was = " and ".join(_hash(before[record])[1][:12] for record in (a, b))
        console.print(f"  decided `same`: one golden record; taken back: two, with the hashes of before, {was}")


def _come_to_rest(stage: Stage, shown: OneCustomer) -> None:
    """Run the flows until none writes: a decision sends what changes by it, and taking it back sends that again."""
    for _ in range(_ROUNDS):
        written = [stage.run_here(flow) for flow in (TO_ERP, *shown.feeds) if not stage.failures]
        if not any(written):
            return
    stage.failures.append(f"{', '.join((TO_ERP, *shown.feeds))}: still writing after {_ROUNDS} rounds")


def _hash(golden: Any) -> tuple[str, str]:
    return golden["id"], golden["versions"][-1]["hash"]


def _hashes(shown: OneCustomer) -> dict[str, str]:
    named = {record for records in shown.certain() for record in records}
    named |= {record for pair in shown.doubtful() for record in pair}
    return dict(_hash(shown.desk.golden(record)) for record in sorted(named))
