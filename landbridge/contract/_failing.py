"""Failing: every status and every broken reply becomes the class that says what the engine does."""

from __future__ import annotations

from typing import Any

import pytest

from landbridge.contract._bench import Bench
from landbridge.contract._kit import Inbox, contract_cases, outcome_of
from landbridge.errors import Conflict, Denied, Failure, OutcomeUnknown, Rejected, Unavailable

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
    """Every status of a reply to a write becomes the class that says what the engine does."""
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
    """Every status of a reply to a read becomes the class that says what the engine does."""
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
    """A broken reply to a read is Unavailable, and nothing is lost by it."""
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
    """A broken reply to a write is OutcomeUnknown, never a success."""
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
