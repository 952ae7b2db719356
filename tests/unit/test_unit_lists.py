"""A unit that one product of ours can say, every other one can say as well."""

from __future__ import annotations

from pathlib import Path

from landbridge.translator import Tables


def test_every_unit_of_the_erp_has_a_word_in_the_crm_and_the_other_way_round(root: Path) -> None:
    tables = Tables(root / "config")
    crm, erp = tables.codes("salesforce/unit"), tables.codes("sap_s4/unit")
    said = {row.canonical for row in erp.rows} | {row.canonical for row in crm.rows}
    for codes in (crm, erp):
        assert not codes.lossy(), codes.name
        assert said <= set(codes.backward()), f"{codes.name} has no word for {said - set(codes.backward())}"
