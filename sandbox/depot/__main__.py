"""Serves a depot as a process of its own: `python -m sandbox.depot --port 8017 --user clerk --password-file FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox._base import main_args, run_main
from sandbox.depot._depot import Depot


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM."""
    parser = main_args("sandbox.depot")
    parser.add_argument("--user", default="clerk", help="who may log in")
    parser.add_argument("--password-file", type=Path, required=True, help="file with the user's password")
    parser.add_argument("--parts", type=int, default=3, help="parts that are there at the start")
    args = parser.parse_args(arguments)
    depot = Depot()
    depot.users[args.user] = args.password_file.read_text(encoding="utf-8").strip()
    for number in range(1, args.parts + 1):
        depot.add({"name": f"Part {number}", "price": f"{number}.50"})
    return run_main(depot.app, args)


if __name__ == "__main__":
    sys.exit(main())
