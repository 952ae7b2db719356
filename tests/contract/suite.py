"""The contract every connector keeps: plain functions over a Bench, so that planted faults can be run through them."""

from __future__ import annotations

import dataclasses
import logging
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from pydantic import ValidationError

from landbridge import strict
from landbridge.connector import Accepted, Delivered, LineWrite, Outcome, Row, Write
from landbridge.errors import (
    Conflict,
    Denied,
    Failure,
    LandbridgeError,
    OutcomeUnknown,
    Rejected,
    Unavailable,
)
from landbridge.net import LocalBudget, Rate, Usage

Check = Callable[[Bench], None]
ALL: dict[str, Check] = {}


def contract(check: Check) -> Check:
    """Put a check into the suite under its own name."""
    ALL[check.__name__] = check
    return check


def contract_cases(*cases: Any) -> Callable[[Callable[[Bench, Any], None]], Callable[[Bench, Any], None]]:
    """Put one check per case into the suite."""

    def declare(check: Callable[[Bench, Any], None]) -> Callable[[Bench, Any], None]:
        for case in cases:
            ALL[f"{check.__name__}[{case}]"] = partial(check, case=case)
        return check

    return declare


class Inbox:
    """What the engine's receiver keeps: it drops a row whose key, stamp, action and content it has seen."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.cursor: str | None = None
        self._seen: set[tuple[Any, ...]] = set()

    def take(self, connector: Any, entity: str, *, pages: int | None = None) -> list[Row]:
        """Read on from the cursor, at most so many pages; the rows that were new."""
        fresh = []
        for count, page in enumerate(connector.read(entity, self.cursor), 1):
            for row in page.rows:
                digest = strict.json.digest(row.body) if row.body is not None else b""
                mark = (row.key, row.stamp, row.action, digest)
                if mark not in self._seen:
                    self._seen.add(mark)
                    fresh.append(row)
            self.cursor = page.cursor
            assert count < 500, "reading does not end"
            if count == pages:
                break
        self.rows += fresh
        return fresh

    def known(self) -> set[str]:
        """The keys of all rows."""
        return {row.key for row in self.rows}


def settle(bench: Bench, entity: str) -> None:
    """Wait as long as the engine does before it asks about an unknown outcome."""
    bench.tick(bench.connector().entity(entity).settle.total_seconds() + 1)


def outcome_of(connector: Any, write: Write) -> Outcome:
    """The outcome of one write, returned or raised; Accepted stages are carried on to their end."""
    for _ in range(10):
        try:
            outcome: Outcome = connector.write(write.entity, [write])[0]
        except Failure as failure:
            return failure
        if not isinstance(outcome, Accepted):
            return outcome
        write = dataclasses.replace(
            write, stage=outcome.stage, handle=outcome.handle, target_id=outcome.target_id or write.target_id
        )
    raise AssertionError("a staged write does not end")


def delivered(connector: Any, write: Write) -> Delivered:
    """The write must succeed."""
    outcome = outcome_of(connector, write)
    assert isinstance(outcome, Delivered), outcome
    return outcome


def as_update(write: Write, target_id: str, expected: str | None = None, **change: Any) -> Write:
    """The same content once more, onto the record that stands."""
    return dataclasses.replace(write, action="update", target_id=target_id, expected=expected, **change)


# --- configuration and secrets


@contract
def config_refuses_unknown_fields(bench: Bench) -> None:
    raw = bench.raw_config()
    bench.registration.config.model_validate(raw)
    with pytest.raises(ValidationError, match="nonsense"):
        bench.registration.config.model_validate({**raw, "nonsense": 1})


@contract
def every_config_field_has_description_and_example(bench: Bench) -> None:
    for name, field in bench.registration.config.model_fields.items():
        assert field.description, f"{name} has no description"
        assert field.examples, f"{name} has no example"


@contract
def secret_never_in_repr_log_or_error(bench: Bench) -> None:
    seen: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(self.format(record) + repr(record.args))

    root, handler, level = logging.getLogger(), Collect(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        for secret in bench.secrets():
            assert len(secret) >= 8, "a canary must be long enough to be found"
            body = {"error": f"bad {secret}", "error_description": f"you sent {secret}", "message": f"not {secret}"}
            bench.fault("login", "reply", status=400, body=body, times=1)
            connector = bench.connector()
            seen.append(f"{connector!r} {connector} {connector.config!r} {connector.http!r}")
            seen.append(connector.config.model_dump_json())
            _collect(seen, connector.check)
            bench.clear_faults()
            connector.check()
            bench.fault("write", "reply", status=400, body=body, times=None)
            _collect(seen, lambda c=connector: c.write(bench.target, [bench.write("canary")]))
            bench.clear_faults()
            with pytest.raises(ValidationError) as caught:
                type(connector.config).model_validate({**bench.raw_config(), "nonsense": secret})
            seen.append(str(caught.value))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert seen
    for secret in bench.secrets():
        assert all(secret not in text for text in seen), "a secret was printed"


def _collect(seen: list[str], call: Callable[[], Any]) -> None:
    try:
        seen.append(repr(call()))
    except LandbridgeError as error:
        seen.append("".join(traceback.format_exception(error)) + repr(vars(error)))


@contract
def check_says_who_answers(bench: Bench) -> None:
    identity = bench.connector().check()
    assert identity.organisation
    assert bench.connector().check().organisation == identity.organisation


@contract
def check_says_which_right_is_missing(bench: Bench) -> None:
    expected = bench.take_right()
    with pytest.raises(Denied) as caught:
        bench.connector().check()
    assert expected in caught.value.message
    assert caught.value.hint


@contract
def describe_knows_types_and_lengths(bench: Bench) -> None:
    fields = bench.connector().describe(bench.target).fields
    assert bench.text_field in fields
    assert fields[bench.text_field].type == "string"
    assert fields[bench.text_field].length
    assert any(field.required for field in fields.values())


@contract
def every_entity_is_declared_soundly(bench: Bench) -> None:
    for name, entity in bench.registration.connector.entities.items():
        assert name.islower()
        assert entity.batch >= 1
        assert entity.settle > timedelta(0)
        assert entity.native or entity.create, f"{name} can neither be read nor written"


# --- reading


@contract
def pages_lose_nothing_and_end(bench: Bench) -> None:
    keys: set[str] = set()
    for _ in range(4):
        keys |= set(bench.create(bench.page_size // 2 + 3))
        bench.tick()
    connector, inbox = bench.connector(), Inbox()
    inbox.take(connector, bench.source)
    assert keys <= inbox.known()
    assert all(row.body for row in inbox.rows)
    stamps = [row.stamp for row in inbox.rows if row.key in keys]
    assert stamps == sorted(stamps, key=str), "oldest first"
    assert inbox.take(connector, bench.source) == [], "nothing new, nothing told"


@contract
def resumes_after_any_page(bench: Bench) -> None:
    keys: set[str] = set()
    for _ in range(5):
        keys |= set(bench.create(bench.page_size // 2 + 3))
        bench.tick()
    inbox = Inbox()
    for _ in range(40):
        inbox.take(bench.connector(), bench.source, pages=1)  # a new process each time: only the cursor is left
        if keys <= inbox.known():
            break
    assert keys <= inbox.known(), "reading one page at a time does not come to the end"


@contract
def more_rows_in_one_instant_than_a_page(bench: Bench) -> None:
    keys = set(bench.create(2 * bench.page_size + 5))
    inbox = Inbox()
    for _ in range(12):
        inbox.take(bench.connector(), bench.source, pages=1)
    missing = keys - inbox.known()
    assert not missing, f"{len(missing)} of {len(keys)} rows of one instant were skipped"


@contract
def late_commit_is_found(bench: Bench) -> None:
    connector, inbox = bench.connector(), Inbox()
    overlap = connector.entity(bench.source).overlap.total_seconds()
    bench.create(3)
    bench.tick(overlap / 2)
    bench.create(2)
    inbox.take(connector, bench.source)
    late = bench.late(overlap / 4)
    bench.tick()
    inbox.take(connector, bench.source)
    assert late in inbox.known(), "a row that was committed late with an old stamp was skipped"


@contract
def two_changes_in_one_second(bench: Bench) -> None:
    connector, inbox = bench.connector(), Inbox()
    [key] = bench.create(1)
    bench.tick()
    bench.change(key, "first")
    inbox.take(connector, bench.source)
    bench.change(key, "second")  # the same second: the same stamp
    inbox.take(connector, bench.source)
    last = [row for row in inbox.rows if row.key == key][-1]
    assert last.body is not None
    assert last.body[bench.text_field] == "second"


@contract
def changed_while_reading(bench: Bench) -> None:
    keys = bench.create(2 * bench.page_size + 5)
    connector, inbox = bench.connector(), Inbox()
    bench.tick()
    pages = connector.read(bench.source, None)
    first = next(pages)
    inbox.cursor = first.cursor
    moved = [keys[0], keys[-1]]
    for key in moved:
        bench.change(key, "moved")
    new = bench.create(1)
    for page in pages:
        inbox.cursor = page.cursor
        inbox.rows += page.rows
    inbox.rows += first.rows
    bench.tick()
    inbox.take(connector, bench.source)
    assert set(keys) | set(new) <= inbox.known()
    for key in moved:
        texts = [row.body[bench.text_field] for row in inbox.rows if row.key == key and row.body]
        assert "moved" in texts, "a change made while reading was skipped"


@contract
def deleted_rows_are_told(bench: Bench) -> None:
    connector, inbox = bench.connector(), Inbox()
    key, other = bench.create(2)
    inbox.take(connector, bench.source)
    bench.tick()
    if bench.remove(key):
        bench.tick()
        told = inbox.take(connector, bench.source)
        assert [(row.key, row.action, row.body) for row in told if row.key == key] == [(key, "delete", None)]
    rows = {row.key: row for row in connector.fetch(bench.source, [key, other, key])}
    assert rows[key].action == "delete"
    assert rows[other].body is not None


@contract
def fetch_and_read_tell_the_same(bench: Bench) -> None:
    connector, inbox = bench.connector(), Inbox()
    keys = bench.create(3)
    inbox.take(connector, bench.source)
    read = {row.key: row for row in inbox.rows}
    for row in connector.fetch(bench.source, keys):
        assert (row.body, row.stamp, row.action) == (read[row.key].body, read[row.key].stamp, "upsert")


@contract
def keys_are_ascending_and_hash_the_content(bench: Bench) -> None:
    connector = bench.connector()
    made = bench.create(bench.page_size + 2)
    before = {each.key: each.hash for each in connector.keys(bench.source)}
    assert set(made) <= set(before)
    assert list(before) == sorted(before)
    bench.tick()
    bench.change(made[0], "other")
    after = {each.key: each.hash for each in connector.keys(bench.source)}
    assert [key for key in made if before[key] != after[key]] == [made[0]]
    middle = sorted(before)[len(before) // 2]
    low = {each.key for each in connector.keys(bench.source, high=middle)}
    high = {each.key for each in connector.keys(bench.source, low=middle)}
    assert low | high == set(before)
    assert not low & high


@contract
def a_limit_is_kept_and_reading_goes_on(bench: Bench) -> None:
    keys = set(bench.create(bench.page_size + 5))
    connector, inbox = bench.connector(), Inbox()
    for page in connector.read(bench.source, None, limit=7):
        inbox.rows += page.rows
        inbox.cursor = page.cursor
    assert 0 < len(inbox.rows) <= max(7, bench.page_size)
    inbox.take(connector, bench.source)
    assert keys <= inbox.known()


@contract
def a_cursor_that_cannot_be_read_says_so(bench: Bench) -> None:
    with pytest.raises(Failure) as caught:
        list(bench.connector().read(bench.source, '{"this is": "no cursor"}'))
    assert caught.value.hint


@contract
def a_cursor_from_the_future_is_refused(bench: Bench) -> None:
    bench.create(1)
    connector, inbox = bench.connector(), Inbox()
    inbox.take(connector, bench.source)
    assert inbox.cursor is not None
    text = inbox.cursor.replace(str(bench.clock.now().year), "2399")
    assert text != inbox.cursor, "the cursor holds no date of this year"
    with pytest.raises(Denied, match="future"):
        list(connector.read(bench.source, text))


# --- writing


@contract
def write_twice_is_one_effect(bench: Bench) -> None:
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


WRITE_STATUS: dict[int, type[Failure] | tuple[type[Failure], ...]] = {
    400: Rejected,
    401: Denied,
    403: Denied,
    404: Rejected,
    409: (Conflict, Rejected, Unavailable),
    412: (Conflict, Unavailable),
    422: Rejected,
    429: Unavailable,
    500: OutcomeUnknown,
    502: OutcomeUnknown,
    503: Unavailable,
    504: OutcomeUnknown,
}
READ_STATUS: dict[int, type[Failure]] = {
    400: Rejected,
    401: Denied,
    403: Denied,
    404: Rejected,
    429: Unavailable,
    500: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


@contract_cases(*WRITE_STATUS)
def status_of_a_write_becomes_the_right_outcome(bench: Bench, case: int) -> None:
    connector = bench.connector()
    connector.check()
    headers = {"Retry-After": "7"} if case in (429, 503) else {}
    bench.fault("write", "reply", times=None, status=case, body=bench.error_body(case), headers=headers)
    outcome = outcome_of(connector, bench.write("status"))
    assert isinstance(outcome, WRITE_STATUS[case]), f"{case} became {outcome!r}"
    if isinstance(outcome, Unavailable) and headers:
        assert outcome.wait == 7.0
    assert isinstance(outcome, Failure)
    assert outcome.hint
    assert bench.effects(bench.target, "status") == []


@contract_cases(*READ_STATUS)
def status_of_a_read_becomes_the_right_outcome(bench: Bench, case: int) -> None:
    connector = bench.connector()
    connector.check()
    headers = {"Retry-After": "7"} if case in (429, 503) else {}
    bench.fault("read", "reply", times=None, status=case, body=bench.error_body(case), headers=headers)
    with pytest.raises(Failure) as caught:
        list(connector.read(bench.source, None))
    assert isinstance(caught.value, READ_STATUS[case]), f"{case} became {caught.value!r}"
    if isinstance(caught.value, Unavailable) and headers:
        assert caught.value.wait == 7.0


@contract_cases("html", "cut_body", "drop_before", "hang", "too big")
def broken_reply_to_a_read_is_unavailable(bench: Bench, case: str) -> None:
    bench.create(3)
    connector = bench.connector()
    connector.check()
    _break(bench, "read", case)
    with pytest.raises(Unavailable):
        list((bench.connector(net={"max_reply": 1024}) if case == "too big" else connector).read(bench.source, None))
    bench.clear_faults()
    inbox = Inbox()
    inbox.take(bench.connector(), bench.source)
    assert len(inbox.known()) >= 3, "nothing is lost by a broken reply"


@contract_cases("html", "too big")
def broken_reply_to_a_write_is_unknown(bench: Bench, case: str) -> None:
    connector = bench.connector(net={"max_reply": 300_000})
    connector.check()
    _break(bench, "write", case)
    assert isinstance(outcome_of(connector, bench.write("broken")), OutcomeUnknown)


def _break(bench: Bench, side: Any, case: str) -> None:
    if case == "too big":
        bench.fault(side, "reply", status=200, body={"big": "x" * 400_000}, times=None)
    elif case == "hang":
        bench.fault(side, "hang", seconds=2.0, reply=False)
    else:
        bench.fault(side, case)


@contract
def an_expired_session_is_renewed_by_itself(bench: Bench) -> None:
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
    connector = bench.connector()
    delivered(connector, bench.write("a-1"))
    for hostile in ("' OR Id != '", "a-1' --", "%", "*", "a_1", "a-1\\"):
        assert connector.find(bench.target, hostile) is None, hostile


@contract
def a_deletion_is_one_effect(bench: Bench) -> None:
    connector = bench.connector()
    grade = connector.entity(bench.target).delete
    if grade is None:
        return
    write = bench.write("gone")
    made = delivered(connector, write)
    for _ in range(2):
        delivered(connector, dataclasses.replace(write, action="delete", target_id=made.target_id, policy="delete"))
    assert bench.effects(bench.target, "gone") == []


# --- documents


@contract
def lines_keep_their_identity(bench: Bench) -> None:
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


# --- manners


@contract
def the_rate_limit_is_honoured(bench: Bench) -> None:
    class Counting(LocalBudget):
        taken = 0

        def acquire(self, n: int = 1) -> None:
            self.taken += n
            super().acquire(n)

    bench.create(2 * bench.page_size)
    budget = Counting(Rate(requests=2, per=1), bench.clock)
    connector = bench.connector(budget=budget)
    before = bench.clock.now()
    Inbox().take(connector, bench.source)
    delivered(connector, bench.write("rate"))
    passed = (bench.clock.now() - before).total_seconds()
    assert budget.taken >= 4
    assert passed >= (budget.taken - 2) / 2 - 0.01, "requests went out faster than the rate"


@contract
def what_the_product_says_of_its_limit_reaches_the_budget(bench: Bench) -> None:
    class Listening(LocalBudget):
        def learn(self, usage: Usage) -> None:
            heard.append(usage)
            super().learn(usage)

    heard: list[Usage] = []
    connector = bench.connector(budget=Listening(None, bench.clock))
    connector.check()
    bench.fault("read", "429", retry_after=9)
    before = bench.clock.now()
    with pytest.raises(Unavailable):
        list(connector.read(bench.source, None))
    assert any(usage.wait == 9.0 for usage in heard)
    list(connector.read(bench.source, None))
    assert (bench.clock.now() - before).total_seconds() >= 9.0


@contract
def it_closes_its_connections(bench: Bench) -> None:
    connector = bench.connector()
    connector.check()
    assert open_lines(bench.port()) >= 1
    connector.close()
    assert open_lines(bench.port()) == 0


def open_lines(port: int) -> int:
    """Established connections of this machine to a port, seen from the client's end."""
    wanted, found = f"{port:04X}", 0
    for line in Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, _, remote, state = line.split()[:4]
        found += remote.endswith(f":{wanted}") and state == "01"
    return found
