"""Runs the endpoint: one or several processes on one address, until they are told to stop."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from landbridge import signatures
from landbridge.errors import ConfigError, Problem
from landbridge.installation import open_installation
from landbridge.settings import Settings
from landbridge.strict import json
from landbridge.telemetry import LogFormat, LogLevel, begin_logs
from landbridge.webhook._app import application
from landbridge.webhook._protocol import Limited, room_for_connections

if TYPE_CHECKING:
    from starlette.applications import Starlette

_log = logging.getLogger("landbridge.webhook")
_ROOT, _ENVIRONMENT, _READY = "LANDBRIDGE_SERVE_ROOT", "LANDBRIDGE_SERVE_ENVIRONMENT", "LANDBRIDGE_SERVE_READY"
_FORM, _LEVEL = "LANDBRIDGE_LOG_FORMAT", "LANDBRIDGE_LOG_LEVEL"
_BACKLOG = 2048
_STOP_SECONDS = 20


def serve(
    root: Path,
    environment: str | None,
    *,
    host: str,
    port: int,
    workers: int,
    ready: Path | None,
    behind: Sequence[str] = (),
) -> None:
    """Serve until SIGTERM or SIGINT; then requests that are under way are finished. Port 0 lets the kernel choose.

    Raises ConfigError before anything listens where a proof could not be checked. `behind` names the proxies whose
    `X-Forwarded-For` is believed.
    """
    problems = unready(Settings.load(root, environment))
    if problems:
        raise ConfigError(problems)
    config = uvicorn.Config(
        "landbridge.webhook._serve:made", factory=True, host=host, port=port, workers=workers, http=Limited,
        loop="uvloop", ws="none", access_log=False, log_config=None, server_header=False, backlog=_BACKLOG,
        timeout_keep_alive=30, timeout_graceful_shutdown=_STOP_SECONDS, proxy_headers=bool(behind),
        forwarded_allow_ips=[*behind], lifespan="on",
    )  # fmt: skip
    listening = config.bind_socket()
    address = listening.getsockname()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    told = {"file": str(ready or ""), "url": f"http://{shown}:{address[1]}", "pid": os.getpid()}
    os.environ[_ROOT], os.environ[_ENVIRONMENT] = str(root), environment or ""
    os.environ[_READY] = json.dumps(told).decode()
    if workers > 1:
        from uvicorn.supervisors import Multiprocess

        with open_installation(root, environment):
            pass  # the store is started and migrated once, and what is wrong is told, before they are many
        Multiprocess(config, sockets=[listening]).run()
    else:
        uvicorn.Server(config).run(sockets=[listening])


def unready(settings: Settings) -> list[Problem]:
    """What keeps webhooks from being verified: secrets that are missing, unreadable or short."""
    hint = "Set it, at least 16 bytes; docs/webhooks.md says how secrets are changed without losing a webhook."
    return [
        Problem("config/systems.yaml", 0, 0, f"{name}.webhook: {why}", hint)
        for name, system in settings.systems.items()
        if system.webhook is not None
        for why in signatures.unready(system.webhook)
    ]


def made() -> Starlette:
    """The application of the project that the environment names: each worker process makes its own."""
    Limited.most = room_for_connections()
    begin_logs(LogFormat(os.environ.get(_FORM) or "text"), LogLevel(os.environ.get(_LEVEL) or "info"))
    held = ExitStack()
    root, environment = Path(os.environ[_ROOT]), os.environ[_ENVIRONMENT] or None
    return application(held.enter_context(open_installation(root, environment)), ready=_told, close=held.close)


def _told() -> None:
    """Say where we listen, once one process takes requests."""
    told = json.loads(os.environ[_READY])
    _log.info("listening", extra={"url": told["url"], "pid": os.getpid()})
    if told["file"]:
        ready = Path(told.pop("file"))
        fresh = ready.with_name(f"{ready.name}.{os.getpid()}.new")
        fresh.write_bytes(json.dumps(told))
        fresh.replace(ready)
