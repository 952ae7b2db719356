"""Only the two systems of the demonstration and a store for them: what the tutorial works with, without Airflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from landbridge.demo._company import Company, company
from landbridge.demo._project import compose, write_variables
from landbridge.demo._tour import _fresh, _interruptible, own_variables
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
            write_variables(environment, {**own_variables(), **ours.environment})
            yield ours, environment
        finally:
            for told in (environment, state / "company.json"):  # they hold passwords of what is gone
                told.unlink(missing_ok=True)
            server.remove()
