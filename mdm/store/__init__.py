"""The hub's store: its tables, and all of its SQL; every function takes the connection of its caller's transaction."""

from mdm.store import _bulk as bulk
from mdm.store import _decisions as decisions
from mdm.store import _erasing as erasing
from mdm.store import _figures as figures
from mdm.store import _groups as groups
from mdm.store import _labels as labels
from mdm.store import _models as models
from mdm.store import _notices as notices
from mdm.store import _queue as queue
from mdm.store import _reading as reading
from mdm.store import _records as records
from mdm.store._migrate import migrate
from mdm.store._sql import fragment, storable

__all__ = [
    "bulk",
    "decisions",
    "erasing",
    "figures",
    "fragment",
    "groups",
    "labels",
    "migrate",
    "models",
    "notices",
    "queue",
    "reading",
    "records",
    "storable",
]
