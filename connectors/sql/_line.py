"""The line to the database: drivers, time-outs, the pool, transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from threading import Lock
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from connectors.sql._config import SqlConfig
from connectors.sql._errors import Unreached, told
from landbridge.errors import Denied
from landbridge.net import Http
from landbridge.secrets import remember
from landbridge.strict import json as strict_json

DRIVERS = {  # dialect: driver, module, name on the package index
    "postgresql": ("psycopg", "psycopg", "psycopg[binary]"),
    "mysql": ("pymysql", "pymysql", "PyMySQL"),
    "mariadb": ("pymysql", "pymysql", "PyMySQL"),
    "sqlite": ("pysqlite", "sqlite3", "sqlite3"),
    "oracle": ("oracledb", "oracledb", "oracledb"),
}
_REPEATABLE = {"oracle": "SERIALIZABLE", "sqlite": "SERIALIZABLE"}
_AT_ONCE = {"immediate": True}


class Line:
    """Connections to one database; made when first asked for, all closed by `close`."""

    def __init__(self, config: SqlConfig, http: Http) -> None:
        self._config = config
        self._http = http
        self._engine: Engine | None = None
        self._lock = Lock()

    @cached_property
    def url(self) -> URL:
        """The parsed URL with the driver that we use; Denied where it cannot be one."""
        try:
            url = make_url(self._config.url.reveal())
        except (ArgumentError, ValueError):
            hint = "Write dialect://user:password@host:port/database; special characters of a password as %40 etc."
            raise Denied(f"{self._http.system}: the URL cannot be read.", hint=hint, sent=False) from None
        if url.password:
            remember(str(url.password))
        dialect = url.get_backend_name()
        if dialect not in DRIVERS:
            hint = f"Known: {', '.join(DRIVERS)}."
            raise Denied(f"{self._http.system}: '{dialect}' is no database that is known here.", hint=hint, sent=False)
        return url.set(drivername=f"{dialect}+{DRIVERS[dialect][0]}")

    @property
    def dialect(self) -> str:
        """postgresql, mysql (MariaDB too), sqlite or oracle."""
        return self.engine.dialect.name.replace("mariadb", "mysql")

    @property
    def engine(self) -> Engine:
        """The engine; made when first asked for."""
        with self._lock:
            if self._engine is None:
                self._engine = self._made()
            return self._engine

    def _made(self) -> Engine:
        dialect = self.url.get_backend_name()
        _driver, module, package = DRIVERS[dialect]
        try:
            import_module(module)
        except ImportError:
            hint = f"Install it: pip install '{package}'."
            raise Denied(f"{self._http.system}: the driver {module} is missing.", hint=hint, sent=False) from None
        net = self._http.settings
        engine = create_engine(
            self.url,
            pool_pre_ping=True,
            pool_size=net.concurrency,
            max_overflow=net.concurrency,
            pool_timeout=net.read,
            hide_parameters=True,
            connect_args=_arguments(dialect, net.connect, net.read),
            **({} if dialect == "oracle" else {"json_deserializer": strict_json.loads}),
        )
        event.listen(engine, "do_connect", _connect(dialect, net.read))
        if dialect == "sqlite":
            event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def reading(self, what: str, *, repeatable: bool = False, stream: int | None = None) -> Iterator[Connection]:
        """A connection to read by, in one transaction; what goes wrong is Unavailable, Denied or Rejected."""
        options: dict[str, Any] = {"stream_results": True, "yield_per": stream} if stream else {}
        if repeatable:
            options["isolation_level"] = _REPEATABLE.get(self.dialect, "REPEATABLE READ")
        with told(what):
            self._http.admit()
            with self.engine.connect().execution_options(**options) as connection:
                yield connection

    def writing(self) -> Connection:
        """A connection to write by; whoever asks commits, rolls back and closes it."""
        self._http.admit()
        options: dict[str, Any] = dict(_AT_ONCE)
        if self._config.isolation is not None and self.dialect != "sqlite":
            options["isolation_level"] = self._config.isolation
        return self.engine.connect().execution_options(**options)

    def close(self) -> None:
        """Close every connection; the next request opens new ones."""
        if self._engine is not None:
            self._engine.dispose()


def _arguments(dialect: str, connect: float, read: float) -> dict[str, Any]:
    if dialect == "postgresql":
        milliseconds = int(read * 1000)
        options = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds // 2} -c timezone=UTC"
        return {"connect_timeout": max(2, round(connect)), "options": options, "application_name": "landbridge"}
    if dialect in ("mysql", "mariadb"):
        seconds = max(1, round(read))
        waits = max(1, int(read / 2))  # sooner than our own patience ends: then the reason is told
        start = (
            "SET time_zone = '+00:00', sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'),"
            f" innodb_lock_wait_timeout = {waits}"
        )
        return {"connect_timeout": max(1, round(connect)), "read_timeout": seconds, "write_timeout": seconds,
                "init_command": start, "charset": "utf8mb4"}  # fmt: skip
    if dialect == "sqlite":
        return {"timeout": read, "isolation_level": None, "uri": False}
    return {"tcp_connect_timeout": connect}


def _connect(dialect: str, read: float) -> Callable[..., Any]:
    """Connect with the driver; no connection is told apart from one that broke."""

    def connect(dialect_: Any, _record: Any, args: list[Any], words: dict[str, Any]) -> Any:
        module = dialect_.dbapi
        try:
            if dialect == "postgresql":
                return _patient(read).connect(*args, **words)
            made = module.connect(*args, **words)
            if dialect == "oracle":
                made.call_timeout = int(read * 1000)
            return made
        except module.Error as error:
            raise Unreached(error) from None

    return connect


def _patient(read: float) -> Any:
    """psycopg's connection with a longest silence: libpq has none of its own."""
    from psycopg import Connection as Psycopg
    from psycopg.types.json import set_json_loads

    class Patient(Psycopg[Any]):
        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            try:
                return super().wait(gen, interval=interval, timeout=timeout or read)
            except BaseException:
                if self.pgconn.transaction_status == 1:  # ACTIVE: the reply did not come, the line is of no use
                    self.pgconn.finish()
                raise

        @classmethod
        def connect(cls, *args: Any, **words: Any) -> Any:
            made = super().connect(*args, **words)
            set_json_loads(strict_json.loads, made)
            return made

    return Patient


def _begin(connection: Connection) -> None:
    """SQLite's own BEGIN: the module's would come too late for savepoints and for a reader's one view."""
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
