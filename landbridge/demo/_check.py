"""Whether the demonstration did what it promises; each broken promise is said in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from landbridge.demo._closing import shown_in_airflow
from landbridge.demo._ledger import attention, counts_since
from landbridge.demo._one_customer import still_true
from landbridge.demo._screen import listed

if TYPE_CHECKING:
    from landbridge.demo._tour import Tour

_WRITES = ("created", "updated", "deleted")


def check(tour: Tour, *, thorough: bool) -> int:
    """0 if everything agrees, else 1 with a list of what does not; `thorough` also runs everything again."""
    console = tour.console
    console.rule("Is it true?", align="left")
    wrong = tour.failures or _agree(tour)
    if thorough:
        wrong += _again_writes_nothing(tour)
    if tour.customers is not None and not wrong:
        wrong += still_true(tour, tour.customers)
    if thorough and not wrong:  # what a change does says little where something differed before
        wrong += _a_change_changes_one(tour)
        wrong += shown_in_airflow(tour)
    if wrong:
        listed(console, f"{len(wrong)} differences:", wrong)
        return 1
    console.print("[green]All is as promised.[/]")
    return 0


def _agree(tour: Tour) -> list[str]:
    """Both systems hold the same, and nothing is dead, quarantined or in conflict."""
    found: list[str] = tour.company.look("differences")
    stuck = [f"{row.flow} {row.source_key}: {row.state}: {row.reason}" for row in attention(tour.installation)]
    if not found and not stuck:
        tour.console.print("  same customers, products, prices, orders to the cent, shipments and stock on both sides")
    return found + stuck


def _again_writes_nothing(tour: Tour) -> list[str]:
    tour.company.ask("mark")
    began = tour.installation.clock.now()
    tour.run(tour.flows)
    tour.settle()
    wrong = []
    for flow, counted in counts_since(tour.installation, began).items():
        written = {word: counted[word] for word in _WRITES if counted[word]}
        if written or counted["failed"]:
            wrong.append(f"{flow}: a second run wrote {_words(written)}" + " and failed" * bool(counted["failed"]))
    changed: list[str] = tour.company.look("changed")
    wrong += [f"a second run of every flow changed {key}" for key in changed]
    if not wrong:
        tour.console.print("  a second run of every flow wrote nothing")
    return wrong


def _a_change_changes_one(tour: Tour) -> list[str]:
    tour.company.ask("mark")
    order = tour.company.ask("change_order")
    tour.run(("orders_to_erp",))
    tour.settle()
    changed: list[str] = tour.company.look("changed")
    theirs = [key for key in changed if key.startswith("erp ")]
    wrong = (
        []
        if theirs == [order["changes"]]
        else [f"order {order['crm']} was changed in the CRM; in the ERP changed: {theirs}"]
    )
    tour.run(("order_status_to_crm",))
    tour.settle()
    found: list[str] = tour.company.look("differences")
    if not wrong and not found:
        tour.console.print(
            f"  order {order['crm']}, changed in the CRM, changed exactly order {order['erp']} in the ERP"
        )
    return wrong + found


def _words(counts: dict[str, int] | Counter[str]) -> str:
    return ", ".join(f"{number} {word}" for word, number in counts.items()) or "nothing"
