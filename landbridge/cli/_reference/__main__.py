"""Writes the reference pages into the folder that is named, `docs` by default."""

import sys
from pathlib import Path

from landbridge.cli._reference import write

for written in write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs")):
    sys.stdout.write(f"{written}\n")
