"""A report as a person reads it: what was understood, the figures, and errors to look at."""

from __future__ import annotations

from collections.abc import Iterator

from mdm.declaration import Value
from mdm.evaluate._figures import Figures
from mdm.evaluate._run import Look, Measured, Report
from mdm.normalise import features

_WIDE = 60


def lines(report: Report) -> Iterator[str]:
    """The report line by line; its figures as JSON are printed beside it."""
    yield from report.truth.told
    yield from _around(report)
    yield ""
    yield f"{'':34}{'precision':>9}  {'recall':>7}  {'F1':>7}  threshold"
    yield from _measured("pairs", report.pairs, report.declaration.thresholds.auto)
    if report.clusters is not None:
        yield from _measured("groups (their pairs)", report.clusters, report.declaration.thresholds.auto)
    if report.exact_clusters is not None:
        yield _row("groups right whole, as declared", report.exact_clusters, "")
    if report.one_to_one is not None:
        yield from _measured("one to one", report.one_to_one, report.declaration.thresholds.review)
    yield "Chosen: the threshold is the best of one half of the truth, and the figures are those of the other half."
    yield from _looks(report)


def _around(report: Report) -> Iterator[str]:
    if report.nothing:
        yield f"{report.nothing} records say nothing in any declared column; nothing can be found for them."
    if not report.truth.given:
        reached = f"{report.found_by_blocks:.2%} of the true pairs share a block"
        yield f"{report.candidates:,} pairs were compared; {reached}."
    if report.hot:
        first = report.hot[0]
        yield (
            f"{len(report.hot)} block keys are hot (over {report.declaration.guard.hot} records) and found nothing; "
            f"the greatest: {' + '.join(first.columns)}, {first.members:,} records."
        )
    if report.crowds:
        yield f"{report.crowds} groups were beyond the guard and left to a steward."


def _measured(name: str, found: Measured, declared: float) -> Iterator[str]:
    yield _row(f"{name}, as declared", found.declared, f"{declared:g}")
    first, second = found.thresholds
    yield _row(f"{name}, chosen", found.chosen, f"{first:.1f} and {second:.1f}")


def _row(name: str, found: Figures, threshold: str) -> str:
    return f"{name:34}{found.precision:9.4f}  {found.recall:7.4f}  {found.f1:7.4f}  {threshold}".rstrip()


def _looks(report: Report) -> Iterator[str]:
    for title, found in (("Found, and not one", report.wrong), ("One, and not found", report.missed)):
        if found:
            yield ""
            yield f"{title}:"
        for look in found:
            yield from _look(report, look)


def _look(report: Report, look: Look) -> Iterator[str]:
    truth = report.truth
    name = [truth.ids[one] if len(truth.sources) == 1 else f"{truth.sources[truth.source_of[one]]} {truth.ids[one]}"
            for one in (look.a, look.b)]  # fmt: skip
    if look.scored is None:
        yield f"  {name[0]} and {name[1]}: no block brings them together"
    else:
        yield f"  {name[0]} and {name[1]}: {look.scored.weight:.1f} bits"
    bits = {step.column: step.bits + step.frequency_bits for step in look.scored.steps} if look.scored else {}
    left, right = (features(report.declaration, truth.records[one]) for one in (look.a, look.b))
    compared = {one.column for one in report.declaration.comparisons}
    for column in left:
        if column not in compared:
            continue
        weight = f"{bits[column]:+6.1f}" if column in bits else "      "
        sign = "=" if left[column] == right[column] and left[column] is not None else "|"
        yield f"    {weight}  {column:14} {_shown(left[column])} {sign} {_shown(right[column])}"


def _shown(value: Value | None) -> str:
    if value is None:
        return "-"
    text = ", ".join(value) if isinstance(value, tuple | list) else f"{value:g}" if isinstance(value, float) else value
    return text if len(text) <= _WIDE else text[: _WIDE - 1] + "…"
