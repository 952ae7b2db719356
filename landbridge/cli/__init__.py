"""The command line `landbridge`: one module per group of commands, each imported for its own sake only.

Exit codes: 0 all is well, 1 problems were found (they are printed), 2 the command line itself is wrong,
130 interrupted. A `LandbridgeError` never shows a traceback unless `--debug` is given.
"""

from landbridge.cli._app import build, main

__all__ = ["build", "main"]
