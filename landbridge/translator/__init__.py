"""The mapping language: YAML that says how a system's records become canonical ones and the other way round.

    file      = entity, [ native ], [ extends ], [ in ], [ out ], [ tests ]
    in, out   = record                                   in: native → canonical, out: canonical → native
    value     = short form | literal | list of values | record | operator form
    short     = path { "|" call }                        one plain scalar: Name | trim | upper
    call      = name [ "(" [ argument { "," argument } ] ")" ]
    argument  = [ name "=" ] ( literal | "$" path )

The whole grammar stands in docs/mappings.md; paths in `_paths`, expressions in `_arithmetic`, forms in `_forms`.
"""

from landbridge.translator._context import Context, MissingParent
from landbridge.translator._edits import Edit, Edits, edited, key_of, rows_of, text_of
from landbridge.translator._lint import Report, lint
from landbridge.translator._mapping import Mapping
from landbridge.translator._place import Place
from landbridge.translator._registry import Example, Function, Functions, function
from landbridge.translator._schema import schema
from landbridge.translator._tables import Codes, Decisions, Tables
from landbridge.translator._tests import Result, run_tests
from landbridge.translator._translator import Translator
from landbridge.translator._usage import Line, Read, lines, meets, overlap, reads
from landbridge.translator._values import Refused
from landbridge.translator._walk import Step

__all__ = [
    "Codes",
    "Context",
    "Decisions",
    "Edit",
    "Edits",
    "Example",
    "Function",
    "Functions",
    "Line",
    "Mapping",
    "MissingParent",
    "Place",
    "Read",
    "Refused",
    "Report",
    "Result",
    "Step",
    "Tables",
    "Translator",
    "edited",
    "function",
    "key_of",
    "lines",
    "lint",
    "meets",
    "overlap",
    "reads",
    "rows_of",
    "run_tests",
    "schema",
    "text_of",
]
