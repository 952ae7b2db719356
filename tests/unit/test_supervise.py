"""Supervision with real little processes: order, restart, health, and that nothing is ever left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from landbridge.errors import Unavailable
from landbridge.supervise import (
    Child,
    Process,
    State,
    Status,
    Supervisor,
    family,
    free_port,
    process,
    processes,
    wait_for_http,
    wait_gone,
)

# A child that starts a grandchild, and one that left the session and lost its parent; all ignore SIGTERM if told.
_FAMILY = """
import os, signal, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
folder = sys.argv[1]
def note(name):
    with open(f"{folder}/{name}.tmp", "w") as f: f.write(str(os.getpid()))
    os.rename(f"{folder}/{name}.tmp", f"{folder}/{name}")
if os.fork() == 0:
    note("grandchild"); time.sleep(60); os._exit(0)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        note("daemon"); time.sleep(60)
    os._exit(0)
os.wait() if "stubborn" not in sys.argv else None
note("child"); time.sleep(60)
"""


class Told:
    """Collects what a supervisor tells."""

    def __init__(self) -> None:
        self.all: list[Status] = []

    def __call__(self, status: Status) -> None:
        self.all.append(status)

    def names(self, state: State) -> list[str]:
        return [status.name for status in self.all if status.state is state]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., Child]:
    """Makes children that run a piece of Python."""

    def make(name: str, code: str = "import time; time.sleep(60)", *argv: str, **options: Any) -> Child:
        return Child(name, [sys.executable, "-S", "-c", code, *argv], tmp_path / f"{name}.log", **options)

    return make


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Whatever a test does, no descendant of this process and no orphan of it stays."""
    before = {(found.pid, found.started) for found in processes()}
    yield
    new = [found for found in processes() if (found.pid, found.started) not in before]
    own = [found for found in new if b"LANDBRIDGE_SUPERVISED_" in _environ(found) or found.parent == os.getpid()]
    left = wait_gone(own, 3)
    for each in left:
        os.kill(each.pid, signal.SIGKILL)
    assert left == []


def _environ(found: Process) -> bytes:
    try:
        return Path(f"/proc/{found.pid}/environ").read_bytes()
    except OSError:
        return b""


def _until(question: Callable[[], object], within: float = 10.0) -> None:
    until = time.monotonic() + within
    while not question():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


def _noted(folder: Path, *names: str) -> list[Process]:
    _until(lambda: all((folder / name).exists() for name in names))
    found = [process(int((folder / name).read_text())) for name in names]
    assert None not in found
    return [each for each in found if each is not None]


def test_children_start_in_order_each_when_the_one_before_is_ready_and_stop_in_reverse(
    child: Callable[..., Child], told: Told, tmp_path: Path
) -> None:
    (tmp_path / "order").touch()
    slow = f"import time; time.sleep(0.3); open({str(tmp_path / 'up')!r}, 'w'); time.sleep(60)"
    children = [
        child("first", slow, ready=(tmp_path / "up").exists),
        child("second", f"import os; assert os.path.exists({str(tmp_path / 'up')!r}); import time; time.sleep(60)"),
        child("third"),
    ]
    with Supervisor(children, tell=told) as supervisor:
        assert [status.state for status in supervisor.status()] == [State.READY] * 3
        assert told.names(State.READY) == ["first", "second", "third"]
        assert all(status.pid and process(status.pid) for status in supervisor.status())
    assert told.names(State.ENDED) == ["third", "second", "first"]
    assert [status.state for status in supervisor.status()] == [State.ENDED] * 3


def test_a_child_runs_in_its_own_session_with_its_environment_folder_and_log(
    child: Callable[..., Child], tmp_path: Path
) -> None:
    code = "import os, time; print(os.getcwd(), os.environ['COLOUR'], 'HOME' in os.environ, flush=True); time.sleep(60)"
    one = child("one", code, env={"COLOUR": "blue"}, cwd=tmp_path)
    with Supervisor([one]) as supervisor:
        _until(lambda: "blue" in one.log.read_text())
        assert one.log.read_text().split() == [str(tmp_path), "blue", "False"]
        pid = supervisor.status()[0].pid
        assert pid is not None
        assert os.getsid(pid) == pid
        assert one.log.stat().st_mode & 0o777 == 0o600


def test_a_child_that_died_starts_again_after_growing_pauses(child: Callable[..., Child], told: Told) -> None:
    one = child("one", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", first_pause=0.05, longest_pause=0.1)
    with Supervisor([one], tell=told) as supervisor:
        _until(lambda: supervisor.status()[0].restarts >= 4)
    pauses = [status.note for status in told.all if status.state is State.WAITING]
    assert pauses[:4] == [f"killed by SIGKILL; again in {pause} s" for pause in ("0.05", "0.1", "0.1", "0.1")]


def test_the_grandchildren_of_a_child_that_died_are_ended_before_it_starts_again(
    child: Callable[..., Child], tmp_path: Path
) -> None:
    with Supervisor([child("one", _FAMILY, str(tmp_path), first_pause=0.1)]) as supervisor:
        first = _noted(tmp_path, "child", "grandchild", "daemon")
        (tmp_path / "child").unlink()
        os.kill(first[0].pid, signal.SIGKILL)
        _until(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].pid)
        assert wait_gone(first, 0) == []
        _noted(tmp_path, "child")


def test_a_child_that_may_end_does_not_start_again_and_the_next_one_waits_for_its_end(
    child: Callable[..., Child], told: Told
) -> None:
    children = [child("migrate", "import time; time.sleep(0.2)", restart="never"), child("server")]
    with Supervisor(children, tell=told) as supervisor:
        migrate, server = supervisor.status()
        assert (migrate.state, migrate.note, migrate.restarts) == (State.ENDED, "exit 0", 0)
        assert server.state is State.READY
    order = [(status.name, status.state) for status in told.all]
    assert order.index(("migrate", State.ENDED)) < order.index(("server", State.STARTING))


def test_a_first_step_that_fails_stops_what_was_started_and_says_why(child: Callable[..., Child], told: Told) -> None:
    children = [child("server"), child("migrate", "raise SystemExit(3)", restart="never"), child("never-reached")]
    with pytest.raises(Unavailable, match=r"migrate did not start: exit 3.*hint: look into .*migrate.log"):
        Supervisor(children, tell=told).start()
    assert told.names(State.ENDED) == ["server"]
    assert "never-reached" not in told.names(State.STARTING)


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    one = Child("one", ["/no/such/program"], tmp_path / "log", restart="never")
    with pytest.raises(Unavailable, match="one did not start: exit 127"):
        Supervisor([one]).start()
    assert "cannot start /no/such/program: No such file" in (tmp_path / "log").read_text()


def test_a_child_that_never_becomes_ready_is_an_error_and_is_stopped(child: Callable[..., Child]) -> None:
    def ready() -> bool:
        raise ConnectionRefusedError

    with pytest.raises(Unavailable, match=r"one did not start: .*not ready"):
        Supervisor([child("one", ready=ready, ready_within=0.3)]).start()


def test_an_unhealthy_child_is_replaced(child: Callable[..., Child], told: Told) -> None:
    answers = iter([True, False, True, False, False, False])
    one = child("one", healthy=lambda: next(answers, True), health_every=0.05, first_pause=0.05)
    with Supervisor([one], tell=told) as supervisor:
        before = supervisor.status()[0].pid
        _until(lambda: supervisor.status()[0].restarts == 1 and supervisor.status()[0].state is State.READY)
        assert supervisor.status()[0].pid != before
        assert supervisor.status()[0].note.startswith("not healthy 3 times in a row")


@pytest.mark.parametrize("manner", ["polite", "stubborn"])
def test_stop_leaves_no_grandchild_not_even_a_daemon(child: Callable[..., Child], tmp_path: Path, manner: str) -> None:
    with Supervisor([child("one", _FAMILY, str(tmp_path), manner, grace=0.5)]):
        everyone = _noted(tmp_path, "child", "grandchild", "daemon")
        assert len({found.session for found in everyone}) == 2
    assert wait_gone(everyone, 0) == []


def test_stop_does_not_wait_for_a_pause_and_may_be_called_twice(child: Callable[..., Child]) -> None:
    supervisor = Supervisor([child("one", "pass", first_pause=60)])
    supervisor.start()
    _until(lambda: supervisor.status()[0].state is State.WAITING)
    began = time.monotonic()
    supervisor.stop()
    supervisor.stop()
    assert time.monotonic() - began < 2


def test_a_display_that_fails_ends_nothing(child: Callable[..., Child]) -> None:
    def tell(status: Status) -> None:
        raise RuntimeError("no screen")

    with Supervisor([child("one")], tell=tell) as supervisor:
        assert supervisor.status()[0].state is State.READY


_SUPERVISOR = """
import sys
from pathlib import Path
from landbridge.supervise import Child, Supervisor
folder, code, *rest = sys.argv[1:]
one = Child("one", [sys.executable, "-S", "-c", code, folder, *rest], Path(folder) / "log", grace=0.5)
raise SystemExit(Supervisor([one]).run())
"""


@pytest.fixture
def session(root: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a process that runs a supervisor over the family of three."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: str) -> subprocess.Popen[bytes]:
        env = os.environ | {"PYTHONPATH": str(root)}
        one = subprocess.Popen([sys.executable, "-c", _SUPERVISOR, str(tmp_path), _FAMILY, *argv], env=env)
        started.append(one)
        return one

    yield start
    for one in started:
        one.kill()
        one.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_run_ends_by_a_signal_with_everything_stopped(
    session: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, number: signal.Signals
) -> None:
    supervisor = session("stubborn")
    everyone = _noted(tmp_path, "child", "grandchild", "daemon")
    supervisor.send_signal(number)
    supervisor.send_signal(number)  # an impatient second one changes nothing
    assert supervisor.wait(10) == 0
    assert wait_gone(everyone, 0) == []


def test_a_killed_supervisor_takes_its_children_with_it_by_the_kernel_alone(root: Path, tmp_path: Path) -> None:
    code = _SUPERVISOR.replace("raise SystemExit", "Supervisor._start_reaper = lambda self: None\nraise SystemExit")
    argv = [sys.executable, "-c", code, str(tmp_path), f"{_NOTE}time.sleep(60)"]
    supervisor = subprocess.Popen(argv, env=os.environ | {"PYTHONPATH": str(root)})
    (one,) = _noted(tmp_path, "child")
    supervisor.kill()
    supervisor.wait()
    assert wait_gone([one], 5) == []


_NOTE = """
import os, sys, time
name = sys.argv[1] + "/child"
with open(name + ".tmp", "w") as f: f.write(str(os.getpid()))
os.rename(name + ".tmp", name)
"""


@pytest.mark.parametrize("manner", ["polite", "stubborn"])
def test_a_killed_supervisor_leaves_no_grandchild_not_even_a_daemon(
    session: Callable[..., subprocess.Popen[bytes]], tmp_path: Path, manner: str
) -> None:
    supervisor = session(manner)
    everyone = _noted(tmp_path, "child", "grandchild", "daemon")
    reaper = [found for found in processes() if found.parent == supervisor.pid and found.session == found.pid]
    supervisor.kill()
    supervisor.wait()
    assert wait_gone([*everyone, *reaper], 10) == []


def test_run_returns_1_when_a_child_that_must_not_fail_failed(child: Callable[..., Child], tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    code = f"import os, time\nwhile not os.path.exists({str(flag)!r}): time.sleep(0.02)\nraise SystemExit(4)"
    supervisor = Supervisor([child("server"), child("once", code, restart="never", ready=lambda: True)])
    threading.Timer(0.3, flag.touch).start()
    assert supervisor.run() == 1
    assert supervisor.status()[1].note == "exit 4"


def test_a_signal_during_the_start_ends_it(child: Callable[..., Child]) -> None:
    supervisor = Supervisor([child("one", ready=lambda: False), child("two")])
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    assert supervisor.run() == 0
    assert supervisor.status()[1].state is State.WAITING


def test_two_children_of_one_name_are_refused(child: Callable[..., Child]) -> None:
    with pytest.raises(ValueError, match="same name"):
        Supervisor([child("one"), child("one")])


def test_wait_for_http_waits_for_a_server_that_comes_late_and_asks_this_machine_only() -> None:
    class Answer(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self) -> None:
            Answer.asked += 1
            self.send_response(503 if Answer.asked < 3 else 200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    port = free_port()
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}.* does not answer"):
        wait_for_http(f"http://127.0.0.1:{port}/health", within=0.1)
    with HTTPServer(("127.0.0.1", port), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        wait_for_http(f"http://127.0.0.1:{port}/health", within=10)
        server.shutdown()
    assert Answer.asked == 3
    with pytest.raises(ValueError, match="not http on this machine"):
        wait_for_http("http://example.com/", within=1)


def test_a_family_never_reaches_beyond_its_session() -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as one, subprocess.Popen(["sleep", "60"]) as other:
        try:
            assert [found.pid for found in family(one.pid)] == [one.pid]
            assert other.pid not in {found.pid for found in family(None, "LANDBRIDGE_NO=1")}
        finally:
            one.kill()
            other.kill()
