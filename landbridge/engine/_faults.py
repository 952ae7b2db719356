"""A fault of our own, or of a custom function, while one record is read or translated: the record's finding."""

from __future__ import annotations

from landbridge.errors import Finding, Invalid


def fault(step: str, error: Exception) -> Invalid:
    """The finding that quarantines the one record, so that the others of its batch go on."""
    return Invalid(
        [
            Finding(
                "",
                "fault",
                f"{step} failed: {type(error).__name__}: {error}",
                "Mend the mapping, or the custom function it calls, and replay; `landbridge explain` shows the step.",
            )
        ]
    )
