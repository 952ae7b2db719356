"""Reconcile: what the source has, what was received of it, and what the targets hold, compared by ranges of keys.

What feeds do not tell is found here: deletions, changes that a cursor skipped, records that a target lost or that were
changed there behind our back. It is sent again by the same way as everything else.
"""

from landbridge.reconcile._reconcile import KINDS, Report, reconcile

__all__ = ["KINDS", "Report", "reconcile"]
