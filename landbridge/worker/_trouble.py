"""What goes wrong in a worker's threads: told when it begins and when it is over, and not with every try between."""

from __future__ import annotations

import logging
import threading

from landbridge.errors import Failure, LandbridgeError
from landbridge.store import away
from landbridge.telemetry import Outage

SHORTEST, LONGEST = 0.1, 3.0
"""Seconds of rest after a failure, doubled with each that follows."""

_log = logging.getLogger("landbridge.worker")


class Trouble:
    """Shared by the threads of one worker; thread-safe."""

    def __init__(self) -> None:
        self.store = Outage("the store", _log)
        self._lock = threading.Lock()
        self._met: dict[str, tuple[str, int]] = {}  # by where: what it is, and how often it came

    def met(self, where: str, error: Exception, **known: str) -> float:
        """Something failed; how many seconds to rest. The same again is told at the 2nd, 4th, 8th … time only.

        A store that is away is one trouble wherever it is met. `known` goes with the line.
        """
        if (why := away(error)) is not None:
            self.store.away(why)
            return self.store.rest()
        what = f"{type(error).__name__}: {error}"
        with self._lock:
            before, times = self._met.get(where, ("", 0))
            times = times + 1 if what == before else 1
            self._met[where] = what, times
        extra: dict[str, object] = {"where": where, **known} | ({"times": times} if times > 1 else {})
        if times & (times - 1):
            pass
        elif isinstance(error, Failure):  # a system's doing, and no fault of ours
            _log.warning("%s", error, extra=extra)
        elif isinstance(error, LandbridgeError):
            _log.error("%s", error, extra=extra)
        else:
            _log.error("it failed: %s", type(error).__name__, extra=extra, exc_info=times == 1)
        return float(min(LONGEST, SHORTEST * 2 ** min(times, 10)))

    def over(self, where: str) -> None:
        """It works; told if it did not."""
        if where not in self._met:
            return
        with self._lock:
            _, times = self._met.pop(where, ("", 0))
        if times:
            _log.info("it works again", extra={"where": where, "times": times})
