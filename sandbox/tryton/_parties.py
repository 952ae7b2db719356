"""Founds a company in an empty Tryton that keeps its customers there and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pycountry

from sandbox.tryton._client import Client

INTEGRATION = "landbridge"
COMPANY = "Taken-over Trading House"
_GROUPS = ("party.group_party_admin",)


def found_parties(people: Client, currency: str, password: str, integration: str) -> None:
    """From a database with modules only to a company that has customers; both users get their passwords."""
    rate = {"date": date(1990, 1, 1), "rate": Decimal(1)}
    money = {"name": currency, "code": currency, "symbol": currency, "digits": 2, "rounding": Decimal("0.01")}
    [main] = people.create("currency.currency", [{**money, "rates": [["create", [rate]]]}])
    [party] = people.create("party.party", [{"name": COMPANY}])
    [company] = people.create("company.company", [{"party": party, "currency": main}])
    there = {row["code"] for row in people.rows("country.country", [], ["code"])}
    named = [(one.name, one.alpha_2) for one in pycountry.countries if one.alpha_2 not in there]
    people.create("country.country", [{"name": name, "code": code} for name, code in named])
    groups = [people.call("model.ir.model.data.get_id", name) for name in _GROUPS]
    user = {"name": "Landbridge", "login": INTEGRATION, "password": integration, "company": company}
    people.create("res.user", [{**user, "companies": [["add", [company]]], "groups": [["add", groups]]}])
    [admin] = people.search("res.user", [["login", "=", "admin"]])
    people.write("res.user", [admin], {"companies": [["add", [company]]], "company": company})
    people.write("res.user", [admin], {"password": password})  # the session of `people` ends here
