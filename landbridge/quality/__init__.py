"""Quality rules declared once and checked twice: compiled for single messages, by great-expectations at the gate.

`Rules` is one file of config/quality, checked against the canonical model; `Checker` makes of it what holds one body to
it in microseconds. Nothing here imports great-expectations: that is the gate's (`landbridge.gate`).
"""

from landbridge.quality._cells import UNFIT
from landbridge.quality._columns import Column, Columns, Scopes, rows
from landbridge.quality._compiled import Checker, conditions
from landbridge.quality._findings import finding_of
from landbridge.quality._rules import QualityFile, Rule, Rules, read_rules
from landbridge.quality._vocabulary import PER_BATCH, PER_ROW, VOCABULARY, Expectation

__all__ = [
    "PER_BATCH",
    "PER_ROW",
    "UNFIT",
    "VOCABULARY",
    "Checker",
    "Column",
    "Columns",
    "Expectation",
    "QualityFile",
    "Rule",
    "Rules",
    "Scopes",
    "conditions",
    "finding_of",
    "read_rules",
    "rows",
]
