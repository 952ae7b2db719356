"""The hub: takes records as they come, keeps golden records, and lets stewards decide and undo."""

from mdm.hub._asof import AsOf
from mdm.hub._change import Change, Decision, Follow, Matching, Regrouped, Scores, Verdict
from mdm.hub._hub import Hub
from mdm.hub._regroup import EVIDENCE

__all__ = ["EVIDENCE", "AsOf", "Change", "Decision", "Follow", "Hub", "Matching", "Regrouped", "Scores", "Verdict"]
