"""The contract every connector keeps, as a suite that runs over a bench: ours and those of other people alike.

A connector brings a `Bench` (its sandbox, foreign users' hands, faults, a look at effects) and gets a test per check:
`test_contract = contract_tests("depot", DepotBench)`. What a product cannot do its connector waives with a reason.
The checks are plain functions over a bench, so that planted faults can be run through them too. Needs pytest.
"""

from landbridge.contract._bench import KEPT_ALIVE, Bench, Side
from landbridge.contract._kit import STATIC, Check, Inbox, as_update, delivered, outcome_of
from landbridge.contract._suite import ALL
from landbridge.contract._tests import contract_tests, waived

__all__ = [
    "ALL",
    "KEPT_ALIVE",
    "STATIC",
    "Bench",
    "Check",
    "Inbox",
    "Side",
    "as_update",
    "contract_tests",
    "delivered",
    "outcome_of",
    "waived",
]
