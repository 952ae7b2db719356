"""What a database's errors mean: by SQLSTATE, MySQL and Oracle numbers and SQLite's names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from landbridge.errors import Denied, Failure, OutcomeUnknown, Rejected, Unavailable
from landbridge.secrets import scrub

LOOK_UP = "Looked up by our reference after the settle time."
_AGAIN = "Tried again by itself; look whether the database is up."
_RIGHTS = "Give the database user the right; `landbridge check --live` names what is missing."
_RENAMED = "A table or column is not there (any more); `landbridge check --live` compares them with the configuration."
_RECORD = "Correct the record or the mapping, then replay."

_DENIED = ("28", "42501", "3D000", "1044", "1045", "1142", "1143", "1227", "1049", "1017", "1031",
           "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH", "SQLITE_NOTADB")  # fmt: skip
_LATER = ("40", "53", "55", "57", "58", "25006", "XX", "1205", "1213", "1040", "1203", "3024", "1290", "60", "8177",
          "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL")  # fmt: skip
_LOST = ("08", "57P01", "57P02", "57P03", "2002", "2003", "2006", "2013", "2055", "3113", "3114", "12170", "12541")
_NOT_LET_IN = ("authentication", "does not exist", "no pg_hba.conf entry", "permission denied", "certificate verify")
_NOT_THERE = ("42P01", "42703", "1054", "1146", "942", "904")
_UNSETTLED = ("08", "40003", "57", "58", "XX", "53")
"""Errors in the reply to a COMMIT that leave it open whether it happened."""


class Unreached(Exception):
    """No connection could be made; `args[0]` is the driver's error."""


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn what a database or its driver raises into a Failure; before a COMMIT nothing has an effect."""
    try:
        yield
    except (SQLAlchemyError, Unreached) as error:
        raise failure_of(error, what) from None


def failure_of(error: Exception, what: str, *, committing: bool = False) -> Failure:
    """The Failure for an error; `committing` where the COMMIT was on its way."""
    if isinstance(error, NoSuchTableError):
        return Denied(f"{what}: there is no table or view {error}.", hint=_RENAMED, sent=False)
    if isinstance(error, PoolTimeout):
        return Unavailable(f"{what}: all connections are in use.", hint="Raise `net.concurrency`.", sent=False)
    unreached = isinstance(error, Unreached)
    cause = error.args[0] if unreached else getattr(error, "orig", None) or error
    code, text = _code(cause), scrub(_text(cause))
    message = f"{what}: {text}"
    if unreached and not code:
        if any(word in text for word in _NOT_LET_IN):  # libpq tells the state of a refused connection in words only
            return Denied(message, hint="Look at user, password and database of the URL.", sent=False)
        return Unavailable(message, hint=_AGAIN, sent=False)
    if committing and (not code or code.startswith(_UNSETTLED) or _lost(error, code)):
        return OutcomeUnknown(f"{message}; the commit may or may not have happened.", hint=LOOK_UP, status=code)
    if not unreached and _lost(error, code):
        return Unavailable(message, hint=_AGAIN, status=code)
    if _is(code, _DENIED):
        return Denied(message, hint=_RIGHTS, status=code, sent=not unreached)
    if unreached or _is(code, _LATER):
        return Unavailable(message, wait=1.0 if code.startswith("40") else None, hint=_AGAIN, status=code)
    if renamed(code):
        return Denied(message, hint=_RENAMED, status=code)
    return Rejected(message, hint=_RECORD, status=code or type(cause).__name__)


def renamed(code: str) -> bool:
    """Whether a table or column is not there (any more): no record is to blame, so none becomes a dead letter."""
    return code in _NOT_THERE


def _is(code: str, known: tuple[str, ...]) -> bool:
    """Classes of SQLSTATE and families of SQLite go by their beginning, numbers count whole."""
    exact = code.isdigit() and len(code) != 5
    return code in known if exact else any(code.startswith(each) for each in known if exact == _number(each))


def _number(code: str) -> bool:
    return code.isdigit() and len(code) not in (2, 5)


def _lost(error: Exception, code: str) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if not code:  # psycopg gives no state to a broken line; a value that it cannot send or read is a DataError
        return type(getattr(error, "orig", None)).__name__ in ("OperationalError", "InterfaceError", "_WaitTimeout")
    return _is(code, _LOST)


def _code(cause: Any) -> str:
    """SQLSTATE (PostgreSQL), number (MySQL, Oracle) or name (SQLite); empty where the line itself broke."""
    args: Any = getattr(cause, "args", ())
    first: Any = args[0] if args else None
    if isinstance(first, int):  # MySQL's number says more than the state beside it, which is HY000 for most
        return str(first) if first else ""
    for name in ("sqlstate", "sqlite_errorname"):
        if getattr(cause, name, None):
            return str(getattr(cause, name))
    if getattr(first, "code", None) is not None:  # oracledb
        return str(first.code)
    return ""


def _text(cause: Any) -> str:
    """The main message only: the detail of an integrity error quotes the row, which may be somebody's business."""
    diagnosis = getattr(cause, "diag", None)
    if diagnosis is not None and diagnosis.message_primary:
        constraint = diagnosis.constraint_name
        named = f" (constraint {constraint})" if constraint and constraint not in diagnosis.message_primary else ""
        return f"{diagnosis.message_primary}{named}"
    args: Any = getattr(cause, "args", ())
    text = str(args[1]) if len(args) > 1 and isinstance(args[0], int) else str(cause)
    text = re.sub(r"Duplicate entry '.*' for key", "Duplicate entry for key", text)
    return text.strip().splitlines()[0][:300] if text.strip() else type(cause).__name__
