"""The token that callers show: a secret of the user's own, or one that is made once and kept in the state folder."""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

from landbridge.errors import LandbridgeError
from landbridge.secrets import Secret

TOKEN_FILE = "steward.token"  # noqa: S105 - the name of a file
SHORTEST = 16


def token_of(state: Path, reference: str | None = None) -> Secret:
    """The token: by reference, or of the state folder, made if there is none; LandbridgeError if it is short or open.

    A reference is opened at every request, so that a changed secret holds at once.
    """
    if reference is None:
        reference = f"file:{_kept(state / TOKEN_FILE)}"
    try:
        secret = Secret(reference)
    except ValueError as error:
        raise LandbridgeError(f"The token {error}.", hint="Write env:NAME or file:/path.") from None
    if len(secret.reveal().encode()) < SHORTEST:
        raise LandbridgeError(f"The token is shorter than {SHORTEST} bytes.", hint="Make a longer one.")
    return secret


def shown(secret: Secret, header: str) -> bool:
    """Whether a header `Authorization` shows the token; takes as long for a wrong one as for a right one."""
    scheme, _, given = header.partition(" ")
    right = hmac.compare_digest(given.strip().encode(), secret.reveal().encode())
    return right and scheme.lower() == "bearer"


def _kept(path: Path) -> Path:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            told = f"Others than its owner may read {path.name} in the state folder."
            raise LandbridgeError(told, hint="Delete it; a new token is made.") from None
        return path
    with os.fdopen(file, "wb") as written:
        written.write(secrets.token_urlsafe(32).encode())
    return path
