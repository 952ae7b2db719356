"""Founds the company in an empty Tryton, as its administrator would by hand: books, taxes, units, users, warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pycountry

from sandbox.tryton._client import Client

INTEGRATION = "landbridge"
COMPANY = "Trading Company"
TAX, TAX_RATE = "Sales tax 10 %", Decimal("0.10")
CATEGORY, SHIPPING = "Goods", "SHIP"
SHIPPING_COST = Decimal("9.50")
CURRENCIES = {
    "USD": ("US Dollar", "$"), "EUR": ("Euro", "€"), "GBP": ("Pound Sterling", "£"), "CNY": ("Yuan Renminbi", "¥"),
    "CHF": ("Swiss Franc", "Fr."), "JPY": ("Yen", "¥"),
}  # fmt: skip
_GROUPS = (
    "sale.group_sale", "sale.group_sale_admin", "sale_amendment.group_sale_amendment",
    "purchase.group_purchase", "stock.group_stock", "product.group_product_admin",
    "account_product.group_account_product_admin",
)  # fmt: skip


def found_company(people: Client, currency: str, years: Sequence[int], password: str, integration: str) -> None:
    """From a database with modules only to a company that can sell, ship and buy; both users get their passwords."""
    company = _company(people, currency)
    account = _accounts(people, company)
    for year in years:
        _fiscal_year(people, company, year)
    _selling(people, company, account)
    _countries(people)
    _users(people, company, password, integration)


def _company(people: Client, currency: str) -> int:
    money = people.create("currency.currency", [_currency(code, *words) for code, words in CURRENCIES.items()])
    main = money[list(CURRENCIES).index(currency)]
    party, person = people.create("party.party", [{"name": COMPANY}, {"name": "Integration"}])
    [company] = people.create("company.company", [{"party": party, "currency": main}])
    [admin] = people.search("res.user", [["login", "=", "admin"]])
    people.write("res.user", [admin], {"companies": [["add", [company]]], "company": company})
    people.login()  # the company is in the context from here on
    [employee] = people.create("company.employee", [{"party": person, "company": company}])
    people.write("res.user", [admin], {"employees": [["add", [employee]]], "employee": employee})
    people.login()
    return company


def _currency(code: str, name: str, symbol: str) -> dict[str, Any]:
    digits = 0 if code == "JPY" else 2
    rate = {"date": date(1990, 1, 1), "rate": Decimal(1)}
    return {
        "name": name,
        "code": code,
        "symbol": symbol,
        "digits": digits,
        "rounding": Decimal(1).scaleb(-digits),
        "rates": [["create", [rate]]],
    }


def _accounts(people: Client, company: int) -> dict[str, int]:
    """The chart of accounts that Tryton brings along; returns its accounts by what they are for."""
    root = people.call("model.ir.model.data.get_id", "account.account_template_root_en")
    chosen = {"account": {"company": company, "account_template": root}}
    people.wizard("account.create_chart", [("create_account", chosen)])
    found = {}
    for kind in ("receivable", "payable", "revenue", "expense"):
        where = [[f"type.{kind}", "=", True], ["company", "=", company], ["closed", "!=", True]]
        found[kind] = people.search("account.account", where)[0]
    [settings] = people.search("account.configuration") or people.create("account.configuration", [{}])
    values = {
        "default_account_receivable": found["receivable"],
        "default_account_payable": found["payable"],
        "default_category_account_expense": found["expense"],
        "default_category_account_revenue": found["revenue"],
    }
    people.write("account.configuration", [settings], values)
    return found


def _fiscal_year(people: Client, company: int, year: int) -> None:
    kinds = {}
    for name in ("Account Move", "Invoice"):
        [kinds[name]] = people.search("ir.sequence.type", [["name", "=", name]])
    moves, invoices = people.create(
        "ir.sequence.strict",
        [{"name": f"{name} {year}", "sequence_type": kind, "company": company} for name, kind in kinds.items()],
    )
    ways = ("out_invoice", "in_invoice", "out_credit_note", "in_credit_note")
    sequences = {"company": company, **{f"{way}_sequence": invoices for way in ways}}
    [made] = people.create(
        "account.fiscalyear",
        [
            {
                "name": str(year),
                "company": company,
                "start_date": date(year, 1, 1),
                "end_date": date(year, 12, 31),
                "move_sequence": moves,
                "invoice_sequences": [["create", [sequences]]],
            }
        ],
    )
    people.press("account.fiscalyear", "create_period", [made])


def _selling(people: Client, company: int, account: dict[str, int]) -> None:
    """Terms of payment, a tax on everything of the category, and what shipping is sold as."""
    people.create(
        "account.invoice.payment_term",
        [
            {
                "name": "Net 30",
                "lines": [["create", [{"type": "remainder", "relativedeltas": [["create", [{"days": 30}]]]}]]],
            }
        ],
    )
    [tax] = people.create(
        "account.tax",
        [
            {
                "name": TAX,
                "description": TAX,
                "company": company,
                "type": "percentage",
                "rate": TAX_RATE,
                "invoice_account": account["payable"],
                "credit_note_account": account["payable"],
            }
        ],
    )
    people.create(
        "product.category",
        [
            {
                "name": CATEGORY,
                "accounting": True,
                "account_expense": account["expense"],
                "account_revenue": account["revenue"],
                "customer_taxes": [["add", [tax]]],
            }
        ],
    )
    [category] = people.search("product.category", [["name", "=", CATEGORY]])
    [unit] = people.search("product.uom", [["symbol", "=", "u"]])
    [template] = people.create(
        "product.template",
        [
            {
                "name": "Shipping",
                "type": "service",
                "default_uom": unit,
                "salable": True,
                "sale_uom": unit,
                "list_price": SHIPPING_COST,
                "account_category": category,
                "products": [["create", [{"suffix_code": SHIPPING}]]],
            }
        ],
    )
    product = people.one("product.product", [["template", "=", template]])["id"]
    [forwarder] = people.create("party.party", [{"name": "Parcel Service"}])
    people.create("carrier", [{"party": forwarder, "carrier_product": product, "carrier_cost_method": "product"}])
    # Nobody is charged for shipping unless an order says so; else every order that names no carrier would be refused.
    [settings] = people.search("sale.configuration") or people.create("sale.configuration", [{}])
    people.write("sale.configuration", [settings], {"sale_shipment_cost_method": None})


def _countries(people: Client) -> None:
    there = {row["code"] for row in people.rows("country.country", [], ["code"])}
    rows = [
        {"name": one.name, "code": one.alpha_2, "code3": one.alpha_3, "code_numeric": one.numeric}
        for one in pycountry.countries
        if one.alpha_2 not in there
    ]
    people.create("country.country", rows)


def _users(people: Client, company: int, password: str, integration: str) -> None:
    """The administrator's own password, and a user for the integration: sales, purchases, stock and products."""
    groups = [people.call("model.ir.model.data.get_id", name) for name in _GROUPS]
    people.create(
        "res.user",
        [
            {
                "name": "Landbridge",
                "login": INTEGRATION,
                "password": integration,
                "companies": [["add", [company]]],
                "company": company,
                "groups": [["add", groups]],
            }
        ],
    )
    [admin] = people.search("res.user", [["login", "=", "admin"]])
    people.write("res.user", [admin], {"password": password})  # the session of `people` ends here
