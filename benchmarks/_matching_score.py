"""One record at a time scores as the bulk run does: every edge, every bit; and how long one record takes."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from typing import Any

from _customers import customers
from _hub_room import body, declaration

RECORDS = 30_000
PAIRS = 10_000
"""How many edges are compared at least."""
WORST = ("score_missing", "score_extra", "score_max_diff")


def run(records: int) -> dict[str, Any]:
    """Differences between both paths over all edges of so many records."""
    from mdm.bulk import match, table_of, train
    from mdm.normalise import Extractor
    from mdm.score import PartyScorer

    declared = declaration()
    extract = Extractor(declared)
    known = [extract(body(row)) for row in customers(records, seed=5)]
    table = table_of(declared, known)
    model = train(declared, table)
    bulk = {
        (int(a), int(b)): float(weight)
        for edges in match(declared, model, table)
        for a, b, weight in zip(edges.a, edges.b, edges.weight, strict=True)
    }
    scorer = PartyScorer(declared, model)
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(known):
        for key in scorer.keys(one):
            members[key].append(place)
    review, hot = declared.thresholds.review, declared.guard.hot
    single: dict[tuple[int, int], float] = {}
    took, candidates = [], 0
    for place, one in enumerate(known):
        begun = time.perf_counter()
        found = {p for key in scorer.keys(one) if len(members[key]) <= hot for p in members[key]} - {place}
        scored = [(other, scorer.weight(one, known[other])) for other in found]
        took.append(time.perf_counter() - begun)
        candidates += len(found)
        single |= {(place, other): weight for other, weight in scored if weight >= review and place < other}
    assert len(single) >= PAIRS, f"only {len(single)} edges: more records are needed"
    both = bulk.keys() & single.keys()
    cuts = statistics.quantiles(took, n=100)
    print(f"   {len(both)} edges, {candidates / records:.1f} candidates a record", flush=True)
    return {
        "score_pairs": len(both),
        "score_missing": len(bulk.keys() - single.keys()),
        "score_extra": len(single.keys() - bulk.keys()),
        "score_max_diff": max(abs(bulk[pair] - single[pair]) for pair in both),
        "score_record_p50_ms": round(cuts[49] * 1000, 4),
        "score_record_p99_ms": round(cuts[98] * 1000, 4),
    }
