"""Runs the API until it is told to stop."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from pathlib import Path

import uvicorn

from landbridge.installation import open_installation
from landbridge.strict import json
from landbridge.webhook import Limited
from mdm.steward.api._app import application
from mdm.steward.api._token import token_of

_log = logging.getLogger("landbridge.steward")
_STOP_SECONDS = 20


def serve(
    root: Path, environment: str | None, *, host: str, port: int, token: str | None = None, ready: Path | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; port 0 lets the kernel choose. `ready` is written once it listens."""
    with ExitStack() as held:
        installation = held.enter_context(open_installation(root, environment))
        secret = token_of(installation.state, token)
        told: dict[str, object] = {"pid": os.getpid(), "token": secret.reference}
        app = application(installation, secret, ready=lambda: _tell(told, ready))
        config = uvicorn.Config(
            app, host=host, port=port, http=Limited, loop="uvloop", ws="none", access_log=False, log_config=None,
            server_header=False, timeout_keep_alive=30, timeout_graceful_shutdown=_STOP_SECONDS, proxy_headers=False,
            lifespan="on",
        )  # fmt: skip
        listening = config.bind_socket()
        address = listening.getsockname()
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]
        told["url"] = f"http://{shown}:{address[1]}"
        uvicorn.Server(config).run(sockets=[listening])


def _tell(told: dict[str, object], ready: Path | None) -> None:
    _log.info("listening", extra=told)
    if ready is not None:
        fresh = ready.with_name(f"{ready.name}.{os.getpid()}.new")
        fresh.write_bytes(json.dumps(told))
        fresh.replace(ready)
