"""Serves a Salesforce org as a process of its own: `python -m sandbox.salesforce --state DIR --ready-file FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson

from sandbox._base import main_args, run_main
from sandbox.salesforce._sandbox import SalesforceSandbox


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM."""
    parser = main_args("sandbox.salesforce")
    parser.add_argument("--org-id", default=None, help="id of a new org (00D...)")
    parser.add_argument(
        "--seed", type=Path, default=None, help='JSON lines {"sobject": ..., "fields": {...}} to insert'
    )
    parser.add_argument("--consumer-key", default=None, help="key of a connected app to register")
    parser.add_argument("--consumer-secret-file", type=Path, default=None, help="file with the app's secret")
    parser.add_argument("--certificate", type=Path, default=None, help="certificate or public key for JWT bearer")
    parser.add_argument("--username", default="integration@landbridge.example", help="user the app runs as")
    parser.add_argument("--daily-limit", type=int, default=1_000_000, help="API calls per day")
    parser.add_argument("--session-seconds", type=float, default=7200, help="life of an access token")
    args = parser.parse_args(arguments)
    org = SalesforceSandbox(
        args.state, org_id=args.org_id, daily_limit=args.daily_limit, session_seconds=args.session_seconds
    )
    if args.consumer_key:
        secret = args.consumer_secret_file.read_text(encoding="utf-8").strip() if args.consumer_secret_file else None
        certificate = args.certificate.read_text(encoding="utf-8") if args.certificate else None
        org.register_client(args.consumer_key, secret, certificate, args.username)
    if args.seed is not None:
        with args.seed.open("rb") as lines:
            for line in lines:
                given = orjson.loads(line)
                org.insert(given["sobject"], given["fields"])
    try:
        return run_main(org.app, args, {"org_id": org.org_id, "standard_pricebook_id": org.standard_pricebook_id})
    finally:
        org.close()


if __name__ == "__main__":
    sys.exit(main())
