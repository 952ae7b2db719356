"""Runs the endpoint: one or several processes on one address, until they are told to stop."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from landbridge.installation import open_installation
from landbridge.strict import json
from landbridge.webhook._app import application

if TYPE_CHECKING:
    from starlette.applications import Starlette

_ROOT, _ENVIRONMENT = "LANDBRIDGE_SERVE_ROOT", "LANDBRIDGE_SERVE_ENVIRONMENT"
_HEADERS = 1 << 14
_BACKLOG = 2048


def serve(root: Path, environment: str | None, *, host: str, port: int, workers: int, ready: Path | None) -> None:
    """Serve until SIGTERM or SIGINT; then requests that are under way are finished. Port 0 lets the kernel choose."""
    os.environ[_ROOT] = str(root)
    os.environ[_ENVIRONMENT] = environment or ""
    config = uvicorn.Config(
        "landbridge.webhook._serve:made", factory=True, host=host, port=port, workers=workers, http="httptools",
        loop="uvloop", ws="none", access_log=False, log_config=None, server_header=False, backlog=_BACKLOG,
        timeout_keep_alive=30, timeout_graceful_shutdown=20, h11_max_incomplete_event_size=_HEADERS,
        proxy_headers=False,
    )  # fmt: skip
    listening = config.bind_socket()
    if ready is not None:
        address = listening.getsockname()
        fresh = ready.with_name(ready.name + ".new")
        fresh.write_bytes(json.dumps({"url": f"http://{address[0]}:{address[1]}", "pid": os.getpid()}))
        fresh.replace(ready)
    if workers > 1:
        from uvicorn.supervisors import Multiprocess

        Multiprocess(config, sockets=[listening]).run()
    else:
        uvicorn.Server(config).run(sockets=[listening])


def made() -> Starlette:
    """The application of the project that the environment names: each worker process makes its own."""
    held = ExitStack()
    root, environment = Path(os.environ[_ROOT]), os.environ[_ENVIRONMENT] or None
    return application(held.enter_context(open_installation(root, environment)), close=held.close)
