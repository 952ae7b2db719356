"""The store: PostgreSQL. All of the kernel's SQL stands in this package, a module per table family.

`Store` opens transactions; the modules `inbox`, `snapshots`, `identity`, `outbox`, `control` and `operate` hold
the statements and take the connection of the transaction they belong to.
"""

from landbridge.store import _adopt as adoption
from landbridge.store import _breaker as breakers
from landbridge.store import _codes as codes
from landbridge.store import _control as control
from landbridge.store import _drift as drift
from landbridge.store import _erasure as erasure
from landbridge.store import _figures as figures
from landbridge.store import _groups as groups
from landbridge.store import _hooks as hooks
from landbridge.store import _identity as identity
from landbridge.store import _inbox as inbox
from landbridge.store import _live as live
from landbridge.store import _operate as operate
from landbridge.store import _outbox as outbox
from landbridge.store import _quality as quality
from landbridge.store import _reconcile as reconciling
from landbridge.store import _reread as reread
from landbridge.store import _routes as routes
from landbridge.store import _snapshots as snapshots
from landbridge.store._away import away
from landbridge.store._budget import StoreBudget
from landbridge.store._listen import Listener
from landbridge.store._migrate import ensure_partitions, migrate
from landbridge.store._presence import Presence
from landbridge.store._store import Store, locked_out

__all__ = [
    "Listener",
    "Presence",
    "Store",
    "StoreBudget",
    "adoption",
    "away",
    "breakers",
    "codes",
    "control",
    "drift",
    "ensure_partitions",
    "erasure",
    "figures",
    "groups",
    "hooks",
    "identity",
    "inbox",
    "live",
    "locked_out",
    "migrate",
    "operate",
    "outbox",
    "quality",
    "reconciling",
    "reread",
    "routes",
    "snapshots",
]
