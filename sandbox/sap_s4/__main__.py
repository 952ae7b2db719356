"""Serves the SAP sandbox as a process of its own."""

from __future__ import annotations

import sys

from sandbox._base import main_args, run_main
from sandbox.sap_s4 import SapSandbox


def main() -> int:
    """Parse the options and serve until SIGTERM."""
    parser = main_args("sandbox.sap_s4")
    parser.add_argument("--system-id", default="S4H", help="three letters that name the system (default: S4H)")
    parser.add_argument("--client", default="100", help="SAP client (default: 100)")
    parser.add_argument("--page", type=int, default=1000, help="server page size (default: 1000)")
    parser.add_argument("--user", default="LANDBRIDGE", help="communication user (default: LANDBRIDGE)")
    parser.add_argument("--password", default="sandbox-only", help="its password, for loopback only")
    args = parser.parse_args()
    users = {args.user: args.password}
    system = SapSandbox(args.state, system_id=args.system_id, client=args.client, page=args.page, users=users)
    try:
        return run_main(system.app, args, {"system_id": args.system_id, "client": args.client})
    finally:
        system.close()


if __name__ == "__main__":
    sys.exit(main())
