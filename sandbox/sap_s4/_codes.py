"""Codes that the application checks: currencies, countries, units."""

from __future__ import annotations

from functools import lru_cache

import pycountry

from sandbox.sap_s4._errors import business

# SAP's own unit codes (as shown in English) and their ISO codes.
UNITS = {
    "PC": "PCE",
    "EA": "EA",
    "KG": "KGM",
    "G": "GRM",
    "TO": "TNE",
    "L": "LTR",
    "ML": "MLT",
    "M": "MTR",
    "CM": "CMT",
    "M2": "MTK",
    "M3": "MTQ",
    "BOX": "BX",
    "BOT": "BO",
    "CAR": "CT",
    "PAK": "PK",
    "PAL": "PF",
    "CS": "CS",
    "DZ": "DZN",
    "ST": "PCE",
    "SET": "SET",
    "PAA": "PR",
    "H": "HUR",
    "DAY": "DAY",
    "LB": "LBR",
    "OZ": "ONZ",
    "ROL": "RO",
    "CAN": "CA",
}
_ISO_UNITS = {iso: unit for unit, iso in reversed(UNITS.items())}


def check_currency(code: str) -> None:
    """Refuse a currency that does not exist."""
    if not _currency(code):
        raise business("V1/356", f"Currency {code} is not defined", target="TransactionCurrency")


def check_country(code: str) -> None:
    """Refuse a country that does not exist."""
    if not _country(code):
        raise business("AM/209", f"Country/region {code} does not exist", target="Country")


def check_unit(code: str, target: str) -> None:
    """Refuse a unit that does not exist."""
    if code not in UNITS:
        raise business("BM/301", f"Unit {code} is not created in language EN", target=target)


def unit_of_iso(iso: str) -> str:
    """SAP's unit of an ISO code."""
    if iso not in _ISO_UNITS:
        raise business("BM/302", f"ISO unit {iso} is not assigned to a unit", target="RequestedQuantityISOUnit")
    return _ISO_UNITS[iso]


@lru_cache(maxsize=512)
def _currency(code: str) -> bool:
    return pycountry.currencies.get(alpha_3=code) is not None


@lru_cache(maxsize=512)
def _country(code: str) -> bool:
    return len(code) == 2 and pycountry.countries.get(alpha_2=code) is not None
