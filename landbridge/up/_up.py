"""PostgreSQL first, then Airflow's processes, and everything down again in the other order."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import make_url

from landbridge.errors import ConfigError, LandbridgeError, Unavailable
from landbridge.installation import DATABASE, open_installation, state_folder
from landbridge.settings import Settings
from landbridge.store.embedded import EmbeddedPostgres
from landbridge.supervise import State, Status, Supervisor, free_port, port_is_free
from landbridge.up._children import API, WORKER, children, real_time
from landbridge.up._configuration import write_configuration
from landbridge.up._credentials import USER, credentials
from landbridge.up._rest import Airflow
from landbridge.webhook import unready

AIRFLOW_DATABASE = "airflow"
_LOOK_EVERY = 2.0  # seconds between looks whether PostgreSQL still runs
_HOOKS = 8090
_KEPT_OUT = ("PYTHONDONTWRITEBYTECODE",)  # without compiled files each task would compile Airflow anew


class Up:
    """Everything that a project needs to run, from one state folder; `tell` hears every change, from threads.

    `env` is the environment of the children (default: ours). A `port` of 0 is last time's if it is free, else any.
    """

    def __init__(
        self,
        root: Path,
        environment: str | None = None,
        *,
        port: int = 0,
        tell: Callable[[Status], None] | None = None,
        ready: Callable[[Up], None] | None = None,
    ) -> None:
        self.root = root
        self.settings = Settings.load(root, environment)
        self.home = state_folder(root) / "airflow"
        self.home.mkdir(mode=0o700, exist_ok=True)
        self.keys, self.first_start = credentials(self.home)
        self.airflow: Airflow | None = None
        self.webhooks = 0  # the port of the webhook endpoint, where there is one
        self._asked_port = port
        self._tell = tell or (lambda status: None)
        self._ready = ready or (lambda up: None)
        self._supervisor: Supervisor | None = None
        self._postgres_died = False
        self._told_ready = False

    @property
    def login(self) -> tuple[str, str]:
        """The user and the password of Airflow's UI."""
        return USER, self.keys.password

    def run(self) -> int:
        """Start, stay until SIGINT or SIGTERM, stop; the exit code."""
        with self._alone():
            while True:
                with self._started() as supervisor:
                    code = supervisor.run()
                if not self._postgres_died:
                    return code
                self._postgres_died = False

    @contextmanager
    def running(self) -> Iterator[Airflow]:
        """Everything started and answering inside the block, stopped behind it; for the demonstration and tests."""
        with self._alone(), self._started() as supervisor, supervisor:
            assert self.airflow is not None
            yield self.airflow

    def ask_stop(self) -> None:
        """Make `run` come to its end; from any thread."""
        if self._supervisor is not None:
            self._supervisor.ask_stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One `up` per state folder, and none that could not tell who sends it webhooks."""
        if find_spec("airflow") is None:
            raise LandbridgeError("Airflow is not installed.", hint="pip install 'landbridge[airflow]', or make setup.")
        if problems := unready(self.settings):
            raise ConfigError(problems)
        lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                hint = "Stop that one first, or set LANDBRIDGE_STATE to another folder."
                raise Unavailable(f"landbridge up already runs on {self.home.parent}.", hint=hint, sent=False) from None
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _started(self) -> Iterator[Supervisor]:
        """PostgreSQL started with both databases, and the supervisor of the rest, not started yet."""
        with self._postgres() as server:
            with open_installation(self.root, self.settings.environment) as installation:
                installation.engine  # noqa: B018  # feeds and routes are made known before the first task asks
            port = self._port()
            self.airflow = Airflow(f"http://127.0.0.1:{port}", *self.login)
            write_configuration(
                self.home, root=self.root, port=port, database=self._airflow_database(server), keys=self.keys
            )
            self.webhooks = self._webhook_port()
            env, airflow = self._env(), self.airflow
            programs = real_time(self.home, env, self.settings, self.root, airflow.url, self.webhooks)
            workers = [
                one for one in programs if one.name == WORKER
            ]  # last, and stopped first: Airflow hears of its end
            takers = [one for one in programs if one.name != WORKER]
            everything = [*takers, *children(self.home, env, airflow), *workers]
            supervisor = Supervisor(everything, tell=self._heard)
            self._supervisor = supervisor
            done = threading.Event()
            watch = threading.Thread(target=self._watch, args=(server, supervisor, done), daemon=True)
            watch.start()
            try:
                yield supervisor
            finally:
                done.set()
                watch.join()
                self.airflow.close()

    @contextmanager
    def _postgres(self) -> Iterator[EmbeddedPostgres | None]:
        """Our own server, stopped behind the block unless it ran before; None where the project uses another."""
        if self.settings.installation.store.url != "embedded":
            yield None
            return
        server = EmbeddedPostgres(state_folder(self.root) / "postgres", die_with_parent=True)
        before = server.running()
        server.start()
        try:
            server.ensure_database(DATABASE)
            server.ensure_database(AIRFLOW_DATABASE)
            yield server
        finally:
            if not before:
                server.stop()

    def _watch(self, server: EmbeddedPostgres | None, supervisor: Supervisor, done: threading.Event) -> None:
        """End everything when PostgreSQL died: it comes back on another port, which all children must learn."""
        while server is not None and not done.wait(_LOOK_EVERY):
            if not server.running():
                self._postgres_died = True
                supervisor.ask_stop()
                return

    def _airflow_database(self, server: EmbeddedPostgres | None) -> str:
        """Airflow's database: beside ours on the same server, or where the environment says."""
        if server is not None:
            return server.url(AIRFLOW_DATABASE, driver="psycopg2", tcp=True)
        given = os.environ.get("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")
        if given:
            return given
        from landbridge.installation import store_url

        ours = make_url(store_url(self.root, self.settings))
        return ours.set(drivername="postgresql+psycopg2", database=AIRFLOW_DATABASE).render_as_string(False)

    def _port(self) -> int:
        """The port asked for, else last time's while it is free, else one that the kernel chooses."""
        file = self.home / "port"
        port = self._asked_port
        if not port and file.is_file():
            known = int(file.read_text())
            port = known if port_is_free(known) else 0
        port = port or free_port()
        file.write_text(str(port))
        return port

    def _webhook_port(self) -> int:
        """The port that the configuration asks for; else the usual one while it is free, else any."""
        return self.settings.installation.serve.port or (_HOOKS if port_is_free(_HOOKS) else free_port())

    def _env(self) -> Mapping[str, str]:
        env = {name: value for name, value in os.environ.items() if name not in _KEPT_OUT}
        path = [str(self.root), *filter(None, [env.get("PYTHONPATH")])]
        env |= {
            "AIRFLOW_HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join(path),
            "LANDBRIDGE_ROOT": str(self.root),
            "LANDBRIDGE_ENVIRONMENT": self.settings.environment,
            "LANDBRIDGE_STATE": str(self.home.parent),
        }
        return env

    def _heard(self, status: Status) -> None:
        self._tell(status)
        if status.name == API and status.state is State.READY and not self._told_ready:
            self._told_ready = True
            self._ready(self)
