"""Customers that three systems know, each under a number and in a spelling of its own, and the people who enter them.

The company takes over a trading house. Some of the house's customers, which stand in its Tryton, were entered by our
accounts department in the ERP, and sales enters them in the CRM. Nobody looks whether somebody else did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.demo._company import Address, Customer
from sandbox.demo._subsidiary import Subsidiary
from sandbox.demo._world import World


@dataclass(frozen=True, slots=True)
class Entry:
    """A customer as somebody wrote it down."""

    name: str
    street: str
    city: str
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Shared:
    """One customer in each system; `twin` False: nobody can tell from the records whether Tryton's is the same."""

    number: str  # in the CRM
    postal_code: str
    country: str
    currency: str
    crm: Entry
    erp: Entry
    subsidiary: Entry
    twin: bool = True


SHARED = (
    Shared(
        "T0001", "23552", "DE", "EUR",
        Entry("Hanse Messtechnik Lübeck GmbH", "Hafenstraße 12", "Lübeck", "+49 451 5550301"),
        Entry("Hanse Messtechnik Luebeck G.m.b.H.", "Hafenstr. 12", "Luebeck", "0451/5550301"),
        Entry("HANSE MESSTECHNIK LÜBECK GESELLSCHAFT MBH", "Hafenstrasse 12", "Lübeck", "+49 (0)451 555 03-01",
              "einkauf@hanse.example"),
    ),
    Shared(
        "T0002", "215021", "CN", "CNY",
        Entry("苏州星辰电子有限公司", "世纪大道88号", "苏州", "+86 512 5550 4402"),
        Entry("Suzhou Xingchen Electronics Co., Ltd.", "88 Shiji Dadao", "Suzhou", "0512-55504402",
              "buy@xingchen.example"),
        Entry("星辰电子(苏州)有限公司", "世纪大道88号", "苏州市", "(0512) 5550 4402"),
    ),
    Shared(
        "T0003", "LS1 4AP", "GB", "GBP",
        Entry("Beacon Instruments Leeds Ltd", "14 Dock Street", "Leeds", "+44 113 4960505"),
        Entry("Beacon Instruments Leeds Limited", "14 Dock St.", "Leeds", "0113 496 0505",
              "ledger@beacon.example"),
        Entry("BEACON INSTRUMENTS (LEEDS) LTD.", "14 Dock Street", "LEEDS", "0044 113 4960505"),
    ),
    Shared(
        "T0004", "50667", "DE", "EUR",
        Entry("Elbufer Getränke Köln GmbH", "Königsallee 7", "Köln", "+49 221 5550606"),
        Entry("Elbufer Getraenke Koeln GmbH", "Königsallee 7", "Köln", "0221 5550606"),
        Entry("Elbufer Getränke Köln GmbH & Co. KG", "Hafenstraße 31", "Köln", ""),
        twin=False,
    ),
)  # fmt: skip


class Takeover:
    """What people enter where, and which of the numbers that came of it are the same customer in truth."""

    def __init__(self, world: World, subsidiary: Subsidiary) -> None:
        self._world, self._subsidiary = world, subsidiary
        self._numbers: dict[str, dict[str, str]] = {}

    def systems(self) -> dict[str, Any]:
        """Which systems know customers; `missing` says why the third one is not there, where it is not."""
        there = self._subsidiary.people() is not None
        names = {"crm": "CRM (Salesforce)", "erp": "ERP (SAP)", "subsidiary": "the house's Tryton"}
        return {
            "names": names if there else {name: names[name] for name in ("crm", "erp")},
            "missing": self._subsidiary.missing,
        }

    def enter_elsewhere(self) -> dict[str, int]:
        """Accounts enters customers in the ERP; those of the house stand in its Tryton."""
        for one in SHARED:
            number = self._world.erp.seed_partner(
                one.erp.name, country=one.country, city=one.erp.city, street=one.erp.street,
                postal_code=one.postal_code, phone=one.erp.phone, email=one.erp.email or None, currency=one.currency,
            )  # fmt: skip
            self._numbers[one.number] = {"erp": number}
        people = self._subsidiary.people()
        if people is not None:
            countries = {row["code"]: row["id"] for row in people.rows("country.country", [], ["code"])}
            made = people.create("party.party", [_party(one, countries) for one in SHARED])
            for one, party in zip(SHARED, made, strict=True):
                self._numbers[one.number]["subsidiary"] = str(party)
        return {"erp": len(SHARED), "subsidiary": len(SHARED) if people is not None else 0}

    def enter_accounts(self) -> dict[str, int]:
        """Sales enters them in the CRM."""
        for one in SHARED:
            at = Address(one.crm.street, one.crm.city, "", one.postal_code, one.country)
            customer = Customer(one.number, one.crm.name, at, one.crm.phone, one.currency)
            self._numbers[one.number]["crm"] = self._world.enter_customer(customer)
        return {"crm": len(SHARED)}

    def truth(self) -> list[dict[str, Any]]:
        """Per customer its number in each system, and whether nobody can tell from the records (`doubtful`)."""
        return [
            {"name": one.crm.name, "numbers": self._numbers[one.number], "doubtful": not one.twin} for one in SHARED
        ]

    def untold(self) -> list[str]:
        """Who stands twice in a system, and which e-mail addresses the ERP was not told."""
        found = []
        for one in (each for each in SHARED if each.twin):
            held = self._held(one)
            known = {entry.email for entry in (one.erp, one.subsidiary) if entry.email}
            known = known if "subsidiary" in held else {one.erp.email} - {""}
            for system, (numbers, mails) in held.items():
                mine = self._numbers[one.number][system]
                if numbers != [mine]:
                    found.append(f"{one.crm.name}: entered once in {system}, as {mine}; there are now {numbers}")
                unknown = sorted(known - mails) if system == "erp" else []
                found += [f"{one.crm.name}: {system} {mine} does not know {mail}" for mail in unknown]
        return found

    def _held(self, one: Shared) -> dict[str, tuple[list[str], set[str]]]:
        """Under which numbers ERP and Tryton have a customer now, by postal code and telephone, and its e-mails."""
        erp, digits = self._world.erp, _digits(one.crm.phone)[-6:]
        there = {}
        for at in erp.records("A_BusinessPartnerAddress", PostalCode=one.postal_code):
            key = {"AddressID": at["AddressID"]}
            phones = "".join(row["PhoneNumber"] for row in erp.records("A_AddressPhoneNumber", **key))
            if _digits(phones).endswith(digits):
                mails = {row["EmailAddress"] for row in erp.records("A_AddressEmailAddress", **key)}
                there[at["BusinessPartner"]] = mails
        found = {"erp": (sorted(there), set().union(*there.values()))}
        people = self._subsidiary.people()
        if people is not None:
            where = [["addresses.postal_code", "=", one.postal_code]]
            fields = ["contact_mechanisms.type", "contact_mechanisms.value"]
            parties = {}
            for row in people.rows("party.party", where, fields):
                ways = row["contact_mechanisms."]
                if any(_digits(way["value"]).endswith(digits) for way in ways if way["type"] == "phone"):
                    parties[str(row["id"])] = {way["value"] for way in ways if way["type"] == "email"}
            found["subsidiary"] = (sorted(parties), set().union(*parties.values()))
        return found


def _digits(text: str) -> str:
    return "".join(each for each in text if each.isdigit())


def _party(one: Shared, countries: Mapping[str, int]) -> dict[str, Any]:
    entry = one.subsidiary
    ways = [("phone", entry.phone), ("email", entry.email)]
    address = {
        "street_unstructured": entry.street,
        "city": entry.city,
        "postal_code": one.postal_code,
        "country": countries[one.country],
    }
    return {
        "name": entry.name,
        "addresses": [["create", [address]]],
        "contact_mechanisms": [["create", [{"type": kind, "value": value} for kind, value in ways if value]]],
    }
