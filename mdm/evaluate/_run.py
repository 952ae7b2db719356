"""Matches the records of a truth by a declaration and compares: without labels first, then thresholds from one half."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from landbridge.errors import Finding, Invalid
from mdm import scoring
from mdm.declaration import Declaration, Features, Thresholds
from mdm.evaluate._figures import Figures, best_threshold, coded, grid, halves, pair_figures
from mdm.evaluate._truth import Truth
from mdm.normalise import features
from mdm.score import Model, Scored, Scorer

if TYPE_CHECKING:
    import numpy as np

    from mdm.bulk import HotKey

    Numbers = np.ndarray[Any, Any]

BELOW = 10.0
"""Bits below the review threshold down to which pairs are kept, so that a lower threshold can be chosen."""
STEPS = 9


@dataclass(frozen=True, slots=True)
class Measured:
    """One kind of answer: at the declared threshold, and at that of the other half."""

    declared: Figures
    chosen: Figures
    thresholds: tuple[float, float]
    """Chosen on the first half and on the second; each is scored on the other."""


@dataclass(slots=True)
class Report:
    """What an evaluation found."""

    truth: Truth
    declaration: Declaration
    pairs: Measured
    clusters: Measured | None = None
    exact_clusters: Figures | None = None
    one_to_one: Measured | None = None
    candidates: int = 0
    found_by_blocks: float = 1.0
    hot: tuple[HotKey, ...] = ()
    crowds: int = 0
    nothing: int = 0
    """Records of which no compared column says anything."""
    wrong: list[Look] = field(default_factory=list)
    missed: list[Look] = field(default_factory=list)
    seconds: float = 0.0
    mb: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The figures as one JSON object; thresholds come from one half and are scored on the other."""
        return {
            "pairs_f1": self.pairs.chosen.f1,
            "clusters_f1": self.clusters.chosen.f1 if self.clusters else None,
            "one_to_one_f1": self.one_to_one.chosen.f1 if self.one_to_one else None,
            "precision": self.pairs.chosen.precision,
            "recall": self.pairs.chosen.recall,
            "declared_pairs_f1": self.pairs.declared.f1,
            "declared_clusters_f1": self.clusters.declared.f1 if self.clusters else None,
            "declared_one_to_one_f1": self.one_to_one.declared.f1 if self.one_to_one else None,
            "found_by_blocks": self.found_by_blocks,
            "thresholds": list(self.pairs.thresholds),
            "records": len(self.truth.records),
            "candidates": self.candidates,
            "seconds": round(self.seconds, 2),
            "mb": round(self.mb, 1),
        }


@dataclass(frozen=True, slots=True)
class Look:
    """One error to look at: two records, how they were scored, or that no block brought them together."""

    a: int
    b: int
    scored: Scored | None


@dataclass(frozen=True)
class _Edges:
    """Pairs of records with their weights; codes are a * count + b, ascending."""

    count: int
    a: Numbers
    b: Numbers
    weight: Numbers

    @property
    def codes(self) -> Numbers:
        return self.a * self.count + self.b

    def only(self, chosen: Numbers) -> _Edges:
        return _Edges(self.count, self.a[chosen], self.b[chosen], self.weight[chosen])


def evaluate(truth: Truth, declaration: Declaration, *, one_to_one: bool = False, looks: int = 5) -> Report:
    """Match, compare, report; nothing of the truth is used but for the thresholds that are scored on the other half."""
    if one_to_one and (len(truth.sources) != 2 or truth.given):
        message = "one to one is between two files of records."
        raise Invalid([Finding("", "one_to_one", message, "Leave --one-to-one out, or give two files.")])
    began = time.perf_counter()
    report = _evaluated(truth, declaration, one_to_one or declaration.one_to_one, looks)
    report.seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report.mb = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    return report


def _evaluated(truth: Truth, declaration: Declaration, one_to_one: bool, looks: int) -> Report:
    from mdm.bulk import Told, table_of

    known = [features(declaration, record) for record in truth.records]
    nothing = sum(all(value is None for value in one.values()) for one in known)
    if nothing == len(known):
        message = "no record says anything in any declared column."
        raise Invalid([Finding("", "columns", message, "Compare `from:` with the header of the records.")])
    table = table_of(declaration, known)
    model = scoring.train(declaration, table)
    scorer = scoring.scorer(declaration, model)
    told = Told()
    edges = _given(truth, known, scorer) if truth.given else _matched(truth, declaration, model, table, told)
    true = coded(truth.pairs, len(known))
    half = halves(truth.groups, truth.ids)
    measured = _Measuring(truth, declaration, edges, true, half, scorer, known)
    measured.hot = bool(told.hot)
    report = Report(truth, declaration, measured.pairs(), candidates=told.candidates, hot=told.hot, nothing=nothing)
    if not truth.given:
        report.found_by_blocks = measured.reached()
    if not truth.given and truth.labelled is None:
        report.clusters, report.exact_clusters, report.crowds = measured.clusters()
    if one_to_one and len(truth.sources) == 2 and not truth.given:
        report.one_to_one = measured.one_to_one()
    report.wrong, report.missed = measured.looks(looks, report)
    return report


def _given(truth: Truth, known: Sequence[Features], scorer: Scorer) -> _Edges:
    import numpy as np

    pairs = sorted(truth.labelled or truth.pairs)
    weights = [scorer.score(known[a], known[b]).weight - 1e3 * scorer.apart(known[a], known[b]) for a, b in pairs]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return _Edges(len(known), both[:, 0], both[:, 1], np.array(weights, float))


def _matched(truth: Truth, declaration: Declaration, model: Model, table: Any, told: Any) -> _Edges:
    """Every candidate pair down to a good way below the review threshold, between the sources where there are two."""
    import numpy as np

    least = min(declaration.thresholds.review, 0.0) - BELOW
    lower = replace(declaration, thresholds=Thresholds(declaration.thresholds.auto, least))
    found = list(scoring.match(lower, model, table, told=told))
    count = table.num_rows
    none = np.empty(0, np.int64)
    a = np.concatenate([none, *(np.minimum(one.a, one.b) for one in found)]).astype(np.int64)
    b = np.concatenate([none, *(np.maximum(one.a, one.b) for one in found)]).astype(np.int64)
    edges = _Edges(count, a, b, np.concatenate([none, *(one.weight for one in found)]).astype(float))
    if _between(truth):
        source = np.array(truth.source_of)
        edges = edges.only(source[edges.a] != source[edges.b])
    if truth.labelled is not None:
        edges = edges.only(np.isin(edges.codes, coded(truth.labelled, count)))
    return edges.only(np.argsort(edges.codes, kind="stable"))


def _between(truth: Truth) -> bool:
    """Whether only pairs of different sources count: there are two, and the truth holds none within one of them."""
    return len(truth.sources) == 2 and all(truth.source_of[a] != truth.source_of[b] for a, b in truth.pairs)


class _Measuring:
    """The edges of one run held against the truth."""

    def __init__(
        self,
        truth: Truth,
        declaration: Declaration,
        edges: _Edges,
        true: Numbers,
        half: Numbers,
        scorer: Scorer,
        known: Sequence[Features],
    ) -> None:
        import numpy as np

        self._truth, self._declaration, self._edges, self._true = truth, declaration, edges, true
        self._half, self._scorer, self._known = half, scorer, known
        self._right = np.isin(edges.codes, true, assume_unique=True)
        self._in_half = half[edges.a] if len(edges.a) else np.empty(0, np.int8)
        self._chosen: list[float] = []
        self.hot = False
        """Whether some block keys are of too many records, and find nothing."""

    def _half_of(self, codes: Numbers) -> Numbers:
        half: Numbers = self._half[codes // self._edges.count]
        return half

    def reached(self) -> float:
        """The share of the true pairs that some block brought together."""
        return 1 - len(self._never) / len(self._true) if len(self._true) else 1.0

    @cached_property
    def _without(self) -> Numbers:
        """The true pairs that are not among the edges: no block brought them together, or they weigh too little."""
        import numpy as np

        return self._true[~np.isin(self._true, self._edges.codes)]

    @cached_property
    def _never(self) -> Numbers:
        """The true pairs that no block brought together."""
        import numpy as np

        pairs = [divmod(code, self._edges.count) for code in self._without.tolist()]
        holders = range(len(self._known)) if self.hot and pairs else sorted({one for pair in pairs for one in pair})
        keys = {one: set(self._scorer.keys(self._known[one])) for one in holders}
        sizes = Counter(key for found in keys.values() for key in found)
        most = self._declaration.guard.hot
        apart = [not any(sizes[key] <= most for key in keys[a] & keys[b]) for a, b in pairs]
        never: Numbers = self._without[np.array(apart, bool)]
        return never

    def pairs(self) -> Measured:
        """Pairs by their own weight."""
        self._chosen = [
            best_threshold(
                self._edges.weight[self._in_half == half],
                self._right[self._in_half == half],
                int((self._half_of(self._true) == half).sum()),
            )
            for half in (0, 1)
        ]
        return self._measured(self._declared, self._chosen, self._at)

    @property
    def _declared(self) -> float:
        """Where the declaration draws the line: automatic links, or for pairs that are assigned those to review too."""
        return self._declaration.thresholds.auto

    def _at(self, threshold: float) -> Numbers:
        return self._edges.codes[self._edges.weight >= threshold]

    def _measured(self, declared: float, chosen: Sequence[float], found_at: Callable[[float], Numbers]) -> Measured:
        """Both kinds of figures: each half at the threshold that was chosen on the other."""
        whole = pair_figures(found_at(declared), self._true, self._half_of, None)
        parts = [pair_figures(found_at(chosen[1 - half]), self._true, self._half_of, half) for half in (0, 1)]
        return Measured(whole, parts[0] + parts[1], (chosen[0], chosen[1]))

    def _chosen_from(self, found_at: Callable[[float], Numbers], low: float, high: float) -> list[float]:
        """The threshold of the greatest F1 in each half, out of a grid; of equal ones the middle."""
        import numpy as np

        tried = grid(self._edges.weight[self._right] if self._right.any() else self._edges.weight, low, high, STEPS)
        scores = [
            [pair_figures(codes, self._true, self._half_of, half).f1 for half in (0, 1)]
            for codes in map(found_at, tried)
        ]
        best = []
        for half in (0, 1):
            column = np.array([row[half] for row in scores])
            equal = np.flatnonzero(column >= column.max() - 1e-12)
            best.append(tried[int(equal[len(equal) // 2])])
        return best

    def _around(self) -> tuple[float, float]:
        centre = [*self._chosen, self._declaration.thresholds.auto]
        least = float(self._edges.weight.min()) if len(self._edges.weight) else 0.0
        return max(min(centre) - 8, least), max(centre) + 6

    # -- groups --------------------------------------------------------------------------------------------------------

    def clusters(self) -> tuple[Measured, Figures, int]:
        """Pairs in one group after average linkage; groups that are right whole; components left to people."""
        import numpy as np

        kept: dict[float, tuple[Numbers, int]] = {}

        def grouped(threshold: float) -> tuple[Numbers, int]:
            if threshold not in kept:
                kept[threshold] = self._partition(threshold)
            return kept[threshold]

        def found_at(threshold: float) -> Numbers:
            codes = _within(grouped(threshold)[0])
            if _between(self._truth):
                source = np.array(self._truth.source_of)
                codes = codes[source[codes // self._edges.count] != source[codes % self._edges.count]]
            return codes

        measured = self._measured(self._declared, self._chosen_from(found_at, *self._around()), found_at)
        groups, crowds = grouped(self._declared)
        return measured, _exact(groups, np.array(self._truth.groups)), crowds

    def _partition(self, threshold: float) -> tuple[Numbers, int]:
        from mdm.cluster import partition_bulk

        found = partition_bulk(
            self._edges.count, self._edges.a, self._edges.b, self._edges.weight,
            guard=self._declaration.guard, auto=threshold, conflicting=self._conflicting(),
        )  # fmt: skip
        return found.groups, len(found.too_big)

    def _conflicting(self) -> Callable[[int, int], bool] | None:
        apart = any(one.apart for one in self._declaration.identifiers)
        alone = self._declaration.one_to_one
        if not apart and not alone:
            return None
        source = self._truth.source_of

        def conflict(a: int, b: int) -> bool:
            if alone and source[a] == source[b]:
                return True
            return apart and self._scorer.apart(self._known[a], self._known[b])

        return conflict

    # -- one to one ----------------------------------------------------------------------------------------------------

    def one_to_one(self) -> Measured:
        """Each record of one source with at most one of the other, from the review threshold on."""
        kept: dict[float, Numbers] = {}

        def found_at(threshold: float) -> Numbers:
            if threshold not in kept:
                kept[threshold] = self._assigned(threshold)
            return kept[threshold]

        low, high = self._around()
        chosen = self._chosen_from(found_at, min(low, self._declaration.thresholds.review), high)
        return self._measured(self._declaration.thresholds.review, chosen, found_at)

    def _assigned(self, threshold: float) -> Numbers:
        from mdm.titles import assign

        strong = self._edges.only(self._edges.weight >= threshold)
        return strong.codes[assign(strong.a, strong.b, strong.weight)]

    # -- errors to look at ---------------------------------------------------------------------------------------------

    def looks(self, most: int, report: Report) -> tuple[list[Look], list[Look]]:
        """The surest of the wrong and the surest of the missed, at the thresholds that were chosen."""
        import numpy as np

        line = float(np.mean(self._chosen)) if self._chosen else self._declared
        edges = self._edges
        wrong = np.flatnonzero(~self._right & (edges.weight >= line))
        wrong = wrong[np.argsort(-edges.weight[wrong], kind="stable")][:most]
        never = self._never
        light = self._without[~np.isin(self._without, never)]
        low = np.flatnonzero(self._right & (edges.weight < line))
        low = edges.codes[low[np.argsort(edges.weight[low], kind="stable")]]
        few = np.concatenate([light, low])[: max(most - min(len(never), most // 2), 0)]
        missed = [self._look(*divmod(code, edges.count)) for code in few.tolist()]
        for code in never[: most - len(missed)].tolist():
            missed.append(Look(code // edges.count, code % edges.count, None))
        return [self._look(int(edges.a[at]), int(edges.b[at])) for at in wrong], missed

    def _look(self, a: int, b: int) -> Look:
        return Look(a, b, self._scorer.score(self._known[a], self._known[b]))


def _within(groups: Numbers) -> Numbers:
    """Every pair of rows in one group, as ascending numbers."""
    import numpy as np

    count = len(groups)
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.r_[True, groups[order][1:] != groups[order][:-1]]) if count else np.empty(0, np.int64)
    sizes = np.diff(np.r_[starts, count])
    found = [np.empty(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]).tolist():
        one, two = np.triu_indices(size, 1)
        rows = order[starts[sizes == size][:, None] + np.arange(size)]
        found.append((rows[:, one] * count + rows[:, two]).ravel())
    return np.sort(np.concatenate(found))


def _exact(groups: Numbers, true: Numbers) -> Figures:
    """Groups of two and more that are right whole."""
    import numpy as np

    def sets(labels: Numbers) -> set[tuple[int, ...]]:
        order = np.argsort(labels, kind="stable")
        cuts = np.flatnonzero(np.diff(labels[order])) + 1
        return {tuple(part.tolist()) for part in np.split(order, cuts) if len(part) > 1}

    found, wanted = sets(groups), sets(true)
    return Figures(len(found & wanted), len(found), len(wanted))
