"""A PostgreSQL server of our own: initialised, started, attached to and stopped, from the binaries of a wheel.

The folder holds `password` (0600), `port` (of last time), `postgres.log`, `lock` and `server/` (the database files and
the private socket).
The server is the child of whoever started it, but in a session of its own: it lives on until `stop`, unless it was
started with `die_with_parent`. PostgreSQL's own `postmaster.pid` is the only record of what runs; it is believed only
if the process it names works in our database folder.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql
from sqlalchemy import URL

from landbridge.errors import Unavailable
from landbridge.store._embedded_home import MAJOR, Account, binaries, own, refuse, server_account, settle
from landbridge.supervise import (
    Process,
    current_folder,
    free_port,
    port_is_free,
    process,
    send,
    spawn,
    wait_gone,
    working_in,
)

USER = "landbridge"
_SOCKET_LIMIT = 107  # bytes of a unix socket's path, by Linux
_LOG_LIMIT = 10 * 1024 * 1024  # a longer log is set aside at the next start
_DATABASE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "wal_compression": "off",  # these binaries know only pglz, which took half of the CPU of an upsert after a checkpoint
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    "log_error_verbosity": "terse",  # the detail of an error quotes the row, and rows are other people's business
    "log_min_error_statement": "panic",  # the same for the statement
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
_REASONS = (  # what the log says, what it means, what to do
    ("No space left on device", "the disk is full", "make room and start again; nothing that was committed is lost"),
    ("Permission denied", "the server's account may not read or write its files", "look at the owner of {home}"),
    ("Cannot allocate memory", "there is not enough memory", "free memory, or lower shared_buffers in {conf}"),
    ("pre-existing shared memory", "processes of a killed server are still there", "end them, then start again"),
    ("unrecognized configuration parameter", "a setting is unknown", "mend {conf}"),
    ("invalid value for parameter", "a setting has an invalid value", "mend {conf}"),
    ("configuration file", "a configuration file cannot be read", "mend {conf}"),
)


@dataclass(frozen=True, slots=True)
class Urls:
    """How to reach a running server; `str` and `repr` show no password."""

    port: int
    sockets: Path
    password: str

    def __repr__(self) -> str:
        return f"Urls(127.0.0.1:{self.port}, {self.sockets})"

    def sqlalchemy(self, database: str, *, driver: str = "psycopg", tcp: bool = False) -> str:
        """A SQLAlchemy URL, over the private socket or, for those that want it, 127.0.0.1; it holds the password."""
        query = {} if tcp else {"host": str(self.sockets)}
        host = "127.0.0.1" if tcp else None
        made = URL.create(
            f"postgresql+{driver}", USER, self.password, host, self.port if tcp else None, database, query
        )
        if not tcp:
            made = made.update_query_dict({"port": str(self.port)})
        return made.render_as_string(hide_password=False)

    def connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection in autocommit, for administration."""
        return psycopg.connect(
            host=str(self.sockets), port=self.port, user=USER, password=self.password, dbname=database,
            autocommit=True, connect_timeout=10,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Postmaster:
    process: Process
    port: int
    sockets: Path
    ready: bool


class EmbeddedPostgres:
    """One PostgreSQL server in one folder.

    `durable=False` (no fsync) is for tests only. `die_with_parent` ends the server when the thread that started it
    ends, also by SIGKILL; it is for tests and demonstrations.
    """

    def __init__(
        self, folder: Path, *, durable: bool = True, die_with_parent: bool = False, within: float = 60.0
    ) -> None:
        self.folder = folder.absolute()
        self.log = self.folder / "postgres.log"
        self._durable = durable
        self._die_with_parent = die_with_parent
        self._within = within
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> Urls:
        """Start the server, or attach to it if it runs already; returns when it accepts connections."""
        with self._locked():
            account = server_account()
            home = settle(self.folder, account)
            found = self._postmaster()
            if found is not None and found.ready and not self._answers():
                wait_gone([found.process], self._within)  # it was on its way out
                found = self._postmaster()
            if found is None:
                self._initialise(home, account)
                self._clear_leftovers(home)
                self._launch(home, account)
            elif not found.ready:
                self._wait_ready(0)
        return self.urls()

    def urls(self) -> Urls:
        """How to reach the server; Unavailable when it does not run."""
        found = self._postmaster()
        if found is None or not found.ready:
            raise Unavailable(
                f"no PostgreSQL server runs in {self.folder}.", hint="start it with `landbridge up`.", sent=False
            )
        return Urls(found.port, found.sockets, self._password())

    def url(self, database: str, *, driver: str = "psycopg", tcp: bool = False) -> str:
        """The SQLAlchemy URL of a database on the running server; it holds the password."""
        return self.urls().sqlalchemy(database, driver=driver, tcp=tcp)

    def running(self) -> bool:
        """Whether the server runs and accepts connections, whoever started it."""
        found = self._postmaster()
        return found is not None and found.ready

    def pid(self) -> int | None:
        """The process id of the running server."""
        found = self._postmaster()
        return found.process.pid if found else None

    def ensure_database(self, name: str, *, template: str | None = None) -> str:
        """Create a database unless it exists; returns its URL."""
        if not _DATABASE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a database: lower-case letters, digits and _, at most 63")
        urls = self.urls()
        with urls.connect("postgres") as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None:
                # Without fsync a copy of the files is twice as fast as a copy through the log.
                strategy = sql.SQL("wal_log" if self._durable else "file_copy")
                create = sql.SQL("create database {} template {} strategy {}").format(
                    sql.Identifier(name), sql.Identifier(template or "template1"), strategy
                )
                # Another process may be faster; then what we wanted is there.
                with suppress(pg_errors.DuplicateDatabase, pg_errors.UniqueViolation):
                    connection.execute(create)
        return urls.sqlalchemy(name)

    def drop_database(self, name: str) -> None:
        """Remove a database with everything in it, cutting its connections."""
        with self.urls().connect("postgres") as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server and wait until its last process is gone; no error if it does not run.

        `fast` ends transactions and writes a checkpoint; `immediate` is a crash on purpose, repaired at the next start.
        """
        if not self.folder.is_dir():
            return
        with self._locked():
            found = self._postmaster()
            home = self.folder / "server"
            if found is None:
                return
            everyone = [found.process, *working_in(home / "data")]
            send([found.process], signal.SIGINT if mode == "fast" else signal.SIGQUIT)
            if wait_gone([found.process], self._within):
                send([found.process], signal.SIGQUIT)
                if wait_gone([found.process], 10.0):
                    send(everyone, signal.SIGKILL)
            left = wait_gone(everyone, 10.0)
            if self._child is not None:
                self._child.wait()
                self._child = None
            if left:
                pids = ", ".join(str(each.pid) for each in left)
                raise Unavailable(
                    f"PostgreSQL in {self.folder} does not stop.", hint=f"look at processes {pids}.", sent=False
                )

    def remove(self) -> None:
        """Stop the server and delete its folder with every database in it."""
        self.stop("immediate")
        home = self.folder / "server"
        for link in (home / "sockets-elsewhere", home):
            if link.is_symlink():
                shutil.rmtree(link.resolve(), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- what runs -----------------------------------------------------------------------------------------------

    def _postmaster(self) -> _Postmaster | None:
        """The server that runs in our folder, as its own postmaster.pid tells, if the process it names is really it."""
        data = self.folder / "server" / "data"
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
            found = process(int(lines[0]))
        except (OSError, ValueError, IndexError):
            return None
        if found is None or current_folder(found.pid) != os.path.realpath(data):
            return None
        if len(lines) < 8:
            return _Postmaster(found, 0, Path(), ready=False)
        return _Postmaster(found, int(lines[3]), Path(lines[4]), ready=lines[7].strip() == "ready")

    def _answers(self) -> bool:
        try:
            self.urls().connect("postgres").close()
        except (psycopg.OperationalError, Unavailable):
            return False
        return True

    def _clear_leftovers(self, home: Path) -> None:
        """Make a start safe after a crash: wait for orphans of a killed server, drop its stale pid file."""
        data = home / "data"
        left = wait_gone(working_in(data), 10.0)
        if left:
            pids = ", ".join(str(each.pid) for each in left)
            raise Unavailable(
                f"processes of a killed PostgreSQL server still work in {data}.",
                hint=f"end processes {pids}, then start again.",
                sent=False,
            )
        # Nobody works in the folder, so the file is stale. PostgreSQL would see that too, except when the pid was given
        # to another process of the same account, as is usual after the restart of a container.
        (data / "postmaster.pid").unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One start or stop at a time, over all processes."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o711 if os.geteuid() == 0 else 0o700)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise refuse(
                self.folder, f"cannot use this folder: {error.strerror}", "choose one you may write to"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    # -- the first start -----------------------------------------------------------------------------------------

    def _password(self) -> str:
        try:
            return (self.folder / "password").read_text().strip()
        except OSError:
            raise refuse(self.folder, "the password of this server is missing or unreadable", (
                "start as the user who made it, or bring back the file `password`")) from None  # fmt: skip

    def _initialise(self, home: Path, account: Account | None) -> None:
        """Make the database files, all or nothing."""
        data = home / "data"
        if (data / "PG_VERSION").is_file():
            found = (data / "PG_VERSION").read_text().strip()
            if found != MAJOR:
                raise refuse(self.folder, f"they were written by PostgreSQL {found}, the binaries are {MAJOR}", (
                    f"dump them with PostgreSQL {found} and restore them into a new folder"))  # fmt: skip
            self._password()
            return
        password = self.folder / "password"
        if not password.exists():
            made = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(secrets.token_urlsafe(24))
        try:
            with tempfile.TemporaryDirectory(dir=home, prefix=".new-") as name:
                new = Path(name)
                own(new, account)
                given = new / "password"
                given.touch(mode=0o600)
                given.write_text(self._password())
                own(given, account)
                self._initdb(home, new / "data", given, account)
                (new / "data").rename(data)
        except OSError as error:
            raise refuse(self.folder, f"cannot make the database files: {error.strerror} ({error.filename})", (
                "make room on the disk, or look at the rights of the folder")) from None  # fmt: skip

    def _initdb(self, home: Path, data: Path, password: Path, account: Account | None) -> None:
        settings = _SETTINGS if self._durable else _SETTINGS | _NOT_DURABLE
        argv = [
            str(binaries(home, account) / "initdb"), "-D", str(data), "-U", USER, "-E", "UTF8", "--no-instructions",
            f"--pwfile={password}", "--auth=scram-sha-256", "--locale=C", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", *(() if self._durable else ("--no-sync", "--wal-segsize=1")),
            *(f"--set={name}={value}" for name, value in settings.items()),
        ]  # fmt: skip
        offset = self._log_size()
        code = self._spawn(argv, home, account, dies_by=None).wait()
        if code != 0:
            raise self._explain(offset, "PostgreSQL could not make its database files")

    # -- every start ---------------------------------------------------------------------------------------------

    def _launch(self, home: Path, account: Account | None) -> None:
        with_sockets = self._sockets(home, account)
        self._set_log_aside()
        program = str(binaries(home, account) / "postgres")
        for last in (False, False, True):
            offset = self._log_size()
            port = self._port()
            argv = [program, "-D", str(home / "data"), "-k", str(with_sockets), "-p", str(port)]
            argv += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_permissions=0700"]
            argv += ["-c", "logging_collector=off"]
            dies_by = signal.SIGINT if self._die_with_parent else None
            self._child = self._spawn(argv, home, account, dies_by=dies_by)
            try:
                self._wait_ready(offset)
            except _PortTaken:
                if last:
                    raise
                continue  # between our look and the server's bind another process took the port
            with suppress(OSError):  # on a full disk it starts all the same
                (self.folder / "port").write_text(str(port))
            return

    def _port(self) -> int:
        """The port of last time if it is free: whoever works with the server finds it again after a crash."""
        with suppress(OSError, ValueError):
            if port_is_free(last := int((self.folder / "port").read_text())):
                return last
        return free_port()

    def _spawn(
        self, argv: list[str], home: Path, account: Account | None, *, dies_by: signal.Signals | None
    ) -> subprocess.Popen[bytes]:
        # No PG* variable of the caller may reach the server.
        env = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        return spawn(argv, log=self.log, env=env, cwd=home, dies_by=dies_by, account=account.pair if account else None)

    def _wait_ready(self, offset: int) -> None:
        until = time.monotonic() + self._within
        while time.monotonic() < until:
            if self.running():
                return
            if self._child is not None and self._child.poll() is not None:
                self._child = None
                raise self._explain(offset, "PostgreSQL did not start")
            time.sleep(0.01)
        raise Unavailable(
            f"PostgreSQL in {self.folder} accepts no connections after {self._within:g} s.",
            hint=f"it may be repairing itself after a crash; look into {self.log}.",
            sent=False,
        )

    def _sockets(self, home: Path, account: Account | None) -> Path:
        """The private folder of the socket: beside the databases, or a short one where that path is too long."""
        inside = home / "sockets"
        if len(os.fsencode(inside)) + len("/.s.PGSQL.65535.lock") <= _SOCKET_LIMIT:
            inside.mkdir(exist_ok=True)
            own(inside, account)
            return inside
        link = home / "sockets-elsewhere"
        if link.is_symlink() and link.is_dir() and link.stat().st_uid == (account.uid if account else os.geteuid()):
            return link.resolve()
        short = Path(tempfile.mkdtemp(prefix="lb-", dir="/tmp"))  # made by mkdtemp: private and not guessable
        own(short, account)
        link.unlink(missing_ok=True)
        link.symlink_to(short)
        return short

    # -- the log -------------------------------------------------------------------------------------------------

    def _log_size(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0

    def _set_log_aside(self) -> None:
        if self._log_size() > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))

    def _explain(self, offset: int, what: str) -> Unavailable:
        """The error that the log since `offset` tells."""
        with self.log.open("rb") as file:
            file.seek(offset)
            text = file.read().decode("utf-8", "replace").strip()
        if "Address already in use" in text:
            return _PortTaken(f"{what}: its port was taken three times.", hint="start again.", sent=False)
        home = self.folder / "server"
        for sign, reason, hint in _REASONS:
            if sign in text:
                advice = hint.format(home=home, conf=home / "data" / "postgresql.conf")
                return Unavailable(
                    f"{what}: {reason} ({self.folder}).", hint=f"{advice}; the log is {self.log}.", sent=False
                )
        last = " | ".join(text.splitlines()[-3:])
        return Unavailable(f"{what} ({self.folder}): {last}", hint=f"look into {self.log}.", sent=False)


class _PortTaken(Unavailable):
    pass
