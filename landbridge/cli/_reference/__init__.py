"""The reference pages docs/flows.md, docs/errors.md and docs/cli.md, made from the models themselves.

`python -m landbridge.cli._reference docs` writes them (`make docs`); a test compares them with what is committed.
"""

from pathlib import Path

from landbridge.cli._reference._commands import cli_page
from landbridge.cli._reference._config import flows_page
from landbridge.cli._reference._errors import ACTIONS, errors_page
from landbridge.cli._reference._examples import EXAMPLES

__all__ = ["ACTIONS", "EXAMPLES", "cli_page", "errors_page", "flows_page", "pages", "write"]


def pages() -> dict[str, str]:
    """Every page by its file name."""
    return {"flows.md": flows_page(), "errors.md": errors_page(), "cli.md": cli_page()}


def write(folder: Path) -> list[Path]:
    """Write the pages that changed; returns these."""
    changed = []
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
