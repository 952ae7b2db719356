"""The embedded PostgreSQL: first start, attach, restart after every kind of end, and errors that say what to do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from landbridge.errors import ConfigError, Unavailable
from landbridge.store import _embedded_home, embedded
from landbridge.store.embedded import EmbeddedPostgres
from landbridge.supervise import process, wait_gone, working_in

Make = Callable[..., EmbeddedPostgres]


@pytest.fixture(scope="module")
def initialised(server_home: Path) -> Path:
    """The folder of a server that was started and stopped once: most tests begin with a copy of it."""
    with EmbeddedPostgres(server_home / "initialised", durable=False, die_with_parent=True) as server:
        assert server.running()
    return server.folder


@pytest.fixture
def make(server_home: Path, initialised: Path) -> Iterator[Make]:
    """Makes servers that are removed after the test."""
    made: list[EmbeddedPostgres] = []

    def server(name: str = "pg", *, fresh: bool = False, **options: object) -> EmbeddedPostgres:
        folder = server_home / name
        if not fresh:
            subprocess.run(["cp", "-a", str(initialised), str(folder)], check=True)
        one = EmbeddedPostgres(folder, **{"durable": False, "die_with_parent": True} | options)
        made.append(one)
        return one

    yield server
    for one in made:
        one.remove()


@pytest.fixture(scope="module")
def running(initialised: Path) -> Iterator[EmbeddedPostgres]:
    """A running server for the tests that only look at it."""
    folder = initialised.with_name("running")
    subprocess.run(["cp", "-a", str(initialised), str(folder)], check=True)
    server = EmbeddedPostgres(folder, durable=False, die_with_parent=True)
    server.start()
    yield server
    server.remove()


def _value(url: str, statement: str) -> object:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(text(statement)).scalar()
    finally:
        engine.dispose()


def test_a_new_folder_becomes_a_server_that_accepts_connections(make: Make) -> None:
    server = make(fresh=True)
    began = time.monotonic()
    server.start()
    assert time.monotonic() - began < 20
    url = server.ensure_database("landbridge")
    assert str(_value(url, "show server_version")).startswith("18.")
    assert _value(url, "select current_setting('server_encoding')") == "UTF8"
    assert _value(url, "select '东方' < 'Ä' collate \"C\"") is False


def test_the_server_speaks_tcp_on_loopback_only_and_asks_for_the_password(running: EmbeddedPostgres) -> None:
    urls = running.urls()
    assert _value(running.url("postgres", tcp=True, driver="psycopg2"), "select 1") == 1
    assert _value(running.url("postgres"), "show listen_addresses") == "127.0.0.1"
    for host in ("127.0.0.1", str(urls.sockets)):
        with pytest.raises(psycopg.OperationalError, match=r"password|auth"):
            psycopg.connect(host=host, port=urls.port, user="landbridge", password="wrong", dbname="postgres")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=host, port=urls.port, user="landbridge", dbname="postgres", passfile="/dev/null")


def test_the_password_is_kept_from_others(running: EmbeddedPostgres) -> None:
    urls = running.urls()
    assert (running.folder / "password").stat().st_mode & 0o777 == 0o600
    assert (running.folder / "server").stat().st_mode & 0o777 == 0o700
    assert urls.sockets.stat().st_mode & 0o777 == 0o700
    assert running.log.stat().st_mode & 0o777 == 0o600
    assert urls.password not in repr(urls) + str(urls) + running.log.read_text()
    assert len(urls.password) >= 32
    pid = running.pid()
    assert urls.password not in Path(f"/proc/{pid}/cmdline").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops rights")
def test_started_by_root_the_server_runs_unprivileged(running: EmbeddedPostgres) -> None:
    status = Path(f"/proc/{running.pid()}/status").read_text()
    assert "Uid:\t0" not in status and "Gid:\t0" not in status
    assert "CapEff:\t0000000000000000" in status
    assert "Groups:\t0" not in status


def test_a_second_start_attaches_to_the_running_server(make: Make) -> None:
    server = make()
    first = server.start()
    pid = server.pid()
    other = EmbeddedPostgres(server.folder, durable=False)
    assert other.start() == first
    assert other.pid() == pid
    other.stop()
    assert not server.running()


def test_many_starts_at_once_make_one_server(make: Make) -> None:
    folder = make(fresh=True).folder
    servers = [EmbeddedPostgres(folder, durable=False) for _ in range(4)]
    ports: list[int] = []
    threads = [threading.Thread(target=lambda one=one: ports.append(one.start().port)) for one in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ports) == 4 and len(set(ports)) == 1


@pytest.mark.parametrize("end", ["fast", "immediate", "kill"])
def test_what_was_committed_survives_every_end(make: Make, end: str) -> None:
    server = make(fresh=True, durable=True)
    server.start()
    url = server.ensure_database("landbridge")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("create table t (n int)")
        connection.execute("insert into t select generate_series(1, 1000)")
    pid = server.pid()
    assert pid is not None
    data = server.folder / "server" / "data"
    if end == "kill":
        everyone = working_in(data)
        assert len(everyone) > 1
        os.kill(pid, signal.SIGKILL)
    else:
        server.stop("fast" if end == "fast" else "immediate")
        assert working_in(data) == []
    server.start()
    assert server.pid() != pid
    assert _value(server.url("landbridge"), "select count(*) from t") == 1000


def test_a_pid_file_that_names_another_process_of_the_same_account_does_not_block_the_start(make: Make) -> None:
    server = make()
    server.start()
    pid_file = server.folder / "server" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    account = _embedded_home.server_account()
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    try:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        if account:
            os.chown(pid_file, account.uid, account.gid)
        assert not server.running()
        server.start()
        assert server.pid() != stranger.pid
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_databases_are_made_once_and_their_names_are_checked(running: EmbeddedPostgres) -> None:
    assert running.ensure_database("airflow") == running.ensure_database("airflow")
    running.drop_database("airflow")
    running.drop_database("airflow")
    for name in ('x"; drop database landbridge; --', "", "Ü", "A", "1a", "a" * 64):
        with pytest.raises(ValueError, match="no name of a database"):
            running.ensure_database(name)


def test_a_stopped_server_gives_no_url_but_a_hint(make: Make) -> None:
    server = make(fresh=True)
    server.stop()
    with pytest.raises(Unavailable, match=r"no PostgreSQL server runs.*hint: start it"):
        server.url("landbridge")


def test_a_folder_with_a_very_long_path_gets_a_short_socket(make: Make) -> None:
    server = make("x" * 120)
    urls = server.start()
    assert len(str(urls.sockets)) < 60
    assert _value(server.url("postgres"), "select 1") == 1
    server.stop()
    assert server.start().sockets == urls.sockets
    server.remove()
    assert not urls.sockets.exists()


def test_a_port_that_is_taken_meanwhile_is_replaced(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        found = embedded.free_port
        answers = iter([taken.getsockname()[1]])
        monkeypatch.setattr(embedded, "free_port", lambda: next(answers, None) or found())
        assert server.start().port != taken.getsockname()[1]


def test_a_port_that_stays_taken_is_an_error_with_a_hint(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    server = make()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(embedded, "free_port", lambda: taken.getsockname()[1])
        with pytest.raises(Unavailable, match=r"port was taken.*hint: start again"):
            server.start()
    assert not server.running()


def test_missing_binaries_are_an_error_with_a_hint(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_embedded_home, "_PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match=r"binaries are missing.*hint: run `make setup`"):
        make(fresh=True).start()


def test_databases_of_another_version_are_refused(make: Make) -> None:
    server = make()
    server.start()
    server.stop()
    (server.folder / "server" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(ConfigError, match=r"written by PostgreSQL 17, the binaries are 18.*hint: dump"):
        server.start()


def test_a_lost_password_is_an_error_with_a_hint(make: Make) -> None:
    server = make()
    server.start()
    server.stop()
    (server.folder / "password").unlink()
    with pytest.raises(ConfigError, match=r"password of this server is missing.*hint"):
        server.start()


def test_a_broken_configuration_is_named(make: Make) -> None:
    server = make()
    server.start()
    server.stop()
    with (server.folder / "server" / "data" / "postgresql.conf").open("a") as conf:
        conf.write("shared_bufers = 1GB\n")
    with pytest.raises(Unavailable, match=r"a setting is unknown.*hint: mend .*postgresql.conf"):
        server.start()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('FATAL:  could not write to file "pg_wal/xlogtemp.1": No space left on device', "the disk is full"),
        ('FATAL:  could not open file "global/pg_control": Permission denied', "may not read or write"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "not enough memory"),
        ("something else", r"something else.*hint: look into .*postgres.log"),
    ],
)
def test_the_log_is_turned_into_a_reason(make: Make, line: str, expected: str) -> None:
    server = make(fresh=True)
    server.folder.mkdir()
    server.log.write_text("an older start: Permission denied, No space left on device\n")
    offset = server._log_size()
    with server.log.open("a") as log:
        log.write(line + "\n")
    with pytest.raises(Unavailable, match=expected):
        raise server._explain(offset, "PostgreSQL did not start")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot use this folder.*hint: choose one"):
        EmbeddedPostgres(tmp_path / "file").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's own folder is always enterable for its server")
def test_a_folder_that_the_server_account_cannot_enter_is_settled_elsewhere(tmp_path: Path, server_home: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "pg", durable=False, die_with_parent=True)
    try:
        server.start()
        assert (closed / "pg" / "server").resolve().parent == server_home
        assert _value(server.ensure_database("landbridge"), "select 1") == 1
        server.stop()
        server.start()
    finally:
        server.remove()
    assert not (closed / "pg").exists()
    assert list(server_home.glob("postgres-*")) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server under another account")
def test_binaries_that_the_server_account_cannot_read_are_copied(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_embedded_home, "_usable", lambda source, account: False)
    server = make(fresh=True)
    server.start()
    program = Path(f"/proc/{server.pid()}/exe").readlink()
    assert program.is_relative_to((server.folder / "server").resolve())
    assert _value(server.ensure_database("landbridge"), "select 1") == 1


_SESSION = """
import sys, time
from pathlib import Path
from landbridge.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False, die_with_parent=sys.argv[2] == "yes")
server.start()
print(server.pid(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("bound", ["yes", "no"])
def test_a_killed_session_leaves_no_server_behind_only_if_it_asked_for_that(make: Make, root: Path, bound: str) -> None:
    server = make()
    env = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-c", _SESSION, str(server.folder), bound]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as session:
        assert session.stdout is not None
        postmaster = process(int(session.stdout.readline()))
        assert postmaster is not None
        session.kill()
    if bound == "yes":
        assert wait_gone([postmaster], 10) == []
        assert working_in(server.folder / "server" / "data") == []
    else:
        time.sleep(0.2)
        assert server.running()
        assert server.start().port > 0
        assert server.pid() == postmaster.pid
        server.stop()
        assert not server.running()
