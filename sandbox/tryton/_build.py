"""Installs Tryton and makes the template databases, once, whoever comes first; everyone else waits for the lock."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.tryton import _server
from sandbox.tryton._company import INTEGRATION, found_company
from sandbox.tryton._parties import found_parties
from sandbox.tryton._recipe import DATABASE, PARTIES, TRADING, Recipe, home, template_name, years

_NOT_REACHED = re.compile(
    r"from versions: none|Max retries|NewConnectionError|Temporary failure|timed out|unreachable|ProxyError|"
    r"getaddrinfo|Could not fetch URL|HTTP error 4|HTTP error 5",
    re.IGNORECASE,
)


class Unobtainable(Exception):
    """The package index did not give Tryton; the message says what pip said, and what to do."""


@dataclass(frozen=True)
class Template:
    """An installed Tryton and a database to copy."""

    python: Path
    database: Path
    passwords: Path


def template(currency: str = "USD", recipe: Recipe = TRADING) -> Template:
    """The template of a company that keeps its books in `currency`; built if it is not there."""
    folder = home(recipe)
    name = template_name(currency, recipe)
    made = Template(folder / "venv" / "bin" / "python", folder / f"{name}.sqlite", folder / f"{name}.json")
    if made.passwords.is_file():  # written last
        return made
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder):
        if not (folder / "installed").is_file():
            _install(folder, recipe)
        base = folder / "base.sqlite"
        if not base.is_file():
            _activate(folder, base, recipe)
        if not made.passwords.is_file():
            _found(made, base, currency, recipe)
    return made


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _install(folder: Path, recipe: Recipe) -> None:
    """An environment with Tryton from the package index."""
    shutil.rmtree(folder / "venv", ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder / "venv")], folder)
    pip = [str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    done = subprocess.run(
        [*pip, "--retries", "1", "--timeout", "20", *recipe.packages],
        capture_output=True, text=True, check=False, env=_server.clean_environment(),
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip()
        last = said.splitlines()[-1] if said else f"it ended with {done.returncode}"
        if _NOT_REACHED.search(said):
            raise Unobtainable(
                f"Tryton could not be fetched from the package index: {last} "
                "Let pip reach an index (pip config list shows which), or copy a built folder from another machine "
                f"and name it in LANDBRIDGE_TRYTON ({folder} is used now)."
            )
        raise RuntimeError(f"Tryton could not be installed: {said[-1500:]}")
    (folder / "installed").touch()


def _activate(folder: Path, base: Path, recipe: Recipe) -> None:
    """A database with the modules in it, and nothing else; the administrator's password is in base.secret."""
    with _workplace(folder) as work:
        (work / f"{DATABASE}.sqlite").touch()
        configuration = _server.write_configuration(work)
        secret = work / "secret"
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(24), encoding="utf-8")  # replaced for every template
        admin = [str(folder / "venv" / "bin" / "python"), "-m", "trytond.cli.admin", "-c", str(configuration)]
        _run(
            [*admin, "-d", DATABASE, "--email", "admin@example.com", "--activate-dependencies",
             "-u", "ir", "res", *recipe.modules],
            work, TRYTONPASSFILE=str(secret),
        )  # fmt: skip
        secret.replace(folder / "base.secret")
        _copy(work / f"{DATABASE}.sqlite", base)


def _found(made: Template, base: Path, currency: str, recipe: Recipe) -> None:
    """The company's database, made over Tryton's own interface."""
    with _workplace(base.parent) as work:
        shutil.copyfile(base, work / f"{DATABASE}.sqlite")
        process = _server.Process(made.python, work)
        try:
            people = process.wait_until_ready("admin", (base.parent / "base.secret").read_text(encoding="utf-8"))
            told = {"admin": "admin", "user": INTEGRATION}
            told |= {name: secrets.token_urlsafe(24) for name in ("admin_password", "password")}
            if recipe is PARTIES:
                found_parties(people, currency, told["admin_password"], told["password"])
            else:
                found_company(people, currency, years(), told["admin_password"], told["password"])
            people.close()
        finally:
            process.stop()
        _copy(work / f"{DATABASE}.sqlite", made.database)
    fresh = made.passwords.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(made.passwords)


def _copy(source: Path, target: Path) -> None:
    """A copy that holds the write-ahead log's last writes too, moved into place when it is whole."""
    fresh = target.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(fresh)) as written:
        read.execute("pragma wal_checkpoint(truncate)")
        read.backup(written)
        written.execute("pragma journal_mode = delete")  # one file, no log beside it
    fresh.chmod(0o600)
    fresh.replace(target)


@contextmanager
def _workplace(folder: Path) -> Iterator[Path]:
    work = Path(tempfile.mkdtemp(prefix="building-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(argv: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=folder,
        env=_server.clean_environment() | environment,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv[:4])} … failed: {(done.stderr or done.stdout)[-1500:]}")
