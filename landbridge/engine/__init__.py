"""The engine: extract, canonicalise, check, resolve, translate, deliver, record.

Everything enters by the inbox and leaves by the outbox. `Engine` runs flows; `Parts` is what it is put together from.
"""

from landbridge.engine._adopt import Adoption, adopt
from landbridge.engine._as_it_is import AS_IT_IS
from landbridge.engine._engine import Engine, RunResult
from landbridge.engine._erase import Erasure, erase
from landbridge.engine._extract import Extracted, Told, incoming_of, receive
from landbridge.engine._grouping import publish, regroup
from landbridge.engine._hub import Erased, Golden, Grouped, Hub, Sighting
from landbridge.engine._parts import HUB, STATES, Parts
from landbridge.engine._plan import reference_of
from landbridge.engine._preview import Difference, Example, Preview, preview, preview_rows
from landbridge.engine._process import canonicalise
from landbridge.engine._sighted import Sighted, hold_feeds, hub_feeds, receive_feed, rehearsal, sighted
from landbridge.engine._single import Step, canonical_of, fetch_one
from landbridge.engine._single import send as send_one
from landbridge.engine._tune import tune_process

__all__ = [
    "AS_IT_IS",
    "HUB",
    "STATES",
    "Adoption",
    "Difference",
    "Engine",
    "Erased",
    "Erasure",
    "Example",
    "Extracted",
    "Golden",
    "Grouped",
    "Hub",
    "Parts",
    "Preview",
    "RunResult",
    "Sighted",
    "Sighting",
    "Step",
    "Told",
    "adopt",
    "canonical_of",
    "canonicalise",
    "erase",
    "fetch_one",
    "hold_feeds",
    "hub_feeds",
    "incoming_of",
    "preview",
    "preview_rows",
    "publish",
    "receive",
    "receive_feed",
    "reference_of",
    "regroup",
    "rehearsal",
    "send_one",
    "sighted",
    "tune_process",
]
