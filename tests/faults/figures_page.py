"""The measured figures as a table, each with its n, the 95 % bound and its limit; generated into docs/promises.md."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

BEGIN = "<!-- figures: written by `make faults` -->"
END = "<!-- end of figures -->"


@dataclass(frozen=True)
class Row:
    """What was done, the figures that count it, their unit, the figures that must be 0, and the limit."""

    what: str
    counted: tuple[str, ...]
    unit: str
    wrongs: tuple[str, ...]
    limit: str = "–"


EFFECTS = ("lost", "duplicated")
ROWS = (
    Row(
        "Workers killed by SIGKILL at random moments",
        ("kills",),
        "kills",
        EFFECTS,
        "grade C: no effect later than the settle time",
    ),
    Row(
        "Replies bad or missing: 500 before or after the commit, cut, dropped, hanging, HTML, 429, late",
        ("bad_replies",),
        "replies",
        EFFECTS,
        "as above",
    ),
    Row(
        "Changes of records: the target sees no older version after a newer one",
        ("messages",),
        "changes",
        ("inversions",),
        "per record",
    ),
    Row(
        "Worker processes that end at each durable step in turn, grades A, B and C",
        ("crash_points",),
        "steps",
        EFFECTS,
        "10 orders each",
    ),
    Row(
        "Receivers of webhooks killed while senders send: what was answered 2xx has its effect",
        ("receiver_kills",),
        "kills",
        EFFECTS,
        "the process dies, not the disk",
    ),
    Row(
        "Receivers of webhooks that end at each durable step in turn",
        ("receiver_points",),
        "steps",
        EFFECTS,
        "10 webhooks each",
    ),
    Row(
        "PostgreSQL crashed (`-m immediate`) while orders flow",
        ("database_crashes",),
        "crashes",
        EFFECTS,
        "the operating system survives",
    ),
    Row(
        "The disk of the database filled to its last byte while orders flow",
        ("full_disks",),
        "times",
        EFFECTS,
        "a server that ended is started again, as `landbridge up` does",
    ),
    Row(
        "Workers stopped past their lease, wherever they stand, that go on",
        ("pauses",),
        "pauses",
        (*EFFECTS, "inversions"),
        "the target hangs up on lines that idle longer than lease and settle time",
    ),
    Row("Lines spoiled: 8 kinds, 3 strengths, 3 grades", ("bad_lines",), "runs", EFFECTS, "200 orders each"),
    Row(
        "Dead letters replayed twice over, while workers are killed",
        ("dead_letters_replayed",),
        "replays",
        (*EFFECTS, "unaccounted"),
        "grades A and C",
    ),
    Row(
        "Sources changed while they are read, page by page, by processes that live for some pages",
        ("changes_read",),
        "changes",
        ("lost",),
        "Salesforce, SAP, SQL, REST, OData and SOAP at their sandboxes",
    ),
    Row("The accounting, looked at while all of this happens", ("samples",), "looks", ("unaccounted",)),
    Row("Forged webhooks, where they are verified", ("forgeries",), "forgeries", ("forged_accepted",)),
    Row(
        "Forged webhooks over HTTP",
        ("http_forgeries",),
        "forgeries",
        ("forged_accepted", "bad_input_5xx"),
        "Standard Webhooks",
    ),
    Row(
        "Broken bodies over HTTP from a sender who proves who it is: taken or refused",
        ("http_bodies",),
        "bodies",
        ("bad_input_5xx",),
        "JSON",
    ),
    Row(
        "Refusals over HTTP: a problem with an id, and nothing of the inside",
        ("http_refusals",),
        "refusals",
        ("inside_shown",),
    ),
    Row(
        "Webhooks sent again within the retention of ids, some with another content: 2xx and no second effect",
        ("repetitions",),
        "repetitions",
        ("duplicated", "failed"),
        "Standard Webhooks, whose ids are signed",
    ),
    Row(
        "Webhooks at four times what can be kept, for a minute: 2xx and kept, or 429/503 with Retry-After",
        ("overload_requests",),
        "webhooks",
        ("lost", "failed"),
        "the receiver narrowed to 200 a second, so that one machine can send as many",
    ),
    Row(
        "Refusals timed, wrong in the first byte of the proof or in its last: t of Welch below 4.5",
        ("timed_verifications",),
        "refusals",
        ("timing_leaks",),
        "in the process, not over a network",
    ),
    Row(
        "Requests made from the webhooks' OpenAPI document: each answer is one that it names",
        ("contract_requests",),
        "requests",
        ("bad_input_5xx",),
        "2,000 examples per operation and kind of sender, by Schemathesis",
    ),
    Row(
        "Mutated configuration and payloads, read or refused",
        ("yaml_mutants", "json_mutants", "csv_mutants", "xml_mutants"),
        "mutants",
        ("bad_input_5xx",),
        "by the documented error",
    ),
)


def table(figures: Mapping[str, Any]) -> list[str]:
    """The rows of what was measured. `lost` and the like are of all parts together: 0 there is 0 in each."""
    lines = ["| what was done to it | n | wrong | 95 % bound | limit |", "|---|---|---|---|---|"]
    for row in ROWS:
        n = sum(figures.get(name, 0) for name in row.counted)
        if not n:
            continue
        found = [f"{figures.get(wrong, 0)} {wrong.replace('_', ' ')}" for wrong in row.wrongs]
        clean = not any(figures.get(wrong) for wrong in (*row.wrongs, "failed"))
        bound = f"< {3 / n:.2g} each" if clean else "–"
        lines.append(f"| {row.what} | {n:,} {row.unit} | {', '.join(found)} | {bound} | {row.limit} |")
    if figures.get("planted"):
        caught = f"{figures.get('planted_caught', 0)} of {figures['planted']} caught"
        lines.append(
            f"| Classic mistakes planted into the workers, to see whether the harness sees them | {caught} | | | |"
        )
    return lines


def text(figures: Mapping[str, Any]) -> str:
    """The table as text."""
    return "\n".join(table(figures))


def write(page: Path, figures: Mapping[str, Any], seed: int, commits: Sequence[str], at: datetime) -> None:
    """Put the table between its marks; everything else of the page stays."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest:
        raise ValueError(f"{page} has no place for the figures: {BEGIN}")
    bad = f"{figures.get('bad_replies', 0) / max(figures.get('replies', 0), 1):.0%}"
    told = (
        f"Measured {at:%Y-%m-%d} with seed {seed} at commit {', '.join(commits)}: "
        f"{figures.get('orders', 0):,} orders, {figures.get('messages', 0):,} changes, {bad} of all replies bad."
    )
    slow = figures.get("longest_resume_s")
    more = f" After a crash of the database the flow went on within {slow} s at the latest." if slow else ""
    if load := figures.get("longest_load"):
        more += f" The machine ({os.cpu_count()} processors) was under a load of up to {load} meanwhile."
    page.write_text(f"{before}{BEGIN}\n{told}{more}\n\n{text(figures)}\n{END}{after}")
