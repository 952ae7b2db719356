"""A real MariaDB for a session of tests: in a folder of its own, on a private socket, as an unprivileged account."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])
_PATIENCE = 60.0


class MissingServerError(Exception):
    """The machine has no MariaDB server."""


class MariaDb:
    """One running server; `socket` is its only way in."""

    def __init__(self) -> None:
        server, install = (shutil.which(name, path=_PATH) for name in ("mariadbd", "mariadb-install-db"))
        if server is None or install is None:
            raise MissingServerError("needs a MariaDB server (Debian: apt-get install mariadb-server)")
        self._account = "nobody" if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="lb-mariadb-"))
        if self._account is not None:
            who = pwd.getpwnam(self._account)
            os.chown(self.folder, who.pw_uid, who.pw_gid)
        self.socket = str(self.folder / "s")
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            plain = ["--no-defaults", f"--datadir={self.folder / 'data'}", f"--tmpdir={self.folder}"]
            made = self._run([install, *plain, "--auth-root-authentication-method=normal", "--skip-test-db"])
            if made.wait(_PATIENCE):
                raise RuntimeError(f"mariadb-install-db: {self.log()}")
            small = ["--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--performance-schema=OFF"]
            fast = ["--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=OFF", "--sync-frm=OFF"]
            own = [f"--socket={self.socket}", "--skip-networking", "--skip-log-bin", "--max-connections=60"]
            zone = "--default-time-zone=+05:30"  # no zone of anybody: what forgets to say its own is found out
            self._process = self._run([server, *plain, *own, zone, *small, *fast])
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _run(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        log = (self.folder / "log").open("ab")
        with log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": _PATH, "HOME": str(self.folder)},
                user=self._account,
                group=None if self._account is None else pwd.getpwnam(self._account).pw_gid,
                extra_groups=None if self._account is None else [],
            )

    def _wait(self) -> None:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                self.connect().close()
                return
            except pymysql.Error:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"mariadbd did not come up: {self.log()}") from None
                time.sleep(0.05)

    def log(self) -> str:
        """The end of what the server said."""
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def connect(self, database: str | None = None) -> Any:
        """A connection of the administrator, behind everybody's back."""
        return pymysql.connect(
            unix_socket=self.socket,
            user="root",
            database=database,
            autocommit=True,
            charset="utf8mb4",
            init_command="SET time_zone = '+00:00'",
            cursorclass=DictCursor,
        )

    def new_database(self) -> str:
        """The name of a new, empty database."""
        name = f"erp_{next(self._numbers)}"
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        connection.close()
        return name

    def stop(self) -> None:
        """Stop the server and remove all of it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
