"""Serves the small REST API as a process of its own."""

from __future__ import annotations

import sys

from sandbox._base import main_args, run_main
from sandbox.rest import Manners, RestSandbox

STYLES = ("offset", "page", "cursor", "link", "next")


def main() -> int:
    """Parse the options and serve until SIGTERM."""
    parser = main_args("sandbox.rest")
    parser.add_argument("--paging", choices=STYLES, default="offset", help="how lists are paged (default: offset)")
    parser.add_argument("--key", default=None, help="the key that X-Api-Key must hold; by default none is asked for")
    parser.add_argument("--client", default=None, help="ID:SECRET of an OAuth2 client; by default none is asked for")
    parser.add_argument("--errors-inside", action="store_true", help="errors come with status 200")
    parser.add_argument("--customers", type=int, default=0, help="how many customers there are already")
    args = parser.parse_args()
    clients = dict([args.client.split(":", 1)]) if args.client else {}
    api = RestSandbox(Manners(args.paging, args.key, clients, args.errors_inside))
    names = ({"name": f"Customer {number} GmbH", "city": "Bremen"} for number in range(1, args.customers + 1))
    api.store.load("customers", names)
    return run_main(api.app, args)


if __name__ == "__main__":
    sys.exit(main())
