"""A write whose lease ended between the last look and the line is not sent: no byte of it reaches the target."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import pytest

from landbridge import seam
from landbridge.errors import Unavailable
from landbridge.net import Http


@pytest.fixture
def listening():
    """A server that counts bytes and answers nothing."""
    came: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with line, suppress(ConnectionError):  # the client may drop the line instead of closing it
                while piece := line.recv(65536):
                    came.append(piece)
                    line.sendall(b"HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("warm", [False, True], ids=["a new line", "an open line"])
def test_a_write_whose_lease_ended_is_not_sent(listening, warm):
    port, came = listening
    http = Http("erp", f"http://127.0.0.1:{port}")
    if warm:
        assert http.request("GET", "/").ok
    before = len(came)
    held = {"lease": True}

    def stopped(kind: str, what: str) -> None:
        held["lease"] = False  # the process stood still here, past its lease

    with seam.install(stopped), seam.only_while(lambda: held["lease"]), pytest.raises(Unavailable) as told:
        http.request("POST", "/orders", json={"number": 1})
    assert not told.value.sent and "lease ended" in str(told.value)
    assert len(came) == before
    assert http.request("POST", "/orders", json={"number": 1}).ok, "another thread's or a later write goes out"
    http.close()
