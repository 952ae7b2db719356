"""What is made up at the first start and kept: keys, tokens' secrets and the password of Airflow's one user."""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from landbridge.strict import json

USER = "admin"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Generated once per state folder; none of it is shown by `repr`."""

    fernet_key: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    secret_key: str = field(repr=False)
    password: str = field(repr=False)


def credentials(home: Path) -> tuple[Credentials, bool]:
    """The credentials kept in `home`, made if there are none; True if they are new."""
    file = home / "credentials.json"
    if file.is_file():
        return Credentials(**json.loads(file.read_bytes())), False
    made = Credentials(
        fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        jwt_secret=secrets.token_urlsafe(48),
        secret_key=secrets.token_urlsafe(48),
        password=secrets.token_urlsafe(15),
    )
    write_private(file, json.dumps(asdict(made)))
    return made, True


def own_login(state: Path) -> tuple[str, str]:
    """The user and the password of the Airflow that `landbridge up` runs from this state folder."""
    return USER, credentials(state / "airflow")[0].password


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, all or nothing."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    fresh.replace(file)
