"""How good a declaration is on records whose truth is known: precision, recall, F1, and errors to look at."""

from mdm.evaluate._columns import Asked
from mdm.evaluate._figures import Figures
from mdm.evaluate._files import Table, read_table, tables
from mdm.evaluate._run import Look, Measured, Report, evaluate
from mdm.evaluate._text import lines
from mdm.evaluate._truth import Truth, searched, understand

__all__ = [
    "Asked",
    "Figures",
    "Look",
    "Measured",
    "Report",
    "Table",
    "Truth",
    "evaluate",
    "lines",
    "read_table",
    "searched",
    "tables",
    "understand",
]
