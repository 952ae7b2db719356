"""The result page of a run, as great-expectations renders it, in one file that asks no server for anything.

Its own page loads styles and programs from six places of the internet, which tells them who looks at which page and
leaves it bare where there is no internet. They are taken off, and a style of a few lines stands in for them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from landbridge.gate._judge import arguments
from landbridge.quality import Rule

SHOWN = 10
"""Unexpected values of a rule that its page shows."""


@dataclass(slots=True)
class Tally:
    """What was said of one rule over a whole batch, chunk by chunk."""

    rule: Rule
    evaluated: int = 0
    missing: int = 0
    unexpected: int = 0
    observed: str | None = None
    verdict: bool = True  # of great-expectations itself over the last chunk
    chunks: int = 0
    values: list[Any] = field(default_factory=list)
    keys: dict[str, None] = field(default_factory=dict)
    last: int = 0  # the newest message that broke it

    @property
    def success(self) -> bool:
        """Its own verdict where there was one chunk; the same reckoning over the sums where there were several."""
        if self.chunks <= 1 or self.observed is not None or not self.evaluated:
            return self.verdict
        return (float(self.evaluated) - float(self.unexpected)) / float(self.evaluated) >= self.rule.mostly


@dataclass(frozen=True, slots=True)
class About:
    """What a page says of its run."""

    flow: str
    run: str
    rules: str
    at: datetime
    messages: int
    invalid: int
    outcome: str


def write_page(folder: Path, about: About, tallies: Sequence[Tally]) -> str:
    """Write the page of a run under the state folder, whole or not at all; returns its path in there."""
    name = f"quality/{about.flow}/{about.at:%Y%m%dT%H%M%S}-{about.run[-12:]}.html"
    target = folder / name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = target.with_suffix(".new")
    draft.write_text(page(about, tallies), encoding="utf-8")
    draft.replace(target)
    return name


def page(about: About, tallies: Sequence[Tally]) -> str:
    """The page as one text."""
    import great_expectations
    from great_expectations.core import ExpectationSuiteValidationResult, RunIdentifier
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    right = sum(one.success for one in tallies)
    whole = ExpectationSuiteValidationResult(
        success=right == len(tallies),
        results=[_result(one) for one in tallies],
        suite_name=f"{about.flow}: {about.rules}",
        statistics={
            "evaluated_expectations": len(tallies),
            "successful_expectations": right,
            "unsuccessful_expectations": len(tallies) - right,
            "success_percent": 100 * right / len(tallies) if tallies else None,
        },
        meta={
            "run_id": RunIdentifier(run_name=about.run, run_time=about.at),
            "great_expectations_version": great_expectations.__version__,
            "batch_spec": {"data_asset_name": f"{about.messages} messages that wait for {about.flow}"},
        },
    )
    view: Any = DefaultJinjaPageView()
    rendered: str = view.render(ValidationResultsPageRenderer().render(whole))
    return _alone(rendered, about, tallies)


def _result(one: Tally) -> Any:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    told = arguments(one.rule)
    if one.rule.known:
        told["value_set"] = [f"(every {one.rule.known} that is known here)"]
    if one.rule.mostly == 1:
        told.pop("mostly", None)  # it would be told as a share
    told = _escaped(told)
    notes, severity, meta = told.pop("notes"), told.pop("severity"), told.pop("meta")
    config = ExpectationConfiguration(type=one.rule.type, kwargs=told, meta=meta, notes=notes, severity=severity)
    return ExpectationValidationResult(
        success=one.success, expectation_config=config, result=_escaped(_counts(one)), exception_info=_UNRAISED
    )


_UNRAISED = {"raised_exception": False, "exception_traceback": None, "exception_message": None}


def _escaped(value: Any) -> Any:
    """Texts as HTML shows them: great-expectations puts what it is given into its page as it is."""
    if isinstance(value, str):
        return html.escape(value)
    if isinstance(value, dict):
        return {key: _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(inner) for inner in value]
    return value


def _counts(one: Tally) -> dict[str, Any]:
    if one.observed is not None:
        return {"observed_value": one.observed}
    total = one.evaluated + one.missing
    counts: dict[str, Any] = {
        "element_count": total,
        "unexpected_count": one.unexpected,
        "unexpected_percent": 100 * one.unexpected / one.evaluated if one.evaluated else 0.0,
        "unexpected_percent_total": 100 * one.unexpected / total if total else 0.0,
        "unexpected_percent_nonmissing": 100 * one.unexpected / one.evaluated if one.evaluated else 0.0,
        "missing_count": one.missing,
        "missing_percent": 100 * one.missing / total if total else 0.0,
        "partial_unexpected_list": one.values,
    }
    return counts


def _broken(tallies: Sequence[Tally]) -> str:
    """What is broken, why it matters, and what to do: great-expectations' page says which values, and no more."""
    lines = [
        (
            one.rule.expectation.severity,
            one.rule.expectation.notes or one.rule.id,
            one.rule.expectation.hint,
            one.observed if one.observed is not None else f"{one.unexpected} of {one.evaluated}",
            ", ".join(list(one.keys)[:5]) + (" …" if len(one.keys) > 5 else ""),
        )
        for one in tallies
        if not one.success
    ]
    if not lines:
        return "<p>Every rule is satisfied.</p>"
    told = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
    heads = "".join(f"<th>{head}</th>" for head in ("severity", "what is broken", "what to do", "rows", "records"))
    return f"<table><tr>{heads}</tr>{told}</table>"


_OUTSIDE = re.compile(
    r"<script\b.*?</script>|<style\b.*?</style>|<link\b[^>]*>|<img\b[^>]*>|<!--.*?-->|<a\b[^>]*href=[\"']https?://[^>]*>.*?</a>",
    re.DOTALL | re.IGNORECASE,
)

_POLICY = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:1rem 2rem;color:#1d2733;background:#fff}
h1{font-size:1.5rem;margin:.2rem 0}h2,h3,h4,h5{margin:1.2rem 0 .4rem}.mb-1{margin-bottom:.2rem}
table{border-collapse:collapse;width:100%;margin:.4rem 0;font-size:.92rem}th{text-align:left;background:#f1f4f8}
td,th{border:1px solid #d8dee6;padding:.35rem .6rem;vertical-align:top}td table{margin:0}
.badge{background:#e6ebf1;border-radius:.3rem;padding:.05rem .35rem;font-family:ui-monospace,monospace;font-size:.85em}
.alert-danger,.text-danger{color:#a31515}.alert-success,.text-success{color:#166534}.text-warning{color:#92600a}
.fa-check-circle::before{content:"\\2714"}.fa-times::before{content:"\\2718"}.fas{font-style:normal;font-weight:700}
.navbar,.nav,.modal,.cooltip,.btn,footer{display:none}ul{padding-left:1.2rem}hr{border:0;border-top:1px solid #d8dee6}
.landbridge{border-left:4px solid #2563a8;background:#f5f8fc;padding:.6rem 1rem;margin-bottom:1rem}
.collapse{display:block}a{color:#2563a8}.sticky,.lead,a[data-toggle]{display:none}
"""


def _alone(rendered: str, about: About, tallies: Sequence[Tally]) -> str:
    """The page without anything that another server would be asked for, and with what it is about on top."""
    said = re.sub(r'\shref="\.\.[^"]*"', "", _OUTSIDE.sub("", rendered))  # pages that nobody makes here
    facts = (
        f"{about.messages} messages looked at, {about.invalid} of them invalid by the schema before any rule · "
        f"{about.outcome} · {about.at:%Y-%m-%d %H:%M:%S} UTC · run {about.run}"
    )
    top = f'<div class="landbridge"><h1>{html.escape(about.flow)}</h1>{html.escape(facts)}{_broken(tallies)}</div>'
    said = said.replace("</head>", f"<meta charset='utf-8'>{_POLICY}<style>{_STYLE}</style></head>", 1)
    return re.sub(r"(<body\b[^>]*>)", lambda found: found[1] + top, said, count=1)
