"""Log lines: one per event, `key=value` for people or JSON for programs, and nothing that foreign text can forge.

The kernel logs through `logging`, with what is known beside the text (`extra=`): flow, system, message, trace. A
program of ours decides once, here, how lines look. Each value loses the secrets that were ever opened, and then every
line break and everything that steers a terminal becomes its escape: one event is one line whatever its text holds.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from enum import StrEnum
from typing import Any, TextIO

LONGEST = 4_000
"""Characters of one value that are shown; a traceback may be four times as long."""
_STEERS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_BARE = re.compile(rf"""[\s\\="'{_STEERS.pattern[1:-1]}]""")
_QUIET = ("alembic", "asyncio", "opentelemetry", "urllib3", "uvicorn.error")
_FIRST = ("time", "level", "logger", "event")


class LogFormat(StrEnum):
    """How lines look."""

    text = "text"
    json = "json"


class LogLevel(StrEnum):
    """From which weight on lines are written."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


FORMATS = tuple(LogFormat)
LEVELS = tuple(LogLevel)


def begin_logs(
    form: LogFormat = LogFormat.text, level: LogLevel = LogLevel.info, *, stream: TextIO | None = None
) -> logging.Handler:
    """Write every log line of this process to `stream` (standard error) in this form, and nowhere else."""
    import structlog

    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    end: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        clean,
        _json if form is LogFormat.json else _text,
    ]
    writer = logging.StreamHandler(stream or sys.stderr)
    writer.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=end))
    root = logging.getLogger()
    for one in list(root.handlers):
        root.removeHandler(one)
    root.addHandler(writer)
    root.setLevel(level.upper())
    logging.raiseExceptions = False  # a line that cannot be written, to a full disk say, must not stop the work
    for name in _QUIET:  # their words of debugging are about their own inside
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    return writer


def clean(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The line's keys and values without secrets and endless texts; the usual ones first."""
    cleaned = {
        _one(name, 100): _value(value, LONGEST * 4 if name == "exception" else LONGEST)
        for name, value in line.items()
        if value is not None
    }
    return {name: cleaned[name] for name in _FIRST if name in cleaned} | cleaned


def _value(value: Any, longest: int) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, set | frozenset):
        value = sorted(value, key=str)
    if isinstance(value, list | tuple):
        return [_value(one, longest) for one in value]
    if isinstance(value, Mapping):
        return {_one(str(name), 100): _value(one, longest) for name, one in value.items()}
    return _one(str(value), longest)


def _one(text: str, longest: int) -> str:
    from landbridge.secrets import scrub  # here: the command line starts without it

    text = scrub(text).encode("utf-8", "backslashreplace").decode()  # a lone surrogate is no text
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text) - longest} more)"


def _text(_logger: Any, _method: str, line: Mapping[str, Any]) -> str:
    """`key=value` pairs; a value that could be taken for more than one stands in double quotes, escaped."""
    return " ".join(f"{_BARE.sub('_', name)}={_quoted(value)}" for name, value in line.items())


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = ",".join(str(one) for one in value)
    text = str(value)
    if text and not _BARE.search(text):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _STEERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text) + '"'


def _json(_logger: Any, _method: str, line: Mapping[str, Any]) -> str:
    """One object per line; what JSON leaves as it is and a terminal would obey is escaped too."""
    import orjson

    text = orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    return _STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
