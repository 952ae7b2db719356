"""Log lines: one per event whatever its text holds, no secret, and what is away told once."""

from __future__ import annotations

import io
import json
import logging
import re
import shlex
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.secrets import remember
from landbridge.telemetry import LogFormat, LogLevel, Outage, begin_logs

HOSTILE = [
    "a\nlevel=critical event=forged", "a\r\nb", "\x1b[2J\x1b[31mred", "\x9b31m", "a\x00b", "x\u2028y", "\u202egnp.exe",
    'a" level="critical', 'ends with \\', '\\" level=critical x="', "key=value", "", " ", "\ud800", "\u061c", "\x85",
    '{"level":"critical"}', "it's",
]  # fmt: skip
STEERS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """The test's own logging stands again afterwards."""
    root, quiet = logging.getLogger(), ("alembic", "asyncio", "opentelemetry", "urllib3", "uvicorn.error")
    before = list(root.handlers), root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in quiet}
    yield
    root.handlers[:], root.level, logging.raiseExceptions = before[0], before[1], before[2]
    root.setLevel(before[1])
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def written(form: LogFormat, text: str, **known: object) -> str:
    stream = io.StringIO()
    begin_logs(form, LogLevel.debug, stream=stream)
    logging.getLogger("landbridge.test").warning("it says %s", text, extra=known)
    return stream.getvalue()


def pairs(line: str) -> dict[str, str]:
    """A line of `key=value` as a shell, or any reader of logfmt, takes it apart."""
    return dict(word.partition("=")[::2] for word in shlex.split(line))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["text", "value", "key"])
def test_foreign_text_makes_no_second_line_and_no_second_key(text: str, place: str) -> None:
    known: dict[str, object] = {"system": text} if place == "value" else {f"k{text}": "v"} if place == "key" else {}
    usual = {"time", "level", "logger", "event"}
    for form in LogFormat:
        said = written(form, text if place == "text" else "hello", **known)
        assert said.endswith("\n") and said.count("\n") == 1, form
        assert not STEERS.search(said[:-1]), form
        line = json.loads(said) if form is LogFormat.json else pairs(said)
        assert line["level"] == "warning" and line["logger"] == "landbridge.test"
        assert len(line) == 4 + len(known) and usual <= line.keys(), line


@given(st.text(), st.text(max_size=40))
def test_any_text_is_one_value_of_one_line(text: str, name: str) -> None:
    for form in LogFormat:
        said = written(form, text, **{f"k{name}": text})
        assert said.count("\n") == 1 and not STEERS.search(said[:-1])
        line = json.loads(said) if form is LogFormat.json else pairs(said)
        assert len(line) == 5 and line["level"] == "warning"


def test_json_keeps_a_text_as_it_was() -> None:
    text = 'two\nlines, "quoted" \\ and \u202e turned'
    assert json.loads(written(LogFormat.json, text))["event"] == f"it says {text}"


@pytest.mark.parametrize("form", LogFormat)
def test_a_secret_that_was_opened_is_in_no_part_of_a_line(form: LogFormat) -> None:
    secret = remember('c4n4ry "secret"\\of=4')
    stream = io.StringIO()
    begin_logs(form, LogLevel.debug, stream=stream)
    log = logging.getLogger("landbridge.test")
    try:
        raise ValueError(f"refused {secret}")
    except ValueError:
        log.exception("it said %s", secret, extra={"why": secret, secret: 1, "deep": {"a": [secret]}, "odd": {secret}})
    said = stream.getvalue()
    assert said.count("\n") == 1 and "Traceback" in said
    assert "c4n4ry" not in said


def test_a_foreign_library_s_line_looks_like_ours() -> None:
    stream = io.StringIO()
    begin_logs(LogFormat.json, LogLevel.info, stream=stream)
    logging.getLogger("some.library").error("bad\x1b[0m %s", "thing")
    logging.getLogger("urllib3.connectionpool").info("of no interest")
    [line] = [json.loads(one) for one in stream.getvalue().splitlines()]
    assert (line["logger"], line["level"], line["event"]) == ("some.library", "error", "bad\x1b[0m thing")


def test_an_endless_text_is_cut() -> None:
    said = written(LogFormat.text, "x" * 100_000)
    assert len(said) < 5_000 and "more)" in said


def test_a_line_that_cannot_be_written_stops_nothing() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError("no space left")

    begin_logs(LogFormat.text, LogLevel.info, stream=Full())
    logging.getLogger("landbridge.test").error("into the void")


def test_what_is_away_is_told_once_and_asked_less_and_less(caplog: pytest.LogCaptureFixture) -> None:
    now = [100.0]
    outage = Outage("the store", logging.getLogger("landbridge.test"), now=lambda: now[0])
    with caplog.at_level(logging.INFO):
        outage.back()
        rests = []
        for _ in range(50):
            outage.away("OperationalError: refused")
            rests.append(outage.rest())
            now[0] += rests[-1]
        assert outage.is_away
        outage.back()
        outage.back()
        outage.away("again")
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "the store is away", "the store is back", "the store is away",
    ]  # fmt: skip
    assert caplog.records[0].why == "OperationalError: refused"  # type: ignore[attr-defined]  # what `extra` added
    assert caplog.records[1].tries == 50  # type: ignore[attr-defined]  # the same
    assert rests[0] < 0.2 and 2.3 < rests[-1] < 3.7 and sum(rests[:10]) < 3
