"""The resident worker: what comes in is in its targets within milliseconds; any number of them may run at once."""

from landbridge.worker._shown import NEEDS_A_PERSON, REPAIR, SHOWN, Shown
from landbridge.worker._windows import Window
from landbridge.worker._worker import Worker

__all__ = ["NEEDS_A_PERSON", "REPAIR", "SHOWN", "Shown", "Window", "Worker"]
