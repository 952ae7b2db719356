"""The shipped declarations of customers and suppliers find real-looking variants in three languages, untuned.

The model learns from made-up records, without a label; the variants below are none of them. Every group is one party;
groups beside each other are meant to be mistaken: branches, sisters of one group, neighbours in one house.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from landbridge.canonical import Canonical
from mdm.bulk import table_of, train
from mdm.cluster import partition
from mdm.declaration import Declaration, Features
from mdm.declare import read
from mdm.normalise import features
from mdm.score import PartyScorer

# name | street | postal code | city | country | phone | email | website | identifiers; one line a record
GROUPS = """
Beispiel Maschinenbau GmbH & Co. KG|Industriestraße 12|70565|Stuttgart|DE|0711 901234|info@bsp.example||vat DE136695976
BEISPIEL MASCHINENBAU GMBH|Industriestr. 12|70565|Stuttgart|DE|+49 711 901234|||
Beispiel-Maschinenbau GmbH u. Co KG|Industriestrasse 12||Stuttgart|DE|||www.bsp.example|vat DE 136 695 976
--
Beispiel Maschinenbau Service GmbH|Hafenweg 3|20457|Hamburg|DE|040 555123|info@bsp.example||
Beispiel Maschinenbau Service|Hafenweg 3|20457|Hamburg|DE|+49 40 555123|||
--
Muster Elektrotechnik AG|Lindenallee 40|10115|Berlin|DE|030 901820|kontakt@muster-elektro.example||
Muster Elektrotechnik Aktiengesellschaft|Lindenallee 40|10115|Berlin|DE|||muster-elektro.example|
Muster Elektrotechik|Lindenalle 40|10115|Berlin|DE|0049 30 901820|||
--
Musterhaus Verpackungen GmbH|Lindenallee 42|10115|Berlin|DE|030 901999|post@musterhaus.example||
Musterhaus Verpackung|Lindenallee 42||Berlin|DE|030/901999|||
--
Nordlicht Käse & Söhne oHG|Am Markt 1|24103|Kiel|DE|0431 77001|||
Nordlicht Kaese und Soehne|Am Markt 1|24103|Kiel|DE|||nordlicht-kaese.example|
Nordlicht Käse + Söhne OHG||24103|Kiel|DE|+49 431 77001|info@nordlicht-kaese.example||
--
Acme Rocket Company Limited|5 Example Road, Suite 3|M1 2AB|Manchester|GB|0161 555 0101|j.doe1@acme-rocket.example||
ACME Rocket Co., Ltd.|5 Example Rd Ste 3|M1 2AB|Manchester|GB|+44 161 555 0101|||
Acme Rocket|||Manchester|GB||j.doe1@acme-rocket.example|https://www.acme-rocket.example/uk|
--
Acme Rocket Tools Ltd|88 Canal Street|LS1 4BR|Leeds|GB|0113 555 0199|sales@acme-rocket.example||
Acme Rocket Tools Limited|88 Canal St|LS1 4BR|Leeds|GB|0113 5550199|||
--
Blue Harbour Foods Inc.|200 North Main Street|EC1A 1BB|London|GB|020 7946 0011||blueharbour.example|
Blue Harbor Foods Incorporated|200 N Main St|EC1A 1BB|London|GB|+44 20 7946 0011|||
--
Green Valley Textiles LLC|17 Mill Lane|BS1 5TT|Bristol|GB|0117 496 0022|||
Green Valley Textile LLC|17 Mill Ln|BS15TT|Bristol|GB|||greenvalley-textiles.example|
GREEN VALLEY TEXTILES|17 Mill Lane||Bristol|GB|+44 (0)117 4960022|office@greenvalley-textiles.example||
--
深圳市示例光电科技有限公司|科技路100号|518057|深圳市|CN|0755 26551234|||uscc 91110000600037341L
深圳示例光电科技股份有限公司|科技路100號|518057|深圳|CN|+86 755 26551234|||
示例光电科技|深圳市科技路100号|||CN||wang01@shili-gd.example|www.shili-gd.example|uscc 9111 0000 6000 3734 1L
--
深圳示例光电科技有限公司广州分公司|中山路8号|510030|广州|CN|020 83331234|||
深圳市示例光电科技有限公司广州分公司|中山路8号|510030|广州市|CN|+86 20 83331234|||
--
上海样品国际货运代理有限公司|人民路55号|200010|上海|CN|021 63335678|||
上海樣品國際貨運代理有限公司|人民路55號|200010|上海市|CN|+86 21 63335678|||
样品国际货运代理有限责任公司|上海市人民路55号|200010|上海|CN||info@yangpin-log.example||
--
上海样本国际贸易有限公司|人民路57号|200010|上海|CN|021 63330000|||
上海样本国际贸易|人民路57号|200010|上海|CN|||yangben-trade.example|
--
中国工商银行股份有限公司青岛市分行|山东路25号|266071|青岛|CN|0532 85811111|||
工行青岛分行|山东路25号|266071|青岛市|CN|||icbc-qd.example|
--
中国工商银行股份有限公司青岛山东路支行|山东路27号|266071|青岛|CN|0532 85812222|||
工商银行青岛山东路支行|山东路27号|266071|青岛|CN|+86 532 85812222|||
"""


def groups() -> list[list[dict[str, Any]]]:
    """The variants as canonical bodies, group by group."""
    return [[_body(line) for line in block.strip().splitlines()] for block in GROUPS.split("--\n")]


def _body(line: str) -> dict[str, Any]:
    name, street, postal_code, city, country, phone, email, website, numbers = line.split("|")
    address = {"role": "main", "street": street, "postal_code": postal_code, "city": city, "country": country}
    body: dict[str, Any] = {"name": name, "addresses": [{field: said for field, said in address.items() if said}]}
    if phone:
        body["phones"] = [{"number": phone}]
    if email:
        body["emails"] = [{"address": email}]
    if website:
        body["website"] = website
    if numbers:
        scheme, _, value = numbers.partition(" ")
        body["identifiers"] = [{"scheme": scheme, "value": value}]
    return body


def shipped(root: Path, entity: str) -> Declaration:
    return read(root / "config" / "mdm" / f"{entity}.yaml", canonical=Canonical.load(root / "schemas" / "canonical"))


@pytest.fixture(scope="module")
def scorers(root: Path) -> dict[str, tuple[Declaration, PartyScorer]]:
    sys.path.insert(0, str(root / "benchmarks"))
    try:
        from _customers import customers
        from _hub_room import body
    finally:
        sys.path.pop(0)
    made = [body(row) for row in customers(8000, seed=3)]
    found = {}
    for entity in ("customer", "supplier"):
        declared = shipped(root, entity)
        table = table_of(declared, (features(declared, one) for one in made))
        found[entity] = declared, PartyScorer(declared, train(declared, table))
    return found


def clustered(declared: Declaration, scorer: PartyScorer, known: list[Features]) -> set[tuple[int, int]]:
    """The pairs of one golden record: candidates by keys, weights, average linkage, conflicting identifiers."""
    members: defaultdict[int, set[int]] = defaultdict(set)
    for place, one in enumerate(known):
        for key in scorer.keys(one):
            members[key].add(place)
    pairs = {pair for found in members.values() for pair in combinations(sorted(found), 2)}
    ids = [UUID(int=place) for place in range(len(known))]
    edges = [(ids[a], ids[b], scorer.score(known[a], known[b]).weight) for a, b in sorted(pairs)]
    kept = [edge for edge in edges if edge[2] >= declared.thresholds.review]
    apart = [(ids[a], ids[b]) for a, b in combinations(range(len(known)), 2) if scorer.apart(known[a], known[b])]
    found = partition(ids, kept, (), apart, declared.guard, declared.thresholds.auto)
    return {(a.int, b.int) for group in found.groups for a, b in combinations(group, 2)}


@pytest.mark.parametrize("entity", ["customer", "supplier"])
def test_variants_in_three_languages_become_one(scorers: Any, entity: str) -> None:
    declared, scorer = scorers[entity]
    parties = groups()
    known = [features(declared, body) for party in parties for body in party]
    party_of = [number for number, party in enumerate(parties) for _ in party]
    truth = {(a, b) for a, b in combinations(range(len(known)), 2) if party_of[a] == party_of[b]}
    found = clustered(declared, scorer, known)
    names = [body["name"] for party in parties for body in party]
    wrong = [(names[a], names[b]) for a, b in sorted(found - truth)]
    missed = [(names[a], names[b]) for a, b in sorted(truth - found)]
    assert not wrong, "merged by mistake"
    assert 2 * len(truth & found) / (len(truth) + len(found)) >= 0.95, missed


def test_the_shipped_declarations_of_parties_differ_in_nothing_but_their_entity(root: Path) -> None:
    """A customer that is a supplier too is compared alike in both."""
    customer, supplier = (shipped(root, entity) for entity in ("customer", "supplier"))
    assert customer.columns == supplier.columns
    assert customer.comparisons == supplier.comparisons
    assert customer.blocks == supplier.blocks
    assert customer.identifiers == supplier.identifiers
