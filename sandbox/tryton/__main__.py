"""Fetches and builds Tryton while the package index can be reached: `python -m sandbox.tryton`."""

from __future__ import annotations

import sys

from sandbox.tryton import _build


def main() -> int:
    """0 if it is there now; 1, with the reason, if it cannot be had."""
    try:
        template = _build.template("USD")
    except _build.Unobtainable as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    sys.stdout.write(f"{template.database.parent}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
