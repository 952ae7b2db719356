"""Writes the reference page of the canonical model: `python -m landbridge.canonical FOLDER`."""

import sys
from pathlib import Path

from landbridge.canonical._reference import reference
from landbridge.canonical._schemas import Canonical

sys.stdout.write(reference(Canonical.load(Path(sys.argv[1]))))
