"""Real time: orders are closed in the CRM one by one; how soon each stands in the ERP, and the way of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any

from landbridge.demo._ledger import journey

if TYPE_CHECKING:
    from landbridge.demo._tour import Tour

ORDERS = 5
"""How many are closed: the first meets cold lines, the others tell what is usual."""

FLOW = "orders_to_erp"


@dataclass(frozen=True, slots=True)
class Hop:
    """One thing that happened to an order: when, in which step of ours or in which system, and what."""

    at: datetime | None
    step: str
    what: str


@dataclass(frozen=True, slots=True)
class Way:
    """An order from the click in the CRM to its number there: its hops, and what both systems call it."""

    number: str
    crm: str
    erp: str
    began: datetime
    hops: tuple[Hop, ...]


def close_orders(tour: Tour, endpoint: str) -> Way | None:
    """Let the CRM tell this endpoint, close orders, say how soon each arrived; the way of the last, None if one failed.

    What did not arrive in time, or more than once, is among the tour's failures.
    """
    console = tour.console
    console.rule("Real time: orders are closed in the CRM", align="left")
    tour.company.ask("tell", url=f"{endpoint}/hooks/crm")
    console.print(f"  the CRM sends an outbound message to {endpoint}/hooks/crm", highlight=False)
    closed = [_close(tour) for _ in range(ORDERS)]
    arrived = [one for one in closed if one["erp"]]
    if len(arrived) < len(closed):
        return None
    spent = [float(one["milliseconds"]) for one in arrived]
    console.print(
        f"  [green]{median(spent):.0f} ms[/] from the click in the CRM until it stands in the ERP "
        f"(median of {len(spent)}; {min(spent):.0f} to {max(spent):.0f})",
        highlight=False,
    )
    known = tour.company.look("known")
    missing = [one["number"] for one in closed if one["number"] not in known]
    tour.failures += [f"order {number}: the CRM does not know its number in the ERP" for number in missing]
    tour.failures += tour.company.look("doubled")
    if missing:
        return None
    back = [known[one["number"]] - one["milliseconds"] for one in closed]
    console.print(
        f"  its number and status are back in the CRM {min(back) / 1000:.1f} to {max(back) / 1000:.1f} s later, "
        "by polling the ERP",
        highlight=False,
    )
    last = closed[-1]
    began = datetime.fromisoformat(last["closed_at"])
    return Way(last["number"], last["crm"], last["erp"], began, tuple(_hops(tour, last, began)))


def _close(tour: Tour) -> Any:
    one = tour.company.ask("close_order")
    if one["erp"]:
        text = (
            f"  order {one['number']} closed; it stands in the ERP as {one['erp']} after {one['milliseconds']:.0f} ms"
        )
        tour.console.print(text, highlight=False)
    else:
        tour.failures.append(f"order {one['number']}: closed in the CRM, not in the ERP after {one['within']:g} s")
    return one


def _hops(tour: Tour, closed: Any, began: datetime) -> Iterator[Hop]:
    """What both systems and the store know of an order, in the order of its happening."""
    yield Hop(began, "CRM", f"order {closed['number']} is closed")
    for one in tour.company.look("told", crm=closed["crm"])[:1]:
        sent = datetime.fromisoformat(one["at"])
        yield Hop(sent, "CRM", "sends an outbound message")
        heard = sent + timedelta(milliseconds=one["milliseconds"])
        yield Hop(heard, "webhook", f"answered {one['status']} after {one['milliseconds']:.0f} ms: it is kept")
    seen: set[Any] = set()
    for row in journey(tour.installation, "crm", "sales_order", closed["crm"]):
        if row.message_id not in seen:
            seen.add(row.message_id)
            how = "named by the webhook, read by its key" if row.told_at else "polled"
            yield Hop(row.received_at, "extract", f"{row.source} {row.entity} {row.source_key}: {how}")
        if row.route is None:
            continue
        yield Hop(None, "canonicalise, check, resolve", f"version {row.version} for {row.route}")
        if row.at is not None:
            spent = f", {row.milliseconds} ms" if row.milliseconds is not None else ""
            yield Hop(row.at, "translate, deliver", f"attempt {row.number} at {row.target}: {row.outcome}{spent}")
        there = f", {row.target} {row.target_id}" if row.target_id else ""
        yield Hop(row.done_at, "record", f"{row.state}{f' ({row.code})' if row.code else ''}{there}")


def shown_in_airflow(tour: Tour) -> list[str]:
    """What is wrong with the windows of the worker in Airflow: nothing, if one of them counts created orders."""
    runs = tour.airflow.get(f"dags/{FLOW}__live/dagRuns", limit="100")["dag_runs"]
    created = sum((one["conf"] or {}).get("counts", {}).get("created", 0) for one in runs)
    repairs = tour.airflow.get(f"dags/{FLOW}__repair/dagRuns", limit="1")["dag_runs"]
    wrong = [] if created >= ORDERS else [f"{FLOW}__live: Airflow shows {created} created, {ORDERS} were closed"]
    wrong += [f"{FLOW}__repair: {one['dag_run_id']} is {one['state']}" for one in repairs]
    if not wrong:
        tour.console.print(f"  Airflow shows in {len(runs)} runs of {FLOW}__live what the worker moved, none to repair")
    return wrong
