"""Serves the trading house as a process of its own: `python -m sandbox.soap --ready-file FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox._base import main_args, run_main
from sandbox.soap._sandbox import SoapSandbox


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM."""
    parser = main_args("sandbox.soap")
    parser.add_argument("--user", default="landbridge", help="the user who may call")
    parser.add_argument("--password-file", type=Path, default=None, help="file with the user's password")
    parser.add_argument("--parties", type=int, default=0, help="how many parties to make")
    args = parser.parse_args(arguments)
    password = args.password_file.read_text(encoding="utf-8").strip() if args.password_file else "sandbox"
    house = SoapSandbox(args.state, user=args.user, password=password)
    for number in range(1, args.parties + 1):
        house.put(
            "party", {"name": f"Party {number}", "creditLimit": f"{number * 100}.00", "taxNumber": f"DE{number:09d}"}
        )
    try:
        return run_main(house.app, args)
    finally:
        house.close()


if __name__ == "__main__":
    sys.exit(main())
