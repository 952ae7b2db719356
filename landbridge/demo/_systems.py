"""Only the two systems of the demonstration and a store for them: what the tutorial works with, without Airflow."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from landbridge.demo._company import Company, company
from landbridge.demo._project import compose
from landbridge.demo._tour import ENVIRONMENT, _fresh, _interruptible
from landbridge.store.embedded import EmbeddedPostgres


@contextmanager
def systems(root: Path, folder: Path | None, erp: str | None = None) -> Iterator[tuple[Company, Path]]:
    """A company's CRM and ERP, new, with an empty store; and the file of variables by which commands find them.

    They end with the block, and SIGINT and SIGTERM end the block by KeyboardInterrupt. Nothing outlives this process.
    """
    state = root / ".landbridge" / "sandbox"
    with _interruptible(), _fresh(state), company(state, folder, erp) as ours:
        server = EmbeddedPostgres(state / "postgres", die_with_parent=True)
        server.start()
        environment = state / "environment"
        try:
            ours.environment["LANDBRIDGE_STATE"] = str(state)
            project = compose(root, ours.project, state / "project")
            if project != root:
                ours.environment["LANDBRIDGE_ROOT"] = str(project)
            ours.environment["LANDBRIDGE_SERVER_HOME"] = os.environ["LANDBRIDGE_SERVER_HOME"]
            _write(environment, ours.environment | {"LANDBRIDGE_ENVIRONMENT": ENVIRONMENT})
            yield ours, environment
        finally:
            for told in (environment, state / "company.json"):  # they hold passwords of what is gone
                told.unlink(missing_ok=True)
            server.remove()


def _write(path: Path, variables: dict[str, str]) -> None:
    """A file that a shell reads with `.`; its owner's alone, since it holds the passwords of the sandbox."""
    path.unlink(missing_ok=True)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.writelines(lines)
