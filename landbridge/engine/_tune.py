"""Settings of the Python process that runs batches."""

from __future__ import annotations

import gc


def tune_process() -> None:
    """Make the garbage collector fit for batches: for the entry points, once, after their imports.

    A batch allocates hundreds of thousands of short-lived dicts without cycles; looking through the living ones every
    700 allocations cost a fifth of the engine's time (benchmarks/flow.py). Reference counting frees them all the same.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
