"""Writing: repeated, refused or lost on the way, one write is one effect."""

from __future__ import annotations

import dataclasses
from typing import Any

from landbridge.connector import Delivered, Write
from landbridge.contract._bench import Bench
from landbridge.contract._kit import as_update, contract, contract_cases, delivered, outcome_of, settle
from landbridge.errors import OutcomeUnknown, Rejected


@contract
def write_twice_is_one_effect(bench: Bench) -> None:
    """The same write twice is one record."""
    connector = bench.connector()
    write = bench.write("twice")
    first = delivered(connector, write)
    found = connector.find(bench.target, "twice")
    assert found is not None
    assert found.target_id == first.target_id
    again = bench.connector()
    if connector.entity(bench.target).create == "C":  # one that searches by reference asks before it repeats
        second = delivered(
            again, as_update(write, found.target_id, found.version, before=dict(write.after), changed={})
        )
    else:
        second = delivered(again, write)
    assert second.target_id == first.target_id
    assert len(bench.effects(bench.target, "twice")) == 1


@contract_cases("500_after", "drop_after", "cut_body", "hang", "500_before", "drop_before")
def unknown_outcome_is_one_effect(bench: Bench, case: str) -> None:
    """Whatever breaks around the commit, look-up and repetition leave one record."""
    args: dict[str, Any] = {"seconds": 2.0, "effect": "before", "reply": False} if case == "hang" else {}
    connector = bench.connector()
    connector.check()
    bench.fault("write", case, **args)
    outcome = outcome_of(connector, bench.write("unknown"))
    assert isinstance(outcome, OutcomeUnknown), f"{case}: {outcome!r} hides that the effect may stand"
    assert outcome.hint
    settle(bench, bench.target)
    _look_up_then_decide(bench, bench.connector(), bench.write("unknown"))
    assert len(bench.effects(bench.target, "unknown")) == 1


@contract
def commit_after_the_client_gave_up_is_one_effect(bench: Bench) -> None:
    """A commit minutes after we gave up leaves one record."""
    connector = bench.connector()
    connector.check()
    bench.fault("write", "commit_later", after=240)
    outcome = outcome_of(connector, bench.write("later"))
    assert isinstance(outcome, OutcomeUnknown)
    assert connector.find(bench.target, "later") is None, "the sandbox commits later"
    assert bench.effects(bench.target, "later") == []
    settle(bench, bench.target)
    _look_up_then_decide(bench, bench.connector(), bench.write("later"))
    bench.tick(1000)
    assert len(bench.effects(bench.target, "later")) == 1


def _look_up_then_decide(bench: Bench, connector: Any, write: Write) -> None:
    """What the engine does after the settle time."""
    found = connector.find(write.entity, write.reference)
    if found is None:
        delivered(connector, write)
    else:
        delivered(connector, as_update(write, found.target_id, found.version))


@contract
def an_expired_session_is_renewed_by_itself(bench: Bench) -> None:
    """A session that ended is renewed once, unseen, and the write is one effect."""
    connector = bench.connector()
    keys = bench.create(1)
    connector.check()
    bench.expire_session()
    delivered(connector, bench.write("renewed"))
    bench.expire_session()
    assert [row.key for row in connector.fetch(bench.source, keys)] == keys
    assert len(bench.effects(bench.target, "renewed")) == 1


@contract
def results_come_in_order(bench: Bench) -> None:
    """One outcome per write, in order; a refused record does not fail its neighbours."""
    connector = bench.connector()
    size = min(connector.entity(bench.target).batch, 7)
    writes = [bench.write(f"row-{index}", text=f"text {index}") for index in range(size)]
    if size > 1:
        writes[1] = dataclasses.replace(writes[1], after=bench.wrong(), changed=bench.wrong())
        outcomes = connector.write(bench.target, writes)
    else:
        outcomes = [outcome_of(connector, write) for write in writes]
    assert len(outcomes) == len(writes)
    for index, outcome in enumerate(outcomes):
        if index == 1:
            assert isinstance(outcome, Rejected)
            assert outcome.hint
            assert outcome.status
            continue
        assert isinstance(outcome, Delivered)
        assert outcome.created
        [record] = bench.effects(bench.target, f"row-{index}")
        assert record[bench.text_field] == f"text {index}"


@contract
def a_refused_record_is_rejected_with_its_reason(bench: Bench) -> None:
    """A record that breaks a rule of the product is Rejected with a hint, and stands nowhere."""
    write = bench.write("wrong")
    outcome = outcome_of(bench.connector(), dataclasses.replace(write, after=bench.wrong(), changed=bench.wrong()))
    assert isinstance(outcome, Rejected)
    assert outcome.hint
    assert bench.effects(bench.target, "wrong") == []


TEXTS = (
    "北京星辰科技有限公司",
    "Müller & Söhne 'GmbH' \"quoted\" \\ back",
    "line\nbreak\ttab",
    "👩🏽‍🔧 e\u0301 é",
    "=1+1;DROP--",
)


@contract_cases(*range(len(TEXTS)))
def text_round_trips(bench: Bench, case: int) -> None:
    """Chinese, quotes, line breaks, emoji and what looks like a formula come back as they went."""
    connector = bench.connector()
    made = delivered(connector, bench.write("text", text=TEXTS[case]))
    [row] = connector.fetch(bench.target, [made.target_id])
    assert row.body is not None
    assert row.body[bench.text_field] == TEXTS[case]
    found = connector.find(bench.target, "text")
    assert found is not None
    assert found.target_id == made.target_id


@contract
def a_null_clears(bench: Bench) -> None:
    """A null clears the field."""
    connector = bench.connector()
    write = bench.write("null", text="there")
    made = delivered(connector, write)
    found = connector.find(bench.target, "null")
    assert found is not None
    after = {**write.after, bench.text_field: None}
    change = as_update(
        write, made.target_id, found.version, before=write.after, after=after, changed={bench.text_field: None}
    )
    delivered(connector, change)
    [record] = bench.effects(bench.target, "null")
    assert not record.get(bench.text_field)


@contract
def references_with_quotes_are_found_literally(bench: Bench) -> None:
    """A hostile reference finds nothing but itself."""
    connector = bench.connector()
    delivered(connector, bench.write("a-1"))
    for hostile in ("' OR Id != '", "a-1' --", "%", "*", "a_1", "a-1\\"):
        assert connector.find(bench.target, hostile) is None, hostile


@contract
def a_deletion_is_one_effect(bench: Bench) -> None:
    """A deletion twice is one."""
    connector = bench.connector()
    grade = connector.entity(bench.target).delete
    if grade is None:
        return
    write = bench.write("gone")
    made = delivered(connector, write)
    for _ in range(2):
        delivered(connector, dataclasses.replace(write, action="delete", target_id=made.target_id, policy="delete"))
    assert bench.effects(bench.target, "gone") == []
