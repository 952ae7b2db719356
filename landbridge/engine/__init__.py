"""The engine: extract, canonicalise, check, resolve, translate, deliver, record.

Everything enters by the inbox and leaves by the outbox. `Engine` runs flows; `Parts` is what it is put together from.
"""

from landbridge.engine._engine import Engine, RunResult
from landbridge.engine._extract import Extracted, incoming_of, receive
from landbridge.engine._parts import STATES, Parts
from landbridge.engine._plan import reference_of
from landbridge.engine._tune import tune_process

__all__ = [
    "STATES",
    "Engine",
    "Extracted",
    "Parts",
    "RunResult",
    "incoming_of",
    "receive",
    "reference_of",
    "tune_process",
]
