"""Serves the demonstration's world: `python -m sandbox.demo --state DIR --ready-file FILE [--erp tryton]`.

The ready file tells the addresses as environment variables, where the company's people are asked to do something, and
which configuration files are other ones with this ERP. Each system is served on a port of its own.
`POST /place_orders`, `/ship`, `/change_order`, `/tell`, `/close_order`, `/mark`; `GET /changed`, `/differences`,
`/known`, `/told`, `/doubled`, `/facts`. What one of them needs to know stands in the address' query. With `--takeover`
also `POST /enter_elsewhere`, `/enter_accounts`; `GET /systems`, `/truth`, `/untold`.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox._base import serve
from sandbox.demo import Company, World, differences, generate, read_northwind
from sandbox.demo._backoffice import Backoffice
from sandbox.demo._closing import Desk
from sandbox.demo._northwind import CompanyError
from sandbox.demo._sap import SapBackoffice
from sandbox.demo._subsidiary import Subsidiary
from sandbox.demo._takeover import Takeover
from sandbox.demo._tryton import TrytonBackoffice
from sandbox.tryton import Unobtainable

CONSUMER_KEY = "landbridge-demo"


def main(arguments: list[str] | None = None) -> int:
    """Seed, then serve until SIGTERM; 2 if the company cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo", description="Serve a company's CRM and ERP.")
    parser.add_argument("--state", type=Path, required=True, help="folder of both systems' state, empty at first")
    parser.add_argument("--ready-file", type=Path, required=True, help="JSON, written when everything is seeded")
    parser.add_argument("--company", type=Path, default=None, help="folder of CSV files in Northwind's shape")
    parser.add_argument("--erp", choices=("sap", "tryton"), default="sap", help="which ERP it has (default: sap)")
    parser.add_argument("--takeover", action="store_true", help="it takes over a house whose customers are in a Tryton")
    parser.add_argument("--seed", type=int, default=2026, help="seed of the generated company (default: 2026)")
    args = parser.parse_args(arguments)
    if args.takeover and args.erp != "sap":
        parser.error("--takeover: where the ERP is Tryton itself, no house is taken over")
    try:
        company = read_northwind(args.company) if args.company else generate(args.seed)
    except CompanyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    try:
        with closing(Subsidiary(args.state / "subsidiary")) if args.takeover else nullcontext() as subsidiary:
            _serve(args, company, _backoffice(args.erp, args.state / "erp", company), subsidiary)
    except Unobtainable as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _serve(args: argparse.Namespace, company: Company, backoffice: Backoffice, subsidiary: Subsidiary | None) -> None:
    """Everything behind its address until SIGTERM."""
    crm_secret, hook_token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    world = World(args.state, company, backoffice=backoffice)
    takeover = Takeover(world, subsidiary) if subsidiary is not None else None
    try:
        world.crm.register_client(CONSUMER_KEY, crm_secret)
        facts = world.seed() | {"orders": len(company.orders)}
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.set())
        with (
            serve(world.crm.app) as crm,
            backoffice.serving() as erp,
            serve(_people(world, Desk(world, hook_token), takeover, facts)) as people,
        ):
            environment = {
                "DEMO_CRM_URL": crm.url,
                "DEMO_CRM_CLIENT_ID": CONSUMER_KEY,
                "DEMO_CRM_CLIENT_SECRET": crm_secret,
                "CRM_HOOK_TOKEN": hook_token,
                **erp,
                **(subsidiary.environment if subsidiary is not None else {}),
            }
            told: dict[str, Any] = {"people": people.url, "environment": environment, "facts": facts}
            told |= _project("takeover" if takeover is not None else args.erp)
            _write(args.ready_file, told | {"takeover": takeover is not None})
            stopped.wait()
    finally:
        world.close()


def _project(name: str) -> dict[str, str]:
    """The folder of configuration files that are other ones with this ERP, or with a third system, if there is one."""
    folder = Path(__file__).with_name(name)
    return {"project": str(folder)} if folder.is_dir() else {}


def _backoffice(erp: str, state: Path, company: Company) -> Backoffice:
    """The ERP that was asked for, with a password made for this run."""
    if erp == "tryton":
        return TrytonBackoffice(state, company.products[0].currency if company.products else "USD")
    return SapBackoffice(state, secrets.token_urlsafe(24))


def _people(world: World, desk: Desk, takeover: Takeover | None, facts: dict[str, int]) -> Starlette:
    """The company's people behind an address."""
    asked: dict[str, tuple[str, Callable[..., Any]]] = {
        "place_orders": ("POST", world.place_orders),
        "ship": ("POST", world.ship),
        "change_order": ("POST", world.change_order),
        "tell": ("POST", desk.tell),
        "close_order": ("POST", desk.close_order),
        "known": ("GET", desk.known),
        "told": ("GET", desk.told),
        "doubled": ("GET", desk.doubled),
        "mark": ("POST", world.mark),
        "changed": ("GET", world.changed),
        "differences": ("GET", lambda: differences(world)),
        "facts": ("GET", lambda: facts),
    }
    if takeover is not None:
        asked |= {
            "enter_elsewhere": ("POST", takeover.enter_elsewhere),
            "enter_accounts": ("POST", takeover.enter_accounts),
            "systems": ("GET", takeover.systems),
            "truth": ("GET", takeover.truth),
            "untold": ("GET", takeover.untold),
        }

    def route(name: str, method: str, call: Callable[..., Any]) -> Route:
        def answer(request: Request) -> JSONResponse:  # not async: Starlette calls it in a thread
            try:
                return JSONResponse(call(**request.query_params))
            except Exception as error:  # noqa: BLE001 - whatever goes wrong here is told to whoever asked
                return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=500)

        return Route(f"/{name}", answer, methods=[method])

    return Starlette(routes=[route(name, method, call) for name, (method, call) in asked.items()])


def _write(file: Path, told: dict[str, Any]) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        json.dump(told, stream)
    fresh.replace(file)  # whoever waits for the file never reads half of it


if __name__ == "__main__":
    sys.exit(main())
