"""What is on its way while a reconcile looks is not reported as missing, lost or changed, and is not sent twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from memory import Book
from workbench import balanced, engine, flow

from landbridge.connector import Entity
from landbridge.errors import Unavailable
from landbridge.reconcile import reconcile

CUSTOMER = Entity("Customer", create="C", update="B", delete="B", batch=50, settle=timedelta(minutes=5))

Made = tuple[Any, Book, Book]


@pytest.fixture
def pair(store: Any, clock: Any) -> Made:
    crm, erp = Book("crm", clock, customer=CUSTOMER), Book("erp", clock, customer=CUSTOMER)
    made = engine(store, clock, [crm, erp], [flow("customers", "crm", "customer", "erp")])
    for n in range(4):
        crm.save("customer", f"C{n}", {"name": f"Name {n}"}, f"t{n}")
    made.run("customers")
    crm.save("customer", "C9", {"name": "new"}, "t9")
    crm.save("customer", "C1", {"name": "changed"}, "t10")
    return made, crm, erp


def received(made: Any, erp: Book) -> None:
    made.extract(made.parts.flows["customers"])


def queued(made: Any, erp: Book) -> None:
    received(made, erp)
    made.process("crm", "customer")


def claimed(made: Any, erp: Book) -> None:
    """A worker died while it wrote: nobody knows whether anything stands."""
    queued(made, erp)
    erp.script = ["crash"]
    with pytest.raises(SystemExit):
        made.deliver()


def waits(made: Any, erp: Book) -> None:
    queued(made, erp)
    erp.script = [Unavailable("later", wait=600.0)] * 2
    made.deliver()


def stands_unrecorded(made: Any, erp: Book) -> None:
    """Both effects stand in the target, and the ledger does not know it yet."""
    queued(made, erp)
    erp.script = ["after", "after"]
    made.deliver()


@pytest.mark.parametrize("state", [received, queued, claimed, waits, stands_unrecorded])
@pytest.mark.parametrize("apply", [False, True], ids=["looking", "applying"])
def test_what_is_on_its_way_is_no_difference_and_has_one_effect(pair, clock, state, apply) -> None:
    made, _, erp = pair
    state(made, erp)
    report = reconcile(made, "customers", apply=apply)
    assert (report.differences, report.counts["sent"]) == (0, 0), report.counts
    clock.advance(timedelta(hours=1))
    made.deliver()
    clock.advance(timedelta(hours=1))
    made.run("customers")
    names = sorted(one.header["name"] for one in erp.effects("customer"))
    assert names == ["Name 0", "Name 2", "Name 3", "changed", "new"]
    assert balanced(made)[0].received == 6
    assert reconcile(made, "customers", apply=True).differences == 0


def test_what_arrives_while_keys_are_listed_is_neither_lost_nor_changed(pair) -> None:
    """Another worker delivers between the listing of the target's keys and the look at our own."""
    made, crm, erp = pair
    queued(made, erp)
    for system in (crm, erp):
        system.keys = _then(system.keys, made.deliver)  # type: ignore[method-assign]  # a worker beside it
    report = reconcile(made, "customers", apply=True)
    assert (report.differences, report.counts["sent"]) == (0, 0), report.counts
    assert len(erp.effects("customer")) == 5 and balanced(made)[0].delivered == 6


def _then(keys: Callable[..., Any], work: Callable[[], Any]) -> Callable[..., Any]:
    def listed(entity: str, **bounds: Any) -> Any:
        found = list(keys(entity, **bounds))
        yield from found[:2]
        work()
        yield from found[2:]

    return listed
