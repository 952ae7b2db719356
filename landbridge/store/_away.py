"""Whether an error says that the store is away, rather than that it refuses a statement."""

from __future__ import annotations

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as NoneFree

_LONGEST = 200


def away(error: BaseException) -> str | None:
    """Why the store does not work, in one line: it cannot be reached, goes down, has no room; None for anything else."""
    if isinstance(error, DisconnectionError | NoneFree):
        return type(error).__name__
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return None
    if isinstance(cause, DeadlockDetected | SerializationFailure):
        return None
    said = str(cause).strip().partition("\n")[0][:_LONGEST]
    return f"{type(cause).__name__}: {said}" if said else type(cause).__name__
