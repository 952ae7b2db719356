"""Titles: likeness by rarity, codes, GTINs with their pack levels; real time equals bulk; one to one."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest

from landbridge.errors import ConfigError
from landbridge.strict import yaml
from mdm import scoring, titles
from mdm.bulk import Told, table_of
from mdm.declaration import Declaration, Features
from mdm.declare import read
from mdm.normalise import features
from mdm.score import Model

SEED = 20261122
DECLARED = """\
entity: product
scoring: titles
columns:
  title: name
  codes: {from: [name, text], normalise: codes, many: true}
  brand: brand | fold
  price: price | number
  gtin: {from: gtin, normalise: gtin, many: true}
identifiers:
  gtin: {same: 20, apart: true}
blocks: [{title: 4}, codes]
comparisons:
  title: [{cosine: 0.25}]
  codes: [{intersect: 1}]
  brand: [exact]
  price: [{ratio: 0.1}, {ratio: 0.4}]
thresholds: {auto: 7, review: 1}
guard: {hot: 60}
"""
PIECE, CARTON = "4006381333931", "14006381333938"


def declared(text: str = DECLARED) -> Declaration:
    return read(yaml.load(text, file="product.yaml"))


def catalogue(count: int, by: random.Random) -> list[dict[str, Any]]:
    """Products of two shops, each of which writes the title in its own way."""
    makers, things = "Volta Ohmega Ampere Tesloo Farado".split(), "lamp speaker turntable kettle camera drill".split()  # noqa: SIM905 - read as a sentence
    found = []
    for number in range(count):
        maker, thing = by.choice(makers), by.choice(things)
        code = f"{maker[:2].upper()}-{by.choice('XYZ')}{number:03d}{by.choice('ABC')}"
        plain, price = code.replace("-", ""), by.randrange(10, 900)
        found.append(
            {"name": f"{maker} {thing} {code}", "text": f"{thing} by {maker}", "brand": maker, "price": str(price)}
        )
        found.append({"name": f"{maker} {plain} {thing} black", "brand": maker, "price": str(price * 1.05)})
    return found


def trained(declaration: Declaration, records: list[dict[str, Any]]) -> tuple[list[Features], Any, Model]:
    known: list[Features] = [features(declaration, record) for record in records]
    table = table_of(declaration, known)
    return known, table, scoring.train(declaration, table)


@pytest.fixture(scope="module")
def shop() -> tuple[Declaration, list[Features], Any, Model]:
    declaration = declared()
    return declaration, *trained(declaration, catalogue(150, random.Random(SEED)))


def test_words_pack_codes_and_pair_chinese_signs() -> None:
    assert titles.words("Sony PS-LX350H, 33 1/3") == ("1", "3", "33", "lx350h", "ps", "pslx350h", "sony")
    assert titles.words("ＬＥＤ吸顶灯") == ("led", "吸顶", "顶灯")
    assert " so" in titles.letters("Sony") and "ny " in titles.letters("Sony")


def test_the_waterfall_sums_to_the_weight_and_does_not_care_who_is_first(shop: Any) -> None:
    declaration, known, _, model = shop
    scorer = scoring.scorer(declaration, model)
    by = random.Random(SEED)
    for _ in range(300):
        a, b = by.choice(known), by.choice(known)
        found = scorer.score(a, b)
        assert found.weight == pytest.approx(sum(step.bits + step.frequency_bits for step in found.steps), abs=1e-9)
        assert scorer.score(b, a).weight == pytest.approx(found.weight, abs=1e-9)


def test_what_was_stored_as_json_scores_the_same(shop: Any) -> None:
    declaration, known, _, model = shop
    scorer, again = scoring.scorer(declaration, model), Model.loads(model.dumps())
    assert again.model_id == model.model_id == scorer.model_id
    kept = scoring.scorer(declaration, again)
    for a, b in zip(known[::7], known[1::7], strict=False):
        stored = [json.loads(json.dumps(one)) for one in (a, b)]
        assert kept.score(*stored) == scorer.score(a, b)
        assert kept.keys(stored[0]) == scorer.keys(a)


def test_bulk_finds_what_real_time_finds_with_the_same_weights(shop: Any) -> None:
    declaration, known, table, model = shop
    told = Told()
    bulk = {}
    for edges in scoring.match(declaration, model, table, told=told):
        bulk |= {(int(a), int(b)): float(w) for a, b, w in zip(edges.a, edges.b, edges.weight, strict=True)}
    scorer = scoring.scorer(declaration, model)
    holders: dict[int, list[int]] = {}
    for number, one in enumerate(known):
        for key in scorer.keys(one):
            holders.setdefault(key, []).append(number)
    crowded = [many for many in holders.values() if len(many) > declaration.guard.hot]
    assert sorted(hot.members for hot in told.hot) == sorted(map(len, crowded))
    assert {hot.example for hot in told.hot} <= {number for many in crowded for number in many}
    assert told.hot, "the catalogue has common words"
    real = {}
    for many in holders.values():
        if len(many) <= declaration.guard.hot:
            for at, a in enumerate(many):
                for b in many[at + 1 :]:
                    weight = scorer.score(known[a], known[b]).weight
                    if weight >= declaration.thresholds.review:
                        real[a, b] = weight
    assert bulk.keys() == real.keys()
    assert max(abs(bulk[pair] - real[pair]) for pair in real) <= 1e-9
    assert {(a, a + 1) for a in range(0, len(known), 2)} <= real.keys(), "every product is found in both shops"


def test_the_parts_of_the_candidates_are_all_of_them(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    declaration, _, table, model = shop

    def edges() -> set[tuple[int, int]]:
        found = list(scoring.match(declaration, model, table))
        pairs = [pair for one in found for pair in zip(one.a.tolist(), one.b.tolist(), strict=True)]
        assert len(pairs) == len(set(pairs))
        return set(pairs)

    whole = edges()
    monkeypatch.setattr("mdm.titles._bulk.PART_PAIRS", 500)
    monkeypatch.setattr("mdm.titles._bulk._CHUNK", 37)
    assert edges() == whole


def test_another_pack_level_is_another_product_and_a_bad_check_digit_is_none(shop: Any) -> None:
    declaration, _, _, model = shop
    scorer = scoring.scorer(declaration, model)
    piece, carton, none = (
        features(declaration, {"name": "Volta lamp", "gtin": one}) for one in (PIECE, CARTON, "4006381333932")
    )
    assert scorer.apart(piece, carton)
    assert not scorer.apart(piece, none)
    assert none["gtin"] is None
    other = features(declaration, {"name": "something else", "gtin": PIECE})
    assert not scorer.apart(piece, other)
    assert scorer.score(piece, other).weight == 20


def test_a_rare_code_weighs_more_than_a_common_one(shop: Any) -> None:
    declaration, _, _, model = shop
    scorer = scoring.scorer(declaration, model)

    def bits(code: str) -> float:
        one = dict.fromkeys(("title", "codes", "brand", "price", "gtin")) | {"codes": (code,)}
        return scorer.score(one, one).weight

    common = max(model.frequencies["codes"].shares, key=lambda code: model.frequencies["codes"].shares[code])
    assert bits("NEVERSEEN1") > 0
    assert bits("NEVERSEEN1") >= bits(common) > 0


def test_a_model_of_another_declaration_is_refused(shop: Any) -> None:
    declaration, _, _, model = shop
    for text in (DECLARED.replace("cosine: 0.25", "cosine: 0.3"), DECLARED.replace("entity: product", "entity: part")):
        with pytest.raises(ConfigError, match="the model was made for"):
            scoring.scorer(declared(text), model)
    with pytest.raises(ConfigError):
        scoring.scorer(declaration, Model("product", '{"comparisons": []}'))


def test_one_to_one_takes_the_greatest_sum_and_not_the_first_best() -> None:
    a, b, weight = [0, 0, 1, 5], [10, 11, 10, 15], [9.0, 8.0, 7.0, 1.0]
    assert titles.assign(a, b, weight).tolist() == [1, 2, 3]
    assert titles.assign([], [], []).tolist() == []


def test_one_to_one_is_one_to_one_and_no_pair_could_be_added() -> None:
    by = np.random.default_rng(SEED)
    for _ in range(50):
        count = int(by.integers(1, 60))
        a, b = by.integers(0, 12, count), by.integers(0, 12, count)
        chosen = titles.assign(a, b, by.normal(size=count))
        assert len(set(a[chosen].tolist())) == len(set(b[chosen].tolist())) == len(chosen), SEED
        left, right = set(a[chosen].tolist()), set(b[chosen].tolist())
        assert all(x in left or y in right for x, y in zip(a.tolist(), b.tolist(), strict=True)), SEED


def test_beyond_what_fits_in_memory_the_best_pair_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mdm.titles._assign.DENSE", 1)
    assert titles.assign([0, 0, 1], [10, 11, 10], [9.0, 8.0, 7.0]).tolist() == [0]
