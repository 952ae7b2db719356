"""The resident worker: what comes in is in its targets within milliseconds; any number of them may run at once."""

from landbridge.worker._worker import Worker

__all__ = ["Worker"]
