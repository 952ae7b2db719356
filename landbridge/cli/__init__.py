"""The command line `landbridge`: one module per group of commands, each imported for its own sake only.

Exit codes: 0 all is well, 1 problems were found (they are printed), 2 the command line itself is wrong,
130 interrupted. A `LandbridgeError` never shows a traceback unless `--debug` is given. Packages that add commands by
the entry point `landbridge.commands` print with the same words.
"""

from landbridge.cli._app import build, main
from landbridge.cli._bar import bar
from landbridge.cli._context import Context, of
from landbridge.cli._logs import Form, Level, begin
from landbridge.cli._open import actor, age, opened, show_table
from landbridge.cli._print import complain, counted, say, show_json, visible

__all__ = [
    "Context",
    "Form",
    "Level",
    "actor",
    "age",
    "bar",
    "begin",
    "build",
    "complain",
    "counted",
    "main",
    "of",
    "opened",
    "say",
    "show_json",
    "show_table",
    "visible",
]
