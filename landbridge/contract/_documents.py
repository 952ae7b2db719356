"""Documents: lines keep their identity."""

from __future__ import annotations

import dataclasses
from typing import Any

from landbridge.connector import LineWrite
from landbridge.contract._bench import Bench
from landbridge.contract._kit import as_update, contract, delivered, outcome_of, settle
from landbridge.errors import OutcomeUnknown


@contract
def lines_keep_their_identity(bench: Bench) -> None:
    """Changed, cancelled and new lines never land on each other."""
    if bench.document is None:
        return
    connector = bench.connector()
    write = bench.document_write("doc", {"a": "100", "b": "10"})
    made = delivered(connector, write)
    assert set(made.lines) == {"a", "b"}
    found = connector.find(bench.document, "doc")
    assert found is not None
    assert found.lines == made.lines or not found.lines
    line = bench.native_line
    changes = (  # C comes first, A changes, B goes
        LineWrite("insert", "c", None, None, line("30")),
        LineWrite("update", "a", made.lines["a"], line("100"), line("50")),
        LineWrite("cancel", "b", made.lines["b"], line("10"), None),
    )
    change = as_update(write, made.target_id, found.version, before=write.after, changed={}, lines=changes, version=2)
    second = delivered(connector, change)
    held = bench.line_quantities("doc")
    assert _number(held[made.lines["a"]]) == 50
    assert made.lines["b"] not in held
    new = {**made.lines, **second.lines}["c"]
    assert new not in made.lines.values(), "a new line was written onto another line"
    assert _number(held[new]) == 30
    assert len(held) == 2


def _number(text: Any) -> float:
    return float(text)


@contract
def a_document_written_twice_has_its_lines_once(bench: Bench) -> None:
    """An order whose reply was lost has its lines once."""
    if bench.document is None:
        return
    connector = bench.connector()
    write = bench.document_write("again", {"a": "1", "b": "2"})
    connector.check()
    bench.fault("write", "drop_after")
    outcome = outcome_of(connector, write)
    assert isinstance(outcome, OutcomeUnknown)
    settle(bench, bench.document)
    found = connector.find(bench.document, "again")
    assert found is not None
    if connector.entity(bench.document).create != "C":
        delivered(connector, dataclasses.replace(write, target_id=found.target_id, action="update"))
    held = bench.line_quantities("again")
    assert sorted(map(_number, held.values())) == [1, 2]
    assert len(bench.effects(bench.document, "again")) == 1
