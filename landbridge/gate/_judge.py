"""What great-expectations says of a frame: rule by rule which rows it does not find as expected.

Nothing leaves the machine and nothing is written: its context lives in memory, and its analytics are off before it is
imported. It costs seconds to import, so it is imported when there is something to look at.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from landbridge.errors import LandbridgeError
from landbridge.gate._frames import Frame
from landbridge.quality import Rule

if TYPE_CHECKING:
    import pandas as pd

INSTALL = "Install Landbridge with its extra `quality` (pip install 'landbridge[quality]')."


@dataclass(slots=True)
class Said:
    """What was said of one rule over one table: rows looked at, positions of those that are wrong, its verdict."""

    rule: Rule
    evaluated: int
    missing: int
    wrong: list[int] = field(default_factory=list)
    success: bool = True
    observed: str | None = None


class Judge:
    """great-expectations, ready to be asked; one per run of the gate."""

    def __init__(self) -> None:
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        try:
            import great_expectations as gx
        except ModuleNotFoundError as missing:
            raise LandbridgeError(f"the quality gate needs {missing.name}, which is not here.", hint=INSTALL) from None
        import pandas as pd

        # One way of matching texts wherever it runs: pyarrow, where it is there, has regular expressions of its own.
        pd.set_option("mode.string_storage", "python")
        self._gx = gx
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        nowhere = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        config = DataContextConfig(
            store_backend_defaults=nowhere,
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        )
        context = gx.get_context(mode="ephemeral", project_config=config)
        asset = context.data_sources.add_pandas("waiting").add_dataframe_asset("messages")
        self._batch = asset.add_batch_definition_whole_dataframe("all")

    def ask(self, frame: Frame, known: Collection[str] = ()) -> list[Said]:
        """What it says of every rule of a frame, in the rules' order; `known` are the references that are known."""
        expectations = [self.expectation(rule, known) for rule in frame.rules]
        said = self.say(frame.table(), expectations)
        return [_said(rule, said[rule.id]) for rule in frame.rules]

    def say(self, table: pd.DataFrame, expectations: Sequence[Any]) -> dict[str, Any]:
        """Its own results by the rule's id."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of groups in patterns and of types to come: nothing a reader can act on
            batch = self._batch.get_batch(batch_parameters={"dataframe": table})
            suite = self._gx.ExpectationSuite(name="rules", expectations=list(expectations))
            told = batch.validate(
                suite, result_format={"result_format": "COMPLETE", "return_unexpected_index_query": False}
            )
        found: dict[str, Any] = {}
        for one in told.results:
            config: Any = one.expectation_config
            found[config["meta"]["rule"]] = one
        return found

    def expectation(self, rule: Rule, known: Collection[str] = ()) -> Any:
        """The rule as great-expectations' own."""
        made = "".join(part.capitalize() for part in rule.type.split("_"))
        return getattr(self._gx.expectations, made)(**arguments(rule, known))


def arguments(rule: Rule, known: Collection[str] = ()) -> dict[str, Any]:
    """What great-expectations is told of a rule; rows that its `when` leaves out are not in its frame."""
    left = {"type", "name", "when", "hint", "meta", "column", "column_A", "column_B", "column_list", "value_set"}
    told = {word: value for word, value in rule.expectation.model_dump(exclude=left).items() if value is not None}
    told["meta"] = {"rule": rule.id, **rule.expectation.meta}
    told["notes"] = rule.expectation.notes or None
    if "mostly" in told:
        told["mostly"] = rule.mostly
    for word, bound in zip(("min_value", "max_value"), rule.bounds, strict=True):
        if bound is not None:
            told[word] = float(bound) if isinstance(bound, Decimal) else bound
    names = [column.path for column in rule.columns]
    fields = type(rule.expectation).model_fields
    if "column" in fields:
        told["column"] = names[0]
    elif "column_A" in fields:
        told["column_A"], told["column_B"] = names
    elif "column_list" in fields:
        told["column_list"] = names
    if "value_set" in fields:
        told["value_set"] = sorted(known) if rule.known else sorted(rule.values or (), key=str)
    return told


def _said(rule: Rule, result: Any) -> Said:
    raised = result.exception_info or {}
    if raised.get("raised_exception") or any(
        isinstance(one, dict) and one.get("raised_exception") for one in raised.values()
    ):
        first = raised if raised.get("exception_message") else next(v for v in raised.values() if isinstance(v, dict))
        raise LandbridgeError(
            f"great-expectations cannot look at rule '{rule.id}': {first.get('exception_message')}",
            hint=f"Mend the rule at {rule.where}.",
        )
    told = result.result
    if "element_count" not in told:
        return Said(rule, 1, 0, [], bool(result.success), str(told.get("observed_value")))
    missing = int(told.get("missing_count") or 0)
    wrong = [int(at) for at in told.get("unexpected_index_list") or ()]
    return Said(rule, int(told["element_count"]) - missing, missing, wrong, bool(result.success))
