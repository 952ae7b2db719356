"""Serves a sandbox on loopback: in a thread for tests, as a process of its own for the demo."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class _Cuttable(HttpToolsProtocol):
    """The HTTP protocol that lets a fault cut the line under the application's feet."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"sandbox.cut": {"abort": self._abort, "close": self._close}}

    def _abort(self) -> None:
        self.transport.abort()

    def _close(self) -> None:
        self.transport.close()


class Served:
    """A running server; leaving the context stops it."""

    def __init__(self, app: ASGIApp, *, tls: tuple[str, str] | None = None, port: int = 0) -> None:
        # the protocol is named, since asyncio turns Nagle off only then; 40 ms per reply otherwise
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen(512)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=_Cuttable,
                loop="asyncio",
                lifespan="off",
                ws="none",
                access_log=False,
                log_config=None,
                log_level="critical",
                server_header=False,
                timeout_keep_alive=300,  # a pooled client must not meet a line that we closed for idleness
                timeout_graceful_shutdown=1,
                ssl_certfile=tls[0] if tls else None,
                ssl_keyfile=tls[1] if tls else None,
            )
        )
        self._thread = threading.Thread(target=self._run, name=f"sandbox:{self.port}", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"sandbox: no server came up on {self.url}; look at the certificate and the app")
            time.sleep(0.002)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Stop accepting, cut what still hangs and wait for the thread."""
        self._server.should_exit = True
        self._thread.join(timeout=0.2)
        if self._thread.is_alive():  # idle TLS lines of pooled clients would hold the stop for a second
            for line in list(self._server.server_state.connections):
                self._loop.call_soon_threadsafe(line.transport.abort)
            self._thread.join(timeout=5)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(timeout=5)
        self._socket.close()

    def __enter__(self) -> Served:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(app: ASGIApp, *, tls: tuple[str, str] | None = None, port: int = 0) -> Served:
    """Serve `app` on 127.0.0.1 in a daemon thread; port 0 lets the kernel choose; it accepts when this returns."""
    return Served(app, tls=tls, port=port)


def main_args(program: str) -> argparse.ArgumentParser:
    """The options that every sandbox process has; a vendor adds its own."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=f"Serve {program} on loopback.")
    parser.add_argument("--state", type=Path, default=None, help="folder of the state on disk (default: in memory)")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: the kernel chooses)")
    parser.add_argument("--ready-file", type=Path, default=None, help="JSON with url and pid, written when it accepts")
    parser.add_argument("--tls-cert", default=None, help="certificate file; with --tls-key the server speaks https")
    parser.add_argument("--tls-key", default=None, help="private key file of the certificate")
    return parser


def run_main(app: ASGIApp, args: argparse.Namespace, info: dict[str, Any] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; `info` is added to what the ready file says."""
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    tls = (args.tls_cert, args.tls_key) if args.tls_cert and args.tls_key else None
    with serve(app, tls=tls, port=args.port) as served:
        if args.ready_file is not None:
            fresh = args.ready_file.with_name(args.ready_file.name + ".new")
            fresh.write_text(json.dumps({"url": served.url, "pid": os.getpid(), **(info or {})}), encoding="utf-8")
            fresh.replace(args.ready_file)  # whoever waits for the file never reads half of it
        stopped.wait()
    return 0
