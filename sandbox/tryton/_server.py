"""A running Tryton on a copy of the template: starts in some seconds, and is gone with the process that started it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from sandbox.tryton import _build
from sandbox.tryton._client import Client
from sandbox.tryton._recipe import DATABASE, PRICE_PLACES, TRADING, Recipe

_READY_WITHIN = 60.0


class Process:
    """`trytond` on the databases of a folder, at a port that the kernel chose, or on a socket that listens already."""

    def __init__(self, python: Path, folder: Path, listening: socket.socket | None = None) -> None:
        self.folder, self.log = folder, folder / "trytond.log"
        configuration = write_configuration(folder)
        # We bind and listen; Tryton's web server takes the socket over as it does from its own reloader. So the port
        # cannot be lost to another process, and calls wait in the queue while it starts.
        with listening or listen() as listening:
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            handle = listening.fileno()
            launch = [sys.executable, str(Path(__file__).with_name("_launch.py")), str(os.getpid())]
            trytond = [str(python), "-m", "trytond.cli", "-c", str(configuration), "-d", DATABASE]
            environment = {**clean_environment(), "WERKZEUG_RUN_MAIN": "true", "WERKZEUG_SERVER_FD": str(handle)}
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*launch, *trytond], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                    pass_fds=(handle,), cwd=folder,
                )  # fmt: skip
        self.pid = self._process.pid

    def wait_until_ready(self, user: str, password: str) -> Client:
        """A session, as soon as it answers."""
        client = Client(self.url, DATABASE, user, password)
        until = time.monotonic() + _READY_WITHIN
        while True:
            try:
                return client.login()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > until:
                    said = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
                    self.stop()
                    raise RuntimeError(f"Tryton did not start: {' / '.join(said)} (see {self.log})") from None
                time.sleep(0.05)

    def stop(self) -> None:
        """End it; done when the process is gone."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(3)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Tryton:
    """An ERP of its own for whoever starts it: a company with a chart of accounts, nothing sold and nothing on stock.

    `people` is a session of its administrator; `user` and `password` are for an integration with limited rights.
    """

    database = DATABASE

    def __init__(
        self,
        folder: Path | None = None,
        *,
        currency: str = "USD",
        recipe: Recipe = TRADING,
        listening: socket.socket | None = None,
    ) -> None:
        template = _build.template(currency, recipe)
        self._own = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="landbridge-tryton-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template.database, self.folder / f"{DATABASE}.sqlite")
        told = json.loads(template.passwords.read_text(encoding="utf-8"))
        self.currency = currency
        self.user, self.password = told["user"], told["password"]
        self.admin, self.admin_password = told["admin"], told["admin_password"]
        self._process = Process(template.python, self.folder, listening)
        self.url, self.pid = self._process.url, self._process.pid
        try:
            self.people = self._process.wait_until_ready(self.admin, self.admin_password)
        except BaseException:
            self.stop()
            raise

    def client(self, user: str | None = None, password: str | None = None) -> Client:
        """One more session; by default that of the integration."""
        return Client(self.url, DATABASE, user or self.user, password or self.password).login()

    def stop(self) -> None:
        """End the process and remove what it wrote, if it chose its folder itself."""
        if hasattr(self, "people"):
            self.people.close()
        self._process.stop()
        if self._own:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Tryton:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def listen() -> socket.socket:
    """A socket at which calls wait until a Tryton takes it over."""
    return socket.create_server(("127.0.0.1", 0), backlog=128)


def write_configuration(folder: Path) -> Path:
    """Tryton's configuration for the databases of a folder."""
    file = folder / "trytond.conf"
    database = f"[database]\nuri = sqlite://\npath = {folder}\n"
    rest = f"[web]\nlisten = 127.0.0.1:0\n[product]\nprice_decimal = {PRICE_PLACES}\n"
    file.write_text(database + rest, encoding="utf-8")
    return file


def clean_environment() -> dict[str, str]:
    """The environment without what would lead Tryton's Python into ours, or Tryton to another installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TRYTON", "VIRTUAL_"))}
