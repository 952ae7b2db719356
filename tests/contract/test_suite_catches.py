"""The suite can fail: connectors with a planted fault each, and the check that must catch it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import pytest
from bench import Bench
from connectors_under_test import REGISTRY
from suite import ALL

from connectors.salesforce import Salesforce
from connectors.salesforce import _cursor as cursors
from landbridge.connector import Delivered, LineWrite, Outcome, Page, Registration, Row, Write
from landbridge.errors import Failure, OutcomeUnknown, Unavailable

PLANTED: list[tuple[type[Salesforce], str]] = []


def caught_by(*checks: str) -> Callable[[type[Salesforce]], type[Salesforce]]:
    """Say which checks must fail for a planted connector."""

    def declare(cls: type[Salesforce]) -> type[Salesforce]:
        PLANTED.extend((cls, check) for check in checks)
        return cls

    return declare


@caught_by("more_rows_in_one_instant_than_a_page", "resumes_after_any_page")
class SkipsTies(Salesforce):
    """Goes on after the last stamp instead of the last (stamp, id)."""

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        if since is not None:
            cursor = cursors.Cursor.parse(since)
            if cursor.records.after is not None:
                after = (cursor.records.after[0], "zzzzzzzzzzzzzzzzzz")
                since = dataclasses.replace(cursor, records=dataclasses.replace(cursor.records, after=after)).text()
        return super().read(entity, since, limit=limit)


@caught_by("late_commit_is_found", "two_changes_in_one_second")
class LooksNeverBack(Salesforce):
    """Takes what it has read for settled at once."""

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        for page in super().read(entity, since, limit=limit):
            cursor = cursors.Cursor.parse(page.cursor)
            settled = dataclasses.replace(cursor.records, settled=True)
            page.cursor = dataclasses.replace(cursor, records=settled).text()
            yield page


@caught_by("pages_lose_nothing_and_end", "changed_while_reading", "a_limit_is_kept_and_reading_goes_on")
class StopsAfterAPage(Salesforce):
    """Takes the first page for all there is."""

    def read(self, entity: str, since: str | None, *, limit: int | None = None) -> Iterator[Page]:
        for page in super().read(entity, since, limit=limit):
            cursor = cursors.Cursor.parse(page.cursor)
            closed = dataclasses.replace(cursor.records, open=False, settled=True)
            yield dataclasses.replace(page, cursor=dataclasses.replace(cursor, records=closed).text())
            return


@caught_by("unknown_outcome_is_one_effect[500_after]", "unknown_outcome_is_one_effect[hang]")
class HidesUnknownOutcomes(Salesforce):
    """Takes a lost reply for a refused connection."""

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        outcomes = super().write(entity, writes)
        return [Unavailable(each.message) if isinstance(each, OutcomeUnknown) else each for each in outcomes]


@caught_by("unknown_outcome_is_one_effect[drop_before]", "commit_after_the_client_gave_up_is_one_effect")
class HopesForTheBest(Salesforce):
    """Takes a lost reply for success."""

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        outcomes = super().write(entity, writes)
        return [Delivered("001") if isinstance(each, OutcomeUnknown) else each for each in outcomes]


@caught_by("write_twice_is_one_effect", "commit_after_the_client_gave_up_is_one_effect")
class CreatesBlindly(Salesforce):
    """Sends each create under a reference of its own."""

    _count = 0

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        blind = []
        for write in writes:
            CreatesBlindly._count += 1
            own = f"{write.reference}~{CreatesBlindly._count}"
            blind.append(dataclasses.replace(write, reference=own) if write.target_id is None else write)
        return super().write(entity, blind)


@caught_by("secret_never_in_repr_log_or_error")
class TellsItsSecret(Salesforce):
    """Shows its settings in full."""

    def __repr__(self) -> str:
        assert self.config.client_secret is not None
        return f"<Salesforce {self.config.client_secret.reveal()}>"


@caught_by("results_come_in_order")
class AnswersInAnyOrder(Salesforce):
    """Gives failures first."""

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        return sorted(super().write(entity, writes), key=lambda each: not isinstance(each, Failure))


@caught_by("lines_keep_their_identity")
class GoesByPosition(Salesforce):
    """Writes the n-th line onto the n-th line of the target."""

    def write(self, entity: str, writes: Sequence[Write]) -> list[Outcome]:
        return super().write(entity, [dataclasses.replace(write, lines=_by_position(write.lines)) for write in writes])


def _by_position(lines: Sequence[LineWrite]) -> tuple[LineWrite, ...]:
    numbers = [line.line_id for line in lines if line.line_id is not None]
    kept = [line for line in lines if line.after is not None]
    return tuple(
        dataclasses.replace(line, action="update", line_id=number) if number else line
        for line, number in zip(kept, [*numbers, *[None] * len(kept)], strict=False)
    )


@caught_by("text_round_trips[0]", "fetch_and_read_tell_the_same")
class LosesLetters(Salesforce):
    """Knows ASCII only, in some places."""

    def fetch(self, entity: str, ids: Sequence[str]) -> list[Row]:
        rows = super().fetch(entity, ids)
        for row in rows:
            if row.body and row.body.get("Description"):
                row.body["Description"] = row.body["Description"].encode("ascii", "replace").decode()
            elif row.body:
                row.body.pop("Description")
        return rows


@caught_by("it_closes_its_connections")
class KeepsItsConnections(Salesforce):
    """Closes nothing."""

    def close(self) -> None:
        return


@pytest.mark.parametrize(("planted", "check"), PLANTED, ids=lambda each: getattr(each, "__name__", each))
def test_a_planted_fault_is_caught(
    planted: type[Salesforce], check: str, start: Callable[[Registration], Bench]
) -> None:
    bench = start(dataclasses.replace(REGISTRY["salesforce"], connector=planted))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        ALL[check](bench)


def test_the_checks_named_here_are_in_the_suite() -> None:
    assert {check for _, check in PLANTED} <= set(ALL)
