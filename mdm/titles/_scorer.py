"""Scores pairs of products in real time: likeness of titles, shared codes, identifiers, and what supports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from math import log2, sqrt
from typing import Any

from mdm.declaration import Comparison, Declaration, Features, Value
from mdm.score import Frequencies, Model, Scored, Step, blocks_of, key_of, many_columns
from mdm.score._compare import ladder
from mdm.titles._model import check_model, is_code, is_cosine
from mdm.titles._terms import letters, words

Weights = Mapping[str, float]


class Vectors:
    """Titles as vectors of the rarity of their terms, of length 1; by one snapshot."""

    def __init__(self, frequencies: Frequencies, terms: Callable[[str], tuple[str, ...]]) -> None:
        self._shares = frequencies.shares
        self._floor = frequencies.floor
        self._terms = terms
        self.of = lru_cache(maxsize=4096)(self._of)

    def rarity(self, term: str) -> float:
        """In bits: a term that every title holds weighs nothing."""
        return -log2(min(1.0, self._shares.get(term, self._floor)))

    def _of(self, title: str) -> Weights:
        weighed = {term: self.rarity(term) for term in self._terms(title)}
        length = sqrt(sum(one * one for one in weighed.values()))
        return {term: one / length for term, one in weighed.items() if one > 0} if length else {}

    def rarest(self, title: str, count: int | None) -> list[str]:
        """The rarest terms that the snapshot holds, and as many that it does not: they may be new."""
        ranked = sorted(self._terms(title), key=lambda term: (-self.rarity(term), term))
        known = [term for term in ranked if term in self._shares]
        new = [term for term in ranked if term not in self._shares]
        return [*known[:count], *new[:count]]

    def likeness(self, a: str, b: str) -> float:
        """The cosine of two titles, from 0 to 1."""
        one, two = self.of(a), self.of(b)
        if len(one) > len(two):
            one, two = two, one
        return min(1.0, sum(weight * two[term] for term, weight in one.items() if term in two))


class TitleScorer:
    """TF-IDF of words and letters with codes, over one snapshot; ConfigError if it was made for another declaration."""

    def __init__(self, declaration: Declaration, model: Model) -> None:
        check_model(declaration, model)
        self.model_id = model.model_id
        many = many_columns(declaration)
        settings = model.parsed
        self._columns: list[_Column] = []
        vectors: dict[str, Vectors] = {}
        for one in declaration.comparisons:
            if is_cosine(one):
                vectors[one.column] = Vectors(model.frequencies[f"{one.column}.words"], words)
                around = Vectors(model.frequencies[f"{one.column}.letters"], letters)
                self._columns.append(_Title(one, vectors[one.column], around, settings))
            elif is_code(one):
                self._columns.append(_Codes(one, model.frequencies[one.column], settings))
            else:
                self._columns.append(_Support(one, one.column in many, settings))
        self._keys = _keys_by(declaration, vectors)
        self._same = [(one.column, one.same) for one in declaration.identifiers if one.same is not None]
        self._apart = [one.column for one in declaration.identifiers if one.apart]

    def keys(self, features: Features) -> tuple[int, ...]:
        """The block keys of one record; of a title those of its rarest words."""
        return tuple(self._keys(features))

    def rules(self, features: Features) -> dict[int, int]:
        """The same keys, each with the number of the block that it comes from."""
        return self._keys(features)

    def score(self, a: Features, b: Features) -> Scored:
        """The weight of two records and the steps that sum to it."""
        steps = [column.step(a.get(column.name), b.get(column.name)) for column in self._columns]
        weight = 0.0
        for step in steps:
            weight += step.bits + step.frequency_bits
        for name, same in self._same:
            if weight < same and _share(a.get(name), b.get(name)):
                steps.append(Step(f"(same {name})", 1, same - weight))
                weight = same
        return Scored(weight, tuple(steps))

    def weight(self, a: Features, b: Features) -> float:
        """The weight alone."""
        return self.score(a, b).weight

    def apart(self, a: Features, b: Features) -> bool:
        """Whether both hold valid identifiers of one kind and none in common: another pack level is another."""
        for name in self._apart:
            one, two = a.get(name), b.get(name)
            if one is not None and two is not None and not _share(one, two):
                return True
        return False


def values(value: Value | None) -> Sequence[str]:
    """A column's values, however many it keeps; a tuple that was stored as JSON comes back as a list."""
    if value is None:
        return ()
    return value if isinstance(value, tuple | list) else (str(value),)


def _share(a: Any, b: Any) -> bool:
    return not set(values(a)).isdisjoint(values(b))


class _Column:
    """One comparison of a declaration."""

    def __init__(self, declared: Comparison) -> None:
        self.name = declared.column
        self._none = Step(self.name, -1, 0.0)

    def step(self, a: Any, b: Any) -> Step:
        """What two values weigh."""
        raise NotImplementedError


class _Title(_Column):
    """Half the likeness of words and half that of letters; at the declared likeness it speaks for neither."""

    def __init__(self, declared: Comparison, by_words: Vectors, by_letters: Vectors, settings: dict[str, Any]) -> None:
        super().__init__(declared)
        self._words, self._letters = by_words, by_letters
        self._neutral = declared.levels[0].at
        self._bits = float(settings["likeness"])

    def step(self, a: Any, b: Any) -> Step:
        if not a or not b:
            return self._none
        like = (self._words.likeness(a, b) + self._letters.likeness(a, b)) / 2
        return title_step(self.name, like, self._neutral, self._bits)


def title_step(name: str, like: float, neutral: float, bits: float) -> Step:
    """The step of a likeness; its level counts tenths of it."""
    return Step(name, int(like * 10 + 1e-9), (like - neutral) * bits)


class _Codes(_Column):
    """The rarest code in common weighs by its rarity; that none is in common may be a gap of either."""

    def __init__(self, declared: Comparison, frequencies: Frequencies, settings: dict[str, Any]) -> None:
        super().__init__(declared)
        self._shares, self._floor = frequencies.shares, frequencies.floor
        self._settings = settings
        self._needed = int(declared.levels[-1].at)

    def step(self, a: Any, b: Any) -> Step:
        if not a or not b:
            return self._none
        shared = set(values(a)).intersection(values(b))
        if len(shared) < self._needed:
            return Step(self.name, 0, 0.0)
        rarity = max(-log2(min(1.0, self._shares.get(code, self._floor))) for code in shared)
        least, most = float(self._settings["least_code"]), float(self._settings["most_code"])
        bits = min(most, max(least, rarity * float(self._settings["rarity"])))
        return Step(self.name, 1, least, bits - least)


class _Support(_Column):
    """Brand, price and the like: the strictest level is all the support there is, what no level says speaks against."""

    def __init__(self, declared: Comparison, many: bool, settings: dict[str, Any]) -> None:
        super().__init__(declared)
        self._ladder = ladder(declared.levels, many)
        self._top = len(declared.levels)
        self._agrees, self._differs = float(settings["agrees"]), float(settings["differs"])

    def step(self, a: Any, b: Any) -> Step:
        if a is None or b is None:
            return self._none
        level = self._ladder(a, b)
        return Step(self.name, level, self._differs if level == 0 else self._agrees * level / self._top)


def _keys_by(declaration: Declaration, vectors: Mapping[str, Vectors]) -> Callable[[Features], dict[int, int]]:
    entity = declaration.entity
    rules = [(number, block.parts) for number, block in enumerate(blocks_of(declaration))]

    def keys(features: Features) -> dict[int, int]:
        found: dict[int, int] = {}
        for number, parts in rules:
            choices = [_choices(features.get(column), length, vectors.get(column)) for column, length in parts]
            if all(choices):
                for chosen in product(*choices):
                    found[key_of(entity, number, tuple(chosen))] = number
        return found

    return keys


def _choices(value: Value | None, length: int | None, vectors: Vectors | None) -> list[str]:
    """The values of one part of a block: of a title its `length` rarest words, of others their first characters."""
    if vectors is not None:
        return vectors.rarest(str(value), length) if value else []
    return list(dict.fromkeys(one if length is None else one[:length] for one in values(value)))
